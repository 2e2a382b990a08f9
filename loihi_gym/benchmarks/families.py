"""Families: distributions of problems with disjoint parts to train, validate and test on.

    loihi_gym.family("sparse-mlp").train          # to draw from, or to list
    loihi_gym.load("family://sparse-mlp/train/17")
    gym.make("LoihiPlace-v0", benchmark="family://sparse-mlp/train?chip=loihi2")

A member follows from its address alone: sha256 of family, part and number gives the seed of its
shape (`shapes`) and that of its masks and messages. The top two bits of the latter are those of its
part, so that no network is in two parts. The test part hashes a commit as well, which was made
after all of this was frozen.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal, get_args, overload
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from ..chip import ChipSpec, chip_names, load_chip
from ..chip.hypotheses import load_hypotheses
from ..errors import BenchmarkError, unknown
from ..mapping import Problem
from .generator import drawn
from .shapes import SYSTEMS, Dice, draw_shape

SCHEME = "family"
PREFIX = f"{SCHEME}://"

PartName = Literal["train", "validation", "test"]
SIZES: dict[PartName, int] = {"train": 1 << 31, "validation": 10_000, "test": 10_000}
_SEED_BITS = 61


@dataclass(frozen=True)
class Family:
    """A distribution of problems.

    Attributes:
        name: The family's name.
        description: One line for people.
        hypotheses: Whether each member has a plausible chip of its own, too.
        commit: Hash of the freeze commit, which test members follow from; empty before it.
    """

    name: str
    description: str
    hypotheses: bool = False
    commit: str = ""

    @property
    def addresses(self) -> list[str]:
        """What names its parts."""
        return [self.train.address, self.validation.address, self.test.address]

    @property
    def train(self) -> "Part":
        """To train and tune on."""
        return Part(self, "train")

    @property
    def validation(self) -> "Part":
        """To compare settings on."""
        return Part(self, "validation")

    @property
    def test(self) -> "Part":
        """To report on, once."""
        return Part(self, "test", self.commit)


@dataclass(frozen=True)
class Part(Sequence[str]):
    """Addresses of a family's members; called with a generator, it draws one of them.

    Attributes:
        family: The family.
        name: Which of its parts.
        commit: What the members of ``test`` are drawn from.
        chip: Bundled chip that all members are made for; empty if that is drawn, too.
    """

    family: Family
    name: PartName
    commit: str = ""
    chip: str = ""

    def on(self, chip: str) -> "Part":
        """The same part on one chip alone, as an environment needs it: its spaces fit one mesh.

        Raises:
            UnknownNameError: if there is no such chip.
        """
        if chip not in chip_names():
            raise unknown("chip", chip, chip_names())
        return replace(self, chip=chip)

    def drawn_from(self, commit: str) -> "Part":
        """The test part as another commit's hash would have it.

        Raises:
            BenchmarkError: if it is another part, or no hash.
        """
        if self.name != "test" or not commit.isascii() or not commit.isalnum() or len(commit) > 64:
            raise BenchmarkError(f"commit={commit!r}: it is a hash, and of the part 'test' alone")
        return replace(self, commit=commit)

    @property
    def address(self) -> str:
        """What names the part."""
        return self._address("")

    def __len__(self) -> int:
        return SIZES[self.name]

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._address(f"/{number % len(self)}")

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))

    def __call__(self, rng: np.random.Generator) -> str:
        """Draw an address."""
        return self[int(rng.integers(len(self)))]

    def _address(self, number: str) -> str:
        frozen = self.commit == self.family.commit
        stated = {"commit": "" if frozen else self.commit, "chip": self.chip}
        query = "&".join(f"{key}={value}" for key, value in stated.items() if value)
        return f"{PREFIX}{self.family.name}/{self.name}{number}" + (f"?{query}" if query else "")


@cache
def _families() -> dict[str, Family]:
    text = (resources.files(__package__) / "families.toml").read_text(encoding="utf-8")
    return {name: Family(name=name, **table) for name, table in tomllib.loads(text).items()}


def family_names() -> list[str]:
    """Names of the families."""
    return list(_families())


def family(name: str) -> Family:
    """The family of that name.

    Raises:
        UnknownNameError: if there is none.

    Example:
        >>> family("sparse-mlp").train.on("loihi2").chip
        'loihi2'
    """
    if name not in _families():
        raise unknown("family", name, family_names())
    return _families()[name]


def part(address: str) -> Part:
    """The part that an address such as ``family://sparse-mlp/train?chip=loihi2`` names.

    Raises:
        BenchmarkError: if the address is malformed, or names one member.
        UnknownNameError: if there is no such family, part or chip.
    """
    found, number = _parse(address)
    if number is not None:
        raise BenchmarkError(f"{address!r} names one problem, not a part to draw from")
    return found


def is_part(address: str) -> bool:
    """Whether an address names a whole part: it has no number."""
    return address.startswith(PREFIX) and urlsplit(address).path.count("/") < 2


def member(address: str) -> Problem:
    """The problem that an address such as ``family://sparse-mlp/train/17`` names.

    Its reference is chosen quickly (`quick_reference`).

    Raises:
        BenchmarkError: if the address is malformed, or names a whole part.
        UnknownNameError: if there is no such family, part or chip.
    """
    found, number = _parse(address)
    if number is None:
        raise BenchmarkError(f"{address!r} names a whole part; one problem is {found[0]!r}")
    if found.name == "test" and not found.commit:
        raise BenchmarkError(f"{address!r}: the test part is drawn once the family is frozen")
    digest = hashlib.sha256(
        f"{found.family.name}/{found.name}/{found.commit}/{number}".encode()
    ).digest()
    dice = Dice(int.from_bytes(digest[8:16], "big"))
    own = int.from_bytes(digest[:8], "big") >> 64 - _SEED_BITS
    seed = get_args(PartName).index(found.name) << _SEED_BITS | own
    system = dice.pick(SYSTEMS)  # drawn in any case, so that the rest is the same on every chip
    system = found.chip or system
    chip = load_chip(system)
    if found.family.hypotheses:
        chip = _plausible(chip, dice)
    return replace(drawn(draw_shape(dice, seed, chip, system), chip), name=found[number])


def _plausible(chip: ChipSpec, dice: Dice) -> ChipSpec:
    """One of the hypotheses, laid over a chip."""
    return dice.pick(_plausible_chips(chip.name))


@cache
def _plausible_chips(system: str) -> tuple[ChipSpec, ...]:
    chip = load_chip(system)
    of = "loihi2" if chip.n_chips == 1 else "kapoho-point"
    return load_hypotheses(f"{of}-hypotheses").over(chip).chips


def _parse(address: str) -> tuple[Part, int | None]:
    """Part and number that an address states."""
    try:
        split = urlsplit(address)
        query = parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query))
    except ValueError as error:
        raise BenchmarkError(f"{address!r}: {error}") from error
    stated = dict(query)
    names = split.path.split("/")[1:]
    if (
        split.scheme != SCHEME
        or split.fragment
        or len(names) not in (1, 2)
        or len(stated) < len(query)
    ):
        raise BenchmarkError(f"{address!r} is not of the form {PREFIX}sparse-mlp/train/17")
    for key in stated:
        if key not in ("chip", "commit"):
            raise unknown("parameter", key, ["chip", "commit"])
    found = _named(family(split.netloc), names[0])
    if "commit" in stated:
        found = found.drawn_from(stated["commit"])
    if "chip" in stated:
        found = found.on(stated["chip"])
    return found, _number(address, found, names[1]) if names[1:] else None


def _named(of: Family, name: str) -> Part:
    parts = {one: getattr(of, one) for one in get_args(PartName)}
    if name not in parts:
        raise unknown(f"part of {of.name}", name, list(parts))
    found: Part = parts[name]
    return found


def _number(address: str, found: Part, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) >= len(found):
        raise BenchmarkError(
            f"{address!r}: {text!r} is not a number of the part's {len(found):,} problems, 0 on"
        )
    return int(text)
