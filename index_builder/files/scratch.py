"""Arrays with an entry for each photo, in files: their pages belong to the system, which takes them back at will."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from models.arrays import Rows

_BLOCK = 2**16


def scratch_array(path: Path, shape: tuple[int, ...], fill: int = 0) -> Rows:
    """A writable int64 array in a new .npy file, each entry of it `fill`. Raises OSError."""
    if 0 in shape:  # nothing can be mapped
        return np.full(shape, fill, np.int64)
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.int64, shape=shape)
    # The room is reserved now: a disk that is found full by a page that is written later ends the process.
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    array: Rows = mapped.view(np.ndarray)
    if fill:
        for start in range(0, shape[0], _BLOCK):
            array[start : start + _BLOCK] = fill
    return array
