"""Observations: what is seen of a measured mapping, in three forms; `observation=` picks one.

C physical cores, R routers (those without cores included), L = `max_layers`, N logical cores, E
pairs of logical cores that exchange messages. Shapes depend on the chip and `max_layers` alone, so
that one policy serves many networks.

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

### `observation="graph"`
A Gymnasium `Graph` for GNNs, float32 in [0, 1]; its size follows the mapping. SB3 does not support
it.

| part | shape | meaning |
|---|---|---|
| `nodes` | (N, 13) | per logical core, of the core it is on: `layer`, `cursor`, `own`, x, y, |
| | | `send`, `receive`, `messages_out`, `messages_in`; then the four `scalars` |
| `edges` | (E, 2) | messages relative to the pair with most, hops relative to the longest route |
| `edge_links` | (E, 2) | sending and receiving logical core |
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
    """

    mesh: Topology
    max_layers: int

    @cached_property
    def parts(self) -> dict[str, slice]:
        """Where each key begins and ends, in order."""
        sizes = {
            **dict.fromkeys(CORE_FEATURES, self.mesh.n_cores),
            "links": 4 * self.mesh.n_routers,
            **dict.fromkeys(LAYER_FEATURES, self.max_layers),
            "scalars": len(SCALARS),
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {
            name: slice(end - size, end)
            for (name, size), end in zip(sizes.items(), ends, strict=True)
        }

    @cached_property
    def size(self) -> int:
        """Numbers in a flat observation."""
        return int(self.parts["scalars"].stop)

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
        scale = -(-IMAGE_SIDE // min(core.shape))
        grow = np.ones((scale, scale), np.int64)
        return np.kron(core, grow), np.kron(router, grow)

    def image(self, buffer: Float32Array) -> npt.NDArray[np.uint8]:
        """The image observation, (channels, height, width), from a flat one, (size,)."""
        core, router = self._pixels
        at = buffer[: 8 * self.mesh.n_cores].reshape(8, -1)
        links = buffer[self.parts["links"]].reshape(-1, 4).T
        scalars = buffer[self.parts["scalars"]]
        image = np.empty((len(IMAGE_CHANNELS), *core.shape), np.float32)
        image[:8] = np.where(core >= 0, at[:, core], 0.0)
        image[8:12] = links[:, router]
        image[12] = core >= 0
        image[13:] = scalars[:, None, None]
        return np.rint(image * 255.0).astype(np.uint8)

    def graph(
        self, buffer: Float32Array, traffic: Traffic, placement: Int32Array
    ) -> spaces.GraphInstance:
        """The graph observation from a flat one, (size,)."""
        mesh = self.mesh
        x, y = mesh.core_x[placement], mesh.core_y[placement]
        at: dict[str, Any] = {name: buffer[self.parts[name]][placement] for name in CORE_FEATURES}
        at |= {"x": x / max(mesh.width - 1, 1), "y": y / max(mesh.height - 1, 1)}
        at |= zip(SCALARS, buffer[self.parts["scalars"]], strict=True)
        nodes = np.empty((len(placement), len(NODE_FEATURES)), np.float32)
        for column, name in enumerate(NODE_FEATURES):
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
            return spaces.Box(0, 255, (len(IMAGE_CHANNELS), *self._pixels[0].shape), np.uint8)
        if form == "graph":
            return spaces.Graph(_unit_box(len(NODE_FEATURES)), _unit_box(len(EDGE_FEATURES)))
        return spaces.Dict(
            {name: _unit_box(part.stop - part.start) for name, part in self.parts.items()}
        )


def core_table(problem: Problem, traffic: Traffic, max_layers: int) -> CoreTable:
    """What a partitioning fixes of an observation.

    Raises:
        LoihiGymError: if the network has more layers than there is room for.
    """
    n_layers = problem.n_layers
    if n_layers > max_layers:
        raise LoihiGymError(
            f"{problem.name} has {n_layers} layers: pass max_layers={n_layers} or more"
        )
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
