import json
from dataclasses import replace
from functools import partial

import gymnasium
import h5py
import nir
import numpy as np
import pytest
from scipy.sparse import csr_array

import loihi_gym
from loihi_gym.benchmarks.importing import import_problem, read_activity
from loihi_gym.errors import LoihiGymError, NetworkImportError
from loihi_gym.mapping import Mapping, fitting, heuristic, save_problem
from loihi_gym.mapping.export import core_csv, core_json, core_rows
from loihi_gym.mapping.pieces import Pieces
from loihi_gym.network import SparseMLP, record
from tests.toys import silent_problem, toy_chip, toy_problem


@pytest.fixture
def network(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.npz"
    weights = {"weights_1": rng.normal(0, 1, (20, 12)), "weights_2": rng.normal(0, 1, (8, 20))}
    np.savez(path, **weights)
    return path


@pytest.fixture
def spiking(tmp_path):
    path = tmp_path / "mine.net"
    weight = 2 * np.random.default_rng(0).integers(-60, 80, (20, 12))
    with h5py.File(path, "w") as file:
        file["layer/0/weight"] = weight.astype(np.float32)
        file.create_dataset("layer/0/type", (1,), "S10", [b"dense"])
        for key, value in {"iDecay": 410, "vDecay": 410, "vThMant": 200}.items():
            file[f"layer/0/neuron/{key}"] = value
        file["layer/0/neuron/type"] = "CUBA"
    return path


def samples(steps: int = 9) -> np.ndarray:
    return np.abs(np.random.default_rng(5).normal(0, 1, (steps, 12)))


def test_an_imported_problem_is_like_a_bundled_one(network):
    problem, notes = import_problem(network, samples(), "loihi2-16", steps=3)
    assert problem.name == "mine"
    assert problem.activity.steps == 3
    assert notes
    measured = loihi_gym.make_backend("mesh", problem)
    latencies = {
        name: measured.evaluate(mapping).latency_ps for name, mapping in fitting(problem).items()
    }
    assert latencies[problem.reference] == min(latencies.values())


def test_a_relu_network_keeps_the_samples_that_fill_its_pipeline(network):
    problem, _ = import_problem(network, samples(9), "loihi2-16", steps=3)
    assert len(problem.inputs) == 5
    again = record(problem.network, problem.inputs, 3)
    for mine, theirs in zip(problem.activity.messages, again.messages, strict=True):
        assert (mine == theirs).all()


def test_a_network_with_memory_is_run_from_its_first_sample(spiking):
    spikes = (np.random.default_rng(1).random((60, 12)) < 0.3).astype(int)
    problem, _ = import_problem(spiking, spikes, "loihi2-16", steps=20)
    assert (problem.inputs == spikes[: len(problem.inputs)]).all()
    assert problem.activity.steps == 20
    assert problem.activity.messages[1].any()
    assert set(np.unique(problem.activity.messages[1])) <= {0, 1}
    assert problem.activity.message_bits == 32
    last, _ = import_problem(spiking, spikes, "loihi2-16", steps=20, first=40)
    cut, _ = import_problem(spiking, spikes[-25:], "loihi2-16", steps=20, first=5)
    assert (cut.activity.messages[1] != last.activity.messages[1]).any()


@pytest.mark.parametrize("steps", [0, 8])
def test_too_few_samples_are_refused(network, steps):
    with pytest.raises(NetworkImportError, match="9 samples are too few: 2 fill the pipeline"):
        import_problem(network, samples(), "loihi2-16", steps=steps)


def test_a_network_that_does_not_fit_is_refused(tmp_path):
    np.savez(tmp_path / "big.npz", weights_1=np.ones((3000, 3000), np.float32))
    with pytest.raises(LoihiGymError, match="does not fit on loihi2-16"):
        import_problem(tmp_path / "big.npz", np.ones((5, 3000)), "loihi2-16", 2)


def test_axons_of_whole_layers_are_counted_near_the_answer_alone(monkeypatch):
    """In a layer of 12 million synapses it takes long: a tenth of a second for each count."""
    counted, count = [], Pieces._count_axons
    monkeypatch.setattr(Pieces, "_count_axons", lambda *a: counted.append(a[1:]) or count(*a))
    problem = silent_problem((900, 900, 900), "v1/loihi2", steps=1)
    full = csr_array(np.ones((900, 900), np.int8))
    problem = replace(problem, network=SparseMLP((full, full), (0, 0), (0, 0)))
    counts = heuristic(problem, "packed/row-major").cores_per_layer.tolist()
    assert counts[1] == counts[2] > 20
    assert len(set(counted)) < 8
    for layer in (1, 2):  # one core less is too few, so that nothing was passed over
        fewer = np.array(counts, np.int32)
        fewer[layer] -= 1
        assert not problem.fits(layer, fewer)


def test_values_beyond_24_bits_are_refused(tmp_path, spiking):
    np.savez(tmp_path / "a.npz", weights_1=np.ones((3, 12)))
    with pytest.raises(NetworkImportError, match="values of more than 24 bits"):
        import_problem(tmp_path / "a.npz", np.full((5, 12), 2**40), "loihi2-16", 2)
    with pytest.raises(NetworkImportError, match="layer 1: a neuron reaches"):
        import_problem(spiking, np.full((5, 12), 2**22), "loihi2-16", 2)


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "valid .npy"), (b"\x80\x04.", "valid .npy"), (None, "No such")]
)
def test_activity_that_is_no_array_is_refused(tmp_path, content, message):
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NetworkImportError, match=message):
        read_activity(path)


def test_activity_of_objects_or_several_arrays_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([None]))
    with pytest.raises(NetworkImportError):
        read_activity(tmp_path / "x.npy")
    np.savez(tmp_path / "y.npz", a=np.ones(2))
    with pytest.raises(NetworkImportError, match="not one array"):
        read_activity(tmp_path / "y.npz")


def test_from_file_to_search_to_core_lists(network, tmp_path, run_cli):
    np.save(tmp_path / "inputs.npy", samples())
    problem, out = str(tmp_path / "problem.npz"), str(tmp_path / "run")
    text = run_cli(
        *("import", str(network), "-o", problem, "--activity", str(tmp_path / "inputs.npy")),
        *("--chip", "loihi2-16", "--steps", "2"),
    )
    assert "12-20-8" in text
    assert "note: weights were rounded to int8" in text
    info = json.loads(run_cli("info", problem, "--json"))
    assert info["widths"] == [12, 20, 8]
    found = json.loads(run_cli("solve", "random", problem, "--budget", "5", "--out", out, "--json"))
    assert found["benchmark"] == problem
    run_cli("export", f"{out}/mapping.json", "-o", str(tmp_path / "cores.csv"))
    run_cli("export", problem, f"{out}/mapping.json", "-o", str(tmp_path / "cores.json"))
    mapping = Mapping.load(f"{out}/mapping.json")
    assert (tmp_path / "cores.csv").read_text().count("\n") == mapping.n_logical_cores + 1
    lists = json.loads((tmp_path / "cores.json").read_text())
    assert [len(layer["cores"]) for layer in lists["layers"]] == mapping.cores_per_layer.tolist()
    env = gymnasium.make("LoihiPlace-v0", benchmark=problem)
    env.reset(seed=0)
    env.step(env.action_space.sample())


@pytest.fixture
def run_cli(capsys):
    from loihi_gym.cli import main

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        assert ended.value.code == 0, captured.err
        return captured.out

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "a.txt", "-o", "x.npz"], "ends in none of"),
        (["import", "a.npz", "-o", "x.txt"], "x.txt: the name must end in .npz"),
        (["export", "mlp-xs", "packed/strided", "-o", "x.txt"], "must end in .csv or .json"),
        (["export", "nowhere/mapping.json", "-o", "x.csv"], "not the directory of a run"),
        (["info", "none.npz"], "No such file"),
    ],
)
def test_mistakes_end_in_one_line(capsys, arguments, message):
    from loihi_gym.cli import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_core_rows_are_the_places_of_the_mesh():
    problem = toy_problem(chip=toy_chip(chips=(2, 1), routers=(2, 2), coreless=((0, 0),)))
    mapping = Mapping([1, 2, 1], [11, 0, 6, 3])
    rows = core_rows(problem, mapping)
    assert [(row["chip"], row["core"]) for row in rows] == [(1, 5), (0, 0), (1, 0), (0, 3)]
    assert [(row["first_neuron"], row["end_neuron"]) for row in rows] == [
        (0, 12),
        (0, 8),
        (8, 16),
        (0, 10),
    ]
    mesh = problem.topology
    for row, core in zip(rows, mapping.placement, strict=True):
        assert (row["x"], row["y"]) == (mesh.core_x[core], mesh.core_y[core])
    assert core_csv(problem, mapping).splitlines()[1] == ",".join(map(str, rows[0].values()))
    data = json.loads(core_json(problem, mapping))
    assert data["layers"][1]["cores"] == [[0, 0], [1, 0]]
    assert data["mapping"] == mapping.digest


def test_an_illegal_mapping_is_not_exported():
    with pytest.raises(LoihiGymError, match="logical cores per core"):
        core_rows(toy_problem(), Mapping([1, 1, 1], [0, 0, 1]))


def test_a_problem_file_keeps_its_name(tmp_path):
    save_problem(tmp_path / "file.npz", toy_problem())
    assert loihi_gym.load(str(tmp_path / "file.npz")).name == "toy"


def threshold_graph(path, threshold: float, tau: float | None = None):
    n = np.ones(12)
    neurons = nir.Threshold(threshold * n)
    if tau is not None:
        neurons = nir.LIF(tau=tau * n, r=3 * n, v_leak=0 * n, v_threshold=threshold * n)
    nodes = {"a": nir.Linear(np.eye(12)), "b": neurons, "c": nir.Linear(np.eye(12))}
    nodes |= {"d": nir.Threshold(0.5 * n)}
    edges = [("a", "b"), ("b", "c"), ("c", "d")]
    nir.write(path, nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    return path


def burst(steps: int = 40) -> np.ndarray:
    """Spikes in the first steps alone."""
    spikes = np.zeros((steps, 12), int)
    spikes[:6] = 1
    return spikes


def test_the_window_has_every_layer_heard_if_there_is_one(tmp_path):
    path = threshold_graph(tmp_path / "a.nir", 0.5)
    problem, notes = import_problem(path, burst(), "loihi2-16")
    assert all(problem.activity.active)
    assert any("of 40 are recorded" in note for note in notes)


SILENT = {
    "in the window": (0.5, None, burst(), {"first": 30}, "layers 0, 1, 2 send nothing", "--from"),
    "threshold": (5.0, None, burst(), {}, "layers 1, 2 send nothing", "of 0.0001 may not be"),
    "time step": (9.0, 0.1, burst(), {"dt_s": 1e-3}, "layers 1, 2 send", "of 0.001 may not be"),
    "no input": (0.5, None, 0 * burst(), {}, "layers 0, 1, 2", "the activity is 0 in all 40"),
}


@pytest.mark.parametrize(
    ("threshold", "tau", "spikes", "given", "named", "cause"), SILENT.values(), ids=SILENT.keys()
)
def test_silence_is_a_warning_of_an_import_and_an_error_of_a_search(
    tmp_path, capsys, threshold, tau, spikes, given, named, cause
):
    path = threshold_graph(tmp_path / "a.nir", threshold, tau)
    problem, notes = import_problem(path, spikes, "loihi2-16", **given)
    assert notes[-1].startswith("warning: ")
    assert named in notes[-1]
    assert cause in notes[-1]
    with pytest.raises(LoihiGymError, match=named):
        import_problem(path, spikes, "loihi2-16", require_messages=True, **given)
    save_problem(tmp_path / "a.npz", problem)
    np.save(tmp_path / "x.npy", spikes)
    run, out = f"{tmp_path}/run", f"{tmp_path}/b.npz"
    activity = ["--activity", f"{tmp_path}/x.npy", "--chip", "loihi2-16"]
    if "first" in given:
        activity += ["--from", str(given["first"])]
    if "dt_s" in given:
        activity += ["--dt", str(given["dt_s"])]
    failed = partial(ended, capsys, code=2)
    assert named in failed("solve", "random", f"{tmp_path}/a.npz", "--budget", "3", "--out", run)
    assert named in failed("map", str(path), *activity, "--budget", "3", "--out", run)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "run-problem.npz").exists()
    assert "\nwarning: layer" in ended(capsys, "import", str(path), *activity, "-o", out, code=0)


def ended(capsys, *arguments: str, code: int) -> str:
    """What a command printed, a refusal being one line."""
    from loihi_gym.cli import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert ended.value.code == code, captured.err
    lines = [line for line in captured.err.splitlines() if "so far" not in line]
    assert not code or len(lines) == 1
    return captured.err if code else captured.out


def test_progress_says_what_is_done(network):
    said = []
    import_problem(network, samples(), "loihi2-16", 2, on_progress=said.append)
    assert said == [
        "reading the network",
        "running 400 synapses on 9 samples",
        "measuring the standard heuristics",
    ]
