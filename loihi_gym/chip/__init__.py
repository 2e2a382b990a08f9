"""The hardware: constants with their sources, and the mesh as arrays."""

from .spec import ChipSpec, Choice, Constant, Status, Structure, chip_names, load_chip, parse_chip
from .topology import EAST, NORTH, SOUTH, WEST, Topology, topology_of
from .writer import chip_toml, save_chip

__all__ = [
    "EAST",
    "NORTH",
    "SOUTH",
    "WEST",
    "ChipSpec",
    "Choice",
    "Constant",
    "Status",
    "Structure",
    "Topology",
    "chip_names",
    "chip_toml",
    "load_chip",
    "parse_chip",
    "save_chip",
    "topology_of",
]
