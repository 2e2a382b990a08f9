import json

from loihi_gym.validation import load_figures


def test_the_command_prints_every_figure(run, tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text('base = "loihi2-16"\nfitted_to = ["ozu-lif-200", "ozu-izhikevich"]\n')
    code, out, _ = run("validate", str(own), "--random", "1")
    assert code == 0
    lines = out.splitlines()
    for figure in load_figures():
        (row, about) = (line for line in lines if line.split(" ")[0].rstrip(":") == figure.name)
        assert figure.status in row
        assert figure.what in about
        assert f"    Assumed: {figure.assumed}" in lines
        assert f"    Source: {figure.source}." in lines
    rows = {line.split()[0]: line for line in lines if line.strip()}
    fitted = [line for line in lines if "fitted" in line and line.startswith("ozu-")]
    assert [line.split()[0] for line in fitted] == ["ozu-lif-200", "ozu-izhikevich"]
    assert "does not fit: 74 cores are needed, mine has 16" in out
    assert rows["Simulated"].startswith("Simulated figures are never the chip's")
    assert not [word for word in ("pass:", "fail", " ok ") if word in out]


def test_the_command_prints_json(run):
    code, out, _ = run("validate", "loihi2-16", "--random", "1", "--seed", "3", "--json")
    assert code == 0
    data = json.loads(out)
    assert (data["chip"], data["seed"]) == ("loihi2-16", 3)
    rows = {row["name"]: row for row in data["figures"]}
    assert list(rows) == [figure.name for figure in load_figures()]
    first = rows["ozu-lif-200"]
    assert first["fitted"] is True
    assert first["ratio"][0] == min(first["simulated"].values()) / 1.80
    assert first["network"]["cores"] == [5, 5]
    assert "74 cores" in rows["pilotnet-lif"]["does_not_fit"]
    assert rows["pilotnet-lif"]["simulated"] == {}
    assert rows["q-learning-update"]["unsimulated"]


def test_an_unknown_chip_is_one_line(run):
    code, out, err = run("validate", "loihi3")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "unknown chip 'loihi3'" in err


def test_a_chip_fitted_to_no_figure_is_one_line(run, tmp_path):
    own = tmp_path / "mine.toml"
    own.write_text('base = "loihi2"\nfitted_to = ["ozu"]\n')
    code, out, err = run("validate", str(own))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "mine: fitted_to names 'ozu'" in err
