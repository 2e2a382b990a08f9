"""The hash by which servers, suites and clients know a problem."""

import hashlib
from dataclasses import astuple

import numpy as np

from ..arrays import IntArray, NamedArrays
from ..chip import ChipSpec, Structure
from ..network import Activity, SparseMLP
from ..network.network_file import network_arrays

VERSION = 1
"""Of problem files and of the digest: a change of either is a new one."""


def problem_digest(
    network: SparseMLP,
    activity: Activity,
    inputs: IntArray | None,
    chip: ChipSpec,
    reference: str,
    alternatives: tuple[ChipSpec, ...] = (),
) -> str:
    """sha256 of all that decides a problem's measurements.

    Names, and units, sources and ranges of the chip's constants, do not count.
    """
    arrays: NamedArrays = network_arrays(network)
    arrays |= {f"messages_{i}": layer for i, layer in enumerate(activity.messages)}
    if inputs is not None:
        arrays["inputs"] = inputs
    for number, spec in enumerate((chip, *alternatives)):
        arrays |= _chip_arrays(spec, f"alternative_{number}" if number else "chip")
    numbers = [*chip.chips, *chip.routers, chip.cores_per_router]
    numbers += [number for router in sorted(chip.coreless_routers) for number in router]
    arrays["topology"] = np.array(numbers, np.int64)
    sha = hashlib.sha256(f"{VERSION} {reference}\n".encode())
    for key in sorted(arrays):
        value = np.asarray(arrays[key])
        if value.dtype.kind == "U":
            sha.update(f"{key} {value}\n".encode())
            continue
        whole = np.ascontiguousarray(value, "<i8")  # whatever integer type a file had it in
        sha.update(f"{key} {whole.shape}\n".encode())
        sha.update(whole.tobytes())
    return sha.hexdigest()


def _chip_arrays(chip: ChipSpec, name: str) -> NamedArrays:
    """What decides measurements on a chip, but for its mesh."""
    arrays: NamedArrays = {
        f"{name}_{part}": np.array(astuple(getattr(chip, part)), np.int64)
        for part in ("costs", "network", "capacity", "energy")
    }
    # What the first release did not know is left out where it changes nothing: its digests hold.
    if chip.costs.axon_ps == 0:
        arrays[f"{name}_costs"] = arrays[f"{name}_costs"][:-1]
    if chip.structure != Structure():
        arrays[f"{name}_structure"] = np.array(" ".join(astuple(chip.structure)))
    return arrays
