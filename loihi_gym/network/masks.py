"""Random sparse masks from a seed, the same with every version of numpy."""

import numpy as np

from ..arrays import Int32Array

BLOCK = 1 << 20
"""Keys drawn at once, a whole number of rows: what is held besides the mask."""


def random_mask(seed: int, n_post: int, n_pre: int, fan_in: int) -> Int32Array:
    """Presynaptic neurons of each post-synaptic one, ascending, (n_post, fan_in).

    Each row takes the inputs that drew its `fan_in` smallest keys. The keys are the raw output of
    PCG64, which numpy promises never to change, unlike what its distributions make of it.
    """
    chance, mask = np.random.PCG64(seed), np.empty((n_post, fan_in), np.int32)
    rows = max(BLOCK // max(n_pre, 1), 1)
    for first in range(0, n_post, rows):
        some = mask[first : first + rows]
        keys = chance.random_raw(len(some) * n_pre).reshape(len(some), n_pre)
        some[:] = np.sort(np.argsort(keys, axis=1, kind="stable")[:, :fan_in], axis=1)
    return mask
