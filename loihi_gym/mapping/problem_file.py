"""Problem files: one ``.npz`` with network, recorded activity, chip and reference; no pickle.

Beside the arrays of a network file it holds `problem_version`, `name`, `reference`, `chip` (the
text of a chip file) and `chip_name`, `messages_<l>` for each layer, int32 (T, width), and, if the
problem has them, `inputs`. The measurement server takes the same bytes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Int32Array, NamedArrays
from ..chip import ChipSpec, chip_toml, parse_chip, topology_of
from ..errors import ProblemFileError
from ..files import write_bytes
from ..network import Activity, SparseMLP
from ..network.foreign import MAX_BYTES, file_bytes, named, require_name
from ..network.network_file import checked_inputs, network_arrays, network_from, pack, unpack_bytes
from .heuristics import heuristic_names
from .problem import Problem
from .problem_digest import VERSION

MAX_CORES = 1 << 20
"""More neurocores than any Loihi system has: a file that claims more is refused."""
MAX_CONSTANT = 1 << 40
"""No cost in ps or fJ is as large; a simulation's sums stay within 64 bits."""
MAX_QUEUE = 1 << 10
MAX_CHIP_TEXT = 1 << 18
"""Characters of a chip file inside a problem file; the bundled ones have some 5,000."""
MAX_DOTS = 5_000
"""Dots in it: keys of many parts take TOML's reader time and memory in the square of them."""
MAX_ALTERNATIVES = 64
"""Chips that a problem's mappings must fit besides; the bundled set has 13."""
PAYLOAD_LIMIT = 1 << 23


def save_problem(path: str | Path, problem: Problem) -> None:
    """Write a problem file, whole or not at all."""
    write_bytes(path, problem_bytes(problem))


def load_problem(path: str | Path) -> Problem:
    """Read what `save_problem` wrote.

    Raises:
        ProblemFileError: if the file is missing, corrupt or of another version.
    """
    with named(f"problem file {path}", "problem", ProblemFileError):
        return _problem(unpack_bytes(file_bytes(path)))


def problem_bytes(problem: Problem) -> bytes:
    """A problem as the bytes of a problem file."""
    arrays: dict[str, Any] = network_arrays(problem.network) | {
        "problem_version": VERSION,
        "name": problem.name,
        "reference": problem.reference,
        "chip_name": problem.chip.name,
        "chip": chip_toml(problem.chip),
    }
    if problem.alternatives:
        arrays["alternative_names"] = np.array([chip.name for chip in problem.alternatives])
        arrays["alternatives"] = np.array([chip_toml(chip) for chip in problem.alternatives])
    for layer, messages in enumerate(problem.activity.messages):
        arrays[f"messages_{layer}"] = messages
    if problem.inputs is not None:
        arrays["inputs"] = problem.inputs
    return pack(arrays)


def problem_from_bytes(data: bytes, source: str, limit: int = MAX_BYTES) -> Problem:
    """Read what `problem_bytes` wrote.

    Args:
        data: The bytes.
        source: What to call them in an error.
        limit: Most bytes that the unpacked arrays may take.

    Raises:
        ProblemFileError: if they are corrupt, too large or of another version.
    """
    with named(source, "problem", ProblemFileError):
        return _problem(unpack_bytes(data, limit))


def _problem(arrays: NamedArrays) -> Problem:
    version = int(arrays["problem_version"])
    if version != VERSION:
        raise ValueError(f"it has version {version}; this release reads {VERSION}")
    network = network_from(arrays)
    chip = _chip(arrays["chip"], arrays["chip_name"])
    names, texts = arrays.get("alternative_names", ()), arrays.get("alternatives", ())
    if len(texts) > MAX_ALTERNATIVES:
        raise ValueError(f"it has {len(texts)} alternatives; at most {MAX_ALTERNATIVES} are read")
    others = tuple(_chip(text, name) for text, name in zip(texts, names, strict=True))
    for other in others:
        if topology_of(other) != topology_of(chip):
            raise ValueError(f"alternative {other.name} has another mesh than {chip.name}")
    reference = str(arrays["reference"])
    if reference not in heuristic_names():
        raise ValueError(f"reference {reference!r} is none of {', '.join(heuristic_names())}")
    inputs = arrays.get("inputs")
    return Problem(
        name=require_name(str(arrays["name"])),
        network=network,
        activity=Activity(tuple(_messages(arrays, network))),
        chip=chip,
        alternatives=others,
        reference=reference,
        inputs=None if inputs is None else checked_inputs(inputs, network),
    )


def _chip(text: Any, name: Any) -> ChipSpec:
    text = str(text)
    if len(text) > MAX_CHIP_TEXT or text.count(".") > MAX_DOTS:
        raise ValueError(
            f"a chip has {len(text):,} characters and {text.count('.'):,} dots; {MAX_CHIP_TEXT:,} "
            f"and {MAX_DOTS:,} are read"
        )
    chip = parse_chip(text, require_name(str(name)))
    _check_chip(chip)
    return chip


def _messages(arrays: NamedArrays, network: SparseMLP) -> list[Int32Array]:
    layers = [arrays[f"messages_{layer}"] for layer in range(len(network.widths))]
    steps = len(layers[0]) if layers[0].ndim else 0
    for layer, (messages, width) in enumerate(zip(layers, network.widths, strict=True)):
        if messages.dtype != np.int32 or messages.shape != (steps, width) or steps < 1:
            raise ValueError(
                f"messages_{layer} are {messages.dtype} {messages.shape}, "
                f"not int32 (at least 1, {width})"
            )
        if messages.min() < -PAYLOAD_LIMIT or messages.max() >= PAYLOAD_LIMIT:
            raise ValueError(f"messages_{layer} go beyond 24 bits")
    return layers


def _check_chip(chip: ChipSpec) -> None:
    if not 1 <= chip.n_cores <= MAX_CORES:
        raise ValueError(f"chip {chip.name} has {chip.n_cores} cores; 1 to {MAX_CORES} are read")
    for name, constant in chip.constants.items():
        limit = MAX_QUEUE if name.startswith("network.") else MAX_CONSTANT
        if constant.value > limit:
            raise ValueError(f"chip {chip.name}: {name} = {constant.value} is above {limit}")
