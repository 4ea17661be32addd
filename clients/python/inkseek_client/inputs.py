"""What callers hand in: sketches, photos, examples and changes; files are read here."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

FilePath: TypeAlias = str | os.PathLike[str]
Strokes: TypeAlias = Sequence[Any]
"""Per stroke `[[x, …], [y, …]]`, pairs `[[x, y], …]` or points `[{"x": …, "y": …}, …]`.

Strokes of two or three points each could be rows or pairs, and are rejected: send `{"drawing": [[[x, …], [y, …]], …]}`.
"""
Sketch: TypeAlias = FilePath | bytes | Strokes | Mapping[str, Any]
"""A file's path, a file's bytes (PNG, JPEG, WebP, GIF, BMP, SVG), strokes, or a JSON body of the service."""
Vector: TypeAlias = Sequence[float] | bytes
"""An embedding: its numbers (a list, or any array that is a sequence of floats), or float16 in little-endian bytes."""
PhotoReference: TypeAlias = str | os.PathLike[str] | bytes
"""A photo of an example: a str is the id of a photo in the gallery; a Path or bytes is a file to upload."""
Pair: TypeAlias = tuple[Sketch, PhotoReference]


@dataclass(frozen=True)
class Profile:
    """Names a profile where a plain str would name a category: `client.adapt(Profile("ada"), pairs)`."""

    name: str


Target: TypeAlias = str | Profile
"""What is adapted: a category, by its name, or a profile."""


@dataclass(frozen=True)
class Upload:
    """A photo to store under `photo_id`, in place of whatever has that id. `file`: a path or bytes."""

    photo_id: str
    file: FilePath | bytes
    category: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Describe:
    """What is to be changed of a photo: None leaves its category; a value of None in `metadata` is removed."""

    photo_id: str
    category: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Delete:
    """A photo to delete."""

    photo_id: str


Change: TypeAlias = Upload | Describe | Delete


def read_file(file: FilePath | bytes) -> bytes:
    """Its bytes. Raises OSError."""
    return file if isinstance(file, bytes) else Path(file).read_bytes()


def read_sketch(sketch: Sketch) -> bytes:
    """A request body: the file's bytes, or JSON. Raises OSError; TypeError and ValueError for what JSON cannot hold."""
    if isinstance(sketch, bytes | str | os.PathLike):
        return read_file(sketch)
    document = dict(sketch) if isinstance(sketch, Mapping) else {"strokes": sketch}
    return json.dumps(document, allow_nan=False).encode()


def vector_bytes(vector: Vector) -> bytes:
    """An embedding in float16, little-endian. Raises ValueError for a number that float16 cannot hold."""
    if isinstance(vector, bytes):
        return vector
    try:
        return struct.pack(f"<{len(vector)}e", *vector)
    except (OverflowError, struct.error) as error:
        raise ValueError(f"the vector is no list of numbers of a unit vector: {error}") from error


def body_type(body: bytes) -> str:
    """The media type to declare; the service itself goes by the content."""
    return "application/json" if body.lstrip()[:1] in (b"{", b"[") else "application/octet-stream"


def photo_field(photo: PhotoReference) -> tuple[str, bytes | str]:
    """Name and content of an example's photo in a form. Raises OSError."""
    return ("photo_id", photo) if isinstance(photo, str) else ("photo", read_file(photo))


def described(category: str | None, metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """The members of a description that are given."""
    sent: dict[str, Any] = {} if category is None else {"category": category}
    return sent if metadata is None else {**sent, "metadata": dict(metadata)}
