"""adaptation.npz: the arrays of an adaptation as float32, and `header`, a JSON document of everything else in UTF-8."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.adapters.errors import AdaptationCorrupt
from models.adapters.margin import MarginPredictor
from models.adapters.state.settings import AdaptationSettings, Method
from models.arrays import Vectors
from models.schema_versions import is_readable, unreadable

_FORMAT: Literal[1] = 1
_HEADER = "header"
# What numpy, zipfile and pydantic raise on bytes that are no such file; RuntimeError: an encrypted or odd archive.
_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


class Header(BaseModel):
    """What stands beside the arrays of the file; of `Adaptation`, where each is described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = _FORMAT
    method: Method
    name: str
    bundle_id: str
    embedding_dim: int = Field(ge=1)
    settings: AdaptationSettings

    def to_json(self, *, identifying: bool = False) -> bytes:
        """The JSON document; `identifying`: with the settings that decide the id alone."""
        values = self.model_dump()
        if identifying:
            values["settings"] = self.settings.identifying()
        return json.dumps(values, sort_keys=True).encode()


def file_bytes(header: Header, arrays: Mapping[str, Vectors]) -> bytes:
    """The whole file, its arrays in the order of their names."""
    buffer = io.BytesIO()
    stored: dict[str, NDArray[Any]] = {name: np.asarray(arrays[name], np.float32) for name in sorted(arrays)}
    np.savez(buffer, allow_pickle=False, **{_HEADER: np.frombuffer(header.to_json(), np.uint8), **stored})
    return buffer.getvalue()


def parsed(data: bytes, source: str) -> tuple[Header, dict[str, Vectors]]:
    """The inverse of `file_bytes`, validated; `source` names the file in errors. Raises AdaptationCorrupt."""
    try:
        # A bundle may come from anyone, and reading a pickle runs code that it names.
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            stored = {name: np.asarray(file[name]) for name in file.files}
        described = stored.pop(_HEADER).tobytes()
        document = json.loads(described)
        version = document.get("format", _FORMAT) if isinstance(document, dict) else _FORMAT
        if not is_readable(version, (_FORMAT,)):
            raise AdaptationCorrupt(unreadable(source, version, (_FORMAT,)))
        header = Header.model_validate_json(described)
        arrays = {name: _finite(name, array) for name, array in stored.items()}
        _check_shapes(header, arrays)
    except _UNREADABLE as error:
        raise AdaptationCorrupt(f"{source} is not an adaptation file of format {_FORMAT}: {error}") from error
    return header, arrays


def _finite(name: str, array: NDArray[Any]) -> Vectors:
    """Raises ValueError."""
    # A single NaN would spread to every score of a search without an error anywhere.
    if array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"{name} is {array.dtype}, or holds numbers that are not finite; float32 is expected")
    return array


def _check_shapes(header: Header, arrays: Mapping[str, Vectors]) -> None:
    """Raises ValueError, KeyError."""
    if header.method == "adaptive":
        MarginPredictor.from_arrays(arrays)
    dim = header.embedding_dim
    for name, rank, axis in (("head", 2, 0), ("usual", 1, 0), ("gains", 1, 0), ("down", 2, 0), ("up", 2, 1)):
        if name in arrays and (arrays[name].ndim != rank or arrays[name].shape[axis] != dim):
            raise ValueError(f"{name} has shape {arrays[name].shape}, E is {dim}")
    if "gains" in arrays and not (arrays["gains"] > 0).all():
        raise ValueError("gains are weights, above 0")
    if ("down" in arrays) != ("up" in arrays):
        raise ValueError("down and up belong together; one of them is missing")
    if "down" in arrays and arrays["down"].shape[1] != len(arrays["up"]):
        raise ValueError(f"down and up have ranks {arrays['down'].shape[1]} and {len(arrays['up'])}")
