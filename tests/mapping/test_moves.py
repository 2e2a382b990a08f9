import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.mapping import Mapping, full_order, reorder, swap, with_counts
from tests.toys import examples

CORES = 24


@st.composite
def mappings(draw) -> Mapping:
    counts = draw(counts_of(draw(st.integers(1, 4))))
    order = draw(st.permutations(range(CORES)))
    return Mapping(counts, order[: sum(counts)])


def counts_of(layers: int) -> st.SearchStrategy:
    return st.lists(st.integers(1, CORES // 4), min_size=layers, max_size=layers)


def layers(counts, order) -> list[list[int]]:
    """Cores of each layer, and then the unused pool."""
    return [part.tolist() for part in np.split(np.asarray(order), np.cumsum(counts))]


core = st.integers(0, CORES - 1)


@examples(100)
@given(mappings(), core, core)
def test_swap_exchanges_two_cores_and_undoes_itself(mapping, a, b):
    swapped = swap(mapping, a, b)
    exchange = {a: b, b: a}
    assert swapped.placement.tolist() == [exchange.get(c, c) for c in mapping.placement.tolist()]
    assert swapped == swap(mapping, b, a)
    assert swap(swapped, a, b) == mapping


def test_swap_with_a_free_core_moves():
    mapping = Mapping([1, 1], [3, 5])
    assert swap(mapping, 5, 9) == Mapping([1, 1], [3, 9])
    assert swap(mapping, 8, 9) == mapping
    assert mapping == Mapping([1, 1], [3, 5])


@examples(100)
@given(mappings())
def test_full_order_lists_every_core_once(mapping):
    order = full_order(mapping, CORES)
    assert sorted(order) == list(range(CORES))
    *_, pool = layers(mapping.cores_per_layer, order)
    assert order[: mapping.n_logical_cores].tolist() == mapping.placement.tolist()
    assert pool == sorted(pool)


@examples(200)
@given(mappings(), st.data())
def test_reorder_disturbs_little(mapping, data):
    counts = mapping.cores_per_layer
    new_counts = np.array(data.draw(counts_of(len(counts))), np.int32)
    order = full_order(mapping, CORES)
    new_order = reorder(counts, order, new_counts)
    assert sorted(new_order) == list(range(CORES))
    *before, pool = layers(counts, order)
    *after, new_pool = layers(new_counts, new_order)
    for old, new in zip(before, after, strict=True):
        kept = min(len(old), len(new))
        assert new[:kept] == old[:kept]
    surplus = [c for old, new in zip(before, after, strict=True) for c in old[len(new) :]]
    supply = pool + surplus
    given_out = [c for old, new in zip(before, after, strict=True) for c in new[len(old) :]]
    assert given_out + new_pool == supply


def test_reorder_example():
    counts, order = np.array([2, 3]), np.arange(8)
    assert reorder(counts, order, np.array([4, 1])).tolist() == [0, 1, 5, 6, 2, 7, 3, 4]
    assert reorder(counts, order, counts).tolist() == order.tolist()


@examples(100)
@given(mappings(), st.data())
def test_with_counts_is_a_whole_mapping(mapping, data):
    new_counts = np.array(data.draw(counts_of(len(mapping.cores_per_layer))), np.int32)
    changed = with_counts(mapping, new_counts, CORES)
    assert changed.cores_per_layer.tolist() == new_counts.tolist()
    assert changed.n_logical_cores == new_counts.sum()
    assert len(set(changed.placement.tolist())) == changed.n_logical_cores
    assert with_counts(mapping, mapping.cores_per_layer, CORES) == mapping
