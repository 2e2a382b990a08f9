"""Chips as chip files: every constant with its unit, status, source and range."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import write_text
from .spec import ChipSpec, Constant


def save_chip(path: str | Path, chip: ChipSpec) -> None:
    """Write a chip file that `load_chip` reads, whole or not at all."""
    write_text(path, chip_toml(chip))


def chip_toml(chip: ChipSpec) -> str:
    """The text of a chip file that stands by itself."""
    status, source = chip.grid
    topology: dict[str, Any] = {
        "chips": list(chip.chips),
        "routers": list(chip.routers),
        "cores_per_router": chip.cores_per_router,
        "coreless_routers": [list(router) for router in chip.coreless_routers],
        "status": status,
        "source": source,
    }
    tables = {"topology": topology}
    tables |= {name: asdict(choice) for name, choice in chip.choices.items()}
    tables |= {name: _constant(constant) for name, constant in chip.constants.items()}
    parts = [f"description = {_value(chip.description)}\n"]
    if chip.fitted_to:  # a file without it is as it was before there was such a key
        parts[0] += f"fitted_to = {_value(list(chip.fitted_to))}\n"
    for name, table in tables.items():
        lines = "".join(f"{key} = {_value(value)}\n" for key, value in table.items())
        parts.append(f"[{name}]\n{lines}")
    return "\n".join(parts)


def _constant(constant: Constant) -> dict[str, Any]:
    table: dict[str, Any] = {
        "value": constant.value,
        "unit": constant.unit,
        "status": constant.status,
        "source": constant.source,
    }
    if constant.range is not None:
        table["range"] = list(constant.range)
    return table


def _value(value: Any) -> str:
    """Numbers, lists and strings look in TOML as they do in JSON, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
