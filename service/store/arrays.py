"""An adapter's numbers as bytes, and back: an .npz of arrays (float32, the scale float64), nothing executable."""

from __future__ import annotations

import io
import zipfile

import numpy as np

from models.adapters import CategoryAdapter, LowRankGram, StyleAdapter
from models.arrays import Vectors
from service.errors import OnlineCorrupt

_GRAM = ("weights", "axes", "values")


def adapter_bytes(adapter: CategoryAdapter | StyleAdapter) -> bytes:
    """The inverse of `adapter_from_bytes`."""
    if isinstance(adapter, StyleAdapter):
        arrays = {"down": adapter.down, "up": adapter.up, "shift": adapter.shift}
    else:
        # Scale and offset are Python floats: as float64 they come back exactly, and scores stay the same.
        arrays = {"mean": adapter.mean, "scale": np.array([adapter.scale, adapter.offset], np.float64)}
        if adapter.map is not None:
            arrays["map"] = adapter.map
        if adapter.gram is not None:
            # Releases that do not know it read the map alone, which says the same.
            arrays |= {f"gram_{name}": getattr(adapter.gram, name) for name in _GRAM}
        if adapter.sketch_mean is not None:
            arrays["sketch_mean"] = adapter.sketch_mean
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def adapter_from_bytes(data: bytes, adapter_id: str, embedding_dim: int) -> CategoryAdapter | StyleAdapter:
    """An adapter for embeddings of length E. Raises OnlineCorrupt, naming `adapter_id`, for any other bytes."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        adapter = _adapter(arrays)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise OnlineCorrupt(f"the numbers of adapter {adapter_id} cannot be read: {error}") from error
    if isinstance(adapter, StyleAdapter):
        input_dims = {len(adapter.shift), len(adapter.down), adapter.up.shape[1]}
    else:
        input_dims = {len(adapter.mean), len(adapter.sketch_centre)}
        input_dims |= set() if adapter.map is None else {len(adapter.map)}
        input_dims |= set() if adapter.gram is None else {len(adapter.gram.weights), len(adapter.gram.axes)}
    # `OnlineStore.check` finds such numbers at the start; let through, they would fail or rank nonsense in a search.
    if input_dims != {embedding_dim} or not all(np.isfinite(array).all() for array in arrays.values()):
        raise OnlineCorrupt(f"the numbers of adapter {adapter_id} are not an adapter for {embedding_dim} numbers")
    return adapter


def _adapter(arrays: dict[str, Vectors]) -> CategoryAdapter | StyleAdapter:
    if "shift" in arrays:
        return StyleAdapter(arrays["down"], arrays["up"], arrays["shift"])
    scale, offset = arrays["scale"].tolist()
    gram = None
    if "gram_axes" in arrays:
        gram = LowRankGram(*(arrays[f"gram_{name}"] for name in _GRAM))
        if gram.axes.shape[1:] != gram.values.shape:
            raise ValueError(f"{gram.axes.shape} axes with {gram.values.shape} values")
    return CategoryAdapter(arrays["mean"], arrays.get("map"), scale, offset, arrays.get("sketch_mean"), gram)


def vector_bytes(vector: Vectors) -> bytes:
    """(E,) float32, little-endian."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def vector_from_bytes(data: bytes) -> Vectors:
    """The inverse of `vector_bytes`."""
    vector: Vectors = np.frombuffer(data, dtype="<f4").astype(np.float32, copy=False)
    return vector
