"""Network files: one ``.npz`` with weights, thresholds and the input samples to record.

A layer's mask is stored as its seed where it is random with a fixed fan-in, as the bundled networks
are, and as index arrays otherwise.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ..arrays import IntArray, NamedArrays
from ..errors import NetworkFileError
from ..files import write_bytes
from .foreign import MALFORMED, MAX_BYTES, file_bytes, named
from .masks import random_mask
from .sparse_mlp import SparseMLP

VERSION = 1
MAX_WIDTH = 1 << 20
"""More neurons than any layer has that fits on a Loihi chip; a file that claims more is refused."""
MAX_SEEDED = 1 << 26
"""Most places of all masks that are stored as seeds: drawing them takes some ten seconds."""
MAX_MEMBERS = 1 << 13
"""Most arrays of a file; a network of 1,000 layers has some 5,000."""
MAX_EXPONENT = 64
"""Larger shifts than any state has bits, either way, mean nothing."""
MAX_THRESHOLD = 1 << 40
"""More than any state reaches: a neuron with such a threshold never sends."""


def save_network(
    path: str | Path,
    network: SparseMLP,
    inputs: IntArray,
    mask_seeds: tuple[int, ...] | None = None,
) -> None:
    """Write a network and its input samples, whole or not at all.

    Args:
        path: File to write; its name usually ends in ``.npz``.
        network: Network to write.
        inputs: Samples that its activity is recorded on, (T, widths[0]), of any integer type.
        mask_seeds: Seeds of each layer's `random_mask`, stored instead of the masks; None stores
            the masks.
    """
    arrays = network_arrays(network, mask_seeds) | {"inputs": inputs}
    write_bytes(path, pack(arrays))


def network_arrays(network: SparseMLP, mask_seeds: tuple[int, ...] | None = None) -> dict[str, Any]:
    """A network as named arrays; `network_from` puts it together again."""
    arrays: dict[str, Any] = {
        "version": VERSION,
        "widths": np.array(network.widths, np.int64),
        "exponents": np.array(network.exponents, np.int64),
        "thresholds": np.array(network.thresholds, np.int64),
        "neuron": network.neuron,
    }
    if network.decays:
        arrays["decays"] = np.array(network.decays, np.int64)
    if network.weight_bits:
        arrays["weight_bits"] = np.array(network.weight_bits, np.int64)
    for layer, weights in enumerate(network.weights, 1):
        arrays[f"weights_{layer}"] = weights.data
        if network.biases:
            arrays[f"biases_{layer}"] = network.biases[layer - 1]
        if mask_seeds is None:
            arrays[f"indptr_{layer}"] = weights.indptr
            arrays[f"indices_{layer}"] = weights.indices
        else:
            arrays[f"mask_seed_{layer}"] = mask_seeds[layer - 1]
    return arrays


def pack(arrays: dict[str, Any]) -> bytes:
    """Arrays as the bytes of a compressed ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def load_network(path: str | Path) -> tuple[SparseMLP, IntArray]:
    """Read what `save_network` wrote: the network and its input samples.

    Raises:
        NetworkFileError: if the file is missing, corrupt or of another version.
    """
    with named(f"network file {path}", "network", NetworkFileError):
        return stored_network(unpack_bytes(file_bytes(path)))


def stored_network(arrays: NamedArrays) -> tuple[SparseMLP, IntArray]:
    """A network and its input samples; raises as `network_from`."""
    network = network_from(arrays)
    return network, checked_inputs(arrays["inputs"], network)


def network_from(arrays: NamedArrays) -> SparseMLP:
    """The network that `network_arrays` took apart.

    Raises:
        KeyError: if an array is missing.
        ValueError, TypeError, IndexError, OverflowError: if they are malformed.
    """
    version = int(arrays["version"])
    if version != VERSION:
        raise ValueError(f"it has version {version}; this release reads {VERSION}")
    widths = _integers(arrays, "widths", 1, MAX_WIDTH)
    layers = range(1, len(widths))
    seeded = sum(widths[n] * widths[n - 1] for n in layers if f"mask_seed_{n}" in arrays)
    if seeded > MAX_SEEDED:
        raise ValueError(f"its layers are too large, {seeded:,} places, for masks that are seeds")
    biases = [arrays[f"biases_{layer}"] for layer in layers if "biases_1" in arrays]
    return SparseMLP(
        weights=tuple(_weights(arrays, layer, widths) for layer in layers),
        exponents=_integers(arrays, "exponents", -MAX_EXPONENT, MAX_EXPONENT),
        thresholds=_integers(arrays, "thresholds", 0, MAX_THRESHOLD),
        neuron=str(arrays["neuron"]),  # type: ignore[arg-type]  # SparseMLP checks it
        biases=tuple(biases),
        decays=tuple((int(u), int(v)) for u, v in arrays.get("decays", ())),
        weight_bits=tuple(int(bits) for bits in arrays.get("weight_bits", ())),
    )


def checked_inputs(inputs: npt.NDArray[Any], network: SparseMLP) -> IntArray:
    """`inputs` if they are samples of a network's inputs.

    Raises:
        ValueError: if they are not integers of shape (T, widths[0]).
    """
    width = network.widths[0]
    if inputs.ndim != 2 or inputs.shape[1] != width or inputs.dtype.kind not in "iu":
        raise ValueError(f"inputs are {inputs.dtype} {inputs.shape}, not ints (T, {width})")
    return inputs


def unpack_bytes(data: bytes, limit: int = MAX_BYTES) -> NamedArrays:
    """The arrays of an ``.npz`` file's bytes, which may unpack to `limit` bytes.

    Raises:
        ValueError: if they are corrupt or unpack to more.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        if len(entries) > MAX_MEMBERS:
            raise ValueError(f"it holds {len(entries):,} arrays; at most {MAX_MEMBERS:,} are read")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked <= limit:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
    except MALFORMED as error:
        raise ValueError(f"corrupt or not .npz: {error}") from error
    raise ValueError(f"it unpacks to {unpacked:,} bytes; at most {limit:,} are read")


def _integers(arrays: NamedArrays, name: str, least: int, most: int) -> tuple[int, ...]:
    """A list of whole numbers in a range.

    Raises:
        ValueError: if it is anything else.
    """
    values = arrays[name]
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"{name} are {values.dtype} {values.shape}, not a list of whole numbers")
    if not ((values >= least) & (values <= most)).all():
        raise ValueError(f"{name} are not all from {least:,} to {most:,}")
    return tuple(values.tolist())


def _weights(arrays: NamedArrays, layer: int, widths: tuple[int, ...]) -> csr_array:
    shape = (widths[layer], widths[layer - 1])
    data = arrays[f"weights_{layer}"]
    if data.dtype != np.int8 or data.ndim != 1:
        raise ValueError(f"weights_{layer} are {data.dtype} {data.shape}, not a list of int8")
    if f"mask_seed_{layer}" in arrays:
        fan_in, rest = divmod(len(data), shape[0])
        if rest or not 0 <= fan_in <= shape[1]:
            raise ValueError(f"weights_{layer} has {len(data)} values for {shape[0]} neurons")
        indices = random_mask(int(arrays[f"mask_seed_{layer}"]), *shape, fan_in).reshape(-1)
        indptr = np.arange(shape[0] + 1, dtype=np.int32) * np.int32(fan_in)
    else:
        indptr, indices = arrays[f"indptr_{layer}"], arrays[f"indices_{layer}"]
        if not indptr.dtype.kind == indices.dtype.kind == "i":
            raise ValueError(f"indptr_{layer} or indices_{layer} are not whole numbers")
    weights = csr_array((data, indices, indptr), shape=shape)
    weights.check_format(full_check=True)
    if not weights.has_canonical_format:
        raise ValueError(f"weights_{layer}: indices of a row must ascend without repeats")
    return weights
