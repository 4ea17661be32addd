"""A source's listing in the order of rows: by photo id, each id once."""

from __future__ import annotations

from index_builder.report import Note, Report, Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto


def listed_photos(source: PhotoSource, report: Report) -> tuple[SourcePhoto, ...]:
    """The source's photos sorted by id; the first of those with one id counts, the others go to the report.

    Raises GalleryInvalid.
    """
    # Sorted by id, so that a rebuild gives the same rows in whichever order the source lists its photos.
    by_id: dict[str, SourcePhoto] = {}
    for listed in source.list():
        if isinstance(listed, Skipped):
            report.skip(listed)
        elif isinstance(listed, Note):
            report.note(listed)
        elif (first := by_id.setdefault(listed.photo_id, listed)) is not listed:
            detail = f"{first.path} has this id already"
            report.skip(Skipped("duplicate_id", listed.path, detail, listed.photo_id))
    return tuple(by_id[photo_id] for photo_id in sorted(by_id))
