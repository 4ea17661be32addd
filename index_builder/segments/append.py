"""Photos to the files of a segment: vectors, records and thumbnails, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from index_builder.artifact import layout
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photos.record import PhotoRecord, Thumbnail
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.embedding.base import EmbeddedPhoto
from index_builder.report import Note, Report, Skipped
from index_builder.stores.base import VectorStore
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors

_BLOCK_ROWS = 2_048


class SegmentWriter:
    """Fills the files of a segment with photos in the order of their ids; use as a context manager."""

    def __init__(self, folder: Path, fields: Sequence[MetadataField], dim: int) -> None:
        """`folder` exists and has no segment in it; `dim`: length of a vector (E)."""
        self._vectors = VectorWriter(folder / layout.VECTORS, dim)
        self._photos = PhotoStoreWriter(folder / layout.PHOTOS, fields)

    def __enter__(self) -> SegmentWriter:
        """Create the files."""
        with ExitStack() as stack:
            stack.enter_context(self._vectors)
            stack.enter_context(self._photos)
            self._stack = stack.pop_all()
        return self

    @property
    def count(self) -> int:
        """Photos written so far."""
        return self._vectors.count

    def append(self, record: PhotoRecord, thumbnail: Thumbnail, vector: Vectors) -> None:
        """Write the next row, whichever row the record names. Raises OSError, sqlite3.Error."""
        self._photos.append(replace(record, row=self.count), thumbnail)
        self._vectors.append(vector[None])

    def append_segment(self, folder: Path, vectors: VectorStore) -> None:
        """Write all rows of another segment's files, whose vectors are open. Raises OSError, sqlite3.Error."""
        self._photos.append_file(folder / layout.PHOTOS, self.count)
        for start in range(0, vectors.count, _BLOCK_ROWS):
            self._vectors.append(vectors.vectors_of(np.arange(start, min(start + _BLOCK_ROWS, vectors.count))))

    def duplicates(self) -> Iterator[Note]:
        """A note on each photo that has the very bytes of an earlier one; after the last append."""
        for photo_id, path, first_id in self._photos.duplicates():
            yield Note("duplicate_bytes", path, f"the same bytes as {first_id}", photo_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Force the files to the disk; after an error, only close them."""
        self._stack.__exit__(kind, error, trace)


def write_photos(
    folder: Path,
    outcomes: Iterable[EmbeddedPhoto | Skipped],
    *,
    fields: Sequence[MetadataField],
    dim: int,
    report: Report,
    done: Callable[[int], None],
) -> npt.NDArray[np.bool_]:
    """Stream every photo into the segment's files; returns for each outcome whether it was written.

    Skipped photos and notes go to `report`; `done` is called with the number of outcomes so far. Raises OSError,
    sqlite3.Error, and what drawing the outcomes raises.
    """
    names = [field.name for field in fields]
    written = []
    with SegmentWriter(folder, fields, dim) as writer:
        for number, outcome in enumerate(outcomes, start=1):
            written.append(isinstance(outcome, EmbeddedPhoto))
            if isinstance(outcome, Skipped):
                report.skip(outcome)
            else:
                record = _record(outcome, names)
                writer.append(record, outcome.facts.thumbnail, outcome.vector)
                for note in _notes(outcome, record):
                    report.note(note)
            done(number)
    return np.array(written, bool)


def _notes(embedded: EmbeddedPhoto, record: PhotoRecord) -> Iterator[Note]:
    facts = embedded.facts
    if facts.frames > 1:
        detail = f"{facts.frames} frames or pages; the first was indexed"
        yield Note("first_frame_only", record.path, detail, record.photo_id)
    if facts.blank:
        yield Note("blank", record.path, "the whole picture has one colour", record.photo_id)
    for repair in facts.repairs:
        yield Note("repaired", record.path, repair, record.photo_id)


def _record(embedded: EmbeddedPhoto, names: Sequence[str]) -> PhotoRecord:
    photo, facts = embedded.photo, embedded.facts
    return PhotoRecord(
        row=0,
        photo_id=photo.photo_id,
        category=photo.category,
        path=photo.path,
        sha256=facts.sha256,
        width=facts.width,
        height=facts.height,
        metadata=dict(zip(names, photo.metadata, strict=True)),
    )
