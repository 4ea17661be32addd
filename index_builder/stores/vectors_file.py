"""vectors.npy: unit rows as float32, appended while photos are embedded, read as a memory map."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType

import numpy as np

from index_builder.stores.errors import StoreUnreadable
from models.arrays import Vectors

# npy allows any padding of its header: a fixed size lets the row count be filled in at the end.
_HEADER_BYTES = 128
_BUFFER_BYTES = 2**17  # rows come one by one, and each is a few thousand bytes
_MAGIC = b"\x93NUMPY\x01\x00"


class VectorWriter:
    """Appends rows to a .npy file whose length is not known beforehand; use as a context manager."""

    def __init__(self, path: Path, embedding_dim: int) -> None:
        """`embedding_dim`: length of the rows (E); `count` says how many are in."""
        self._path = path
        self._dim = embedding_dim
        self.count = 0

    def __enter__(self) -> VectorWriter:
        """Create the file, with room for its header."""
        self._file = self._path.open("wb", buffering=_BUFFER_BYTES)
        self._file.write(bytes(_HEADER_BYTES))
        return self

    def append(self, vectors: Vectors) -> None:
        """Write rows (B, E) after those already written; other float types are converted. Raises OSError."""
        assert vectors.shape == (len(vectors), self._dim), vectors.shape
        # Little-endian whatever the machine, as the header says.
        self._file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        self.count += len(vectors)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Fill in the header and force the file to the disk."""
        with self._file as file:
            file.seek(0, io.SEEK_SET)
            file.write(_header(self.count, self._dim))
            file.flush()
            os.fsync(file.fileno())


def open_vectors(path: Path, count: int, embedding_dim: int) -> Vectors:
    """The rows (G, E) as a read-only memory map. Raises StoreUnreadable when the file is anything else."""
    try:
        # No pickles: an index may come from elsewhere.
        vectors: Vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StoreUnreadable(path.name, expected="a .npy array", actual=str(error)) from error
    if vectors.shape != (count, embedding_dim) or vectors.dtype != np.float32:
        raise StoreUnreadable(
            path.name,
            expected=f"float32 {(count, embedding_dim)}",
            actual=f"{vectors.dtype} {vectors.shape}",
        )
    # A plain view: FAISS and the callers need no memmap subclass.
    plain: Vectors = vectors.view(np.ndarray)
    return plain


def _header(count: int, embedding_dim: int) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {embedding_dim}), }}"
    length = _HEADER_BYTES - len(_MAGIC) - 2
    return _MAGIC + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"
