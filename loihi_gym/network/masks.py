"""Random sparse masks from a seed, the same with every version of numpy."""

import numpy as np

from ..arrays import Int32Array


def random_mask(seed: int, n_post: int, n_pre: int, fan_in: int) -> Int32Array:
    """Presynaptic neurons of each post-synaptic one, ascending, (n_post, fan_in).

    Each row takes the inputs that drew its `fan_in` smallest keys. The keys are the raw output of
    PCG64, which numpy promises never to change, unlike what its distributions make of it.
    """
    keys = np.random.PCG64(seed).random_raw(n_post * n_pre).reshape(n_post, n_pre)
    return np.sort(np.argsort(keys, axis=1, kind="stable")[:, :fan_in], axis=1).astype(np.int32)
