"""Train the bundled autoencoder: ``python tools/autoencoder.py``.

Needs the extra ``train``. Every layer is dense and has no bias; neurons are ReLU and as active as
training leaves them. The output is the image times one number, which falls away in integers.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from digits import load_small_digits
from quantise import dense, quantise
from scores import explained_variance
from torch import nn

from loihi_gym.network import SparseMLP, record
from loihi_gym.network.network_file import save_network

WIDTHS = (256, 128, 64, 32, 64, 128, 256)
RECORDED_STEPS = 4
EPOCHS, BATCH, RATE = 200, 50, 3e-3


def train(seed: int, images: npt.NDArray[np.int16]) -> SparseMLP:
    """Train and quantise."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    layers: list[nn.Module] = []
    for before, after in pairwise(WIDTHS):
        layers += [nn.Linear(before, after, bias=False), nn.ReLU()]
    # A ReLU that is never above 0 learns nothing, so the output gets its own after training.
    model, pixels = nn.Sequential(*layers[:-1]), torch.from_numpy(images.astype(np.float32)) / 64
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-4)
    steps = EPOCHS * -(-len(pixels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.split(torch.randperm(len(pixels)), BATCH):
            loss = nn.functional.mse_loss(model(pixels[chosen]), pixels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    linears = [layer for layer in model if isinstance(layer, nn.Linear)]
    weights = [layer.weight.detach().double().numpy() for layer in linears]
    return quantise([dense(one) for one in weights], images[:1000])


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description="Train the bundled autoencoder.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("autoencoder.npz"))
    arguments = parser.parse_args()
    digits = load_small_digits()
    network = train(arguments.seed, digits.train_images)
    print(f"explained variance {explained_variance(network, digits.test_images):.3f}")
    inputs = digits.test_images[: len(network.weights) + RECORDED_STEPS]
    activity = record(network, inputs, RECORDED_STEPS)
    print("active per layer:", " ".join(f"{part:.3f}" for part in activity.active))
    print("exponents", network.exponents)
    seeds = tuple(range(1, len(WIDTHS)))  # of masks that leave nothing out
    save_network(arguments.out, network, inputs, seeds)


if __name__ == "__main__":
    main()
