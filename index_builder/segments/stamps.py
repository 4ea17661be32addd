"""Stamps of photos' files: a version keeps those of its rows, so that an update reads what changed and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from index_builder.artifact import layout
from index_builder.files.scratch import scratch_array
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.atomic_files import sync_path

Stamps: TypeAlias = npt.NDArray[np.int64]
"""(N, 2): bytes, and nanoseconds of the last change, of each file; -1, -1 where they are unknown."""

_BLOCK = 1_024  # photos whose stamps are under way at a time
_REQUESTS = 16
_WRITTEN_ROWS = 2**16

# A file that changes twice within the clock's tick of the file system has one stamp for two contents: what was young
# when it was listed is read again by the next update.
SETTLED_NS = 2_000_000_000


def stamps_of(source: PhotoSource, photos: Sequence[SourcePhoto], scratch: Path) -> Stamps:
    """The stamps of the photos' files as they are now, in their order: the listing's, or else the source's.

    `scratch`: the file that keeps them meanwhile. Raises SourceUnavailable, OSError.
    """
    stamps = scratch_array(scratch, (len(photos), 2), fill=-1)
    # Where each stamp is a request, waiting for one at a time would take longer than all the rest.
    with ThreadPoolExecutor(_REQUESTS, "stamps") as pool:
        look = pool.map if source.description.is_remote else map
        remaining = iter(photos)
        for start in range(0, len(photos), _BLOCK):
            block = islice(remaining, _BLOCK)
            for number, stamp in enumerate(look(lambda photo: photo.stamp or source.stamp(photo), block), start):
                if stamp is not None:
                    stamps[number] = stamp
    return stamps


def in_blocks(stamps: Stamps) -> Iterator[list[int]]:
    """Each stamp as plain numbers, which Python compares ten times as fast as an array's."""
    for start in range(0, len(stamps), _BLOCK):
        yield from stamps[start : start + _BLOCK].tolist()


def write_settled(version: Path, stamps: Stamps, live: npt.NDArray[np.bool_], now_ns: int) -> str:
    """As `write_stamps`, of the stamps that are `live` (N,); in blocks.

    Those of files that changed within two seconds of `now_ns` prove nothing and become unknown.
    """
    count = int(np.count_nonzero(live))
    kept, at = scratch_array(version / layout.STAMPS, (count, 2)), 0
    for start in range(0, len(stamps), _WRITTEN_ROWS):
        block = stamps[start : start + _WRITTEN_ROWS][live[start : start + _WRITTEN_ROWS]]
        block[block[:, 1] > now_ns - SETTLED_NS] = -1
        kept[at : at + len(block)] = block
        at += len(block)
    del kept  # so that it is in the file
    sync_path(version / layout.STAMPS)
    return layout.STAMPS


def write_stamps(version: Path, stamps: Stamps) -> str:
    """Write stamps.npy into a version's folder; returns its name. Raises OSError."""
    np.save(version / layout.STAMPS, stamps)
    sync_path(version / layout.STAMPS)
    return layout.STAMPS


def read_stamps(version: Path, count: int) -> Stamps:
    """The stamps of a version's rows; all unknown where it has none, or damaged ones."""
    unknown = np.full((count, 2), -1, np.int64)
    try:
        stamps: Stamps = np.load(version / layout.STAMPS, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return unknown
    return stamps if stamps.shape == unknown.shape and stamps.dtype == np.int64 else unknown
