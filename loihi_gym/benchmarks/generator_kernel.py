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
    fewer.
    """
    leave_out = 2 * fan_in > n_pre
    wanted = n_pre - fan_in if leave_out else fan_in
    drawn = np.zeros(n_pre, np.bool_)
    counter, n = np.uint64(0), np.uint64(n_pre)
    for row in range(indices.shape[0]):
        drawn[:] = False
        count = 0
        while count < wanted:
            neuron = np.int64(((_hash(seed, counter) >> _32) * n) >> _32)
            counter += np.uint64(1)
            if not drawn[neuron]:
                drawn[neuron] = True
                count += 1
        at = 0
        for pre in range(n_pre):
            if drawn[pre] != leave_out:
                indices[row, at] = pre
                at += 1
