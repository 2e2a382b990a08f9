"""Sparse MLPs, their execution in fixed point, and the activity that sets a problem's load."""

from .activity import Activity, record
from .execute import classify, run
from .masks import random_mask
from .network_file import load_network, save_network
from .sparse_mlp import Neuron, SparseMLP

__all__ = [
    "Activity",
    "Neuron",
    "SparseMLP",
    "classify",
    "load_network",
    "random_mask",
    "record",
    "run",
    "save_network",
]
