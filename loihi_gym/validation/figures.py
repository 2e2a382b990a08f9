"""Published figures of Loihi 2 in silicon, from `figures.toml`, which says what each key is."""

import math
import tomllib
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from ..chip.spec import OPTIONS
from ..errors import FigureFileError

BUNDLED = resources.files(__package__) / "figures.toml"
STATUSES = ("measured", "vendor", "derived", "second-hand")
TIME, ENERGY = "us per step", "uJ per step"
"""Units that are simulated."""
MOST_SYNAPSES = 1 << 26
"""Possible synapses of a random matrix: more than any here, few enough to be drawn."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class Convolution:
    """How an image is made of another; pairs along x and y."""

    kernel: Pair
    stride: Pair
    padding: Pair

    def size(self, of: Pair) -> Pair:
        """Width and height of what it makes of an image of that size."""
        x, y = (
            (of[axis] + 2 * self.padding[axis] - self.kernel[axis]) // self.stride[axis] + 1
            for axis in (0, 1)
        )
        return x, y


@dataclass(frozen=True)
class FigureNetwork:
    """What is simulated in place of a published workload; L layers.

    Attributes:
        name: Its name in the file.
        shapes: Of each layer ``(neurons,)`` or ``(width, height, channels)``.
        connections: A density or a convolution into each layer after the first, L - 1.
        active: Part of each layer's neurons that sends in a step.
        cores: Cores of each layer.
        message_bits: 32 or 64.
        weight_bits: Bits of a stored weight.
        rows: ``sparse`` or ``dense`` if not as the chip says.
        memory_unchecked: Whether synaptic memory is left unchecked.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    connections: tuple[float | Convolution, ...]
    active: tuple[float, ...]
    cores: tuple[int, ...]
    message_bits: int
    weight_bits: int = 8
    rows: str | None = None
    memory_unchecked: bool = False

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each layer."""
        return tuple(math.prod(shape) for shape in self.shapes)


@dataclass(frozen=True)
class SiliconFigure:
    """One published number.

    Attributes:
        name: Its name in the file, which a chip file's `fitted_to` may state.
        what: The workload.
        low: Lower end of what was measured; None if only an upper end is known.
        high: Upper end.
        unit: Of both.
        status: One of `STATUSES`.
        chips: Chips of the system it was measured on.
        assumed: What the source does not say.
        source: Where it was published.
        network: What is simulated; None if nothing is.
        unsimulated: Why nothing is.
    """

    name: str
    what: str
    low: float | None
    high: float
    unit: str
    status: str
    chips: int
    assumed: str
    source: str
    network: FigureNetwork | None = None
    unsimulated: str = ""


def load_figures(path: str | Path | None = None) -> tuple[SiliconFigure, ...]:
    """The bundled figures, or those of a file of the same form, in its order.

    Raises:
        FigureFileError: if the file is missing or malformed; names the table and the key.
    """
    file = BUNDLED if path is None else Path(path)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FigureFileError(f"figures {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FigureFileError(f"figures {path} are not TOML: {error}") from error
    networks = {
        name: _entry(f"networks.{name}", table, _network)
        for name, table in _entries(tables, "networks").items()
    }
    return tuple(
        _entry(f"figures.{name}", table, lambda own, label: _figure(own, label, networks))
        for name, table in _entries(tables, "figures").items()
    )


def _entries(tables: dict[str, Any], key: str) -> dict[str, Any]:
    if tables.keys() != {"figures", "networks"} or not isinstance(tables[key], dict):
        raise FigureFileError("figures: the file has the tables [figures] and [networks]")
    entries: dict[str, Any] = tables[key]
    return entries


def _entry(label: str, table: object, read: Any) -> Any:
    """One table, taken apart: what is left of it when all is read is an error."""
    if not isinstance(table, dict):
        raise FigureFileError(f"{label} is not a table")
    own = dict(table)
    made = read(own, label)
    if own:
        raise FigureFileError(f"{label}: unknown key {min(own)!r}")
    return made


def _figure(own: dict[str, Any], label: str, networks: dict[str, FigureNetwork]) -> SiliconFigure:
    measured = [float(end) for end in _list(own, label, "measured", (int, float))]
    low = measured[0] if len(measured) == 2 else None
    _require(len(measured) in (1, 2), label, "measured", "[low, high] or [high]")
    _require(0 < (low or measured[-1]) <= measured[-1], label, "measured", "above 0, low first")
    texts = {key: _text(own, label, key) for key in ("what", "unit", "status", "assumed", "source")}
    _require(texts["status"] in STATUSES, label, "status", f"one of {', '.join(STATUSES)}")
    chips = _value(own, label, "chips", (int,))
    _require(chips > 0, label, "chips", "a count")
    network, why = None, ""
    if "unsimulated" in own:
        why = _text(own, label, "unsimulated")
    else:
        name = _text(own, label, "network")
        _require(name in networks, label, "network", "a table of [networks]")
        _require(texts["unit"] in (TIME, ENERGY), label, "unit", f"{TIME!r} or {ENERGY!r}")
        network = networks[name]
    return SiliconFigure(
        name=label.partition(".")[2],
        low=low,
        high=measured[-1],
        chips=chips,
        network=network,
        unsimulated=why,
        **texts,
    )


def _network(own: dict[str, Any], label: str) -> FigureNetwork:
    if "widths" in own:
        shapes = tuple((int(width),) for width in _list(own, label, "widths", (int,)))
    else:
        shapes = tuple(map(tuple, _list(own, label, "shapes", (list,))))
    _require(len(shapes) > 1, label, "widths", "those of two layers or more")
    for shape in shapes:
        counts = all(type(size) is int and size > 0 for size in shape)
        _require(counts and len(shape) in (1, 3), label, "shapes", "[neurons] or [x, y, channels]")
    active = tuple(map(float, _list(own, label, "active", (int, float))))
    cores = tuple(_list(own, label, "cores", (int,)))
    bits, weight = _value(own, label, "message_bits", (int,)), own.pop("weight_bits", 8)
    rows, once = own.pop("rows", None), own.pop("memory_unchecked", False)
    _require(len(active) == len(shapes), label, "active", "one part for each layer")
    _require(all(0.0 <= part <= 1.0 for part in active), label, "active", "from 0 to 1")
    _require(len(cores) == len(shapes), label, "cores", "one count for each layer")
    _require(min(cores) > 0, label, "cores", "counts")
    _require(bits in (32, 64), label, "message_bits", "32 or 64")
    _require(type(weight) is int and 1 <= weight <= 8, label, "weight_bits", "1 to 8")
    _require(rows in (None, *OPTIONS["rows"]), label, "rows", "sparse or dense")
    _require(type(once) is bool, label, "memory_unchecked", "true or false")
    connections = _connections(_list(own, label, "connections", (dict,)), label, shapes)
    name = label.partition(".")[2]
    return FigureNetwork(name, shapes, connections, active, cores, bits, weight, rows, once)


def _connections(
    tables: list[dict[str, Any]], label: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[float | Convolution, ...]:
    key = "connections"
    _require(len(tables) == len(shapes) - 1, label, key, "one for each layer after the first")
    made: list[float | Convolution] = []
    for number, table in enumerate(tables, 1):
        own, where = dict(table), f"{label}: {key} {number}"
        before, after = shapes[number - 1 : number + 1]
        if "density" in own:
            density = float(_value(own, where, "density", (int, float)))
            _require(0.0 < density <= 1.0, where, "density", "above 0, up to 1")
            small = math.prod(before) * math.prod(after) <= MOST_SYNAPSES
            _require(small, where, "density", f"of at most {MOST_SYNAPSES:,} possible synapses")
            made.append(density)
        else:
            pairs = {each.name: _pair(own, where, each.name) for each in fields(Convolution)}
            convolution = Convolution(**pairs)
            images = len(before) == len(after) == 3
            _require(images, where, "kernel", "between images, [x, y, channels]")
            made_size = convolution.size((before[0], before[1]))
            _require(made_size == after[:2], where, "kernel", f"one that makes {after[:2]}")
            made.append(convolution)
        _require(not own, where, min(own, default=""), "known")
    return tuple(made)


def _pair(own: dict[str, Any], label: str, key: str) -> Pair:
    pair = _list(own, label, key, (int,))
    least = 0 if key == "padding" else 1
    _require(len(pair) == 2 and min(pair) >= least, label, key, f"[x, y] from {least} on")
    return pair[0], pair[1]


def _value(own: dict[str, Any], label: str, key: str, kinds: tuple[type, ...]) -> Any:
    value = own.pop(key, None)
    _require(type(value) in kinds, label, key, f"{' or '.join(kind.__name__ for kind in kinds)}")
    return value


def _text(own: dict[str, Any], label: str, key: str) -> str:
    text = _value(own, label, key, (str,))
    _require(bool(text.strip()), label, key, "a sentence")
    return str(text)


def _list(own: dict[str, Any], label: str, key: str, kinds: tuple[type, ...]) -> list[Any]:
    values = _value(own, label, key, (list,))
    right = bool(values) and all(type(value) in kinds for value in values)
    _require(right, label, key, f"a list of {' or '.join(kind.__name__ for kind in kinds)}")
    return list(values)


def _require(right: bool, label: str, key: str, what: str) -> None:
    if not right:
        raise FigureFileError(f"{label}: {key} is missing or not {what}")
