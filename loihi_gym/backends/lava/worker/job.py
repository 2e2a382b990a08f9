"""Reading a job: a .npz file of plain arrays, no pickle."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix


def read(path: str) -> dict[str, Any]:
    """The job as a dict: scalars and lists as Python's own, weights as int8 CSR matrices."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {key: data[key] for key in data.files}
    widths = arrays["widths"].tolist()
    return {
        "neuron": str(arrays["neuron"]),
        "split": str(arrays["split"]),
        "widths": widths,
        "exponents": arrays["exponents"].tolist(),
        "thresholds": arrays["thresholds"].tolist(),
        "decays": arrays["decays"].tolist(),
        "biases": [_bias(arrays, layer) for layer in range(1, len(widths))],
        "pieces": arrays["pieces"].tolist(),
        "inputs": arrays["inputs"].astype(np.int32),
        "weights": [
            csr_matrix(
                (
                    arrays[f"weights_{layer}"],
                    arrays[f"indices_{layer}"],
                    arrays[f"indptr_{layer}"],
                ),
                shape=(widths[layer], widths[layer - 1]),
            )
            for layer in range(1, len(widths))
        ],
    }


def _bias(arrays: dict[str, Any], layer: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Mantissas and exponents of a layer's biases; None if the network has none."""
    if f"bias_{layer}" not in arrays:
        return None
    return arrays[f"bias_{layer}"], arrays[f"bias_exponent_{layer}"]
