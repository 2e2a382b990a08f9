"""Observations: what is seen of a measured mapping, in three forms; `observation=` picks one.

C physical cores, R routers (those without cores included), L = `max_layers`, N logical cores, E
pairs of logical cores that exchange messages. Shapes depend on the chip's mesh, `max_layers` and
`randomize_chip` alone, so that one policy serves many networks.

### `observation="flat"`, the default
A Dict of float32 Boxes in [0, 1]:

| key | shape | meaning |
|---|---|---|
| `layer` | (C,) | (layer + 1) / layers of what is on each core, 0 if it is free |
| `free` | (C,) | 1 where a core is free |
| `own` | (C,) | 1 where a piece of the cursor's layer is |
| `cursor` | (C,) | 1 where the piece to be placed next is |
| `send` | (C,) | part of the latency during which a core updates neurons and sends |
| `receive` | (C,) | part of the latency during which it takes messages |
| `messages_out` | (C,) | messages sent, relative to the core that sends most |
| `messages_in` | (C,) | messages received, relative to the core that receives most |
| `links` | (4R,) | part of the latency during which each link is busy; E, W, N, S per router |
| `layer_cores` | (L,) | cores of each layer as part of all, 0 for layers that are not there |
| `layer_send` | (L,) | `send` of the layer's busiest core |
| `layer_receive` | (L,) | `receive` of the layer's busiest core |
| `scalars` | (4,) | episode over, objective x/(1+x), best x/(1+x), cores used; x = 1: reference |
| `chip` | (20,) | only with `randomize_chip`: the chip, see below |

Environments without a cursor leave `own` and `cursor` 0.

### `observation="image"`
A uint8 Box (17, height, width) for CNNs, 255 for 1. A pixel is a core: the cores of a router share
a square of pixels, two in a row, row 0 is the largest y; pixels are repeated until both sides have
36 or more, which SB3's `CnnPolicy` needs (40 x 64 on `loihi2`).

| channel | constant over | meaning |
|---|---|---|
| 0-7 | a core | `layer` to `messages_in` of the flat Dict |
| 8-11 | a router | `links` to the east, west, north, south |
| 12 | a core | 255 where there is a core |
| 13-16 | the image | `scalars` |
| 17-36 | the image | only with `randomize_chip`: `chip`; both sides then have 37 pixels or more |

### `observation="graph"`
A Gymnasium `Graph` for GNNs, float32 in [0, 1]; its size follows the mapping. SB3 does not support
it.

| part | shape | meaning |
|---|---|---|
| `nodes` | (N, 13) | per logical core, of the core it is on: `layer`, `cursor`, `own`, x, y, |
| | | `send`, `receive`, `messages_out`, `messages_in`; then the four `scalars` |
| | | and, with `randomize_chip`, the 20 numbers of `chip`: (N, 33) |
| `edges` | (E, 2) | messages relative to the pair with most, hops relative to the longest route |
| `edge_links` | (E, 2) | sending and receiving logical core |

### The chip, with `randomize_chip=True`
What differs between plausible chips, in the order of `loihi_gym.envs.CHIP_FEATURES`. A constant
is placed within the range that the chip file of Loihi 2 gives: by its logarithm, or in proportion
if the range begins at 0. Beyond the range it counts as the nearer end. What decides only energy or
what a core holds is left out.

| feature | 0 | 1 |
|---|---|---|
| `costs.synop_ps` | 370 | 2000 |
| `costs.neuron_active_ps` | 590 | 4900 |
| `costs.neuron_inactive_ps` | 590 | 4900 |
| `costs.spike_ps` | 0 | 5100 |
| `costs.synmem_word_ps` | 280 | 2240 |
| `costs.link_ps` | 290 | 2300 |
| `costs.hop_x_ps` | 2050 | 4100 |
| `costs.hop_y_ps` | 3250 | 6500 |
| `costs.chip_link_ps` | 3700 | 29600 |
| `costs.chip_hop_ps` | 20000 | 500000 |
| `costs.barrier_ps` | 200000 | 1800000 |
| `costs.axon_ps` | 0 | 6000 |
| `network.fabrics` | 1 | 2 |
| `network.router_buffer` | 4 | 64 |
| `network.receiver_queue` | 4 | 1024 |
| `structure.multicast=tree` | no | yes |
| `structure.rows=dense` | no | yes |
| `structure.phases=update-first` | no | yes |
| `structure.message_size=layer` | no | yes |
| `structure.message_size=short` | no | yes |
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..arrays import Float32Array, Int32Array, Int64Array
from ..chip import Topology
from ..errors import LoihiGymError
from ..mapping import Problem, Traffic
from .chip_features import CHIP_FEATURES
from .observation_kernel import CORE_FEATURES, LAYER_FEATURES, SCALARS, CoreTable

Flat = dict[str, Float32Array]

Form = Literal["flat", "image", "graph"]
"""What the argument `observation` of an environment may be."""

FORMS: tuple[Form, ...] = ("flat", "image", "graph")
IMAGE_SIDE = 36
"""Least height and width of an image, in pixels: what SB3's `CnnPolicy` needs."""
LINK_CHANNELS = ("east", "west", "north", "south")
IMAGE_CHANNELS = (*CORE_FEATURES, *LINK_CHANNELS, "core", *SCALARS)
"""Channels of the image: per core, per router, 255 where a core is, and constant ones."""
NODE_FEATURES = (
    *("layer", "cursor", "own", "x", "y", "send", "receive", "messages_out", "messages_in"),
    *SCALARS,
)
"""Features of a graph's nodes, the scalars repeated on each."""
EDGE_FEATURES = ("messages", "hops")
"""Features of a graph's edges."""


@dataclass(frozen=True)
class Layout:
    """Where things stand in the flat observation.

    Attributes:
        mesh: The chip's mesh.
        max_layers: Layers there is room for.
        with_chip: Whether the chip's features are observed, too.
    """

    mesh: Topology
    max_layers: int
    with_chip: bool = False

    @cached_property
    def parts(self) -> dict[str, slice]:
        """Where each key begins and ends, in order."""
        sizes = {
            **dict.fromkeys(CORE_FEATURES, self.mesh.n_cores),
            "links": 4 * self.mesh.n_routers,
            **dict.fromkeys(LAYER_FEATURES, self.max_layers),
            "scalars": len(SCALARS),
        }
        if self.with_chip:
            sizes["chip"] = len(CHIP_FEATURES)
        ends = np.cumsum(list(sizes.values())).tolist()
        return {
            name: slice(end - size, end)
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    @cached_property
    def size(self) -> int:
        """Numbers in a flat observation."""
        return max(int(part.stop) for part in self.parts.values())

    @cached_property
    def constants(self) -> slice:
        """The numbers that are of no core, link or layer, at the end."""
        return slice(self.parts["scalars"].start, self.size)

    @property
    def image_channels(self) -> tuple[str, ...]:
        """Channels of an image."""
        return IMAGE_CHANNELS + CHIP_FEATURES * self.with_chip

    @property
    def node_features(self) -> tuple[str, ...]:
        """Features of a graph's nodes."""
        return NODE_FEATURES + CHIP_FEATURES * self.with_chip

    def flat(self, buffer: Float32Array) -> Flat:
        """The Dict observation as views of a buffer, (..., size)."""
        if buffer.ndim == 1:  # twice as fast
            return {name: buffer[part] for name, part in self.parts.items()}
        return {name: buffer[..., part] for name, part in self.parts.items()}

    @cached_property
    def _pixels(self) -> tuple[Int64Array, Int64Array]:
        """Core of each pixel, -1 for none, and router of each pixel, (height, width) each.

        A router's cores share its square, two in a row; pixels are repeated until both sides are
        long enough. Row 0 is the top, the largest y.
        """
        mesh = self.mesh
        per_router = int(mesh.core_port.max()) + 1
        columns = int(np.ceil(np.sqrt(per_router)))
        rows = -(-per_router // columns)
        core = np.full((mesh.height * rows, mesh.width * columns), -1)
        row, column = np.divmod(mesh.core_port, columns)
        core[(mesh.height - 1 - mesh.core_y) * rows + row, mesh.core_x * columns + column] = (
            np.arange(mesh.n_cores)
        )
        y, x = np.divmod(np.arange(core.size).reshape(core.shape), mesh.width * columns)
        router = (mesh.height - 1 - y // rows) * mesh.width + x // columns
        # SB3 takes the shortest side for the channels.
        side = max(IMAGE_SIDE, len(self.image_channels))
        scale = -(-side // min(core.shape))
        grow = np.ones((scale, scale), np.int64)
        return np.kron(core, grow), np.kron(router, grow)

    def image(self, buffer: Float32Array) -> npt.NDArray[np.uint8]:
        """The image observation, (channels, height, width), from a flat one, (size,)."""
        core, router = self._pixels
        at = buffer[: 8 * self.mesh.n_cores].reshape(8, -1)
        links = buffer[self.parts["links"]].reshape(-1, 4).T
        image = np.empty((len(self.image_channels), *core.shape), np.float32)
        image[:8] = np.where(core >= 0, at[:, core], 0.0)
        image[8:12] = links[:, router]
        image[12] = core >= 0
        image[13:] = buffer[self.constants, None, None]
        return np.rint(image * 255.0).astype(np.uint8)

    def graph(
        self, buffer: Float32Array, traffic: Traffic, placement: Int32Array
    ) -> spaces.GraphInstance:
        """The graph observation from a flat one, (size,)."""
        mesh = self.mesh
        x, y = mesh.core_x[placement], mesh.core_y[placement]
        at: dict[str, Any] = {name: buffer[self.parts[name]][placement] for name in CORE_FEATURES}
        at |= {"x": x / max(mesh.width - 1, 1), "y": y / max(mesh.height - 1, 1)}
        names = self.node_features
        at |= zip(names[-len(buffer[self.constants]) :], buffer[self.constants], strict=True)
        nodes = np.empty((len(placement), len(names)), np.float32)
        for column, name in enumerate(names):
            nodes[:, column] = at[name]
        source, target = traffic.flows
        messages = traffic.pair_messages.sum(axis=1)
        messages = messages[messages > 0]
        hops = np.abs(x[source] - x[target]) + np.abs(y[source] - y[target])
        longest = max(mesh.width + mesh.height - 2, 1)
        edges = np.stack([messages / max(messages.max(initial=1), 1), hops / longest], axis=1)
        links = np.stack([source, target], axis=1)
        return spaces.GraphInstance(nodes, edges.astype(np.float32), links.astype(np.int64))

    def space(self, form: Form) -> spaces.Space[Any]:
        """Space of a form of observation; shapes follow from the chip and `max_layers` alone."""
        if form == "image":
            return spaces.Box(0, 255, (len(self.image_channels), *self._pixels[0].shape), np.uint8)
        if form == "graph":
            return spaces.Graph(_unit_box(len(self.node_features)), _unit_box(len(EDGE_FEATURES)))
        return spaces.Dict(
            {name: _unit_box(part.stop - part.start) for name, part in self.parts.items()}
        )


def require_layers(problem: Problem, max_layers: int) -> None:
    """Raise if a network has more layers than observations have room for.

    Raises:
        LoihiGymError: says how much room to make.
    """
    n_layers = problem.n_layers
    if n_layers > max_layers:
        raise LoihiGymError(
            f"{problem.name} has {n_layers} layers: pass max_layers={n_layers} or more"
        )


def core_table(problem: Problem, traffic: Traffic, max_layers: int) -> CoreTable:
    """What a partitioning fixes of an observation.

    Raises:
        LoihiGymError: if the network has more layers than there is room for.
    """
    require_layers(problem, max_layers)
    n_layers = problem.n_layers
    send, receive = traffic.send_ps.sum(axis=0), traffic.receive_ps.sum(axis=0)
    first = np.concatenate(([0], np.cumsum(traffic.counts)[:-1]))
    layers = np.zeros((3, max_layers))
    layers[0, :n_layers] = traffic.counts / problem.topology.n_cores
    layers[1, :n_layers] = np.maximum.reduceat(send, first)
    layers[2, :n_layers] = np.maximum.reduceat(receive, first)
    table = CoreTable(
        layer=traffic.layer.view(),
        send_ps=send.astype(np.float64),
        receive_ps=receive.astype(np.float64),
        messages_out=_of_largest(traffic.messages_out),
        messages_in=_of_largest(traffic.messages_in),
        layers=layers,
        n_layers=n_layers,
    )
    for part in table[:-1]:
        part.flags.writeable = False  # environments and their forks share it
    return table


def _unit_box(size: int) -> spaces.Box:
    return spaces.Box(0.0, 1.0, (size,), np.float32)


def _of_largest(messages: Int64Array) -> Float32Array:
    total = messages.sum(axis=0)
    relative: Float32Array = (total / max(int(total.max()), 1)).astype(np.float32)
    return relative
