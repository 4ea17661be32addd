"""A set of tars by a pattern, as one gallery."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, cast

from index_builder.errors import GalleryInvalid
from index_builder.files.stamp import FileStamp
from index_builder.report import Skipped
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.manifests.rows import Row
from index_builder.sources.manifests.typed_rows import TypedRows
from index_builder.sources.places.base import PhotoPlace
from index_builder.sources.table import TableSource
from index_builder.sources.tars.entries import tar_entries
from index_builder.sources.tars.place import TarPlace
from index_builder.sources.tars.samples import SampleRows, rows_of

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
_BLOCK_BYTES = 4 * 2**20  # of a tar that is gone through: small photos need no request each


def is_tar(name: str) -> bool:
    """Whether a location of that name is one of tars, or of what somebody may take for one."""
    return name.lower().endswith((".tar", ".tar.gz", ".tgz", ".tar.zst"))


def open_tars(place: PhotoPlace, pattern: str, exclusions: Exclusions) -> TableSource:
    """The photos of every tar that the pattern names (`*`, `?`, `{000..127}`), in the order of their names.

    Raises GalleryInvalid, SourceUnavailable.
    """
    if not pattern.endswith(".tar"):
        raise GalleryInvalid(f"{pattern} is compressed: a photo cannot be read out of its middle; unpack it to .tar")
    names = shards(place, pattern)
    stamps = {name: stamp for name in names if (stamp := place.stamp(name)) is not None}
    if not names or len(stamps) < len(names):
        lacking = next((name for name in names if name not in stamps), pattern)
        raise GalleryInvalid(f"no tar at {place.root}/{lacking}")
    rows = SampleRows.of(_rows(place, stamps, exclusions))
    return TableSource(TarPlace(place, stamps), pattern, TypedRows.of(rows, pattern), Exclusions())


def shards(place: PhotoPlace, pattern: str) -> list[str]:
    """The names that a pattern stands for; braces name tars whether they are there or not."""
    braces = _BRACES.search(pattern)
    if braces is None:
        return sorted(place.matching(pattern)) if set(pattern) & set("*?") else [pattern]
    first, last = braces.groups()
    numbers = (f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))
    return [pattern[: braces.start()] + number + pattern[braces.end() :] for number in numbers]


def _rows(place: PhotoPlace, stamps: dict[str, FileStamp], exclusions: Exclusions) -> Iterator[Row | Skipped]:
    for name, stamp in stamps.items():
        try:
            with place.open(name, stamp) as tar:
                file = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, tar), _BLOCK_BYTES))
                yield from rows_of(name, file, tar_entries(file, f"{place.root}/{name}"), exclusions)
        except OSError as error:
            raise GalleryInvalid(f"{place.root}/{name} cannot be read: {error}") from error
        if place.stamp(name) != stamp:
            raise GalleryInvalid(f"{place.root}/{name} changed while it was listed")
