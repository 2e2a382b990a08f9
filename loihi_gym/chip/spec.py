"""`ChipSpec`: what the hardware costs and holds, each constant with unit, status and source."""

import tomllib
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

from ..errors import ChipFileError, unknown
from .barrier import barrier_ps

Status = Literal["measured", "vendor", "derived", "assumed", "logged", "calibrated"]

_CHIPS = resources.files(__package__) / "chips"


@dataclass(frozen=True)
class Constant:
    """One number of the hardware and where it comes from."""

    value: int
    unit: str
    status: Status
    source: str
    range: tuple[int, int] | None = None
    """Lowest and highest value that is still plausible, for sensitivity studies."""


@dataclass(frozen=True)
class Costs:
    """Times, all int picoseconds."""

    synop_ps: int
    neuron_active_ps: int
    neuron_inactive_ps: int
    spike_ps: int
    synmem_word_ps: int
    link_ps: int
    """Per 32 bits on a directed link, core ports included."""
    hop_x_ps: int
    hop_y_ps: int
    chip_link_ps: int
    chip_hop_ps: int
    barrier_ps: int


@dataclass(frozen=True)
class Network:
    """How routers and receivers queue messages."""

    fabrics: int
    router_buffer: int
    receiver_queue: int


@dataclass(frozen=True)
class Capacity:
    """What one neurocore holds."""

    neurons: int
    synmem_words: int
    input_axons: int
    output_axons: int
    synapse_bits: int
    axon_words: int
    weight_bits: int


@dataclass(frozen=True)
class Energy:
    """Energies in int femtojoules; static power in int milliwatts per chip."""

    synop_fj: int
    neuron_active_fj: int
    neuron_inactive_fj: int
    hop_x_fj: int
    hop_y_fj: int
    tile_fj: int
    static_mw: int


@dataclass(frozen=True)
class ChipSpec:
    """A chip, or a grid of chips whose router meshes join into one.

    Attributes:
        name: File name without its ending.
        description: One line.
        chips: Chips along x and y.
        routers: Routers along x and y of one chip.
        cores_per_router: Neurocores on a router that has any.
        coreless_routers: (x, y) within a chip of routers without neurocores.
        grid: Status and source of the topology.
        costs: Times.
        network: Queues.
        capacity: Limits of a core.
        energy: Energies and static power.
        constants: Provenance of every number, by dotted name such as ``costs.synop_ps``.
    """

    name: str
    description: str
    chips: tuple[int, int]
    routers: tuple[int, int]
    cores_per_router: int
    coreless_routers: tuple[tuple[int, int], ...]
    grid: tuple[Status, str]
    costs: Costs
    network: Network
    capacity: Capacity
    energy: Energy
    constants: dict[str, Constant] = field(repr=False, hash=False)

    @property
    def n_chips(self) -> int:
        """Number of chips."""
        return self.chips[0] * self.chips[1]

    @property
    def n_cores(self) -> int:
        """Number of neurocores of the whole system."""
        per_chip = self.routers[0] * self.routers[1] - len(self.coreless_routers)
        return self.n_chips * per_chip * self.cores_per_router

    def with_constant(self, name: str, value: int) -> "ChipSpec":
        """The same chip with one constant (a dotted name) set to another value.

        Raises:
            UnknownNameError: if no constant has that name.
        """
        if name not in self.constants:
            raise unknown("constant", name, sorted(self.constants))
        section, key = name.split(".")
        part = replace(getattr(self, section), **{key: value})
        constant = replace(self.constants[name], value=value)
        return replace(self, constants={**self.constants, name: constant}, **{section: part})


_SECTIONS: dict[str, type[Any]] = {
    "costs": Costs,
    "network": Network,
    "capacity": Capacity,
    "energy": Energy,
}


def chip_names() -> list[str]:
    """Names of the bundled chips."""
    return sorted(Path(entry.name).stem for entry in _CHIPS.iterdir() if entry.is_file())


def load_chip(name: str) -> ChipSpec:
    """A bundled chip by name, or a chip file by its path (ending in ``.toml``).

    Raises:
        UnknownNameError: if no bundled chip has that name.
        ChipFileError: if the file is missing or malformed; the message names the key.
    """
    own, label = _read(name), Path(name).stem
    base = own.pop("base", None)
    tables = own if base is None else _merge(_read(str(base)), own)
    return _spec(label, tables, own)


def parse_chip(text: str, name: str) -> ChipSpec:
    """A chip from the text of a chip file that stands by itself, without a ``base``.

    Raises:
        ChipFileError: if it is malformed; the message names the key.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ChipFileError(f"chip {name} is not TOML: {error}") from error
    if "base" in tables:
        raise ChipFileError(f"chip {name}: base = {tables['base']!r} is for chip files only")
    return _spec(name, tables, tables)


def _spec(label: str, tables: dict[str, Any], own: dict[str, Any]) -> ChipSpec:
    """A chip from a file's tables, of which `own` are not its base's."""
    topology = _table(label, tables, "topology")
    constants = {
        f"{section}.{key}": _constant(label, f"{section}.{key}", entry)
        for section in _SECTIONS
        for key, entry in _table(label, tables, section).items()
    }
    grid = _pair(label, topology, "chips")
    if grid != (1, 1) and "barrier_ps" not in own.get("costs", {}):
        constants["costs.barrier_ps"] = _barrier(grid[0] * grid[1])
    return ChipSpec(
        name=label,
        description=str(tables.get("description", "")),
        chips=grid,
        routers=_pair(label, topology, "routers"),
        cores_per_router=_positive(label, topology, "cores_per_router"),
        coreless_routers=_coreless(label, topology),
        grid=(
            _status(label, "topology", topology.get("status", "assumed")),
            topology.get("source", ""),
        ),
        constants=constants,
        **{name: _section(label, name, constants) for name in _SECTIONS},
    )


def _read(name: str) -> dict[str, Any]:
    is_path = name.endswith(".toml")
    if not is_path and name not in chip_names():
        raise unknown("chip", name, chip_names())
    source = Path(name) if is_path else _CHIPS / f"{name}.toml"
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChipFileError(f"chip file {name}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # TOML, UTF-8, a number of 5,000 digits, nesting
        raise ChipFileError(f"chip file {name} is not TOML: {error}") from error


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` laid over `base`, constant by constant; a topology replaces the base's whole."""
    merged = {**base, **own}
    for section in _SECTIONS:
        if isinstance(own.get(section, {}), dict):
            merged[section] = {**base.get(section, {}), **own.get(section, {})}
    return merged


def _table(label: str, tables: dict[str, Any], key: str) -> dict[str, Any]:
    table = tables.get(key)
    if not isinstance(table, dict):
        raise ChipFileError(f"chip {label}: the table [{key}] is missing")
    return table


def _constant(label: str, name: str, entry: object) -> Constant:
    try:
        assert isinstance(entry, dict)
        bounds = entry.get("range")
        constant = Constant(
            value=entry["value"],
            unit=entry["unit"],
            status=entry["status"],
            source=entry["source"],
            range=None if bounds is None else (int(bounds[0]), int(bounds[1])),
        )
    except (AssertionError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ChipFileError(
            f"chip {label}: {name} needs value, unit, status and source ({error!r})"
        ) from error
    if type(constant.value) is not int or not 0 <= constant.value < 1 << 63:
        raise ChipFileError(
            f"chip {label}: {name} = {constant.value!r:.50} is not a whole number below 2^63"
        )
    _status(label, name, constant.status)
    return constant


def _status(label: str, name: str, status: object) -> Status:
    for known in get_args(Status):
        if status == known:
            return cast(Status, known)
    raise ChipFileError(f"chip {label}: status {status!r} of {name} is none of {get_args(Status)}")


def _coreless(label: str, topology: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    value = topology.get("coreless_routers", [])
    width, height = _pair(label, topology, "routers")
    try:
        coreless = [(x, y) for x, y in value]
    except (TypeError, ValueError) as error:
        raise ChipFileError(
            f"chip {label}: topology.coreless_routers = {value!r} is not a list of [x, y]"
        ) from error
    inside = all(
        type(x) is type(y) is int and 0 <= x < width and 0 <= y < height for x, y in coreless
    )
    if not inside or len(set(coreless)) < len(coreless):
        raise ChipFileError(
            f"chip {label}: topology.coreless_routers = {value!r} are not different routers of "
            f"a grid of {width} x {height}"
        )
    return tuple(coreless)


def _barrier(n_chips: int) -> Constant:
    source = f"interpolated for {n_chips} chips, see loihi_gym/chip/barrier.py"
    return Constant(barrier_ps(n_chips), "ps to close a time step", "assumed", source)


def _section(label: str, section: str, constants: dict[str, Constant]) -> Any:
    cls = _SECTIONS[section]
    wanted = {f"{section}.{f.name}" for f in fields(cls)}
    given = {name for name in constants if name.startswith(f"{section}.")}
    if wanted != given:
        wrong = ", ".join(sorted(wanted ^ given))
        raise ChipFileError(f"chip {label}: missing or unknown constants: {wrong}")
    return cls(**{name.split(".")[1]: constants[name].value for name in given})


def _pair(label: str, table: dict[str, Any], key: str) -> tuple[int, int]:
    value = table.get(key)
    if not (isinstance(value, list) and len(value) == 2 and all(_is_count(v) for v in value)):
        raise ChipFileError(f"chip {label}: topology.{key} = {value!r} is not [x, y] of counts")
    return value[0], value[1]


def _positive(label: str, table: dict[str, Any], key: str) -> int:
    value = table.get(key)
    if not _is_count(value):
        raise ChipFileError(f"chip {label}: topology.{key} = {value!r} is not a count")
    assert isinstance(value, int)
    return value


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < 1 << 63
