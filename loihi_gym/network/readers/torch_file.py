"""PyTorch files from strangers: loaded with ``weights_only``, so that nothing in them is executed.

Only torch's own classes of the models that can be read, and of pruning, are let through.
"""

import re
import zipfile
from pathlib import Path
from typing import Any

from ...errors import NetworkImportError
from ..foreign import require_file, require_size
from .imported import needed, unsupported
from .steps import KINDS, LEFT_OUT, PASSED_OVER

PRUNING = (
    *("PruningContainer", "Identity", "CustomFromMask", "RandomUnstructured", "L1Unstructured"),
    *("RandomStructured", "LnStructured"),
)
"""Classes of torch.nn.utils.prune that a pruned model holds."""
CHECKPOINT = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Where a checkpoint keeps its model, first found first taken."""
LAVA_DL = re.compile(r"\.(synapse|neuron)\.")


def load(path: Path) -> Any:
    """What a file holds: a Sequential, or a state dict.

    Raises:
        NetworkImportError: if it holds anything else; names it.
        ValueError: if it is no PyTorch file.
    """
    torch = needed("torch", "PyTorch", "train")
    require_file(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            require_size(sum(entry.file_size for entry in archive.infolist()))
    try:
        with torch.serialization.safe_globals(_allowed(torch)):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # UnpicklingError, RuntimeError, EOFError, ...
        name = re.search(r"GLOBAL (\S+)", str(error))
        if name is not None:
            known = ", ".join((*KINDS, "ReLU", *PASSED_OVER))
            unsupported("?", name[1], f"read are state dicts, and Sequentials of {known}")
        first = str(error).strip().splitlines()[:1]
        raise ValueError(f"not a PyTorch file: {''.join(first)}") from error
    return _model(torch, loaded)


def _allowed(torch: Any) -> list[Any]:
    from torch.nn.utils import prune  # torch does not import it by itself

    nn = torch.nn
    modules = [getattr(nn, kind) for kind in (*KINDS, *LEFT_OUT, *PASSED_OVER)]
    pruning = [getattr(prune, name) for name in PRUNING]
    return [nn.Sequential, nn.ReLU, *modules, *pruning, torch.Size, set]


def _model(torch: Any, loaded: Any) -> Any:
    """The model or state dict that a file or checkpoint holds."""
    if isinstance(loaded, torch.nn.Sequential):
        return loaded
    if not isinstance(loaded, dict):
        raise NetworkImportError(f"it holds a {type(loaded).__name__}, not a Sequential")
    keys = " ".join(map(str, loaded))
    if LAVA_DL.search(keys):
        raise NetworkImportError(
            "it is a network of lava-dl, whose weights are not yet quantised: call its "
            "export_hdf5('network.net') in lava-dl and import that file"
        )
    if not any(isinstance(value, torch.Tensor) for value in loaded.values()):
        for key in CHECKPOINT:
            if isinstance(loaded.get(key), dict | torch.nn.Sequential):
                return _model(torch, loaded[key])
    return loaded
