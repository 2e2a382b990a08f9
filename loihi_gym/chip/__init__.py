"""The hardware: constants with their sources, and the mesh as arrays."""

from .spec import ChipSpec, Constant, Status, chips, load_chip, parse_chip
from .topology import EAST, NORTH, SOUTH, WEST, Topology, topology
from .writer import chip_toml, save_chip

__all__ = [
    "EAST",
    "NORTH",
    "SOUTH",
    "WEST",
    "ChipSpec",
    "Constant",
    "Status",
    "Topology",
    "chip_toml",
    "chips",
    "load_chip",
    "parse_chip",
    "save_chip",
    "topology",
]
