"""A photo of the gallery as callers see it: its record, its thumbnail, its id."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

MetadataValue: TypeAlias = str | int | float | bool | tuple[str | int | float | bool, ...] | None

PICTURE_SUFFIXES = ("/thumbnail", "/image", "/similar")
"""What the paths of a photo's pictures and neighbours have behind its id."""


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """One photo of the gallery: `path` below the gallery's root, `width` and `height` of the upright file in pixels.

    `sha256` is that of the file, in hexadecimal digits.
    """

    row: int
    photo_id: str
    category: str
    path: str
    sha256: str
    width: int
    height: int
    metadata: Mapping[str, MetadataValue]


class Thumbnail(NamedTuple):
    """A JPEG of at most 256 px, with an ETag that changes with its bytes.

    `perceptual_hash`: 64 bits as a signed number, few of which differ between pictures that look the same; None where
    it was never computed.
    """

    jpeg: bytes
    etag: str
    perceptual_hash: int | None = None


def stored_id(photo_id: str) -> str:
    """An id in the form that ids are stored in, whichever of Unicode's forms a client writes it in."""
    return unicodedata.normalize("NFC", encodable(photo_id))


def encodable(text: str) -> str:
    """`text` with a replacement for lone surrogates, which no photo has and which would make SQLite's encoder raise."""
    return text.encode(errors="replace").decode()
