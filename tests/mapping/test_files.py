from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.chip import chip_toml, load_chip, parse_chip
from loihi_gym.errors import LoihiGymError, NetworkFileError, ProblemFileError
from loihi_gym.mapping import Problem, load_problem, save_problem
from loihi_gym.mapping.problem_file import problem_bytes, problem_from_bytes
from loihi_gym.network.foreign import MAX_BYTES
from loihi_gym.network.network_file import pack, unpack_bytes
from tests.toys import examples, problem_of, spread_mapping, toy_inputs, toy_network, toy_problem


def arrays(**changes: object) -> bytes:
    """A problem file's bytes with some arrays changed; None drops one."""
    good = unpack_bytes(problem_bytes(toy_problem()))
    return pack({key: value for key, value in {**good, **changes}.items() if value is not None})


def refused(data: bytes, limit: int = MAX_BYTES) -> str:
    with pytest.raises((ProblemFileError, NetworkFileError)) as caught:
        problem_from_bytes(data, "upload", limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(problem: Problem) -> dict[str, Problem]:
    """The problem with one thing after the other changed that decides a measurement."""
    network = problem.network
    messages = problem.activity.messages
    silent = (np.zeros_like(messages[0]), *messages[1:])
    chip = problem.chip
    return {
        "threshold": replace(problem, network=replace(network, thresholds=(1, 0))),
        "neuron": replace(problem, network=replace(network, neuron="lif", decays=((1, 2), (3, 4)))),
        "bias": replace(
            problem,
            network=replace(network, biases=tuple(np.ones(n, np.int32) for n in (16, 10))),
        ),
        "messages": replace(problem, activity=replace(problem.activity, messages=silent)),
        "cost": replace(problem, chip=chip.with_constant("costs.synop_ps", 1)),
        "queue": replace(problem, chip=chip.with_constant("network.router_buffer", 9)),
        "grid": replace(problem, chip=replace(chip, routers=(2, 2), cores_per_router=4)),
        "coreless": replace(problem, chip=replace(chip, coreless_routers=((0, 0),))),
        "reference": replace(problem, reference="packed/strided"),
        "inputs": replace(problem, inputs=np.ones((4, 12), np.int64)),
    }


@examples(12)
@given(
    seed=st.integers(0, 100),
    neuron=st.sampled_from(["relu", "sigma-delta", "lif"]),
    bias=st.sampled_from([0, 7]),
    with_inputs=st.booleans(),
)
def test_round_trip(seed, neuron, bias, with_inputs):
    network = toy_network(seed=seed, neuron=neuron, bias=bias)
    inputs = toy_inputs(network, 6, seed) if with_inputs else None
    problem = replace(problem_of(network, seed=seed), inputs=inputs, reference="balanced/strided")
    again = problem_from_bytes(problem_bytes(problem), "bytes")
    assert again.digest == problem.digest
    assert again.name == problem.name
    assert again.chip == problem.chip
    assert again.chip.constants == problem.chip.constants
    mapping = spread_mapping(problem, seed)
    for name in ("bound", "mesh"):
        one = loihi_gym.make_backend(name, problem).evaluate(mapping)
        other = loihi_gym.make_backend(name, again).evaluate(mapping)
        assert one.step_times_ps == other.step_times_ps
        assert one.energy == other.energy


def test_the_digest_is_of_what_decides_a_measurement():
    problem = toy_problem()
    digests = {name: other.digest for name, other in changed(problem).items()}
    assert len({problem.digest, *digests.values()}) == len(digests) + 1
    renamed = replace(problem, name="other", chip=replace(problem.chip, name="x", description="y"))
    assert renamed.digest == problem.digest


def test_the_digest_does_not_depend_on_integer_types():
    problem = replace(toy_problem(), inputs=np.ones((4, 12), np.int64))
    assert replace(problem, inputs=np.ones((4, 12), np.uint8)).digest == problem.digest


def test_chips_that_must_hold_a_mapping_besides_are_kept():
    problem = toy_problem()
    dense = problem.chip.with_choice("structure.rows", "dense")
    both = replace(problem, alternatives=(dense, problem.chip.with_constant("costs.link_ps", 5)))
    again = problem_from_bytes(problem_bytes(both), "upload")
    assert again.alternatives == both.alternatives
    assert again.digest == both.digest != problem.digest
    other = replace(problem, alternatives=(load_chip("loihi2"),))
    assert "alternative loihi2 has another mesh than" in refused(problem_bytes(other))


def test_the_digest_of_a_problem_is_known():
    # A server keeps problems and results by it. If the toy has not changed, bump VERSION.
    assert toy_problem().digest == DIGEST


DIGEST = "7270a381247ac2fd5126830dd0f66c47a989003006d8be65de16ddba0b58f6a1"


def test_a_problem_file_stands_wherever_a_benchmark_does(tmp_path, monkeypatch):
    problem = replace(toy_problem(), reference="balanced/strided")
    path = tmp_path / "mine.npz"
    save_problem(path, problem)
    assert loihi_gym.load(str(path)).digest == load_problem(path).digest == problem.digest
    import gymnasium

    env = gymnasium.make("LoihiPlace-v0", benchmark=str(path))
    env.reset(seed=0)
    assert env.unwrapped.problem.digest == problem.digest

    from loihi_gym.search.run import Config, free_directory

    directory = free_directory(Config("ga", str(path), 10), Path("runs"))
    assert directory == Path("runs/mine/ga-seed0")


SPOILT = {
    "a network file": ({"problem_version": None}, "lacks 'problem_version'"),
    "another version": ({"problem_version": 2}, "version 2; this release reads 1"),
    "another network version": ({"version": 9}, "version 9"),
    "no messages": ({"messages_1": None}, "lacks 'messages_1'"),
    "float messages": ({"messages_1": np.ones((2, 16))}, "messages_1 are float64"),
    "too few messages": ({"messages_1": np.ones((1, 16), np.int32)}, "messages_1 are int32 (1,"),
    "no steps": ({"messages_0": np.ones((0, 12), np.int32)}, "messages_0 are int32 (0, 12)"),
    "scalar messages": ({"messages_0": np.int32(3)}, "messages_0 are int32 ()"),
    "huge payload": ({"messages_0": np.full((2, 12), 2**23, np.int32)}, "beyond 24 bits"),
    "unknown reference": ({"reference": "luck"}, "reference 'luck' is none of"),
    "float inputs": ({"inputs": np.ones((3, 12))}, "inputs are float64"),
    "chip in prose": ({"chip": "a chip"}, "is not TOML"),
    "chip by path": ({"chip": 'base = "/etc/passwd"'}, "base = '/etc/passwd' is for chip files"),
    "chip without costs": ({"chip": "[topology]\n"}, "the table [costs] is missing"),
    "wide layer": ({"widths": np.array([12, 2**30, 10])}, "are not all from 1"),
    "objects": ({"name": np.array([None])}, "corrupt or not .npz"),
}


@pytest.mark.parametrize(("changes", "message"), SPOILT.values(), ids=SPOILT.keys())
def test_a_malformed_problem_is_refused(changes, message):
    try:
        data = arrays(**changes)
    except ValueError:  # pack refuses objects, too: make them as an attacker would
        import io

        buffer = io.BytesIO()
        np.savez(buffer, **changes)
        data = buffer.getvalue()
    assert message in refused(data)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("costs.synop_ps", 2**41, "costs.synop_ps = 2199023255552 is above"),
        ("network.router_buffer", 10**6, "network.router_buffer = 1000000 is above 1024"),
    ],
)
def test_absurd_constants_are_refused(name, value, message):
    chip = load_chip("loihi2-16").with_constant(name, value)
    assert message in refused(arrays(chip=chip_toml(chip)))


@pytest.mark.parametrize(
    "change",
    [
        {"routers": (4000, 4000)},
        {"coreless_routers": ((0, 0), (0, 0))},
        {"coreless_routers": ((9, 0),)},
    ],
)
def test_absurd_grids_are_refused(change):
    refused(arrays(chip=chip_toml(replace(load_chip("loihi2-16"), **change))))


def test_a_file_that_unpacks_to_too_much_is_refused_unread():
    data = arrays(inputs=np.zeros((10**6, 12), np.int8))
    assert len(data) < 10**5
    assert "unpacks to" in refused(data, limit=10**6)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ProblemFileError, match="No such file"):
        load_problem(tmp_path / "none.npz")


@examples(60)
@given(data=st.data())
def test_a_corrupt_file_is_refused_or_harmless(data):
    whole = bytearray(problem_bytes(toy_problem()))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    message = ""
    try:
        digest = problem_from_bytes(bytes(whole), "x").digest
    except LoihiGymError as error:
        message = str(error)
    else:  # some bytes of an archive, such as its dates, mean nothing to us
        assert digest == toy_problem().digest
    assert "\n" not in message


@pytest.mark.parametrize("name", loihi_gym.chip_names())
def test_a_chip_written_is_the_chip_read(name):
    chip = load_chip(name)
    assert parse_chip(chip_toml(chip), name) == chip
    assert parse_chip(chip_toml(chip), name).constants == chip.constants


def test_any_text_survives_in_a_chip_file():
    text = 'tab\t quote" back\\slash \x7f \x01 μ 😀 \n line'
    chip = replace(load_chip("loihi2"), description=text)
    assert parse_chip(chip_toml(chip), "x").description == text
