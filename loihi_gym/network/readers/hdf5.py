"""HDF5 files from strangers: bounded, and without links, before anybody reads their content."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..foreign import MALFORMED, require_file, require_size
from .imported import needed


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """An HDF5 file of at most `MAX_BYTES`, unpacked, whose content is its own and stands once.

    Raises:
        NetworkImportError: if h5py is not installed.
        OSError, ValueError: if it is no regular file, or not such a file; they do not name it.
    """
    h5py = needed("h5py", what, "import")
    require_file(path)
    try:
        file = h5py.File(path, "r")
    except (OSError, *MALFORMED) as error:
        raise ValueError(f"not a {what} file: {error}") from error
    with file:
        require_size(sum(_sizes(file)))
        yield file


def _sizes(group: Any) -> Iterator[int]:
    """Bytes of all data sets; a second way to one would make a small file endless."""
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink) or h5py.h5o.get_info(group[name].id).rc > 1:
            raise ValueError(f"{name!r} is a link; data must stand in its own place")
        if isinstance(group[name], h5py.Group):
            yield from _sizes(group[name])
        elif isinstance(group[name], h5py.Dataset):
            data = group[name]
            if data.is_virtual or data.external:
                raise ValueError(f"{name!r} takes its data from another file")
            yield data.size * data.dtype.itemsize if data.shape is not None else 0
