"""How much messages are in each other's way, known without simulation; swaps change it by little.

What is counted is how long messages occupy every output of every router, by the input they come
from; `FEATURES` are times that grow where traffic piles up, meets other traffic, or stands behind
it. The slow twin is in ``tests/baselines/test_surrogate.py``.
"""

from typing import Any, NamedTuple

from ..arrays import Float64Array, Int32Array, Int64Array
from ..chip.near import Near
from ..compiled import inlined, kernel
from .links_kernel import runs

CORE = 4
"""Input or output of a router that stands for all its cores, after its four links."""
FEATURES = ("busiest", "busy", "uneven", "distance", "merging", "blocking", "burst", "bursts")
"""What `features` returns, in us over all steps:

busiest     the busiest link between routers
busy        the links' 8-norm: how many are about as busy
uneven      the links' root mean square
distance    link time of all messages, averaged over the links
merging     root mean square over outputs of the time for which two inputs want the same one
blocking    root mean square over inputs of the time for which messages for two outputs stand in one
burst       the most that one layer occupies one link
bursts      root mean square of what each layer occupies of each link
"""
N_FEATURES = len(FEATURES)
NEAR = 0.5
"""Part of the swaps drawn that are with a close core."""
LEAST_US = 1e-3
"""Added to each time before its logarithm is taken, since it may be 0."""


class Flow(NamedTuple):
    """What one partitioning sends, summed over the time steps; N logical cores, P pairs.

    Attributes:
        layer: Layer of each logical core, (N,).
        first: Offsets, L + 2: layer l owns logical cores first[l] to first[l + 1] - 1, and sends to
            all of the next layer's; the one after the last has none.
        pair_first: Where each logical core's row of `words` begins, (N,).
        words: 32-bit words that each pair exchanges, (P,).
        core_x: Router column of each physical core, (C,).
        core_y: Router row, (C,).
        width: Routers in a row.
        link_us: Time that one word takes each link between routers, (R, 4).
        core_us: Time that one word takes the link to a core.
        near: The cores close to each physical core.
    """

    layer: Int32Array
    first: Int32Array
    pair_first: Int64Array
    words: Float64Array
    core_x: Int32Array
    core_y: Int32Array
    width: int
    link_us: Float64Array
    core_us: float
    near: Near


class PlacedPieces(NamedTuple):
    """Where the logical cores are, and how long each router's outputs are busy.

    Attributes:
        placement: Physical core of each logical core, (N,).
        occupant: Logical core on each physical core, -1 for none, (C,).
        load_us: Time of each output by input, (R, 5 inputs, 5 outputs).
        layer_us: Time of each link by the layer that sends, (layers, R, 4).
    """

    placement: Int32Array
    occupant: Int32Array
    load_us: Float64Array
    layer_us: Float64Array


@kernel
def place(flow: Any, placed: Any, placement: Any) -> None:
    """Place every logical core; the placement must be legal."""
    placed.placement[:] = placement
    placed.occupant[:] = -1
    placed.load_us[:] = 0.0
    placed.layer_us[:] = 0.0
    for logical in range(len(placement)):
        placed.occupant[placement[logical]] = logical
    for logical in range(len(placement)):
        layer = flow.layer[logical]
        for target in range(flow.first[layer + 1], flow.first[layer + 2]):
            _pair(flow, placed, logical, target, 1.0)


@kernel
def features(placed: Any, result: Any) -> None:
    """The features of what is placed, into `result` (8,)."""
    load = placed.load_us
    routers = len(load)
    busiest = busy = uneven = distance = merging = blocking = 0.0
    for r in range(routers):
        for out in range(5):
            total = squares = 0.0
            for source in range(5):
                total += load[r, source, out]
                squares += load[r, source, out] ** 2
            if out != CORE:
                square = total * total
                busiest = max(busiest, total)
                busy += square * square * square * square
                uneven += square
                distance += total
                merging += square - squares
        for source in range(5):
            total = squares = 0.0
            for out in range(5):
                total += load[r, source, out]
                squares += load[r, source, out] ** 2
            blocking += total * total - squares
    burst = bursts = 0.0
    for one in placed.layer_us.flat:
        burst = max(burst, one)
        bursts += one * one
    result[0], result[1] = busiest, busy**0.125
    result[2], result[3] = (uneven / (4 * routers)) ** 0.5, distance / (4 * routers)
    result[4] = (max(merging, 0.0) / (4 * routers)) ** 0.5
    result[5] = (max(blocking, 0.0) / (5 * routers)) ** 0.5
    result[6], result[7] = burst, (bursts / (4 * routers)) ** 0.5


@inlined
def other_core(flow, core, draw):  # type: ignore[no-untyped-def]
    """The core that a uniform number in [0, 1) chooses to swap with: a close one, or any."""
    if draw >= NEAR:
        return int((draw - NEAR) / (1.0 - NEAR) * len(flow.core_x))
    first, stop = flow.near.first[core], flow.near.first[core + 1]
    return flow.near.cores[first + int(draw / NEAR * (stop - first))]


@kernel
def swap(flow: Any, placed: Any, core_a: Any, core_b: Any) -> None:
    """Exchange what is on two physical cores, at most one of which is free."""
    a, b = placed.occupant[core_a], placed.occupant[core_b]
    _messages_of(flow, placed, a, -1, -1.0)
    _messages_of(flow, placed, b, a, -1.0)
    exchange(placed, core_a, core_b)
    _messages_of(flow, placed, a, -1, 1.0)
    _messages_of(flow, placed, b, a, 1.0)


@inlined
def exchange(placed, core_a, core_b):  # type: ignore[no-untyped-def]
    """Exchange who is where, and leave the loads: searches take these from a copy, sooner."""
    a, b = placed.occupant[core_a], placed.occupant[core_b]
    placed.occupant[core_a], placed.occupant[core_b] = b, a
    if a >= 0:
        placed.placement[a] = core_b
    if b >= 0:
        placed.placement[b] = core_a


@kernel
def _messages_of(flow, placed, logical, other, sign):  # type: ignore[no-untyped-def]
    """Add (sign 1) or take away (-1) all messages of a logical core but those with `other`."""
    if logical < 0:
        return
    layer = flow.layer[logical]
    for target in range(flow.first[layer + 1], flow.first[layer + 2]):
        if target != other:
            _pair(flow, placed, logical, target, sign)
    if layer > 0:
        for source in range(flow.first[layer - 1], flow.first[layer]):
            if source != other:
                _pair(flow, placed, source, logical, sign)


@inlined
def _pair(flow, placed, source, target, sign):  # type: ignore[no-untyped-def]
    """Add (sign 1) or take away (-1) a pair's messages along their route, X then Y."""
    layer = flow.layer[source]
    pair = flow.pair_first[source] + target - flow.first[layer + 1]
    messages = sign * flow.words[pair]
    if messages == 0.0:
        return
    here, there = placed.placement[source], placed.placement[target]
    x, y = flow.core_x[here], flow.core_y[here]
    to_x, to_y = flow.core_x[there], flow.core_y[there]
    came = CORE
    for link, stride, links in runs(x, y, to_x, to_y, flow.width):
        for _ in range(links):
            router, way = link >> 2, link & 3
            placed.load_us[router, came, way] += messages * flow.link_us[router, way]
            placed.layer_us[layer, router, way] += messages * flow.link_us[router, way]
            link, came = link + stride, way ^ 1  # it enters the next router on the opposite side
    placed.load_us[to_y * flow.width + to_x, came, CORE] += messages * flow.core_us
