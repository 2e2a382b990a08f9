import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from perf.noc_cases import NocCaseError, read_noc_case

DATA = Path(__file__).parent.parent / "data" / "noc"

# Looser than what is measured, see docs/simulator.md: (file, all placements, random ones alone).
BARS = [
    ("noc_64", 0.95, 0.95),
    ("noc_32", 0.95, 0.95),
    ("noc_48", 0.93, 0.87),
    ("sanafe_odd", 0.98, 0.98),
    ("sanafe_sparse", 0.97, 0.95),
]


@pytest.mark.parametrize(("name", "bar", "bar_random"), BARS)
def test_mesh_ranks_placements_as_the_cycle_accurate_simulator_does(name, bar, bar_random):
    case = read_noc_case(DATA / f"{name}.json")
    found = case.simulate()
    assert case.random.sum() >= 30
    assert spearmanr(found, case.step_ns)[0] > bar
    assert spearmanr(found[case.random], case.step_ns[case.random])[0] > bar_random
    assert np.median(found / case.step_ns) == pytest.approx(1, abs=0.02)


def small(**network: object) -> dict:
    """A case of one message from core 0 to core 1."""
    tables = json.loads((DATA / "noc_64.json").read_text(encoding="utf-8"))
    return {
        "network": {**tables["network"], **network},
        "cores": [[[39.7, [[1, 20.7]]]], []],
        "tail_ns": [0.0, 0.0],
        "placements": [[0, 1], [0, 4], [0, 127], [4, 0]],
        "placement_kinds": ["row-major", "uniform random", "uniform random", "uniform random"],
        "cycle_ns": [70.0, 74.0, 110.0, 74.0],
    }


def read(tmp_path, tables: dict | str):
    path = tmp_path / "case.json"
    path.write_text(tables if isinstance(tables, str) else json.dumps(tables), encoding="utf-8")
    return read_noc_case(path)


def test_zero_load_latency_is_the_simulators_to_the_cycle(tmp_path):
    case = read(tmp_path, small())
    assert case.simulate().tolist() == case.step_ns.tolist()
    assert case.random.tolist() == [False, True, True, True]


def test_network_constants_come_from_the_file(tmp_path):
    """A cycle of 2 ns: 44.8 ns are 22 cycles, 20.7 ns are 10, and the way is 4 cycles."""
    case = read(tmp_path, small(cycle_ns=2))
    assert case.simulate().tolist() == [72, 80, 152, 80]
    case = read(tmp_path, small(mesh=[4, 8]))
    assert case.simulate().tolist() == [70, 74, 110, 74]
    assert case.chip.routers == (4, 8)


def test_a_sum_halfway_between_cycles_goes_where_the_simulators_goes(tmp_path):
    """54.5 ns is a bit less in binary seconds."""
    tables = small()
    tables["cores"][0][0][0] = 49.4
    assert read(tmp_path, tables).simulate()[0] == 54 + 4 + 21


def test_a_neuron_may_leave_out_cores(tmp_path):
    tables = small()
    tables["cores"] = [[[39.7, [[1, 20.7]]], [39.7, [[3, 20.7]]]], [[9.7, [[2, 20.7]]]], [], []]
    tables["tail_ns"] = [0.0] * 4
    tables["placements"] = [[0, 1, 2, 3]]
    case = read(tmp_path, tables)
    assert case.load.next_core.tolist() == [1, 1, 0, 0]
    assert case.load.fan_out.tolist() == [3, 3, 0, 0]
    assert case.simulate().tolist() == [90 + 4 + 21]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cores": None}, "NoneType"),
        ({"network": {}}, "'virtual_channels' is missing"),
        ({"placements": [[0, 128]]}, "physical cores from 0 to 127"),
        ({"placements": [[0]]}, "a physical core for each logical core"),
        ({"cores": [[[1.0, [[2, 1.0]]]], []]}, "not listed layer by layer"),
    ],
)
def test_a_malformed_case_is_named(tmp_path, change, message):
    with pytest.raises(NocCaseError, match=message) as error:
        read(tmp_path, {**small(), **change})
    assert "case.json" in str(error.value)


def test_unmodelled_networks_and_unreadable_files_are_refused(tmp_path):
    with pytest.raises(NocCaseError, match="one virtual channel"):
        read(tmp_path, small(virtual_channels=2))
    with pytest.raises(NocCaseError, match="is not JSON"):
        read(tmp_path, "{")
    with pytest.raises(NocCaseError, match="No such file"):
        read_noc_case(tmp_path / "none.json")
