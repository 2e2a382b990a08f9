"""Uploads that would block or bloat a server: small files that unpack, draw or parse to much."""

import io
import math
import zipfile
from collections.abc import Iterator

import numpy as np

from loihi_gym.mapping import Problem
from loihi_gym.mapping.problem_file import problem_bytes


def arrays_of(problem: Problem) -> dict[str, np.ndarray]:
    """The arrays of a problem's file."""
    with np.load(io.BytesIO(problem_bytes(problem))) as arrays:
        return {key: arrays[key] for key in arrays.files}


def packed(arrays: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def hostile_uploads(problem: Problem) -> Iterator[tuple[str, bytes, str]]:
    """(What it is, its bytes, words of the refusal)."""
    good = arrays_of(problem)
    chip = str(good["chip"])

    def changed(**new: object) -> bytes:
        kept = {key: value for key, value in good.items() if new.get(key, ...) is not None}
        return packed(kept | {key: value for key, value in new.items() if value is not None})

    yield "nothing", b"", "corrupt or not .npz"
    yield "text", b"hello" * 1000, "corrupt or not .npz"
    yield "a cut off file", problem_bytes(problem)[:-30], "corrupt or not .npz"
    yield "another digest", problem_bytes(problem), "has digest"
    yield "pickles", _pickled(good), "is not a valid problem"
    yield "20,000 empty members", _members(20_000), "it holds 20,000 arrays"
    yield "20,000 empty members more", _members(20_000, good), "arrays; at most 8,192 are read"
    yield "zeros", changed(inputs=np.zeros(300 << 20, np.uint8)), "it unpacks to"
    yield "a size that lies", _lying(problem_bytes(problem)), "corrupt or not .npz"
    for count in (1_000, 5_000, 20_000):  # on all routers but some
        side = math.isqrt(count) + 1
        places = ", ".join(f"[{n % side}, {n // side}]" for n in range(count))
        text = _with_topology(chip, f"routers = [{side}, {side}]\ncoreless_routers = [{places}]")
        yield f"{count} coreless routers", changed(chip=text), "has digest"
    places = ", ".join(f"[{n % 1000}, {n // 1000}]" for n in range(100_000))
    text = _with_topology(chip, f"routers = [1000, 1000]\ncoreless_routers = [{places}]")
    yield "100,000 coreless routers", changed(chip=text), "262,144 and 5,000 are read"
    yield (
        "a coreless router twice",
        changed(chip=_with_topology(chip, "routers = [4, 4]\ncoreless_routers = [[0, 0], [0, 0]]")),
        "are not different routers",
    )
    yield "many chips", changed(chip=_with_topology(chip, "routers = [4096, 4096]")), "cores; 1 to"
    yield "deep TOML", changed(chip="a = " + "[" * 100_000), "is not TOML"
    yield "a long number", changed(chip="a = " + "9" * 100_000), "is not TOML"
    yield "a long chip", changed(chip="#" * 10_000_000), "262,144 and 5,000 are read"
    yield (
        "dotted keys",
        changed(chip=".".join("a" * 100_000) + " = 1"),
        "262,144 and 5,000 are read",
    )
    yield "many tables", changed(chip="".join(f"[a{n}]\n" for n in range(30_000))), ""
    yield (
        "1,000 alternatives",
        changed(alternatives=np.array([chip] * 1000), alternative_names=np.array(["a"] * 1000)),
        "it has 1000 alternatives",
    )
    yield "wide layers", changed(widths=np.array([1 << 40, 1])), "are not all from"
    for layers in (1, 40, 1000):
        yield f"{layers} masks of seeds", packed(_seeded(good, layers)), "too large"
    yield "a negative seed", packed(_seeded(good, 1, width=64) | {"mask_seed_1": -1}), ""
    yield "thin weights", changed(weights_1=np.zeros((1 << 20, 0), np.int8)), "not a list of int8"
    yield "indices of objects", changed(indices_1=np.array(["a", "b"])), "not whole numbers"
    yield "steps without end", changed(messages_0=np.zeros((1 << 24, 1), np.int32)), ""


def _with_topology(chip: str, lines: str) -> str:
    """The text of a chip file with another [topology]."""
    kept, skip = [], False
    for line in chip.splitlines():
        skip = line.startswith("[topology") or (skip and not line.startswith("["))
        if not skip:
            kept.append(line)
    head = '[topology]\nchips = [1, 1]\ncores_per_router = 32\nstatus = "assumed"\nsource = ""\n'
    return "\n".join([*kept, f"{head}{lines}"]) + "\n"


def _seeded(good: dict[str, np.ndarray], layers: int, width: int = 8191) -> dict[str, object]:
    """Layers of few stored weights whose masks are drawn; the last of all places."""
    arrays: dict[str, object] = {
        key: value
        for key, value in good.items()
        if not key.startswith(("weights_", "indptr_", "indices_", "messages_", "biases_"))
    }
    fan_in = width if layers == 1 else 1
    width = width + 4096 if layers == 1 else width
    arrays |= {
        "widths": np.full(layers + 1, width),
        "exponents": np.zeros(layers, np.int64),
        "thresholds": np.zeros(layers, np.int64),
    }
    for layer in range(1, layers + 1):
        arrays[f"weights_{layer}"] = np.zeros(width * fan_in, np.int8)
        arrays[f"mask_seed_{layer}"] = layer
    return arrays


def _members(count: int, good: dict[str, np.ndarray] | None = None) -> bytes:
    buffer = io.BytesIO(packed(dict(good or {})) if good else b"")
    with zipfile.ZipFile(buffer, "a" if good else "w") as archive:
        for number in range(count):
            archive.writestr(f"a{number}.npy", b"")
    return buffer.getvalue()


def _pickled(good: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(good | {"name": np.array([{"a": 1}], dtype=object)}))
    return buffer.getvalue()


def _lying(data: bytes) -> bytes:
    """A zip whose directory says that its first member is small."""
    at = data.rindex(b"PK\x01\x02") + 24
    return data[:at] + (1).to_bytes(4, "little") + data[at + 4 :]
