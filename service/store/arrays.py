"""A head's numbers as bytes, and back: an .npz of float32 arrays and nothing that could be executed."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from models.adapters import CategoryAdapter, StyleAdapter
from models.arrays import Vectors
from service.errors import OnlineCorrupt


def head_bytes(head: CategoryAdapter | StyleAdapter) -> bytes:
    """The inverse of `head_from_bytes`."""
    if isinstance(head, StyleAdapter):
        arrays = {"down": head.down, "up": head.up, "shift": head.shift}
    else:
        arrays = {"mean": head.mean, "scale": np.array([head.scale, head.offset], np.float64)}
        if head.map is not None:
            arrays["map"] = head.map
        if head.sketch_mean is not None:
            arrays["sketch_mean"] = head.sketch_mean
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def head_from_bytes(data: bytes, head_id: str, embedding_dim: int) -> CategoryAdapter | StyleAdapter:
    """A head for embeddings of length E. Raises OnlineCorrupt, naming `head_id`, when the bytes are anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = _head(arrays)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise OnlineCorrupt(f"the numbers of head {head_id} cannot be read: {error}") from error
    input_dims = {len(head.shift), len(head.down), head.up.shape[1]} if isinstance(head, StyleAdapter) else {
        len(head.mean), len(head.sketch_centre), *(() if head.map is None else (len(head.map),))
    }  # fmt: skip
    if input_dims != {embedding_dim} or not all(np.isfinite(array).all() for array in arrays.values()):
        raise OnlineCorrupt(f"the numbers of head {head_id} are not a head for {embedding_dim} numbers")
    return head


def _head(arrays: dict[str, Vectors]) -> CategoryAdapter | StyleAdapter:
    if "shift" in arrays:
        return StyleAdapter(arrays["down"], arrays["up"], arrays["shift"])
    scale, offset = arrays["scale"].tolist()
    return CategoryAdapter(arrays["mean"], arrays.get("map"), scale, offset, arrays.get("sketch_mean"))


def vector_bytes(vector: Vectors) -> bytes:
    """(E,) float32, little-endian."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def vector_from_bytes(data: bytes) -> Vectors:
    """The inverse of `vector_bytes`."""
    vector: Vectors = np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    return vector
