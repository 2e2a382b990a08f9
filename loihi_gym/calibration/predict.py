"""Step times of `mesh` for any constants."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Float64Array
from ..backends import make_backend
from ..chip import ChipSpec
from ..mapping import Mapping, Problem


def mesh_step_ps(
    problems: Sequence[Problem], mappings: Sequence[Mapping], chip: ChipSpec
) -> Float64Array:
    """Time of each step of each mapping on a chip, in the order of mappings, (M,)."""
    together: dict[int, list[int]] = {}
    for index, problem in enumerate(problems):
        together.setdefault(id(problem), []).append(index)
    times: list[Float64Array] = [np.zeros(0)] * len(problems)
    for indices in together.values():
        backend = make_backend("mesh", replace(problems[indices[0]], chip=chip))
        for index, result in zip(
            indices, backend.evaluate_batch([mappings[i] for i in indices]), strict=True
        ):
            times[index] = np.array(result.step_times_ps, np.float64)
    return np.concatenate(times)
