"""URIs of generated problems: what they state, read strictly, and their canonical form.

    generator://sparse-mlp?widths=784-512-512-10&density=0.2&active=0.19-0.1-0.08-0.1&seed=7
    generator://mlp?layers=26&width=2048&density=0.25&chip=kapoho-point&seed=7

A density per connection, a part of active neurons and message bits per population: one value for
all, or one for each, joined by hyphens. ``mlp`` is the form of version 1, which its problems keep.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from ..chip import chip_names
from ..errors import BenchmarkError, unknown
from ..mapping import heuristic_names

SCHEME = "generator"
PREFIX = f"{SCHEME}://"
MAX_SEED = (1 << 63) - 1

Kind = Literal["sparse-mlp", "mlp"]


@dataclass(frozen=True)
class Generated:
    """A generated problem.

    Attributes:
        widths: Neurons of each population, the inputs first; at least 2 of them.
        densities: Part of all possible synapses of each connection; a neuron has the nearest whole
            number, at least 1.
        active: Part of each population's neurons that send in a step, on average, before the
            busiest are held to one message a step.
        bits: Size of each population's messages, 32 or 64.
        steps: Recorded time steps.
        chip: Name of a bundled chip.
        reference: Standard heuristic of the reference mapping; empty to choose it.
        seed: 0 to 2^63 - 1.
        kind: Which form of URI it is of; ``mlp`` draws rates as version 1 did.
    """

    widths: tuple[int, ...]
    densities: tuple[Fraction, ...]
    active: tuple[Fraction, ...]
    bits: tuple[int, ...]
    steps: int = 2
    chip: str = "loihi2"
    reference: str = ""
    seed: int = 0
    kind: Kind = "sparse-mlp"

    @property
    def uri(self) -> str:
        """The canonical form: every parameter, in a fixed order."""
        if self.kind == "mlp":
            first: dict[str, Any] = {
                "layers": len(self.widths) - 2,
                "width": self.widths[1],
                "inputs": self.widths[0],
                "outputs": self.widths[-1],
                "density": _decimal(self.densities[0]),
                "active": _decimal(self.active[0]),
                "steps": self.steps,
                "bits": self.bits[0],
            }
        else:
            first = {
                "widths": "-".join(map(str, self.widths)),
                "density": _joined(list(map(_decimal, self.densities))),
                "active": _joined(list(map(_decimal, self.active))),
                "steps": self.steps,
                "bits": _joined(list(map(str, self.bits))),
            }
        rest = {"chip": self.chip, "reference": self.reference, "seed": self.seed}
        stated = {name: value for name, value in (first | rest).items() if value != ""}
        return f"{PREFIX}{self.kind}?" + "&".join(f"{n}={v}" for n, v in stated.items())


def parse(uri: str) -> Generated:
    """The problem that a URI states; what it leaves out has the defaults of the docs.

    Raises:
        BenchmarkError: if the URI is malformed or a value is out of range; names the parameter.
        UnknownNameError: if there is no such parameter, chip or heuristic.
    """
    kind, texts = _split(uri)
    readers = _READERS[kind]
    values: dict[str, Any] = {}
    for name, text in texts:
        if name not in readers:
            raise unknown("parameter", name, list(readers))
        if name in values:
            raise BenchmarkError(f"{uri!r} states {name} twice")
        values[name] = readers[name](name, text)
    for name in _REQUIRED[kind]:
        if name not in values:
            raise BenchmarkError(f"{uri!r} lacks {name}=")
    return _first_form(values) if kind == "mlp" else _sparse_mlp(uri, values)


def _split(uri: str) -> tuple[Kind, list[tuple[str, str]]]:
    """Kind of a URI, and its parameters as text."""
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise BenchmarkError(f"{uri!r}: {error}") from error
    kinds = [kind for kind in _READERS if parts.netloc == kind]
    if parts.scheme != SCHEME or not kinds or parts.path or parts.fragment:
        raise BenchmarkError(f"{uri!r} is not of the form {PREFIX}sparse-mlp?widths=…")
    try:
        return kinds[0], parse_qsl(parts.query, strict_parsing=True, keep_blank_values=True)
    except ValueError as error:
        raise BenchmarkError(f"{uri!r}: {error}") from error


def _first_form(values: dict[str, Any]) -> Generated:
    """The problem that a URI of version 1 states."""
    layers = values["layers"]
    widths = (values.get("inputs", 784), *[values["width"]] * layers, values.get("outputs", 10))
    return Generated(
        widths=widths,
        densities=(values.get("density", Fraction(1, 4)),) * (layers + 1),
        active=(values.get("active", Fraction(12, 100)),) * (layers + 2),
        bits=(values.get("bits", 64),) * (layers + 2),
        steps=values.get("steps", 2),
        chip=values.get("chip", "loihi2"),
        reference=values.get("reference", "balanced/strided"),
        seed=values.get("seed", 0),
        kind="mlp",
    )


def _sparse_mlp(uri: str, values: dict[str, Any]) -> Generated:
    """The problem that a URI states, its lists brought to full length."""
    n = len(values["widths"])
    if n < 2:
        raise BenchmarkError(f"{uri!r}: widths= needs two populations or more, such as 784-512-10")
    lists = {
        "densities": (n - 1, "density", values.pop("density", (Fraction(1, 4),))),
        "active": (n, "active", values.pop("active", (Fraction(1, 10),))),
        "bits": (n, "bits", values.pop("bits", (32,))),
    }
    for field, (length, name, given) in lists.items():
        if len(given) not in (1, length):
            raise BenchmarkError(f"{uri!r}: {name}= has {len(given)} values, not 1 or {length}")
        values[field] = given * length if len(given) == 1 else given
    return Generated(**values)


def _decimal(value: Fraction) -> str:
    """A fraction as it stands in a canonical URI, of at most six decimals."""
    millionths = value.numerator * 1_000_000 // value.denominator
    return f"{millionths / 1_000_000:f}".rstrip("0").rstrip(".")


def _joined(texts: list[str]) -> str:
    """Values joined by hyphens, or the one that they all are."""
    return texts[0] if len(set(texts)) == 1 else "-".join(texts)


Reader = Callable[[str, str], Any]


def _count(least: int, most: int) -> Reader:
    def read(name: str, text: str) -> int:
        if not re.fullmatch("[0-9]{1,19}", text) or not least <= int(text) <= most:
            raise BenchmarkError(f"{name}={text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _part(name: str, text: str) -> Fraction:
    """A decimal fraction above 0, up to 1."""
    legal = re.fullmatch(r"[0-9](\.[0-9]{0,6})?|\.[0-9]{1,6}", text)
    if not legal or not 0 < Fraction(text) <= 1:
        raise BenchmarkError(
            f"{name}={text!r} is not a decimal fraction above 0, up to 1, of at most 6 decimals"
        )
    return Fraction(text)


def _bits(name: str, text: str) -> int:
    if text not in ("32", "64"):
        raise BenchmarkError(f"{name}={text!r} is neither 32 nor 64")
    return int(text)


def _list(read: Reader) -> Reader:
    return lambda name, text: tuple(read(name, one) for one in text.split("-"))


def _one_of(kind: str, names: Callable[[], list[str]]) -> Reader:
    def read(name: str, text: str) -> str:
        if text not in names():
            raise unknown(kind, text, names())
        return text

    return read


_WIDTH = _count(1, 65_535)
_SHARED: dict[str, Reader] = {
    "steps": _count(1, 64),
    "chip": _one_of("chip", chip_names),
    "reference": _one_of("heuristic", heuristic_names),
    "seed": _count(0, MAX_SEED),
}
_READERS: dict[Kind, dict[str, Reader]] = {
    "sparse-mlp": {
        "widths": _list(_WIDTH),
        "density": _list(_part),
        "active": _list(_part),
        "bits": _list(_bits),
        **_SHARED,
    },
    "mlp": {
        "layers": _count(1, 10_000),
        "width": _WIDTH,
        "inputs": _WIDTH,
        "outputs": _WIDTH,
        "density": _part,
        "active": _part,
        "bits": _bits,
        **_SHARED,
    },
}
_REQUIRED: dict[Kind, tuple[str, ...]] = {"sparse-mlp": ("widths",), "mlp": ("layers", "width")}
