"""Families: addresses, disjoint parts, members that fit, and the distribution itself."""

import hashlib
import json
import pickle
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.benchmarks import families
from loihi_gym.benchmarks.families import is_part, part
from loihi_gym.benchmarks.generator import fan_in
from loihi_gym.benchmarks.generator_uri import Generated
from loihi_gym.benchmarks.shapes import (
    MAX_SYNAPSES,
    MAX_SYNOPS,
    SYSTEMS,
    Dice,
    _largest_piece,
    draw_shape,
)
from loihi_gym.chip import load_chip
from loihi_gym.errors import BenchmarkError, LoihiGymError, UnknownNameError
from loihi_gym.mapping.heuristics import partition
from loihi_gym.network.silence import silent_layers
from tests.toys import examples

TRAIN = loihi_gym.family("sparse-mlp").train
SMALL = TRAIN.on("loihi2-24")


def shapes(name: str, count: int) -> list[Generated]:
    """Shapes of a part's first members; nothing else of them is made."""
    found: list[Generated] = []
    original = families.drawn
    families.drawn = lambda spec, chip: found.append(spec) or loihi_gym.load("mlp-xs")
    try:
        for address in part(name)[:count]:
            loihi_gym.load(address)
    finally:
        families.drawn = original
    return found


def test_an_address_is_a_problem():
    problem = loihi_gym.load(SMALL[17])
    assert problem.name == SMALL[17] == "family://sparse-mlp/train/17?chip=loihi2-24"
    assert problem.chip.name == "loihi2-24"
    assert problem.digest == loihi_gym.load(SMALL[17]).digest
    backend = loihi_gym.make_backend("mesh", problem)
    assert backend.evaluate(problem.reference_mapping).latency_ps > 0


def test_a_part_is_a_sequence_that_draws():
    assert len(TRAIN) == 1 << 31
    assert TRAIN[-1] == f"family://sparse-mlp/train/{(1 << 31) - 1}"
    assert TRAIN[:2] == ["family://sparse-mlp/train/0", "family://sparse-mlp/train/1"]
    assert next(iter(SMALL)) == SMALL[0]
    with pytest.raises(IndexError):
        TRAIN[1 << 31]
    draws = [SMALL(np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert part(SMALL.address) == SMALL == pickle.loads(pickle.dumps(SMALL))
    assert is_part(SMALL.address)
    assert not is_part(SMALL[3])


def test_the_same_number_on_another_chip_is_the_same_shape_as_far_as_it_fits():
    wide, narrow = (loihi_gym.load(TRAIN.on(chip)[2]) for chip in ("loihi2", "loihi2-24"))
    assert len(wide.network.widths) == len(narrow.network.widths)
    assert wide.network.widths[0] == narrow.network.widths[0]
    assert max(narrow.network.widths) <= max(wide.network.widths)


def test_parts_share_no_network():
    """The top bits of a seed are those of its part."""
    found = {
        name: {spec.seed for spec in shapes(f"family://sparse-mlp/{name}?{query}", 200)}
        for name, query in (("train", ""), ("validation", ""), ("test", "commit=abc"))
    }
    assert [len(seeds) for seeds in found.values()] == [200, 200, 200]
    assert [{seed >> 61 for seed in seeds} for seeds in found.values()] == [{0}, {1}, {2}]


def test_test_members_follow_from_the_commit():
    first, second = (
        loihi_gym.load(f"family://sparse-mlp/test/0?commit={commit}&chip=loihi2-24")
        for commit in ("abc", "abd")
    )
    assert first.digest != second.digest
    assert first.name == "family://sparse-mlp/test/0?commit=abc&chip=loihi2-24"


def test_members_with_a_chip_of_their_own():
    chips = loihi_gym.family("sparse-mlp-chips").validation.on("loihi2")
    names = {loihi_gym.load(address).chip.name for address in chips[:8]}
    assert len(names) > 3
    assert all(name == "loihi2" or name.startswith("loihi2+") for name in names)


def test_what_fits_in_dense_rows_alone_is_not_refused():
    """Its synapses would be too many bits in sparse rows, whose indices dense ones do without."""
    problem = loihi_gym.load("family://sparse-mlp-chips/train/175")
    assert problem.chip.name == "loihi2-24+dense-rows"


BAD = {
    "family://sparse-mlp": "is not of the form family://sparse-mlp/train/17",
    "family://sparse-mlp/": "unknown part of sparse-mlp ''",
    "family://sparse-mlp/train": "names a whole part; one problem is 'family://sparse-mlp/train/0'",
    "family://sparse-mlp/train/": "'' is not a number",
    "family://sparse-mlp/train/-1": "'-1' is not a number",
    "family://sparse-mlp/train/1.5": "'1.5' is not a number",
    "family://sparse-mlp/train/²": "is not a number",
    "family://sparse-mlp/train/2147483648": "'2147483648' is not a number",
    "family://sparse-mlp/train/99999999999999999999999": "is not a number",
    "family://sparse-mlp/train/1/2": "is not of the form",
    "family://sparse-mlp/train/1#x": "is not of the form",
    "family://sparse-mlp/train/1?chip=loihi2&chip=loihi2": "is not of the form",
    "family://sparse-mlp/train/1?chip=": "unknown chip ''",
    "family://sparse-mlp/training/1": "unknown part of sparse-mlp 'training'; did you mean 'train'",
    "family://sparse/train/1": "unknown family 'sparse'",
    "family://sparse-mlp/train/1?chip=loihi3": "unknown chip 'loihi3'",
    "family://sparse-mlp/train/1?seed=3": "unknown parameter 'seed'",
    "family://sparse-mlp/train/1?commit=abc": "of the part 'test' alone",
    "family://sparse-mlp/test/1?commit=a/b": "it is a hash, and of the part",
    "family://[/train/1": "family://",
}


@pytest.mark.parametrize("address", BAD)
def test_a_bad_address_is_refused_in_one_line(address):
    with pytest.raises(LoihiGymError) as caught:
        loihi_gym.load(address)
    assert isinstance(caught.value, BenchmarkError | UnknownNameError)
    assert BAD[address] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_member_is_no_part_to_draw_from():
    with pytest.raises(BenchmarkError, match="names one problem, not a part"):
        part(TRAIN[0])


@pytest.mark.parametrize("name", ["sparse-mlp", "sparse-mlp-chips"])
def test_every_shape_keeps_within_the_limits(name):
    specs = shapes(f"family://{name}/train", 400)
    assert {spec.chip for spec in specs} == set(SYSTEMS)
    for spec in specs:
        fans = [fan_in(spec, layer) for layer in range(1, len(spec.widths))]
        synapses = [n * width for n, width in zip(fans, spec.widths[1:], strict=True)]
        assert sum(synapses) <= MAX_SYNAPSES
        operations = zip(synapses, spec.active, strict=False)
        assert sum(n * part for n, part in operations) <= MAX_SYNOPS
        assert all(0 < part <= Fraction(1, 2) for part in spec.active)
        assert all(0 < part <= 1 for part in spec.densities)
        assert set(spec.bits) <= {32, 64}


@examples(15)
@given(st.integers(0, 2**64 - 1), st.sampled_from(["loihi2-16", "loihi2-24", "loihi2"]), st.data())
def test_every_member_fits_with_cores_to_spare(seed, system, data):
    """As drawn, on every plausible chip: `packed` needs no more than the shape was reduced to."""
    chip = data.draw(st.sampled_from(families._plausible_chips(system)))
    spec = draw_shape(Dice(seed), seed >> 1, chip, system)
    problem = families.drawn(spec, chip)
    populations = len(spec.widths)
    most = populations + max(chip.n_cores - populations, 0) * 75 // 100
    assert int(partition(problem, "packed").sum()) <= most


@examples(300)
@given(
    st.integers(0, 3000),
    st.integers(1, 3000),
    st.integers(0, 20_000),
    st.sampled_from(["loihi2", "loihi2-12000-words"]),
)
def test_a_piece_is_as_large_as_certainly_fits(before, fan_in, following, system):
    chip = load_chip(system)
    capacity, n = chip.capacity, _largest_piece(chip, before, fan_in, following)

    def fits(neurons: int) -> bool:
        axons = min(before, neurons * fan_in) if before else 0
        bits = neurons * fan_in * capacity.synapse_bits if before else 0
        return (
            neurons <= capacity.neurons
            and axons <= capacity.input_axons
            and axons * capacity.axon_words - (-bits // 64) <= capacity.synmem_words
            and neurons * following <= capacity.output_axons
        )

    assert n == 0 or fits(n)
    assert not fits(n + 2)  # each synapse with an axon of its own is rounded on its own


@pytest.mark.parametrize("name", ["train?chip=loihi2-24", "validation?chip=loihi2-24"])
def test_no_layer_of_a_member_is_silent(name):
    """Solvers refuse problems of which a layer sends nothing."""
    for address in part(f"family://sparse-mlp/{name}")[:60]:
        problem = loihi_gym.load(address)
        assert silent_layers(problem.network, problem.activity) == ()


def test_a_layer_that_would_be_silent_sends_once():
    problem = loihi_gym.load("generator://sparse-mlp?widths=9-8-8-4&active=0.000001&chip=loihi2-16")
    assert [int((layer != 0).sum()) for layer in problem.activity.messages] == [1, 1, 1, 0]


# The members themselves are frozen: what follows from an address may not change.
FROZEN = {
    "family://sparse-mlp/train/0": "e7a1dc370001d272",
    "family://sparse-mlp/validation/7?chip=loihi2-24": "183bea23395a0bac",
    "family://sparse-mlp-chips/train/5?chip=loihi2": "dc817f0d8a596c58",
}


def fingerprint(address: str) -> str:
    problem = loihi_gym.load(address)
    digest = hashlib.sha256(problem.chip.name.encode())
    arrays = [part for w in problem.network.weights for part in (w.indptr, w.indices)]
    for array in (*arrays, *problem.activity.messages):
        digest.update(np.ascontiguousarray(array, "<i4").tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("address", FROZEN)
def test_members_are_what_they_were(address):
    assert fingerprint(address) == FROZEN[address]


def test_list_shows_families_and_suites():
    run = [sys.executable, "-m", "loihi_gym.cli", "list"]
    text = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    data = json.loads(
        subprocess.run([*run, "--json"], capture_output=True, text=True, check=True).stdout
    )
    assert "family://sparse-mlp/train/NUMBER" in text
    assert [one["name"] for one in data["families"]] == loihi_gym.family_names()
    assert [one["name"] for one in data["benchmarks"]] == loihi_gym.benchmark_names()
    for suite in data["suites"]:
        assert suite["name"] in text
        assert suite["problems"]
