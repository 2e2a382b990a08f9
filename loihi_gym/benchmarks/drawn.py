"""The problems of a generalisation suite: unknown before its freeze commit, the same for all after.

Problem number i follows from sha256("SUITE COMMIT i k"), where COMMIT is the hash of the freeze
commit and k = 0, 1, 2, … counts the tries. The digest's bytes give, in this order:

    bytes 0 to 1    hidden layers, 3 to 12
    bytes 2 to 3    neurons of each: 512 to 2048 in steps of 128
    bytes 4 to 5    density, 8 to 25 %
    bytes 6 to 7    active part, 8 to 16 %
    bytes 8 to 15   seed of the generator, 63 bits

The first try with half a million to two and a half million synapses is taken: they fit on one
Loihi 2, and are large enough that traffic decides.
"""

import hashlib
from itertools import count

SYNAPSES = range(500_000, 2_500_001)
INPUTS, OUTPUTS = 784, 10


def draw(suite: str, commit: str, number: int) -> str:
    """URI of a generalisation suite's problem, without the reference, which is measured."""
    for attempt in count():
        digest = hashlib.sha256(f"{suite} {commit} {number} {attempt}".encode()).digest()
        layers = _pick(digest[0:2], range(3, 13))
        width = _pick(digest[2:4], range(512, 2049, 128))
        percent = _pick(digest[4:6], range(8, 26))
        active = _pick(digest[6:8], range(8, 17))
        seed = int.from_bytes(digest[8:16], "big") >> 1
        pairs = INPUTS * width + (layers - 1) * width**2 + width * OUTPUTS
        if pairs * percent // 100 in SYNAPSES:
            break
    return (
        f"generator://mlp?layers={layers}&width={width}&inputs={INPUTS}&outputs={OUTPUTS}"
        f"&density=0.{percent:02}&active=0.{active:02}&chip=loihi2&seed={seed}"
    )


def _pick(two_bytes: bytes, values: range) -> int:
    """One of the values; of 65,536 draws, which are hardly uneven over so few."""
    return values[int.from_bytes(two_bytes, "big") * len(values) >> 16]
