"""The `bound` of a placement in integers: from scratch, or after a swap of two cores.

For solvers and environments that need 10^5 evaluations and more. Everything a partitioning fixes
is in `Tables`; what a placement adds is in `State`. `place` fills a state, `swap` changes it and
costs only the messages of the two cores swapped; both return the latency. They are compiled and
release the GIL, so a search or a vector of environments can run as one compiled loop; each thread
needs a state of its own. `loihi_gym.backends.Bound` is the slow, obvious twin.
"""

from typing import Any, NamedTuple

import numpy as np

from ...arrays import Int32Array, Int64Array
from ...compiled import inlined, kernel
from ..links_kernel import router_links, runs


class Tables(NamedTuple):
    """What one partitioning of a problem fixes; arrays as in `Traffic` and `Topology`.

    T time steps, N logical cores, C physical cores, P pairs, R routers.

    Attributes:
        next_core: First logical core that each one sends to, (N,).
        fan_out: Logical cores it sends to, (N,).
        previous_core: First logical core that each one receives from, (N,).
        fan_in: Logical cores it receives from, (N,).
        pair_first: Where its row of `pair_messages` begins, (N,).
        pair_messages: Messages of each pair in each step, (P, T).
        core_x: Router column of each physical core, (C,).
        core_y: Router row, (C,).
        width: Routers in a row.
        link_ps: Time that one message takes each link between routers, (4 R,).
        floor_ps: What the busiest core or core port takes, wherever cores are placed, (T,).
        barrier_ps: To close a step.
        fixed_fj: Energy that no placement changes.
        hop_fj: Energy per message and hop along x and along y.
        static_mw: Power of a chip at rest.
        core_chip: Chip of each physical core, (C,).
        n_chips: Chips.
        idle_powered: Whether chips that hold nothing draw it, too.
    """

    next_core: Int32Array
    fan_out: Int32Array
    previous_core: Int32Array
    fan_in: Int32Array
    pair_first: Int64Array
    pair_messages: Int32Array
    core_x: Int32Array
    core_y: Int32Array
    width: int
    link_ps: Int64Array
    floor_ps: Int64Array
    barrier_ps: int
    fixed_fj: int
    hop_fj: tuple[int, int]
    static_mw: int
    core_chip: Int32Array
    n_chips: int
    idle_powered: bool


class State(NamedTuple):
    """A placed partitioning; `new_state` makes one, `place` fills it.

    Attributes:
        placement: Physical core of each logical core, (N,).
        occupant: Logical core on each physical core, -1 for none, (C,).
        busy_ps: How long each link between routers is busy in each step, (4 R, T).
        busiest_ps: The busiest link of each step, (T,).
        row_busiest_ps: The busiest link that leaves each row of routers, (rows, T).
        changed: First and last row whose links have changed since, (2,).
        hops: Messages times hops along x and along y over all steps, (2,).
    """

    placement: Int32Array
    occupant: Int32Array
    busy_ps: Int64Array
    busiest_ps: Int64Array
    row_busiest_ps: Int64Array
    changed: Int64Array
    hops: Int64Array


def new_state(tables: Tables) -> State:
    """A state with nothing placed yet."""
    steps = len(tables.floor_ps)
    return State(
        placement=np.zeros(len(tables.fan_out), np.int32),
        occupant=np.full(len(tables.core_x), -1, np.int32),
        busy_ps=np.zeros((len(tables.link_ps), steps), np.int64),
        busiest_ps=np.zeros(steps, np.int64),
        row_busiest_ps=np.zeros((len(tables.link_ps) // (4 * tables.width), steps), np.int64),
        changed=np.zeros(2, np.int64),
        hops=np.zeros(2, np.int64),
    )


@kernel
def place(tables: Any, state: Any, placement: Any) -> Any:
    """Place every logical core; returns the latency in ps. The placement must be legal."""
    state.placement[:] = placement
    state.occupant[:] = -1
    for logical in range(len(placement)):
        state.occupant[placement[logical]] = logical
    busy = state.busy_ps
    router_links(
        tables.next_core,
        tables.fan_out,
        tables.pair_first,
        tables.pair_messages,
        state.placement,
        tables.core_x,
        tables.core_y,
        tables.width,
        busy,
    )
    state.hops[:] = 0
    for link in range(busy.shape[0]):
        for step in range(busy.shape[1]):
            state.hops[(link & 3) >> 1] += busy[link, step]
            busy[link, step] *= tables.link_ps[link]
    state.changed[0], state.changed[1] = 0, len(state.row_busiest_ps) - 1
    _find_busiest(tables, state)
    return latency_ps(tables, state)


@kernel
def swap(tables: Any, state: Any, core_a: Any, core_b: Any) -> Any:
    """Exchange what is on two physical cores, either of which may be free; returns the latency.

    The same swap again takes it back.
    """
    a, b = state.occupant[core_a], state.occupant[core_b]
    if core_a == core_b or a == b:
        return latency_ps(tables, state)
    state.changed[0], state.changed[1] = len(state.row_busiest_ps), -1
    _count(tables, state, a, np.int32(-1), -1)
    _count(tables, state, b, a, -1)
    state.occupant[core_a], state.occupant[core_b] = b, a
    if a >= 0:
        state.placement[a] = core_b
    if b >= 0:
        state.placement[b] = core_a
    _count(tables, state, a, np.int32(-1), 1)
    _count(tables, state, b, a, 1)
    _find_busiest(tables, state)
    return latency_ps(tables, state)


@inlined
def latency_ps(tables: Any, state: Any) -> Any:
    """Latency of what is placed."""
    total = np.int64(0)
    for step in range(len(tables.floor_ps)):
        total += max(tables.floor_ps[step], state.busiest_ps[step]) + tables.barrier_ps
    return total


@kernel
def energy_fj(tables: Any, state: Any) -> Any:
    """Energy of what is placed."""
    moving = state.hops[0] * tables.hop_fj[0] + state.hops[1] * tables.hop_fj[1]
    static_fj = latency_ps(tables, state) * tables.static_mw * _powered_chips(tables, state)
    return tables.fixed_fj + moving + static_fj


@kernel
def _powered_chips(tables, state):  # type: ignore[no-untyped-def]
    """Chips that draw static power."""
    if tables.idle_powered or tables.n_chips == 1:
        return tables.n_chips
    used = np.zeros(tables.n_chips, np.bool_)
    for core in state.placement:
        used[tables.core_chip[core]] = True
    return used.sum()


@kernel
def place_all(tables: Any, state: Any, placements: Any, latencies: Any) -> None:
    """Latency of each of B placements, (B, N) -> (B,); the state is left with the last one."""
    for index in range(len(placements)):
        latencies[index] = place(tables, state, placements[index])


@kernel
def _find_busiest(tables: Any, state: Any) -> None:
    """Bring the busiest links up to date; only rows that changed are looked through."""
    rows, busy, links = state.row_busiest_ps, state.busy_ps, 4 * tables.width
    for row in range(state.changed[0], state.changed[1] + 1):
        rows[row] = 0
        for link in range(row * links, (row + 1) * links):
            for step in range(busy.shape[1]):
                rows[row, step] = max(rows[row, step], busy[link, step])
    state.busiest_ps[:] = 0
    for row in range(len(rows)):
        for step in range(busy.shape[1]):
            state.busiest_ps[step] = max(state.busiest_ps[step], rows[row, step])


@kernel
def _count(tables, state, logical, other, sign):  # type: ignore[no-untyped-def]
    """Add (or, with sign -1, take away) the messages of a logical core but those with `other`."""
    if logical < 0:
        return
    here, first = state.placement[logical], tables.next_core[logical]
    for way in range(tables.fan_out[logical]):
        if first + way != other:
            pair = tables.pair_first[logical] + way
            _count_pair(tables, state, here, state.placement[first + way], pair, sign)
    first = tables.previous_core[logical]
    for source in range(first, first + tables.fan_in[logical]):
        if source != other:
            pair = tables.pair_first[source] + logical - tables.next_core[source]
            _count_pair(tables, state, state.placement[source], here, pair, sign)


@inlined
def _count_pair(tables, state, source, target, pair, sign):  # type: ignore[no-untyped-def]
    """Add a pair's messages to the links of its route, X then Y."""
    x, y = tables.core_x[source], tables.core_y[source]
    to_x, to_y = tables.core_x[target], tables.core_y[target]
    messages = tables.pair_messages[pair]
    total = np.int64(0)
    for step in range(len(messages)):
        total += messages[step]
    if total == 0:
        return
    state.changed[0] = min(state.changed[0], y, to_y)
    state.changed[1] = max(state.changed[1], y, to_y)
    along_x, along_y = runs(x, y, to_x, to_y, tables.width)
    state.hops[0] += sign * total * along_x[2]
    state.hops[1] += sign * total * along_y[2]
    for link, stride, links in (along_x, along_y):
        for _ in range(links):
            service = sign * tables.link_ps[link]
            for step in range(len(messages)):
                state.busy_ps[link, step] += messages[step] * service
            link += stride
