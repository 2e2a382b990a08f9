"""Sets of plausible chips: what nobody outside Intel knows, each unknown one way or another.

A set is a TOML file: hypotheses that differ from a base chip in a few facts::

    description = "..."
    base = "loihi2"

    [wide-links]
    why = "one line: why it is plausible, and from where"
    "costs.link_ps" = 290
    "structure.multicast" = "tree"

The same differences can be laid over another chip, such as that of a problem (`Hypotheses.over`).
"""

import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import ChipFileError, unknown
from .spec import ChipSpec, load_chip

_SETS = resources.files(__package__) / "sets"
BASE = "default"
"""Name of the first hypothesis of every set: the base chip as it is."""
MOST = 256
"""Hypotheses that a set may have: each costs an evaluation of every mapping."""


@dataclass(frozen=True)
class Hypothesis:
    """One plausible chip.

    Attributes:
        name: Short, of the set.
        chip: The chip; its name is ``BASE+NAME``, for reports.
        why: One line: why it is plausible.
        changes: What differs from the base, by dotted name.
    """

    name: str
    chip: ChipSpec
    why: str
    changes: dict[str, int | str]


@dataclass(frozen=True)
class Hypotheses:
    """A set of plausible chips with one mesh; no two are the same chip.

    Attributes:
        name: Of the file, with what was left out or chosen.
        description: One line.
        members: The chips; the base comes first where it is one of them.
    """

    name: str
    description: str
    members: tuple[Hypothesis, ...]

    @property
    def chips(self) -> tuple[ChipSpec, ...]:
        """The chips alone."""
        return tuple(one.chip for one in self.members)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(one.name for one in self.members)

    def over(self, base: ChipSpec) -> "Hypotheses":
        """The same differences laid over another chip; what is then there twice is left out."""
        members: dict[tuple[Any, ...], Hypothesis] = {}
        for one in self.members:
            moved = replace(one, chip=_changed(base, self.name, one.name, one.changes))
            members.setdefault(_facts(moved.chip), moved)
        return replace(self, members=tuple(members.values()))


def hypotheses_names() -> list[str]:
    """Names of the bundled sets."""
    return sorted(Path(entry.name).stem for entry in _SETS.iterdir() if entry.is_file())


def load_hypotheses(name: str) -> Hypotheses:
    """A bundled set by name, or a file by its path (ending in ``.toml``).

    Names of members may follow: ``SET,-NAME,...`` is the set without them, ``SET,NAME,...`` they
    alone.

    Raises:
        UnknownNameError: if no bundled set has that name, or no member of it.
        ChipFileError: if the file is missing or malformed, names a fact that a chip does not have,
            or contradicts itself; the message names the hypothesis.
    """
    file, *chosen = name.split(",")
    is_path = file.endswith(".toml")
    if not is_path and file not in hypotheses_names():
        raise unknown("set of hypotheses", file, hypotheses_names())
    source = Path(file) if is_path else _SETS / f"{file}.toml"
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChipFileError(f"hypotheses {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ChipFileError(f"hypotheses {file} are not TOML: {error}") from error
    return _chosen(_hypotheses(Path(file).stem, tables), chosen)


def _chosen(whole: Hypotheses, names: list[str]) -> Hypotheses:
    """The members named, or all but these if each begins with a ``-``."""
    if not names:
        return whole
    left_out = [name.startswith("-") for name in names]
    if any(left_out) != all(left_out):
        raise ChipFileError(
            f"hypotheses {whole.name}: {','.join(names)} both names members and leaves some out"
        )
    plain = [name.removeprefix("-") for name in names]
    for name in plain:
        if name not in whole.names:
            raise unknown(f"hypothesis of {whole.name}", name, list(whole.names))
    kept = tuple(one for one in whole.members if (one.name in plain) != all(left_out))
    if not kept:
        raise ChipFileError(f"hypotheses {whole.name}: {','.join(names)} leaves none")
    return Hypotheses(",".join([whole.name, *names]), whole.description, kept)


def _hypotheses(name: str, tables: dict[str, Any]) -> Hypotheses:
    own = {key: table for key, table in tables.items() if key not in ("description", "base")}
    named = tables.get("base", "loihi2")
    if not isinstance(named, str):
        raise ChipFileError(f"hypotheses {name}: base = {named!r} is no chip's name")
    base = load_chip(named)
    members = [Hypothesis(BASE, base, "the chip file as it is", {})]
    for key, table in own.items():
        if not isinstance(table, dict) or not isinstance(table.get("why"), str) or len(table) < 2:
            raise ChipFileError(f"hypotheses {name}: {key} needs 'why' and at least one change")
        if key == BASE or not key or any(sign in key for sign in ", \n") or key.startswith("-"):
            raise ChipFileError(f"hypotheses {name}: {key!r} cannot be the name of a hypothesis")
        changes = {fact: value for fact, value in table.items() if fact != "why"}
        members.append(Hypothesis(key, _changed(base, name, key, changes), table["why"], changes))
    if not 1 < len(members) <= MOST:
        raise ChipFileError(f"hypotheses {name} are {len(own)}: 1 to {MOST - 1} can be used")
    seen: dict[tuple[Any, ...], str] = {}
    for one in members:
        facts = _facts(one.chip)
        if facts in seen:  # it would count twice
            raise ChipFileError(f"hypotheses {name}: {one.name} is the same chip as {seen[facts]}")
        seen[facts] = one.name
    return Hypotheses(name, str(tables.get("description", "")), tuple(members))


def _changed(base: ChipSpec, name: str, key: str, changes: dict[str, Any]) -> ChipSpec:
    """The base with a hypothesis' changes."""
    chip = base
    for fact, value in changes.items():
        try:
            if fact in base.choices:
                chip = chip.with_choice(fact, value)
            elif type(value) is int and 0 <= value < 1 << 63:
                chip = chip.with_constant(fact, value)
            else:
                raise ValueError(f"{fact} = {value!r} is not a whole number from 0 on")
        except ValueError as error:
            raise ChipFileError(f"hypotheses {name}: {key}: {error}") from error
    return replace(chip, name=f"{base.name}+{key}" if changes else base.name)


def _facts(chip: ChipSpec) -> tuple[Any, ...]:
    """All that decides a measurement but the mesh, which hypotheses share."""
    return (chip.structure, chip.costs, chip.network, chip.capacity, chip.energy)
