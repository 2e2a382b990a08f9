"""Activity of the trained flagships, which generated benchmarks draw theirs from.

    python tools/rates.py

Runs both networks over the held-out digits (needs the extra ``train``) and prints what
`loihi_gym.benchmarks.rates` takes over: the quantiles `RATE` and `TAIL` of a neuron's rate relative
to its layer's, and the scatter of a layer's active part from step to step behind `STEP_SCATTER`.
"""

import numpy as np
import numpy.typing as npt
from digits import load_digits

from loihi_gym.benchmarks import benchmark
from loihi_gym.network import load_network, run

FLAGSHIPS = ("mlp-deep", "mlp-wide")
SAMPLE = 1024
"""Neurons of each layer that are pooled, so that wide layers weigh no more."""
PARTS = 32
"""Intervals of the table, and those that the last of them is cut into."""


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


def busiest(rates: npt.NDArray[np.float64]) -> float:
    """Part of the messages that the busiest 1/32 of neurons send."""
    ascending = np.sort(rates)
    return float(ascending[-max(len(rates) // PARTS, 1) :].sum() / ascending.sum())


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
                f"busiest {relative.max():.1f}, busiest 1/32 send {busiest(rate):.1%}"
            )
    sample = np.concatenate(pooled)
    rates = np.quantile(sample, np.arange(PARTS + 1) / PARTS)
    tail = np.quantile(sample, 1 - np.arange(PARTS, -1, -1) / PARTS**2)
    means = [(table[1:] + table[:-1]) / 2 for table in (rates, tail)]
    first = rates / means[0].mean()  # mean 1 when drawn from, as in the first release
    scale = np.append(means[0][:-1], means[1].mean()).mean()
    print("FIRST_RATE", np.round(1000 * first).astype(int).tolist())
    print("RATE", np.round(1000 * rates[:-1] / scale).astype(int).tolist())
    print("TAIL", np.round(1000 * tail / scale).astype(int).tolist())
    print(f"busiest 1/32 send {busiest(sample):.1%}")
    print(f"scatter {np.mean(scatters):.1%}, half span {np.mean(scatters) * 3**0.5:.3f}")


if __name__ == "__main__":
    main()
