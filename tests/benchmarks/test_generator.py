"""Generated problems: the grammar, the draws against a twin in plain Python, and what is frozen."""

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.benchmarks import benchmark, generator
from loihi_gym.benchmarks.generator import activity, fan_in, generate, stream
from loihi_gym.benchmarks.generator_kernel import draw_mask, hash_many
from loihi_gym.benchmarks.generator_uri import Generated, parse
from loihi_gym.benchmarks.rates import FIRST_RATE, RATE, STEP_SCATTER, TAIL, first_rates, rates
from loihi_gym.errors import (
    BenchmarkError,
    IllegalMappingError,
    LoihiGymError,
    UnknownNameError,
)
from loihi_gym.mapping import Problem, heuristic
from tests.toys import examples

FIRST = "generator://mlp?layers=2&width=40&inputs=30&chip=loihi2-16&seed=3"
SMALL = "generator://sparse-mlp?widths=30-40-40-10&density=0.25&chip=loihi2-16&seed=3"


def fingerprint(problem: Problem) -> str:
    """sha256 of all masks and messages of a problem: what its load follows from."""
    digest = hashlib.sha256()
    arrays = [part for w in problem.network.weights for part in (w.indptr, w.indices)]
    for array in (*arrays, *problem.activity.messages):
        digest.update(np.ascontiguousarray(array, "<i4").tobytes())
    return digest.hexdigest()


def slow_hash(seed: int, counter: int) -> int:
    """splitmix64 in plain Python."""
    mask = (1 << 64) - 1
    x = (seed + (counter + 1) * 0x9E3779B97F4A7C15) & mask
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & mask
    x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
    return x ^ x >> 31


def test_numbers_are_those_of_splitmix64():
    """The first outputs of the published reference implementation for seed 1234567."""
    numbers = np.empty(5, np.uint64)
    hash_many(np.uint64(1234567), numbers)
    assert numbers.tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert numbers.tolist() == [slow_hash(1234567, index) for index in range(5)]
    assert int(stream(9, 4)) == slow_hash(9, 4)


@examples(60)
@given(st.integers(0, 2**63 - 1), st.integers(1, 30), st.integers(1, 6), st.data())
def test_a_mask_equals_its_slow_twin(seed, n_pre, n_post, data):
    n = data.draw(st.integers(1, n_pre))
    indices = np.empty((n_post, n), np.int32)
    draw_mask(np.uint64(seed), n_pre, n, indices)
    counter, wanted = 0, min(n, n_pre - n)
    for row in indices.tolist():
        drawn: set[int] = set()
        while len(drawn) < wanted:
            drawn.add((slow_hash(seed, counter) >> 32) * n_pre >> 32)
            counter += 1
        expected = drawn if 2 * n <= n_pre else set(range(n_pre)) - drawn
        assert row == sorted(expected)
        assert len(expected) == n


def slow_rate(kind: str, rank: int) -> int:
    """Rate of a neuron of a rank of 20 bits, from the tables, one by one."""
    if kind == "mlp":
        table, bits = FIRST_RATE, 15
    elif rank < 31 << 15:
        table, bits = (*RATE, TAIL[0]), 15
    else:
        table, bits, rank = TAIL, 10, rank - (31 << 15)
    at, within = divmod(rank, 1 << bits)
    return table[at] + ((table[at + 1] - table[at]) * within >> bits)


def slow_sends(spec: Generated, layer: int) -> list[list[bool]]:
    """Which neurons send, one by one."""
    seed, width = slow_hash(spec.seed, 2 * layer + 1), spec.widths[layer]
    small = [slow_hash(seed, index) >> 44 for index in range(width * (1 + spec.steps) + spec.steps)]
    sends = []
    for step in range(spec.steps):
        scale = 1000 - STEP_SCATTER + (2 * STEP_SCATTER * small[width + step] >> 20)
        sends.append([])
        for neuron in range(width):
            rate = slow_rate(spec.kind, small[neuron])
            chance = int(spec.active[layer] * 10**6) * rate * scale // 10**6
            drawn = small[width + spec.steps + step * width + neuron] * 10**6 >> 20
            sends[-1].append(drawn < chance)
    if spec.kind != "mlp" and layer < len(spec.widths) - 1 and not any(map(any, sends)):
        rates_of = [slow_rate(spec.kind, small[neuron]) for neuron in range(width)]
        sends[0][rates_of.index(max(rates_of))] = True
    return sends


@pytest.mark.parametrize(
    "uri",
    [FIRST + "&active=0.3", SMALL + "&active=0.3-0.2-0.1-0.9", SMALL + "&active=0.000001"],
)
def test_activity_equals_its_slow_twin(uri):
    spec = parse(uri + "&steps=3")
    for layer, messages in enumerate(activity(spec).messages):
        assert (messages != 0).tolist() == slow_sends(spec, layer)


@pytest.mark.parametrize(("kind", "drawn"), [("mlp", first_rates), ("sparse-mlp", rates)])
def test_rates_equal_their_slow_twin(kind, drawn):
    ranks = np.unique(
        np.concatenate([np.arange(0, 1 << 20, 997), np.arange(33) * 32767 % (1 << 20)])
    )
    ranks = np.append(ranks, (31 << 15) + np.arange(-2, 3)).astype(np.int64)
    assert drawn(ranks).tolist() == [slow_rate(kind, int(rank)) for rank in ranks]


def test_activity_has_the_measured_distribution():
    widths = "-".join(["2000"] * 60)
    spec = parse(f"generator://sparse-mlp?widths={widths}&density=0.001&active=0.12&steps=8&seed=1")
    sent = np.stack(activity(spec).messages) != 0  # (layer, step, neuron)
    chance = chances(rates, 0.12)
    assert sent.mean() == pytest.approx(chance.mean(), rel=0.02)
    of_step = sent.mean(axis=2)
    assert of_step.std() / of_step.mean() == pytest.approx(0.18, abs=0.03)
    # A neuron's rates in two steps agree as far as rates make neurons differ.
    together = (sent[:, 0] & sent[:, 1]).mean() / (of_step[:, 0] * of_step[:, 1]).mean()
    middle = (chance.mean(axis=1) ** 2).mean() / chance.mean() ** 2
    assert together == pytest.approx(middle, rel=0.05)


def chances(drawn, active: float) -> np.ndarray:
    """A neuron's chance to send, (rank, scale of the step): at most once, however busy it is."""
    rate = drawn(np.arange(0, 1 << 20, 64)) / 1000
    scale = 1 + STEP_SCATTER / 1000 * np.linspace(-1, 1, 101)
    return np.minimum(active * rate[:, None] * scale, 1)


@pytest.mark.parametrize(("active", "sends"), [(0.04, 0.040), (0.12, 0.119), (0.25, 0.238)])
def test_fewer_send_than_asked_for_as_no_neuron_sends_twice(active, sends):
    """What docs/bounds-and-scale.md says of `active`."""
    assert chances(rates, active).mean() == pytest.approx(sends, abs=0.0005)


@pytest.mark.parametrize(("drawn", "part"), [(first_rates, 0.297), (rates, 0.163)])
def test_rates_average_to_one_and_the_busiest_send_what_they_do_in_the_sample(drawn, part):
    every = drawn(np.arange(1 << 20))
    assert every.mean() == pytest.approx(1000, abs=1)
    assert every[31 << 15 :].sum() / every.sum() == pytest.approx(part, abs=0.002)


def test_masks_have_the_density_asked_for():
    problem = generate(SMALL.replace("0.25", "0.2"))
    assert problem.network.widths == (30, 40, 40, 10)
    assert problem.network.densities == pytest.approx([0.2, 0.2, 0.2])
    assert [fan_in(parse(SMALL), layer) for layer in (1, 2, 3)] == [8, 10, 10]  # 7.5 rounds up
    columns = np.bincount(problem.network.weights[1].indices, minlength=40)
    assert columns.min() < columns.max()  # fan-out varies, fan-in does not


def test_a_uri_works_wherever_a_name_does():
    problem = loihi_gym.load(SMALL)
    backend = loihi_gym.make_backend("mesh", problem)
    assert backend.evaluate(problem.reference_mapping).latency_ps > 0
    assert problem.activity.layer_words == (1, 1, 1, 1)
    assert loihi_gym.load(SMALL + "&bits=64").activity.layer_words == (2, 2, 2, 2)
    mixed = loihi_gym.load(SMALL + "&bits=32-64-32-64&active=0.5")
    assert mixed.activity.layer_words == (1, 2, 1, 2)
    assert loihi_gym.load(FIRST).reference == "balanced/strided"


def test_a_value_for_each_population_or_connection():
    problem = generate(SMALL.replace("0.25", "0.1-0.5-1") + "&active=1-0.2-0.4-0.000001&steps=64")
    assert problem.network.densities == pytest.approx([0.1, 0.5, 1])
    assert problem.activity.active[1] < problem.activity.active[2] < problem.activity.active[0]
    assert problem.activity.active[3] < 0.01


def test_the_canonical_form_names_the_same_problem():
    spec = parse("generator://mlp?seed=3&width=40&chip=loihi2-16&layers=2&inputs=30&density=0.250")
    assert spec == parse(FIRST)
    assert spec.uri == (
        "generator://mlp?layers=2&width=40&inputs=30&outputs=10&density=0.25&active=0.12&steps=2"
        "&bits=64&chip=loihi2-16&reference=balanced/strided&seed=3"
    )
    assert parse(spec.uri) == spec
    spec = parse(
        "generator://sparse-mlp?chip=loihi2-16&seed=3&widths=30-40-40-10&active=.1-.1-.1-.1"
    )
    assert spec == parse(SMALL)
    assert spec.uri == (
        "generator://sparse-mlp?widths=30-40-40-10&density=0.25&active=0.1&steps=2&bits=32"
        "&chip=loihi2-16&seed=3"
    )
    assert generate(SMALL).name == spec.uri
    assert fingerprint(generate(SMALL)) == fingerprint(generate(spec.uri))


parts = st.integers(1, 10**6).map(lambda n: Fraction(n, 10**6))


@examples(100)
@given(st.data(), st.lists(st.integers(1, 65_535), min_size=2, max_size=5))
def test_everything_survives_the_canonical_form(data, widths):
    n = len(widths)
    lists = [
        st.lists(of, min_size=k, max_size=k).map(tuple) for of, k in ((parts, n - 1), (parts, n))
    ]
    spec = Generated(
        tuple(widths),
        densities=data.draw(lists[0]),
        active=data.draw(lists[1]),
        bits=tuple(data.draw(st.lists(st.sampled_from([32, 64]), min_size=n, max_size=n))),
        reference=data.draw(st.sampled_from(["", "packed/strided"])),
        seed=data.draw(st.integers(0, 2**63 - 1)),
    )
    assert parse(spec.uri) == spec


@pytest.mark.parametrize(
    ("more", "need"),
    [
        ("layers=30&width=65535&density=0.00001&chip=loihi2-16", "1,966,844 neurons"),
        ("layers=4&width=16000&density=1&chip=loihi2", "15,614,080,000 bits of synapses"),
    ],
)
def test_what_no_core_count_holds_is_refused_before_it_is_drawn(monkeypatch, more, need):
    monkeypatch.setattr(generator, "draw_mask", None)
    with pytest.raises(IllegalMappingError) as caught:
        loihi_gym.load(f"generator://mlp?{more}")
    assert f"it has {need}, and all cores together hold" in str(caught.value)


def test_seeds_differ():
    prints = {fingerprint(generate(SMALL[:-1] + str(seed))) for seed in range(4)}
    assert len(prints) == 4


BAD = {
    "generator://mlp?width=40": "lacks layers=",
    "generator://mlp?layers=2": "lacks width=",
    "generator://mlp": "generator://mlp",
    "generator://sparse-mlp?seed=1": "lacks widths=",
    "generator://sparse-mlp?widths=40": "needs two populations or more",
    "generator://sparse-mlp?widths=40-": "widths='' is not a whole number",
    "generator://sparse-mlp?widths=40-0-3": "widths='0' is not a whole number",
    "generator://sparse-mlp?widths=4-4-4&density=0.1-0.2-0.3": "has 3 values, not 1 or 2",
    "generator://sparse-mlp?widths=4-4-4&active=0.1-0.2": "has 2 values, not 1 or 3",
    "generator://sparse-mlp?widths=4-4-4&bits=32-64": "has 2 values, not 1 or 3",
    "generator://sparse-mlp?widths=4-4-4&bits=32-16-32": "bits='16' is neither",
    "generator://sparse-mlp?widths=4-4-4&density=0.1--1": "density='' is not a decimal",
    "generator://cnn?layers=2&width=4": "is not of the form generator://sparse-mlp?",
    "generator://mlp/x?layers=2&width=4": "is not of the form",
    "generator://mlp?layers=2&width=4#x": "is not of the form",
    "generator://[?layers=2": "generator://",
    "generator://mlp?layers=2&width": "generator://",
    "generator://mlp?layers=2&width=": "width='' is not a whole number from 1 to 65535",
    "generator://mlp?layers=2&width=0": "width='0' is not a whole number from 1",
    "generator://mlp?layers=2&width=-4": "width='-4' is not a whole number",
    "generator://mlp?layers=2&width=4.0": "width='4.0' is not a whole number",
    "generator://mlp?layers=2&width=²": "width='²' is not a whole number",
    "generator://mlp?layers=2&width=4&width=4": "states width twice",
    "generator://mlp?layers=2&width=4&density=0": "density='0' is not a decimal fraction above 0",
    "generator://mlp?layers=2&width=4&density=1.5": "density='1.5' is not",
    "generator://mlp?layers=2&width=4&density=nan": "density='nan' is not",
    "generator://mlp?layers=2&width=4&density=": "density='' is not",
    "generator://mlp?layers=2&width=4&density=.": "density='.' is not",
    "generator://mlp?layers=2&width=4&active=0.1234567": "at most 6 decimals",
    "generator://mlp?layers=2&width=4&bits=16": "bits='16' is neither 32 nor 64",
    "generator://mlp?layers=2&width=4&seed=9223372036854775808": "seed='9223372036854775808' is",
    "generator://mlp?layers=9999&width=65535&density=1": "at most 16,777,216",
    "generator://mlp?layers=2&width=9999999999999999999999": "is not a whole number from 1",
    "generator://mlp?layers=2&width=4&density=1e-3": "density='1e-3' is not",
    "generator://mlp?layers=2&width=4&density=inf": "density='inf' is not",
    "generator://mlp?layers=2&width=4&density=-0.1": "density='-0.1' is not",
    "generator://mlp?layers=2&width=4&seed=-1": "seed='-1' is not a whole number from 0",
    "generator://mlp?layers=2&width=4&seed=%00": r"seed='\x00' is not a whole number",
    "generator://mlp?layers=2&width=4&steps=1e2": "steps='1e2' is not a whole number",
    "generator://mlp?layers=255&width=65535&density=0.00001&steps=64": "at most 268,435,456",
}


@pytest.mark.parametrize("uri", BAD)
def test_a_bad_uri_is_refused_in_one_line(uri):
    with pytest.raises(BenchmarkError) as caught:
        loihi_gym.load(uri)
    assert BAD[uri] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, LoihiGymError)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("&chip=loihi3", "unknown chip 'loihi3'; did you mean"),
        ("&reference=best", "unknown heuristic 'best'"),
        ("&depth=4", "unknown parameter 'depth'"),
    ],
)
def test_an_unknown_name_in_a_uri_is_named(more, message):
    with pytest.raises(UnknownNameError, match=message):
        loihi_gym.load("generator://mlp?layers=2&width=4" + more)


@pytest.fixture(scope="module")
def eight_chips() -> loihi_gym.Problem:
    return loihi_gym.load("mlp-deep-8chip")


def test_the_8_chip_benchmark_is_frozen(eight_chips):
    entry = benchmark("mlp-deep-8chip")
    assert entry.generated
    assert fingerprint(eight_chips) == entry.sha256
    spec = parse(entry.network)
    assert spec.uri == entry.network
    assert (spec.chip, spec.steps, spec.reference) == (
        entry.chip.split("/")[1],
        entry.steps,
        entry.reference,
    )
    assert (eight_chips.name, eight_chips.reference) == (entry.name, entry.reference)


def test_the_default_needs_more_than_three_of_8_chips(eight_chips):
    cores = heuristic(eight_chips, "lava-default/row-major").n_logical_cores
    mesh = eight_chips.topology
    assert 3 / mesh.n_chips < cores / mesh.n_cores < 0.5
