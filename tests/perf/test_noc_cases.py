import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from perf.noc_cases import NocCaseError, read_noc_case, regret

DATA = Path(__file__).parent.parent / "data" / "noc"
PERF = Path(__file__).parent.parent.parent / "perf"

# Looser than what is measured, see docs/simulator.md.
CASES = ["noc_manylayers", "noc_64", "noc_32", "noc_48", "sanafe_odd", "sanafe_sparse"]


@pytest.mark.parametrize("name", CASES)
def test_mesh_ranks_placements_as_the_cycle_accurate_simulator_does(name):
    case = read_noc_case(DATA / f"{name}.json")
    found = case.simulate()
    assert case.random.sum() >= 20
    assert spearmanr(found, case.step_ns)[0] > 0.99
    assert spearmanr(found[case.random], case.step_ns[case.random])[0] > 0.985
    assert regret(found, case.step_ns) < 0.005
    assert found / case.step_ns == pytest.approx(1, abs=0.01)


def test_regret_is_what_the_placement_found_best_costs_over_the_best():
    reference = np.array([110.0, 100.0, 150.0, 120.0])
    assert regret(np.array([2.0, 1.0, 3.0, 4.0]), reference) == 0
    assert regret(np.array([1.0, 2.0, 3.0, 4.0]), reference) == pytest.approx(0.1)
    # Which of two that were found equally good is taken is open: the slower one counts.
    assert regret(np.array([2.0, 1.0, 3.0, 1.0]), reference) == pytest.approx(0.2)


def test_fidelity_prints_a_row_for_each_file(capsys, monkeypatch):
    monkeypatch.syspath_prepend(PERF)
    fidelity = importlib.import_module("fidelity")
    files = [str(DATA / "noc_64.json"), str(DATA / "sanafe_odd.json")]
    assert fidelity.main([*files, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["file"] for row in rows] == files
    assert rows[0]["spread"] == pytest.approx(0.86, abs=0.001)
    assert rows[0]["regret"] < 0.005
    assert fidelity.main([files[0]]) == 0
    assert "regret" in capsys.readouterr().out
    assert fidelity.main(["none.json"]) == 2
    assert "No such file" in capsys.readouterr().err


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
    """54.5 ns is a bit less in binary seconds; 86.5 is too, but only if summed by synapse."""
    tables = small(silent_ns=9.7)
    tables["cores"][0][0] = [49.4, [[1, 86.5]]]
    assert read(tmp_path, tables).simulate()[0] == 54 + 4 + 86


def test_silent_neurons_take_what_they_took_the_simulator(tmp_path):
    """Two silent ones before a neuron that fires for nobody, and one that sends."""
    tables = small()
    tables["cores"][0][0][0] = 2 * 9.7 + 2 * 39.7
    tables["tail_ns"] = [20 * 9.7, 0.0]
    tables["placements"] = [[0, 1]]
    first = 2 * 6.0 + 2 * 39.7 + 5.1  # 96.5 is a bit less too
    assert read(tmp_path, tables).simulate().tolist() == [int(first) + 20 * 6]
    tables["network"]["silent_ns"] = 9.7
    assert read(tmp_path, tables).simulate().tolist() == [104 + 20 * 9.7]


def test_works_that_are_no_sum_of_neurons_stay_as_they_are(tmp_path):
    """No number of neurons takes 41 ns; then 49.4 is not taken apart either."""
    tables = small()
    tables["cores"] = [[[49.4, [[1, 20.0]]]], [[41.0, [[2, 20.0]]]], []]
    tables["tail_ns"] = [0.0] * 3
    tables["placements"] = [[0, 1, 2]]
    assert read(tmp_path, tables).simulate().tolist() == [54 + 4 + 20]


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
