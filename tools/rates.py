"""Activity of the trained flagships, which generated benchmarks draw theirs from.

    python tools/rates.py

Runs both networks over the held-out digits (needs the extra ``train``) and prints what
`loihi_gym.benchmarks.generator` takes over: the quantiles `RATE` of a neuron's rate relative to its
layer's, and the scatter of a layer's active part from step to step behind `STEP_SCATTER`.
"""

import numpy as np
import numpy.typing as npt
from digits import load_digits

from loihi_gym.benchmarks import benchmark
from loihi_gym.network import load_network, run

FLAGSHIPS = ("mlp-deep", "mlp-wide")
SAMPLE = 1024
"""Neurons of each layer that are pooled, so that wide layers weigh no more."""


def hidden_activity(name: str) -> list[npt.NDArray[np.bool_]]:
    """Which neurons of each hidden layer send, (steps, width), once the pipeline is full."""
    network, _ = load_network(benchmark(name).path)
    messages = run(network, load_digits().test_images)
    return [layer[len(network.weights) :] != 0 for layer in messages[1:-1]]


def scatter(sends: npt.NDArray[np.bool_]) -> float:
    """Relative standard deviation of the active part over steps, sampling noise removed."""
    rate, part = sends.mean(axis=0), sends.mean(axis=1)
    sampling = float((rate * (1 - rate)).sum()) / len(rate) ** 2
    return float(np.sqrt(part.var() - sampling) / part.mean())


def main() -> None:
    """Measure and print."""
    pooled, scatters = [], []
    for name in FLAGSHIPS:
        for layer, sends in enumerate(hidden_activity(name), 1):
            rate = sends.mean(axis=0)
            relative = rate / rate.mean()
            pooled.append(np.random.default_rng(0).choice(relative, SAMPLE, replace=False))
            scatters.append(scatter(sends))
            print(
                f"{name} layer {layer}: active {rate.mean():.3f}, scatter {scatters[-1]:.1%}, "
                f"silent {(rate == 0).mean():.1%}, median {np.median(relative):.2f}, "
                f"busiest {relative.max():.1f}"
            )
    quantiles = np.quantile(np.concatenate(pooled), np.linspace(0, 1, 33))
    quantiles /= ((quantiles[1:] + quantiles[:-1]) / 2).mean()  # mean 1 when drawn from
    print("RATE", np.round(1000 * quantiles).astype(int).tolist())
    print(f"scatter {np.mean(scatters):.1%}, half span {np.mean(scatters) * 3**0.5:.3f}")


if __name__ == "__main__":
    main()
