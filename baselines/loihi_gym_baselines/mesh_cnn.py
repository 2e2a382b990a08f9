"""`MeshCNN`: what SB3's policies see of the flat observation, by convolution over the mesh."""

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from loihi_gym.chip import Topology

CHANNELS = 32
FEATURES = 128


class MeshCNN(BaseFeaturesExtractor):
    """Two 3 x 3 convolutions over the routers, then a linear layer with the rest beside them.

    A router's channels are the per-core features of each of its ports and its four links; a place
    without a core is 0. The convolutions' weights do not depend on where on the mesh something is,
    and the whole serves every network on the same mesh.

    Args:
        space: The flat Dict observation.
        mesh: The chip's mesh.
    """

    _place: torch.Tensor

    def __init__(self, space: spaces.Dict, mesh: Topology) -> None:
        super().__init__(space, FEATURES)
        sizes = {key: int(np.prod(box.shape)) for key, box in space.spaces.items() if box.shape}
        self._cores = [key for key, size in sizes.items() if size == mesh.n_cores]
        self._rest = [key for key in sizes if key not in self._cores and key != "links"]
        ports = int(mesh.core_port.max()) + 1
        self._grid = (mesh.height, mesh.width)
        place = mesh.core_port.astype(np.int64) * mesh.n_routers + mesh.core_router
        self.register_buffer("_place", torch.from_numpy(place))
        self._planes = ports * mesh.n_routers
        channels = ports * len(self._cores) + 4
        self._mesh = nn.Sequential(
            nn.Conv2d(channels, CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        rest = sum(sizes[key] for key in self._rest)
        self._join = nn.Sequential(
            nn.Linear(CHANNELS * mesh.n_routers + rest, FEATURES),
            nn.ReLU(),
        )

    def forward(self, observations: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features of a batch of observations, (B, FEATURES)."""
        cores = torch.stack([observations[key] for key in self._cores], dim=1)
        count, features = cores.shape[:2]
        planes = cores.new_zeros(count, features, self._planes)
        planes[:, :, self._place] = cores
        links = observations["links"].reshape(count, -1, 4).transpose(1, 2)
        image = torch.cat([planes.reshape(count, -1, *self._grid),
                           links.reshape(count, 4, *self._grid)], dim=1)  # fmt: skip
        rest = [observations[key] for key in self._rest]
        joined: torch.Tensor = self._join(torch.cat([self._mesh(image), *rest], dim=1))
        return joined
