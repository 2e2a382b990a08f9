"""Sets of plausible chips: what nobody outside Intel knows, each unknown one way or another.

A set is a TOML file: a base chip, and hypotheses that differ from it in a few facts::

    description = "..."
    base = "loihi2"

    [wide-links]
    why = "one line: why it is plausible, and from where"
    "costs.link_ps" = 290
    "structure.multicast" = "tree"
"""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import ChipFileError, unknown
from .spec import ChipSpec, load_chip

_SETS = resources.files(__package__) / "sets"
BASE = "default"
"""Name of the first hypothesis of every set: the base chip as it is."""


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
    """A set of plausible chips, the base first; all have one mesh and hold the same networks.

    Attributes:
        name: Of the file.
        description: One line.
        members: The chips.
    """

    name: str
    description: str
    members: tuple[Hypothesis, ...]

    @property
    def chips(self) -> tuple[ChipSpec, ...]:
        """The chips alone."""
        return tuple(one.chip for one in self.members)


def hypotheses_names() -> list[str]:
    """Names of the bundled sets."""
    return sorted(Path(entry.name).stem for entry in _SETS.iterdir() if entry.is_file())


def load_hypotheses(name: str) -> Hypotheses:
    """A bundled set by name, or a file by its path (ending in ``.toml``).

    Raises:
        UnknownNameError: if no bundled set has that name.
        ChipFileError: if the file is missing or malformed, names a fact that a chip does not have,
            or contradicts itself; the message names the hypothesis.
    """
    is_path = name.endswith(".toml")
    if not is_path and name not in hypotheses_names():
        raise unknown("set of hypotheses", name, hypotheses_names())
    source = Path(name) if is_path else _SETS / f"{name}.toml"
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChipFileError(f"hypotheses {name}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ChipFileError(f"hypotheses {name} are not TOML: {error}") from error
    return _hypotheses(Path(name).stem, tables)


def _hypotheses(name: str, tables: dict[str, Any]) -> Hypotheses:
    own = {key: table for key, table in tables.items() if key not in ("description", "base")}
    base = load_chip(str(tables.get("base", "loihi2")))
    members = [Hypothesis(BASE, base, "the chip file as it is", {})]
    for key, table in own.items():
        if not isinstance(table, dict) or not isinstance(table.get("why"), str) or len(table) < 2:
            raise ChipFileError(f"hypotheses {name}: {key} needs 'why' and at least one change")
        changes = {fact: value for fact, value in table.items() if fact != "why"}
        members.append(Hypothesis(key, _changed(base, name, key, changes), table["why"], changes))
    _require_different(name, members)
    return Hypotheses(name, str(tables.get("description", "")), tuple(members))


def _changed(base: ChipSpec, name: str, key: str, changes: dict[str, Any]) -> ChipSpec:
    chip = base
    for fact, value in changes.items():
        try:
            if fact in base.choices:
                chip = chip.with_choice(fact, value)
            elif type(value) is int and value >= 0:
                chip = chip.with_constant(fact, value)
            else:
                raise ValueError(f"{fact} = {value!r} is not a whole number >= 0")
        except ValueError as error:
            raise ChipFileError(f"hypotheses {name}: {key}: {error}") from error
    return ChipSpec(**{**vars(chip), "name": f"{base.name}+{key}"})


def _require_different(name: str, members: list[Hypothesis]) -> None:
    """Raise if two hypotheses are the same chip, the base included: that one would count twice."""
    seen: dict[tuple[object, ...], str] = {}
    for one in members:
        chip = one.chip
        facts = (chip.structure, chip.costs, chip.network, chip.capacity, chip.energy)
        if facts in seen:
            raise ChipFileError(f"hypotheses {name}: {one.name} is the same chip as {seen[facts]}")
        seen[facts] = one.name
