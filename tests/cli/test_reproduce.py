import json

TINY = ("--networks", "mlp-xs", "--solvers", "nested-es:start=toolchain,nested-es:start=random")
SHORT = ("--budget", "25", "--seeds", "2")


def test_the_command_prints_the_table(run, tmp_path):
    code, out, _ = run("reproduce", "pierro2026", *TINY, *SHORT, "--out", str(tmp_path / "runs"))
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "pierro2026: median of 2 seeds, 25 evaluations each, simulated"
    rows = [line for line in lines if line.startswith("mlp-xs")]
    assert [row.split()[2] for row in rows] == TINY[3].split(",")
    assert all(row.count("%") == 2 for row in rows)
    text = " ".join(lines)
    assert "up to 35% off the latency" in text
    assert "up to 40% better energy efficiency" in text
    assert "no number of this table is the chip's" in text
    assert (tmp_path / "runs" / "mlp-xs" / "nested-es-start=random" / "25-seed1").is_dir()


def test_json_says_the_same_and_nothing_is_run_again(run, tmp_path):
    words = ("reproduce", "pierro2026", *TINY, *SHORT, "--out", str(tmp_path / "runs"), "--json")
    code, out, _ = run(*words)
    assert code == 0
    data = json.loads(out)
    assert (data["study"], data["simulated"], data["budget"]) == ("pierro2026", True, 25)
    for row in data["rows"]:
        assert len(row["latency_ps"]) == len(row["energy_fj"]) == 2
        reductions = sorted(1 - ps / row["default_latency_ps"] for ps in row["latency_ps"])
        assert reductions[0] <= row["latency_reduction"] <= reductions[1]
    assert run(*words)[1] == out


def test_bad_input_is_one_line(run, tmp_path):
    for words, what in (
        (("pierro2025",), "pierro2026"),
        (("pierro2026", "--networks", "mnist-depp"), "did you mean 'mnist-deep'"),
        (("pierro2026", "--solvers", "nested-ess"), "did you mean 'nested-es'"),
        (("pierro2026", "--budget", "0"), "--budget"),
    ):
        code, out, err = run("reproduce", *words, "--out", str(tmp_path / "runs"))
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert what in err
    assert not (tmp_path / "runs").exists()
