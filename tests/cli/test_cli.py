import json
import subprocess
import sys

import pytest

from loihi_gym import benchmark_names, chip_names, load, make_backend
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import fitting, heuristic
from loihi_gym.mapping.heuristics import COARSE, FIRST_RELEASE, heuristic_names, partitions
from tests.toys import DATA


def last_json(out: str) -> dict:
    """What was printed: JSON and nothing else."""
    return json.loads(out)


def test_list_names_every_benchmark(run):
    code, out, _ = run("list")
    assert code == 0
    names = [line.split()[0] for line in out.partition("\n\n")[0].splitlines()[1:]]
    assert names == benchmark_names()


def test_chips_lists_chips_and_constants_with_sources(run):
    assert {line.split()[0] for line in run("chips")[1].splitlines()[1:]} == set(chip_names())
    code, out, _ = run("chips", "loihi2")
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("costs.synop_ps"))
    assert "700" in row
    assert "derived" in row
    assert "Davies et al. 2018" in row


def test_info_measures_the_heuristics(run):
    code, out, _ = run("info", "mlp-xs")
    assert code == 0
    assert all(f"{partitioning}/" in out for partitioning in partitions(load("mlp-xs"), COARSE))
    assert "lava-default/row-major" in out
    assert f"{load('mlp-xs').reference} (reference)" in out
    assert "not measured on a chip" in out
    data = last_json(run("info", "mlp-xs", "--json")[1])
    problem = load("mlp-xs")
    backend = make_backend("mesh", problem)
    for name, row in data["heuristics"].items():
        assert row["latency_ps"] == backend.evaluate(heuristic(problem, name)).latency_ps
    assert list(data["heuristics"]) == list(fitting(problem, COARSE))
    first = heuristic_names(FIRST_RELEASE)
    assert data["reference"] == min(first, key=lambda name: data["heuristics"][name]["latency_ps"])


def test_evaluate_takes_a_file_or_a_heuristic(run, tmp_path):
    problem = load("mlp-xs")
    mapping = heuristic(problem, "balanced/hilbert")
    mapping.save(tmp_path / "m.json")
    by_file = last_json(run("evaluate", "mlp-xs", str(tmp_path / "m.json"), "--json")[1])
    by_name = last_json(run("evaluate", "mlp-xs", "balanced/hilbert", "--json")[1])
    assert by_file == by_name
    expected = make_backend("mesh", problem).evaluate(mapping)
    assert by_file["latency_ps"] == expected.latency_ps
    assert by_file["energy_fj"] == expected.energy_fj
    code, out, _ = run("evaluate", "mlp-xs", "balanced/hilbert", "--backend", "bound")
    assert code == 0
    assert "mlp-xs on bound" in out


def test_render_compares_two_mappings(run, tmp_path):
    pair = "--compare", "packed/hilbert", "balanced/strided"
    path = tmp_path / "both.png"
    assert run("render", "mlp-xs", *pair, "-o", str(path))[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    code, out, _ = run("render", "mlp-xs", *pair)
    assert code == 0
    assert "A: packed/hilbert" in out
    assert "B: balanced/strided" in out


@pytest.mark.parametrize("words", [(), ("packed/hilbert", "--compare", "a", "b")])
def test_render_takes_one_mapping_or_two(run, words):
    code, _, err = run("render", "mlp-xs", *words)
    assert code == 2
    assert "Give one MAPPING, or --compare A B." in err


def test_render_writes_a_picture_or_prints_text(run, tmp_path):
    path = tmp_path / "mesh.png"
    assert run("render", "mlp-xs", "balanced/strided", "-o", str(path))[0] == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    code, out, _ = run("render", "mlp-xs", "balanced/strided")
    assert code == 0
    assert "bottleneck" in out


def test_solve_reports_and_writes_its_run(run, tmp_path):
    out_dir = tmp_path / "run"
    arguments = ("solve", "ga", "mlp-xs", "--budget", "120", "--out", str(out_dir))
    code, out, _ = run(*arguments)
    assert code == 0
    for word in ("reference", "bottleneck", "cores per layer", "mapping.json", "trace.jsonl"):
        assert word in out
    assert "simulated" in out
    code, out, _ = run("evaluate", "mlp-xs", str(out_dir / "mapping.json"), "--json")
    result = json.loads((out_dir / "result.json").read_text())
    assert last_json(out)["latency_ps"] == result["latency_ps"]


def test_solve_prints_one_json_object_last(run, tmp_path):
    arguments = ("solve", "random", "mlp-xs", "--budget", "30", "--seed", "4", "--json")
    written = str(tmp_path / "best.json")
    code, out, _ = run(*arguments, "--out", str(tmp_path / "a"), "-o", written)
    assert code == 0
    data = last_json(out)
    assert list(data) == [
        *("benchmark", "solver", "backend", "chips", "seed", "evaluations"),
        *("reference_latency_ps", "default_latency_ps", "latency_ps", "reduction"),
        *("reference_energy_fj", "energy_fj", "reference_cores", "cores", "seconds"),
        *("run", "mapping"),
    ]
    assert (data["run"], data["mapping"]) == (str(tmp_path / "a"), written)
    measured = last_json(run("evaluate", "mlp-xs", written, "--json")[1])
    for name in ("latency_ps", "energy_fj", "cores", "reference_energy_fj"):
        assert data[name] == measured[name]
    assert data["seconds"] > 0
    assert (data["benchmark"], data["solver"], data["seed"]) == ("mlp-xs", "random", 4)
    assert data["evaluations"] == 30
    assert data["reduction"] == 1 - data["latency_ps"] / data["reference_latency_ps"]


def test_reports_compare_in_words_without_a_sign(run, tmp_path):
    code, out, _ = run("evaluate", "mlp-deep", "lava-default/row-major")
    assert code == 0
    assert "2.2 times as slow as the reference" in out
    words = ("solve", "random", "mlp-deep-8chip", "--budget", "1", "--out", str(tmp_path / "run"))
    title = run(*words)[1].splitlines()[0]
    assert "times as slow as the reference after 1 evaluation in" in title
    assert "%" not in title


def test_facts_are_there_as_json(run):
    assert {one["name"] for one in last_json(run("chips", "--json")[1])["chips"]} == set(
        chip_names()
    )
    constants = last_json(run("chips", "loihi2", "--json")[1])["constants"]
    assert constants["costs.synop_ps"]["value"] == 700
    sets = last_json(run("hypotheses", "--json")[1])["sets"]
    (known,) = (one for one in sets if one["name"] == "loihi2-hypotheses")
    chips = last_json(run("hypotheses", "loihi2-hypotheses", "--json")[1])["chips"]
    assert len(chips) == known["chips"]
    solvers = {one["name"]: one for one in last_json(run("solvers", "--json")[1])["solvers"]}
    assert "--unseeded" in solvers["ga"]["options"]


def test_a_picture_and_core_lists_are_told_as_json(run, tmp_path):
    picture, cores = str(tmp_path / "mesh.svg"), str(tmp_path / "cores.csv")
    said = last_json(run("render", "mlp-xs", "packed/hilbert", "-o", picture, "--json")[1])
    assert said["picture"] == picture
    (drawn,) = said["mappings"]
    measured = last_json(run("evaluate", "mlp-xs", "packed/hilbert", "--json")[1])
    assert drawn == {"name": "packed/hilbert", **measured}
    said = last_json(run("export", "mlp-xs", "packed/hilbert", "-o", cores, "--json")[1])
    assert said == {
        "output": cores,
        "cores": drawn["cores"],
        "layers": len(drawn["cores_per_layer"]),
    }
    assert (tmp_path / "cores.csv").exists()


def test_a_solvers_own_options_follow_its_name(run, tmp_path):
    common = ("solve", "ga", "mlp-xs", "--budget", "60", "--json", "--backend", "bound")
    seeded = last_json(run(*common, "--out", str(tmp_path / "a"))[1])
    unseeded = last_json(run(*common, "--unseeded", "--out", str(tmp_path / "b"))[1])
    assert seeded["latency_ps"] != unseeded["latency_ps"]
    assert "--unseeded" in run("solvers")[1]


def test_resume_goes_on_with_a_run(run, tmp_path):
    run("solve", "ga", "mlp-xs", "--budget", "60", "--out", str(tmp_path / "run"))
    code, out, _ = run("solve", "--resume", str(tmp_path / "run"), "--json")
    assert code == 0
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert last_json(out).items() >= written.items()


BAD = {
    "no such command": (["solv"], "No such command"),
    "no such benchmark": (["info", "mlp-dep"], "unknown benchmark 'mlp-dep'; did you mean"),
    "no such chip": (["chips", "loihi3"], "unknown chip 'loihi3'"),
    "no such solver": (["solve", "gaa", "mlp-xs"], "unknown solver 'gaa'; did you mean 'ga'"),
    "no such backend": (["evaluate", "mlp-xs", "packed/hilbert", "--backend", "x"], "backend 'x'"),
    "no solver named": (["solve"], "Name a solver and a benchmark"),
    "zero budget": (["solve", "ga", "mlp-xs", "--budget", "0"], "'--budget': 0 is not in"),
    "negative budget": (["solve", "ga", "mlp-xs", "--budget", "-5"], "'--budget': -5 is not in"),
    "budget no number": (["solve", "ga", "mlp-xs", "--budget", "many"], "'many' is not a valid"),
    "no such option": (["solve", "ga", "mlp-xs", "--foo"], "--foo (options of ga: --unseeded)"),
    "mapping missing": (["evaluate", "mlp-xs", "none.json"], "none.json: No such file"),
    "mapping a folder": (["evaluate", "mlp-xs", "."], "mapping file .: Is a directory"),
    "mapping malformed": (["evaluate", "mlp-xs", "{bad}"], "is not JSON"),
    "mapping illegal": (["evaluate", "mlp-xs", "{illegal}"], "core 0 has 2, the limit is 1"),
    "mapping of another": (["render", "mlp-deep", "{good}"], "layers: cores_per_layer has 5"),
    "picture unwritable": (
        ["render", "mlp-xs", "{good}", "-o", "/no/such/x.png"],
        "/no/such/x.png",
    ),
    "picture of no kind": (["render", "mlp-xs", "{good}", "-o", "{here}/x.foo"], "x.foo"),
    "out unwritable": (["solve", "ga", "mlp-xs", "--out", "{bad}/run"], "cannot write to"),
    "out in use": (["solve", "ga", "mlp-xs", "--out", "{here}"], "is not empty"),
    "resume nothing": (["solve", "--resume", "{here}"], "is not the directory of a run"),
    "resume and name": (["solve", "ga", "--resume", "{here}"], "takes all settings from"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_line_and_exit_code_2(run, tmp_path, case):
    words, message = BAD[case]
    (tmp_path / "bad.json").write_text('{"format": ')
    illegal = heuristic(load("mlp-xs"), "packed/hilbert").to_json()
    (tmp_path / "good.json").write_text(illegal)
    data = json.loads(illegal)
    data["placement"] = [0, 0, *data["placement"][2:]]
    (tmp_path / "illegal.json").write_text(json.dumps(data))
    places = {name: tmp_path / f"{name}.json" for name in ("bad", "good", "illegal")}
    before = sorted(tmp_path.iterdir())
    code, out, err = run(*(word.format(here=tmp_path, **places) for word in words))
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("loihi-gym: ")
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_corrupt_data_file_is_named(run, tmp_path, monkeypatch):
    from loihi_gym.benchmarks import bundled

    broken = tmp_path / "data"
    broken.mkdir()
    (broken / "mlp-xs.npz").write_bytes((DATA / "mlp-xs.npz").read_bytes()[:-100])
    (tmp_path / "bundled.toml").write_bytes((DATA.parent / "bundled.toml").read_bytes())
    monkeypatch.setattr(bundled, "_HERE", tmp_path)
    code, _, err = run("info", "mlp-xs")
    assert code == 2
    assert "mlp-xs.npz is not the released one" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["list", "info", "chips", "evaluate", "render", "solve"])
def test_every_command_has_help_with_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert "Usage: loihi-gym" in out or "Usage:" in out
    if command != "list":
        assert "Example: loihi-gym" in out


def test_the_installed_command_ends_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "loihi_gym.cli", "info", "nothing"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("loihi-gym: unknown benchmark 'nothing'")
    assert done.stderr.count("\n") == 1


def test_reports_show_the_proven_lower_bound(run, tmp_path):
    least = lower_bound(load("mlp-xs")).latency_ps
    shown = f"{least * 1e-6:.3f} us, "
    assert last_json(run("info", "mlp-xs", "--json")[1])["lower_bound_ps"] == least
    assert f"over all mappings: {shown}" in run("info", "mlp-xs")[1]
    assert shown in run("evaluate", "mlp-xs", "balanced/strided")[1]
    out = run("solve", "random", "mlp-xs", "--budget", "5", "--out", str(tmp_path / "run"))[1]
    assert out.count(shown) == 2
