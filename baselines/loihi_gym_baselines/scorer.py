"""`Scorer`: what a small network expects of a move that `LoihiRefine-v0` describes.

One network scores every candidate, so that neither their number nor the size of network and chip
matters. It sees the candidate's features and the context, without what depends on how long an
episode lasts, and says what reward to expect if the mapping were measured right after the move. It
runs and learns in NumPy: the solvers that need nothing else need no PyTorch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from loihi_gym.arrays import Float32Array
from loihi_gym.backends.congestion_kernel import N_FEATURES
from loihi_gym.envs.refine_moves import CONTEXT_FEATURES, MOVE_FEATURES
from loihi_gym.errors import RunError
from loihi_gym.search.costs import Pretraining
from loihi_gym.search.trace import DIGEST_CHARACTERS

LEFT_OUT = ("best", "progress", "chain")
"""Features of the context that say where an episode stands, not where the mapping does."""
SEEN = [i for i, name in enumerate(CONTEXT_FEATURES) if name not in LEFT_OUT]
"""Columns of the context that the network sees."""
INPUTS = len(MOVE_FEATURES) + len(SEEN)
HIDDEN = 64
SIZES = (INPUTS, HIDDEN, HIDDEN, 1)
"""Numbers in each layer."""
FARTHEST = 6.0
"""Spreads from the mean that an input is taken to be, at most: chips may be of any kind."""
WEIGHTS, CARD = "refine.safetensors", "refine.json"
"""The weights that come with the package, and their card."""

Observation = Mapping[str, Any]
Tensors = dict[str, Float32Array]


def inputs(observation: Observation) -> Float32Array:
    """What the network sees of an observation, (K, INPUTS)."""
    candidates = observation["candidates"]
    context = np.broadcast_to(observation["context"][SEEN], (len(candidates), len(SEEN)))
    return np.concatenate([candidates, context], axis=1)


@dataclass(frozen=True)
class Scorer:
    """A multilayer perceptron with ReLU and one output.

    Attributes:
        tensors: Arrays by name: ``mean`` and ``spread`` of the inputs, (INPUTS,), and of each layer
            i ``weight-i``, (inputs, outputs), and ``bias-i``, (outputs,).
    """

    tensors: Tensors

    @classmethod
    def untrained(cls, rng: np.random.Generator) -> "Scorer":
        """Weights as He et al. (2015) draw them; an output of 0."""
        tensors: Tensors = {
            "mean": np.zeros(INPUTS, np.float32),
            "spread": np.ones(INPUTS, np.float32),
        }
        for i, (before, after) in enumerate(pairwise(SIZES)):
            last = i == len(SIZES) - 2
            scale = 0.0 if last else np.sqrt(2.0 / before)
            tensors[f"weight-{i}"] = (scale * rng.normal(size=(before, after))).astype(np.float32)
            tensors[f"bias-{i}"] = np.zeros(after, np.float32)
        return cls(tensors)

    def __call__(self, rows: Float32Array) -> Float32Array:
        """What to expect of each row of inputs, (B, INPUTS) -> (B,), in rewards."""
        return self.layers(rows)[-1][:, 0]

    def predict(self, observation: Observation) -> tuple[int, None]:
        """The action that promises most, as SB3's policies answer; a commit is a move of nothing.

        Args:
            observation: Of one `LoihiRefine-v0`, its moves and context.
        """
        there = observation["candidates"].any(axis=1)
        chain = float(observation["context"][CONTEXT_FEATURES.index("chain")])
        expected = self(np.concatenate([inputs(observation), self.unmoved(observation)]))
        possible = np.append(there & (chain < 1.0), chain > 0.0 or not there.any())
        return int(np.where(possible, expected, -np.inf).argmax()), None

    def unmoved(self, observation: Observation) -> Float32Array:
        """The row of a move that changes nothing, of pieces as they usually are, (1, INPUTS)."""
        context = observation["context"]
        row = np.append(self.tensors["mean"][: len(MOVE_FEATURES)], context[SEEN])
        row[:N_FEATURES] = 0.0
        at = CONTEXT_FEATURES.index(MOVE_FEATURES[N_FEATURES])
        row[N_FEATURES : 2 * N_FEATURES] = context[at : at + N_FEATURES]
        return row[None]

    def layers(self, rows: Float32Array) -> list[Float32Array]:
        """The rows relative to what is usual, and what each layer makes of them."""
        tensors = self.tensors
        values = [np.clip((rows - tensors["mean"]) / tensors["spread"], -FARTHEST, FARTHEST)]
        for i in range(len(SIZES) - 1):
            value = values[-1] @ tensors[f"weight-{i}"] + tensors[f"bias-{i}"]
            values.append(np.maximum(value, 0.0) if i < len(SIZES) - 2 else value)
        return values


class Adam:
    """Fits a copy of a scorer to rewards, by Adam (Kingma and Ba 2015) on the squared error.

    Args:
        scorer: What is learnt from; not changed.
        rate: Step size.
        decay: Part of each weight taken off in a step, of the step size.

    Attributes:
        scorer: What has been learnt.
    """

    def __init__(self, scorer: Scorer, rate: float, decay: float = 0.0) -> None:
        self.scorer = Scorer({name: value.copy() for name, value in scorer.tensors.items()})
        self._rate, self._decay, self._steps = rate, decay, 0
        learnt = [name for name in scorer.tensors if "-" in name]
        self._first = {name: np.zeros_like(scorer.tensors[name]) for name in learnt}
        self._second = {name: np.zeros_like(scorer.tensors[name]) for name in learnt}

    def step(self, rows: Float32Array, rewards: Float32Array, rate: float = 1.0) -> None:
        """One step on a batch, (B, INPUTS) and (B,); `rate` is of the step size."""
        self._steps += 1
        tensors = self.scorer.tensors
        rate *= self._rate * np.sqrt(1.0 - 0.999**self._steps) / (1.0 - 0.9**self._steps)
        for name, slope in self._slopes(rows, rewards).items():
            first, second = self._first[name], self._second[name]
            first += 0.1 * (slope - first)
            second += 0.001 * (slope * slope - second)
            tensors[name] *= np.float32(1.0 - rate * self._decay)
            tensors[name] -= np.float32(rate) * first / (np.sqrt(second) + np.float32(1e-8))

    def _slopes(self, rows: Float32Array, rewards: Float32Array) -> Tensors:
        """Slopes of half the mean squared error."""
        values = self.scorer.layers(rows)
        behind = (values[-1] - rewards[:, None]) / np.float32(len(rows))
        slopes: Tensors = {}
        for i in reversed(range(len(SIZES) - 1)):
            slopes[f"weight-{i}"] = values[i].T @ behind
            slopes[f"bias-{i}"] = behind.sum(axis=0)
            behind = (behind @ self.scorer.tensors[f"weight-{i}"].T) * (values[i] > 0.0)
        return slopes


def packed(scorer: Scorer) -> bytes:
    """A scorer as the bytes of a safetensors file."""
    from safetensors.numpy import save

    data: bytes = save(scorer.tensors)
    return data


def unpacked(data: bytes) -> Scorer:
    """The scorer that `packed` made bytes of.

    Raises:
        ValueError: if these are no such bytes; says why.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ValueError(f"not a safetensors file: {error}") from error
    for name, one in Scorer.untrained(np.random.default_rng(0)).tensors.items():
        found = tensors.get(name)
        if found is None or found.shape != one.shape or found.dtype != one.dtype:
            raise ValueError(f"no tensor {name!r} of shape {one.shape}, {one.dtype}")
    return Scorer(tensors)


def load_scorer(path: str = "") -> Scorer:
    """The scorer in a file, or the one that comes with the package.

    Raises:
        RunError: if the file cannot be read or is of another kind.
    """
    if not path:
        return unpacked((resources.files(__package__) / WEIGHTS).read_bytes())
    try:
        return unpacked(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"weights {path} cannot be read: {reason}") from error


def training_of(path: str = "") -> Pretraining | None:
    """The cost of training the weights in a file, or those of the package; None if no card says."""
    try:
        card = json.loads(_beside(path).read_text(encoding="utf-8"))
        return Pretraining(
            card["sha256"][:DIGEST_CHARACTERS], card["measured"], card["cpu_seconds"]
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _beside(path: str) -> Any:
    """The card of weights."""
    return Path(path).with_name(CARD) if path else resources.files(__package__) / CARD
