"""`Mapping`: into how many cores each layer is cut, and where each piece sits."""

import hashlib
import json
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Int32Array
from ..errors import IllegalMappingError, MappingFileError
from ..files import write_text
from ..network.foreign import named
from ..notebook import html_table

FORMAT = "loihi-gym-mapping"
VERSION = 1
MAX_CORES = 1 << 24
"""More logical cores than any Loihi system has; a file that claims more is refused unread."""

SHORT = reprlib.Repr()
SHORT.maxlist = 16
"""Shows the first entries of a list."""


@dataclass(frozen=True, init=False, eq=False)
class Mapping:
    """A mapping of a network's layers onto physical cores.

    Logical cores are numbered layer by layer; layer ``l`` owns ``cores_per_layer[l]`` of them.
    Whether a mapping is legal is for `Problem.check` to say.

    Attributes:
        cores_per_layer: Pieces of each layer, input layer first, (n_layers,), read-only.
        placement: Physical core of each logical core, (sum of cores_per_layer,), read-only.

    Raises:
        IllegalMappingError: if either is no list of whole numbers that could count cores.

    Example:
        >>> mapping = Mapping(cores_per_layer=[2, 1], placement=[0, 5, 3])
        >>> mapping.n_logical_cores
        3
        >>> Mapping.from_json(mapping.to_json()) == mapping
        True
    """

    cores_per_layer: Int32Array
    placement: Int32Array

    def __init__(
        self,
        cores_per_layer: Sequence[int] | npt.NDArray[Any],
        placement: Sequence[int] | npt.NDArray[Any],
    ) -> None:
        object.__setattr__(self, "cores_per_layer", _frozen("cores_per_layer", cores_per_layer))
        object.__setattr__(self, "placement", _frozen("placement", placement))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        counts, placement = (
            SHORT.repr(part.tolist()) for part in (self.cores_per_layer, self.placement)
        )
        return f"Mapping(cores_per_layer={counts}, placement={placement})"

    def _repr_html_(self) -> str:
        """A row for each layer with its cores, for notebooks."""
        ends = self.cores_per_layer.cumsum().tolist()
        rows = [
            (layer, count, ", ".join(map(str, self.placement[end - count : end].tolist())))
            for layer, (count, end) in enumerate(
                zip(self.cores_per_layer.tolist(), ends, strict=True)
            )
        ]
        title = f"Mapping on {self.n_logical_cores:,} cores"
        return html_table(title, ("layer", "pieces", "physical cores"), rows)

    def _key(self) -> tuple[bytes, bytes]:
        return self.cores_per_layer.tobytes(), self.placement.tobytes()

    @property
    def n_logical_cores(self) -> int:
        """Number of logical cores."""
        return len(self.placement)

    @property
    def digest(self) -> str:
        """Canonical hash: sha256 of the JSON form, the same on every machine."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The mapping as one line of JSON; `from_json` reads it back."""
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "cores_per_layer": self.cores_per_layer.tolist(),
                "placement": self.placement.tolist(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str, source: str = "mapping") -> "Mapping":
        """Read what `to_json` wrote.

        Args:
            text: JSON.
            source: What to call it in an error, usually a file name.

        Raises:
            MappingFileError: if it is malformed; one line that names the field.
        """
        try:
            data = json.loads(text, object_pairs_hook=_no_duplicates)
        except (ValueError, RecursionError) as error:  # such as a number of 5,000 digits
            raise MappingFileError(f"{source} is not JSON: {error}") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise MappingFileError(f'{source} is not a mapping: no "format": "{FORMAT}"')
        if type(data.get("version")) is not int or data["version"] != VERSION:
            raise MappingFileError(
                f"{source} has version {data.get('version')!r}; this release reads {VERSION}"
            )
        known = {"format", "version", "cores_per_layer", "placement"}
        if data.keys() != known:
            wrong = ", ".join(map(repr, sorted(data.keys() ^ known)))
            raise MappingFileError(f"{source}: missing or unknown fields: {wrong}")
        return cls(_counts(data, "cores_per_layer", source), _counts(data, "placement", source))

    @classmethod
    def load(cls, path: str | Path) -> "Mapping":
        """Read a mapping file.

        Raises:
            MappingFileError: if it cannot be read or is malformed.
        """
        source = f"mapping file {path}"
        with named(source, "mapping", MappingFileError):
            text = Path(path).read_text(encoding="utf-8")
        return cls.from_json(text, source)

    def save(self, path: str | Path) -> None:
        """Write the JSON form, whole or not at all."""
        write_text(path, self.to_json() + "\n")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ValueError(f"key {key!r} stands twice")
        data[key] = value
    return data


def _counts(data: dict[str, Any], key: str, source: str) -> list[int]:
    values = data[key]
    if not isinstance(values, list) or len(values) > MAX_CORES:
        raise MappingFileError(f"{source}: {key} is not a list of at most {MAX_CORES} numbers")
    for index, value in enumerate(values):
        if type(value) is not int or not 0 <= value < MAX_CORES:
            raise MappingFileError(
                f"{source}: {key}[{index}] = {value!r} is not a whole number from 0 to {MAX_CORES}"
            )
    return values


def _frozen(name: str, values: Sequence[int] | npt.NDArray[Any]) -> Int32Array:
    """A read-only copy. An array of int32 is not looked through: searches make very many."""
    try:
        array = np.array(values)
    except (ValueError, TypeError, OverflowError) as error:  # such as rows of different lengths
        raise IllegalMappingError(f"{name} is no list of whole numbers: {error}") from error
    if array.ndim != 1 or array.dtype != np.int32:
        array = _whole_numbers(name, values, array)
    array.flags.writeable = False
    return array


def _whole_numbers(name: str, values: Any, array: npt.NDArray[Any]) -> Int32Array:
    """The array as int32, if that changes none of the values."""
    whole = array.dtype.kind in "iu" or array.size == 0
    mixed = isinstance(values, list | tuple) and bool in map(type, values)
    if array.ndim != 1 or not whole or mixed:
        raise IllegalMappingError(
            f"{name} is no list of whole numbers, but of type {array.dtype} and shape {array.shape}"
        )
    # Of numbers from 0 to 2^n - 1, and of no others, all bits together are such a number.
    if array.size and not 0 <= np.bitwise_or.reduce(array) < MAX_CORES:
        raise IllegalMappingError(
            f"{name} has numbers from {array.min()} to {array.max()}; they go from 0 to {MAX_CORES}"
        )
    return array.astype(np.int32)
