"""`ChipSpec`: what the hardware costs and holds, each constant with unit, status and source."""

import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast, get_args

from ..errors import ChipFileError, unknown
from .barrier import barrier_ps

Status = Literal["measured", "vendor", "derived", "assumed", "logged", "calibrated"]

_CHIPS = resources.files(__package__) / "chips"
FIRST_RELEASE = "v1"
"""Folder of the chip files that suites of version 1 are measured on."""


@dataclass(frozen=True)
class Constant:
    """One number of the hardware and where it comes from."""

    value: int
    unit: str
    status: Status
    source: str
    range: tuple[int, int] | None = None
    """Lowest and highest value that is still plausible."""


NOT_STATED = {
    "costs.axon_ps": Constant(0, "ps per output axon entry", "assumed", "not stated by this file")
}
"""What chip files of the first release leave out."""


@dataclass(frozen=True)
class Choice:
    """One of several ways in which the hardware may be built, and where it comes from."""

    value: str
    options: tuple[str, ...]
    status: Status
    source: str


@dataclass(frozen=True)
class Structure:
    """How the hardware is built where that is not public; see `OPTIONS`.

    Attributes:
        multicast: ``none``: a core sends one message to each destination core. ``tree``: it sends
            one message, which routers copy where its ways to the destinations part.
        rows: ``sparse``: a core stores and adds the synapses there are. ``dense``: whole rows,
            zeros included, and every sending neuron reaches every core of the next layer.
        phases: ``pipelined``: a neuron's messages leave once it is updated. ``update-first``: a
            core updates all its neurons, then sends.
        message_size: Whose largest payload decides whether a message takes one 32-bit word or two:
            the whole ``network``'s, or its own ``layer``'s; ``short``: each takes one.
        idle_chips: ``powered``: every chip of a system draws its static power. ``off``: only chips
            that a mapping uses do.
    """

    multicast: str = "none"
    rows: str = "sparse"
    phases: str = "pipelined"
    message_size: str = "network"
    idle_chips: str = "powered"


OPTIONS: dict[str, tuple[str, ...]] = {
    "multicast": ("none", "tree"),
    "rows": ("sparse", "dense"),
    "phases": ("pipelined", "update-first"),
    "message_size": ("network", "layer", "short"),
    "idle_chips": ("powered", "off"),
}
"""What each field of `Structure` may be; the first is what a chip file without it means."""


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
    axon_ps: int
    """Per destination core of a sending neuron, beside `spike_ps` for each message."""


@dataclass(frozen=True)
class Queues:
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
        structure: How it is built.
        costs: Times.
        network: Queues.
        capacity: Limits of a core.
        energy: Energies and static power.
        constants: Provenance of every number, by dotted name such as ``costs.synop_ps``.
        choices: Provenance of the structure, by dotted name such as ``structure.rows``.
        fitted_to: Names of published figures that constants were fitted to, which are therefore no
            evidence for them; see `loihi-gym validate`. Decides no measurement.
    """

    name: str
    description: str
    chips: tuple[int, int]
    routers: tuple[int, int]
    cores_per_router: int
    coreless_routers: tuple[tuple[int, int], ...]
    grid: tuple[Status, str]
    structure: Structure
    costs: Costs
    network: Queues
    capacity: Capacity
    energy: Energy
    constants: dict[str, Constant] = field(repr=False, hash=False)
    choices: dict[str, Choice] = field(repr=False, hash=False)
    fitted_to: tuple[str, ...] = ()

    @property
    def n_chips(self) -> int:
        """Number of chips."""
        return self.chips[0] * self.chips[1]

    @property
    def n_cores(self) -> int:
        """Number of neurocores of the whole system."""
        per_chip = self.routers[0] * self.routers[1] - len(self.coreless_routers)
        return self.n_chips * per_chip * self.cores_per_router

    def with_choice(self, name: str, value: str) -> "ChipSpec":
        """The same chip built in another way, as ``structure.multicast`` and ``tree``.

        Raises:
            UnknownNameError: if there is no such choice or option.
        """
        if name not in self.choices:
            raise unknown("choice", name, sorted(self.choices))
        if value not in self.choices[name].options:
            raise unknown(f"option of {name}", str(value), list(self.choices[name].options))
        structure = replace(self.structure, **{name.split(".")[1]: value})
        choice = replace(self.choices[name], value=value)
        return replace(self, structure=structure, choices={**self.choices, name: choice})

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
    "network": Queues,
    "capacity": Capacity,
    "energy": Energy,
}


def chip_names() -> list[str]:
    """Names of the bundled chips.

    Those that suites of version 1 are measured on are read besides: their names begin with ``v1/``.
    """
    return list(_files())


@cache
def _files(folder: str = "") -> list[str]:
    """Names of the chips in a folder of the bundled ones."""
    return sorted(Path(one.name).stem for one in (_CHIPS / folder).iterdir() if one.is_file())


def load_chip(name: str) -> ChipSpec:
    """A bundled chip by name, or a chip file by its path (ending in ``.toml``).

    Raises:
        UnknownNameError: if no bundled chip has that name.
        ChipFileError: if the file is missing or malformed; the message names the key.

    Example:
        >>> chip = load_chip("loihi2")
        >>> chip.cores_per_router
        4
    """
    return _spec(Path(name).stem, _tables(name, ())) if name.endswith(".toml") else _bundled(name)


@cache
def _bundled(name: str) -> ChipSpec:
    return _spec(Path(name).stem, _tables(name, ()))


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
    return _spec(name, tables)


def _tables(name: str, above: tuple[str, ...]) -> dict[str, Any]:
    """A file's tables laid over those of its base, and so forth."""
    own = _read(name)
    base = own.pop("base", None)
    if base is None:
        return own
    if not isinstance(base, str) or base in (*above, name):
        raise ChipFileError(f"chip {name}: base = {base!r} is not another chip")
    return _merge(_tables(base, (*above, name)), own)


def _spec(label: str, tables: dict[str, Any]) -> ChipSpec:
    """A chip from whole tables."""
    topology = _table(label, tables, "topology")
    constants = {
        f"{section}.{key}": _constant(label, f"{section}.{key}", entry)
        for section in _SECTIONS
        for key, entry in _table(label, tables, section).items()
    }
    constants = NOT_STATED | constants
    grid = _pair(label, topology, "chips")
    if grid != (1, 1) and "costs.barrier_ps" not in constants:
        constants["costs.barrier_ps"] = _barrier(grid[0] * grid[1])
    choices = {f"structure.{key}": _choice(label, key, tables) for key in OPTIONS}
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
        structure=Structure(**{key: choices[f"structure.{key}"].value for key in OPTIONS}),
        choices=choices,
        constants=constants,
        fitted_to=_fitted_to(label, tables),
        **{name: _section(label, name, constants) for name in _SECTIONS},
    )


def _fitted_to(label: str, tables: dict[str, Any]) -> tuple[str, ...]:
    """Names of figures; whether there are such figures is for who reads these to say."""
    names = tables.get("fitted_to", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ChipFileError(f"chip {label}: fitted_to = {names!r:.50} is not a list of names")
    return tuple(names)


def _read(name: str) -> dict[str, Any]:
    is_path = name.endswith(".toml")
    first_release = [f"{FIRST_RELEASE}/{old}" for old in _files(FIRST_RELEASE)]
    if not is_path and name not in chip_names() + first_release:
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
    for section in (*_SECTIONS, "structure"):
        if isinstance(own.get(section, {}), dict):
            merged[section] = {**base.get(section, {}), **own.get(section, {})}
    other_system = merged["topology"].get("chips") != base["topology"].get("chips")
    if other_system and "barrier_ps" not in own.get("costs", {}):
        merged["costs"].pop("barrier_ps", None)  # it depends on the number of chips
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


def _choice(label: str, key: str, tables: dict[str, Any]) -> Choice:
    """One of `OPTIONS`; a file that does not state it means the first."""
    stated = tables.get("structure", {})
    if not isinstance(stated, dict) or not stated.keys() <= OPTIONS.keys():
        raise ChipFileError(f"chip {label}: [structure] has {', '.join(OPTIONS)} and nothing else")
    name, options = f"structure.{key}", OPTIONS[key]
    entry = stated.get(key, {"value": options[0], "status": "assumed", "source": "not stated"})
    if not isinstance(entry, dict) or entry.get("value") not in options:
        raise ChipFileError(f"chip {label}: {name} needs a value: one of {', '.join(options)}")
    status = _status(label, name, entry.get("status"))
    return Choice(entry["value"], options, status, str(entry.get("source", "")))


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
