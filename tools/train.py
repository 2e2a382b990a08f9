"""Train a bundled network on real digits: ``python tools/train.py mlp-deep``.

Needs the extra ``train``. A static random mask fixes each neuron's inputs; a control loop holds the
part of active neurons at a target. Layers are scaled to unit input by one number each, which falls
away in integers, as ReLU without bias is homogeneous. Weights are then rounded to int8.

The same seed gives the same network for the same versions of torch and kind of processor.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from digits import Digits, load_digits
from quantise import Layer, quantise
from torch import Tensor, nn

from loihi_gym.network.activity import record
from loihi_gym.network.execute import classify
from loihi_gym.network.masks import random_mask
from loihi_gym.network.network_file import save_network
from loihi_gym.network.sparse_mlp import SparseMLP

RECORDED_STEPS = 4
LOGIT_GAIN = 6.0
"""The output layer has unit weights, too; this is how sure it may be."""

CONTROL_RATE = 0.02
"""How fast a layer's inhibition follows the part of its neurons that are active."""

PUBLISHED_ACTIVE = 0.1
"""Part of the neurons that Intel states to be active in its own MLP on Hala Point."""


@dataclass(frozen=True)
class Recipe:
    """What distinguishes one bundled network from another.

    Attributes:
        hidden: Widths of the hidden layers.
        density: Part of all possible synapses.
        active: Part of every hidden layer's neurons that training holds active.
        sparser: Part of each hidden layer's neurons that thresholds leave active in the end; empty
            for no thresholds.
        pool: Average `pool` x `pool` pixels of the input into one.
        epochs: Passes over the training data.
        batch: Samples of a step of training.
        rate: Largest learning rate.
    """

    hidden: tuple[int, ...]
    density: float
    active: float
    sparser: tuple[float, ...] = ()
    pool: int = 1
    epochs: int = 40
    batch: int = 100
    rate: float = 1e-3


RECIPES = {
    # The busier the deeper: with equal layers, columns of equal size are all but optimal and there
    # is little left to search (docs/benchmarks.md).
    "mlp-deep": Recipe(
        hidden=(1024,) * 9,
        density=0.2,
        active=0.16,
        sparser=(0.06, 0.07, 0.08, 0.10, 0.11, 0.12, 0.14, 0.15, 0.16),
    ),
    # Quiet in the middle, for the same reason.
    "mlp-wide": Recipe(
        hidden=(2048,) * 5, density=0.12, active=0.12, sparser=(0.12, 0.03, 0.03, 0.03, 0.12)
    ),
    "mlp-xs": Recipe(hidden=(128, 128, 64), density=0.3, active=0.18, pool=2, rate=2e-3),
    # The named workloads: one target for every hidden layer of all of them, and nothing after it.
    "mnist-mlp": Recipe(hidden=(512, 512), density=1.0, active=PUBLISHED_ACTIVE),
    "mnist-deep": Recipe(hidden=(1024,) * 9, density=0.2, active=PUBLISHED_ACTIVE),
    "mnist-wide": Recipe(
        hidden=(2048,) * 5,
        density=0.12,
        active=PUBLISHED_ACTIVE,
        epochs=12,
        batch=200,
        rate=2e-3,
    ),
}


class UnitReLU(nn.Module):
    """ReLU of the input scaled by one number to unit root mean square."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) to (batch, width)."""
        if self.training:
            with torch.no_grad():
                rms = x.square().mean().sqrt()
                self.scale.copy_(rms if self.scale == 0 else 0.95 * self.scale + 0.05 * rms)
        return torch.relu(x / self.scale)


class MaskedLinear(nn.Module):
    """A linear layer without bias whose absent synapses stay zero.

    Weights are standardised per neuron (zero mean, unit norm over its inputs), then lowered by the
    layer's inhibition. As all inputs are positive, this acts as a negative bias; a slow control
    loop sets it so that the wanted part of the neurons is active.
    """

    mask: Tensor
    inhibition: Tensor

    def __init__(self, mask: Tensor, active: float | None) -> None:
        super().__init__()
        self.active = active
        self.register_buffer("mask", mask)
        self.register_buffer("inhibition", torch.tensor(0.0))
        self.fan_in = mask.sum(dim=1, keepdim=True)
        self.raw = nn.Parameter(torch.randn(mask.shape) * mask / self.fan_in.sqrt())

    def weight(self) -> Tensor:
        """The weights, (n_post, n_pre)."""
        raw = self.raw * self.mask
        centred = (raw - raw.sum(dim=1, keepdim=True) / self.fan_in) * self.mask
        inhibition = self.inhibition / self.fan_in.sqrt()
        unit: Tensor = centred / centred.norm(dim=1, keepdim=True)
        return unit - inhibition * self.mask

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_pre) to (batch, n_post)."""
        out = nn.functional.linear(x, self.weight())
        if self.training and self.active is not None:
            with torch.no_grad():
                active = (out > 0).float().mean()
                self.inhibition.add_(CONTROL_RATE * (active - self.active))
        return out


def train(name: str, seed: int) -> tuple[SparseMLP, tuple[int, ...], Digits]:
    """Train and quantise; returns the network, its mask seeds and the data."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    recipe, digits = RECIPES[name], load_digits(RECIPES[name].pool)
    widths = (digits.train_images.shape[1], *recipe.hidden, 10)
    seeds = tuple(1000 * seed + layer for layer in range(1, len(widths)))
    layers: list[nn.Module] = []
    for layer, mask_seed in enumerate(seeds, 1):
        fan_in = round(recipe.density * widths[layer - 1])
        indices = random_mask(mask_seed, widths[layer], widths[layer - 1], fan_in)
        mask = torch.zeros(widths[layer], widths[layer - 1])
        mask.scatter_(1, torch.from_numpy(indices.astype(np.int64)), 1.0)
        hidden = layer < len(seeds)
        layers.append(MaskedLinear(mask, recipe.active if hidden else None))
        if hidden:
            layers.append(UnitReLU())
    model = nn.Sequential(*layers)
    _fit(model, digits, recipe)
    network = quantise(_layers(model), digits.train_images[:1000])
    network = raise_thresholds(network, recipe.sparser, digits.train_images[:500])
    print(f"float accuracy {_accuracy(model, digits):.3f}")
    return network, seeds, digits


def _fit(model: nn.Sequential, digits: Digits, recipe: Recipe) -> None:
    images = torch.from_numpy(digits.train_images.astype(np.float32)) / 64
    labels = torch.from_numpy(digits.train_labels)
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=1e-4)
    batch, steps = recipe.batch, recipe.epochs * len(images) // recipe.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=steps)
    for epoch in range(recipe.epochs):
        model.train()
        total = 0.0
        for chosen in torch.split(torch.randperm(len(images)), batch):
            shifted = _shift(images[chosen])
            loss = nn.functional.cross_entropy(
                LOGIT_GAIN * model(shifted), labels[chosen], label_smoothing=0.05
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(
            f"epoch {epoch + 1}: loss {total / len(images):.3f}, "
            f"test accuracy {_accuracy(model, digits):.3f}",
            flush=True,
        )


def _shift(images: Tensor) -> Tensor:
    """Each batch moved by up to two pixels (one if pooled): more data than there is."""
    side = round(images.shape[1] ** 0.5)
    reach = 1 if side == 28 else 0
    dy, dx = (int(v) for v in torch.randint(-reach, reach + 1, (2,)))
    grid = images.reshape(-1, side, side)
    return torch.roll(grid, (dy, dx), dims=(1, 2)).reshape(len(images), -1)


@torch.no_grad()
def _accuracy(model: nn.Sequential, digits: Digits) -> float:
    model.eval()
    images = torch.from_numpy(digits.test_images.astype(np.float32)) / 64
    guesses = model(images).argmax(dim=1).numpy()
    return float((guesses == digits.test_labels).mean())


def raise_thresholds(
    network: SparseMLP, parts: tuple[float, ...], images: npt.NDArray[np.int16]
) -> SparseMLP:
    """The network with thresholds that leave `parts` of its hidden layers active on `images`."""
    thresholds = list(network.thresholds)
    messages = images.astype(np.int64)
    for layer, part in enumerate(parts):
        sums = (network.weights[layer].astype(np.int64) @ messages.T).T >> -network.exponents[layer]
        thresholds[layer] = max(int(np.quantile(sums, 1 - part)), 0)
        messages = np.where(sums > thresholds[layer], sums, 0)
    return replace(network, thresholds=tuple(thresholds))


@torch.no_grad()
def _layers(model: nn.Sequential) -> list[Layer]:
    linears = [layer for layer in model if isinstance(layer, MaskedLinear)]
    return [(one.weight().double().numpy(), one.mask.numpy() != 0) for one in linears]


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 1 << 32:
        raise ValueError(text)  # argparse says so
    return seed


def main() -> None:
    """Train one network from the command line and write its file."""
    parser = argparse.ArgumentParser(description="Train a bundled network.")
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=_seed, default=1, help="a whole number from 0 to 2^32 - 1")
    parser.add_argument("--out", type=Path, help="default: NAME.npz here")
    arguments = parser.parse_args()
    network, seeds, digits = train(arguments.name, arguments.seed)
    guesses = classify(network, digits.test_images)
    print(f"integer accuracy {(guesses == digits.test_labels).mean():.3f}")
    inputs = digits.test_images[: len(network.weights) + RECORDED_STEPS]
    activity = record(network, inputs, RECORDED_STEPS)
    print("active per layer:", " ".join(f"{part:.3f}" for part in activity.active))
    print("exponents", network.exponents, "thresholds", network.thresholds)
    save_network(arguments.out or Path(f"{arguments.name}.npz"), network, inputs, seeds)


if __name__ == "__main__":
    main()
