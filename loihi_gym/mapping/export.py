"""Mappings as core lists, for an engineer to feed to other tools."""

import csv
import io
import json
from typing import Any

import numpy as np

from .mapping import Mapping
from .pieces import bounds
from .problem import Problem

COLUMNS = ("layer", "piece", "first_neuron", "end_neuron", "chip", "core", "x", "y", "port")


def core_rows(problem: Problem, mapping: Mapping) -> list[dict[str, int]]:
    """One row per logical core, by `COLUMNS`.

    `core` counts the neurocores of its chip from 0, row by row of routers, ports within a router;
    `x` and `y` are the router's on the whole mesh. How Lava numbers a chip's cores is not public.

    Raises:
        IllegalMappingError: if the mapping is illegal.
    """
    problem.require(mapping)
    mesh, cores, counts = problem.topology, mapping.placement, mapping.cores_per_layer
    cuts = list(map(bounds, problem.network.widths, counts.tolist()))
    chip = mesh.core_chip[cores]
    columns = (
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate([np.arange(count) for count in counts]),
        np.concatenate([cut[:-1] for cut in cuts]),
        np.concatenate([cut[1:] for cut in cuts]),
        chip,
        cores - np.searchsorted(mesh.core_chip, chip),  # from the chip's first core on
        *(mesh.core_x[cores], mesh.core_y[cores], mesh.core_port[cores]),
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in np.column_stack(columns).tolist()]


def core_csv(problem: Problem, mapping: Mapping) -> str:
    """The rows of `core_rows` as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(core_rows(problem, mapping))
    return text.getvalue()


def core_json(problem: Problem, mapping: Mapping) -> str:
    """The rows of `core_rows` by layer, each with its (chip, core) list, as JSON."""
    rows = core_rows(problem, mapping)
    layers: list[dict[str, Any]] = [
        {
            "layer": layer,
            "neurons": width,
            "cores": [[row["chip"], row["core"]] for row in rows if row["layer"] == layer],
            "pieces": [row for row in rows if row["layer"] == layer],
        }
        for layer, width in enumerate(problem.network.widths)
    ]
    whole = {
        "problem": problem.name,
        "chip": problem.chip.name,
        "mapping": mapping.digest,
        "layers": layers,
    }
    return json.dumps(whole, indent=1) + "\n"
