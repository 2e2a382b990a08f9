"""Random numbers and masks of generated problems, the same on every machine and with every numpy.

A number is the hash of what it is for: the splitmix64 finaliser (Steele, Lea and Flood, 2014) over
a seed and a counter. The slow twin in plain Python is in ``tests/benchmarks/test_generator.py``.
"""

import numpy as np

from ..compiled import inlined, kernel

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_6, _58, _63 = np.uint64(6), np.uint64(58), np.uint64(63)
_NONE, _ONE, _ALL = np.uint64(0), np.uint64(1), np.uint64((1 << 64) - 1)

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
"""The top 6 bits of its product with a power of two differ for all 64 of them (Leiserson, Prokop
and Randall, 1998)."""
_POSITION = np.zeros(64, np.int32)
"""Exponent of the power of two, by those bits."""
for _exponent in range(64):
    _POSITION[((1 << _exponent) * int(_DE_BRUIJN) >> 58) % 64] = _exponent


@inlined
def _hash(seed, counter):  # type: ignore[no-untyped-def]
    """The `counter`-th 64-bit number of a seed; both are uint64."""
    x = seed + (counter + np.uint64(1)) * _STEP
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


@kernel
def hash_many(seed, out):  # type: ignore[no-untyped-def]
    """Fill `out`, uint64, with the first numbers of a seed."""
    for index in range(len(out)):
        out[index] = _hash(seed, np.uint64(index))


@kernel
def draw_mask(seed, n_pre, fan_in, indices):  # type: ignore[no-untyped-def]
    """Fill each row of `indices`, (n_post, fan_in), with different presynaptic neurons, ascending.

    A row draws until it has `fan_in` different ones, or as many as it leaves out if those are
    fewer. They are marked in words of 64 bits, so that a row costs what it holds, not `n_pre`.
    """
    leave_out = 2 * fan_in > n_pre
    wanted = n_pre - fan_in if leave_out else fan_in
    words = (n_pre + 63) // 64
    drawn = np.zeros(words, np.uint64)
    in_last = _ALL >> np.uint64(64 * words - n_pre)
    counter, n = _NONE, np.uint64(n_pre)
    for row in range(indices.shape[0]):
        drawn[:] = _NONE
        count = 0
        while count < wanted:
            neuron = ((_hash(seed, counter) >> _32) * n) >> _32
            counter += _ONE
            its, bit = np.int64(neuron >> _6), _ONE << (neuron & _63)
            count += (drawn[its] & bit) == _NONE
            drawn[its] |= bit
        at = 0
        for word in range(words):
            bits = ~drawn[word] if leave_out else drawn[word]
            if word == words - 1:
                bits &= in_last
            while bits != _NONE:
                lowest = bits & (~bits + _ONE)
                indices[row, at] = 64 * word + _POSITION[np.int64((lowest * _DE_BRUIJN) >> _58)]
                at += 1
                bits ^= lowest
