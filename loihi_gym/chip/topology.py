"""The mesh as arrays: where cores sit, which links there are, and which a message takes.

Routers of all chips form one grid of ``width`` x ``height``; router ``y * width + x``. Messages are
routed X first, then Y. Directed links are numbered so that a router's own four come first:

    router * 4 + direction      from a router to its neighbour
    4 * n_routers + core        from a core into its router  (injection)
    4 * n_routers + n_cores + core   from a router into a core (ejection)

Physical cores are numbered by (chip, router y, router x, port), so that consecutive numbers stay
on one chip and run along its rows.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..arrays import BoolArray, Int32Array
from ..errors import ChipFileError
from .spec import ChipSpec

EAST, WEST, NORTH, SOUTH = range(4)
"""Directions of a router's links; north is towards larger y."""
MOST_PLACES = 1 << 23
"""Routers and cores that a system may have: 8 million each, several hundred MB as arrays."""


@dataclass(frozen=True, eq=False)
class Topology:
    """The mesh of a `ChipSpec`.

    Attributes:
        width: Routers along x, over all chips.
        height: Routers along y, over all chips.
        chip_width: Routers along x of one chip.
        chip_height: Routers along y of one chip.
        core_chip: Chip of each physical core, (n_cores,).
        core_x: Global router column of each physical core, (n_cores,).
        core_y: Global router row of each physical core, (n_cores,).
        core_port: Port of its router that each physical core is on, (n_cores,).
    """

    width: int
    height: int
    chip_width: int
    chip_height: int
    core_chip: Int32Array
    core_x: Int32Array
    core_y: Int32Array
    core_port: Int32Array

    def __eq__(self, other: object) -> bool:
        """Whether both are the same mesh; objects may differ, since `topology_of` forgets."""
        if self is other or not isinstance(other, Topology):
            return self is other
        return self._size == other._size and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("core_chip", "core_x", "core_y", "core_port")
        )

    def __hash__(self) -> int:
        return hash(self._size)

    @property
    def _size(self) -> tuple[int, ...]:
        return self.width, self.height, self.chip_width, self.chip_height, self.n_cores

    @property
    def n_cores(self) -> int:
        """Number of physical cores."""
        return len(self.core_chip)

    @property
    def n_routers(self) -> int:
        """Number of routers, those without cores included."""
        return self.width * self.height

    @property
    def n_chips(self) -> int:
        """Number of chips."""
        return (self.width // self.chip_width) * (self.height // self.chip_height)

    @property
    def n_links(self) -> int:
        """Number of link ids: four per router (some lead nowhere), two per core."""
        return 4 * self.n_routers + 2 * self.n_cores

    @cached_property
    def core_router(self) -> Int32Array:
        """Router of each physical core, (n_cores,)."""
        return self.core_y * np.int32(self.width) + self.core_x

    @cached_property
    def send_rank(self) -> Int32Array:
        """Order in which one neuron's messages leave: by (x, y, port) of the destination."""
        order = np.lexsort((self.core_port, self.core_y, self.core_x))
        rank = np.empty(self.n_cores, np.int32)
        rank[order] = np.arange(self.n_cores, dtype=np.int32)
        return rank

    @cached_property
    def crosses_chips(self) -> BoolArray:
        """Which router-to-router links lead to another chip, (4 * n_routers,)."""
        y, x = np.divmod(np.arange(self.n_routers), self.width)
        crosses = np.zeros((self.n_routers, 4), np.bool_)
        crosses[:, EAST] = ((x + 1) % self.chip_width == 0) & (x + 1 < self.width)
        crosses[:, WEST] = (x % self.chip_width == 0) & (x > 0)
        crosses[:, NORTH] = ((y + 1) % self.chip_height == 0) & (y + 1 < self.height)
        crosses[:, SOUTH] = (y % self.chip_height == 0) & (y > 0)
        return crosses.reshape(-1)

    def injection_link(self, core: int) -> int:
        """Link from a core into its router."""
        return 4 * self.n_routers + core

    def ejection_link(self, core: int) -> int:
        """Link from a router into one of its cores."""
        return 4 * self.n_routers + self.n_cores + core

    def route(self, source: int, target: int) -> list[int]:
        """Links a message takes from one physical core to another, in order, X then Y."""
        links = [self.injection_link(source)]
        x, y = int(self.core_x[source]), int(self.core_y[source])
        target_x, target_y = int(self.core_x[target]), int(self.core_y[target])
        while x != target_x:
            links.append((y * self.width + x) * 4 + (EAST if target_x > x else WEST))
            x += 1 if target_x > x else -1
        while y != target_y:
            links.append((y * self.width + x) * 4 + (NORTH if target_y > y else SOUTH))
            y += 1 if target_y > y else -1
        links.append(self.ejection_link(target))
        return links

    def link_name(self, link: int) -> str:
        """A link in words, such as ``(3,1)->(4,1)`` or ``core 17 out``."""
        if link >= 4 * self.n_routers + self.n_cores:
            return f"core {link - 4 * self.n_routers - self.n_cores} in"
        if link >= 4 * self.n_routers:
            return f"core {link - 4 * self.n_routers} out"
        router, direction = divmod(link, 4)
        y, x = divmod(router, self.width)
        dx, dy = ((1, 0), (-1, 0), (0, 1), (0, -1))[direction]
        return f"({x},{y})->({x + dx},{y + dy})"


@lru_cache(maxsize=32)
def _topology(
    chips: tuple[int, int],
    routers: tuple[int, int],
    cores_per_router: int,
    coreless: tuple[tuple[int, int], ...],
) -> Topology:
    has_cores = np.ones(routers[::-1], np.bool_)
    has_cores[tuple(np.array(coreless, np.intp).reshape(-1, 2).T[::-1])] = False
    y, x = np.nonzero(has_cores)
    # By chip row and column, router and port.
    shape = (chips[1], chips[0], len(x), cores_per_router)
    row, column, router, port = np.indices(shape, np.int32, sparse=True)
    columns = np.empty((4, math.prod(shape)), np.int32)
    for place, values in zip(
        columns,
        (
            row * chips[0] + column,
            column * routers[0] + x[router],
            row * routers[1] + y[router],
            port,
        ),
        strict=True,
    ):
        place.reshape(shape)[:] = values
    columns.flags.writeable = False
    return Topology(chips[0] * routers[0], chips[1] * routers[1], *routers, *columns)


def topology_of(chip: ChipSpec) -> Topology:
    """The mesh of a chip; the last ones asked for are kept.

    Raises:
        ChipFileError: if it has no cores, or more cores or routers than `MOST_PLACES`.
    """
    routers = chip.n_chips * chip.routers[0] * chip.routers[1]
    for name, count in (("cores", chip.n_cores), ("routers", routers)):
        if not 1 <= count <= MOST_PLACES:
            raise ChipFileError(
                f"chip {chip.name} has {count} {name}; 1 to {MOST_PLACES} can be used: change "
                "chips, routers, cores_per_router or coreless_routers in its [topology]"
            )
    return _topology(chip.chips, chip.routers, chip.cores_per_router, chip.coreless_routers)
