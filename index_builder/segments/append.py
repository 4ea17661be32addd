"""Embedded photos to the files of a segment: vectors, records and thumbnails, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photo_store import PhotoRecord
from index_builder.artifact.photo_writer import PhotoStoreWriter
from index_builder.embedding.base import EmbeddedPhoto
from index_builder.report import Note, Report, Skipped
from index_builder.stores.vectors_file import VectorWriter


def write_photos(
    folder: Path,
    outcomes: Iterable[EmbeddedPhoto | Skipped],
    *,
    fields: Sequence[MetadataField],
    dim: int,
    report: Report,
    done: Callable[[int], None],
) -> int:
    """Stream every photo into the segment's files; returns how many were written (G).

    Skipped photos and notes go to `report`; `done` is called with the number of outcomes so far. Raises OSError,
    sqlite3.Error, and what drawing the outcomes raises.
    """
    names = [field.name for field in fields]
    with (
        VectorWriter(folder / layout.VECTORS, dim) as vectors,
        PhotoStoreWriter(folder / layout.PHOTOS, fields) as photos,
    ):
        for number, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Skipped):
                report.skip(outcome)
            else:
                record = _record(vectors.count, outcome, names)
                photos.append(record, outcome.facts.thumbnail)
                vectors.append(outcome.vector[None])
                if outcome.facts.frames > 1:
                    detail = f"{outcome.facts.frames} frames or pages; the first was indexed"
                    report.note(Note("first_frame_only", record.path, detail, record.photo_id))
                if outcome.facts.blank:
                    report.note(Note("blank", record.path, "the whole picture has one colour", record.photo_id))
                for repair in outcome.facts.repairs:
                    report.note(Note("repaired", record.path, repair, record.photo_id))
            done(number)
        for photo_id, path, first_id in photos.duplicates():
            report.note(Note("duplicate_bytes", path, f"the same bytes as {first_id}", photo_id))
    return vectors.count


def _record(row: int, embedded: EmbeddedPhoto, names: Sequence[str]) -> PhotoRecord:
    photo, facts = embedded.photo, embedded.facts
    return PhotoRecord(
        row=row,
        photo_id=photo.photo_id,
        category=photo.category,
        path=photo.path,
        sha256=facts.sha256,
        width=facts.width,
        height=facts.height,
        metadata=dict(zip(names, photo.metadata, strict=True)),
    )
