"""What a new version takes over from the published one: rows as they are, vectors of the same bytes, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from index_builder.artifact.photos.record import MetadataValue, PhotoRecord
from index_builder.segments.stamps import Stamps, in_blocks
from index_builder.sources.base import SourcePhoto
from models.arrays import Rows


@dataclass(frozen=True)
class Published:
    """The photos of the published version by the order of their ids, and how they are looked up.

    `with_bytes`: a photo whose file has that hash, if there is one. `keeps_rows`: rows may stay in the segments that
    they are in (they lie in segments, and their metadata has the same fields as the new version's).
    """

    records: Iterator[PhotoRecord]
    stamps: Stamps
    with_bytes: Callable[[str], PhotoRecord | None]
    keeps_rows: bool


@dataclass(frozen=True)
class Reuse:
    """Of N listed photos: the published row that each keeps (-1: none), and by position the record that it copies.

    A photo that neither keeps a row nor copies a record is embedded. `before`: the published row that had its id.
    """

    kept: Rows
    copied: Mapping[int, PhotoRecord]
    before: Rows

    @classmethod
    def nothing(cls, count: int) -> Reuse:
        """Of so many listed photos, all are new."""
        none = np.broadcast_to(np.int64(-1), count)
        return cls(none, {}, none)

    def lost(self, published: int, live: npt.NDArray[np.bool_] | None = None) -> int:
        """How many of the published photos have neither their id nor their content in the new version.

        `live` (N,): which of the listed photos get a row; None: as if all did.
        """
        stays = np.zeros(published, bool)
        counted = np.ones(len(self.kept), bool) if live is None else live
        for rows in (self.before[counted], self.kept[counted]):
            stays[rows[rows >= 0]] = True
        stays[[record.row for position, record in self.copied.items() if counted[position]]] = True
        return int(published - stays.sum())


def reuse(
    photos: Sequence[SourcePhoto],
    stamps: Stamps,
    published: Published,
    field_names: Sequence[str],
    content_hash: Callable[[SourcePhoto], str | None],
) -> Reuse:
    """What the photos, sorted by id, with the stamps of their files take over.

    A file whose id and stamp are as published is not read; any other is hashed, and a hash that is known keeps its
    vector, whatever the photo is called now. `content_hash` returns None for a file that cannot be read.
    """
    kept, before = np.full(len(photos), -1, np.int64), np.full(len(photos), -1, np.int64)
    copied: dict[int, PhotoRecord] = {}
    matched = _matched(photos, published.records)
    for position, ((photo, record), stamp) in enumerate(zip(matched, in_blocks(stamps), strict=True)):
        same: PhotoRecord | None = None
        before[position] = -1 if record is None else record.row
        if record is not None and stamp[0] >= 0 and stamp == published.stamps[record.row].tolist():
            same = record
        elif (digest := content_hash(photo)) is not None:
            same = record if record is not None and record.sha256 == digest else published.with_bytes(digest)
        if same is None:
            continue
        if published.keeps_rows and _is_as_listed(same, photo, field_names):
            kept[position] = same.row
        else:
            copied[position] = same
    return Reuse(kept, copied, before)


def _matched(
    photos: Sequence[SourcePhoto], records: Iterator[PhotoRecord]
) -> Iterator[tuple[SourcePhoto, PhotoRecord | None]]:
    """Each photo with the record of its id; both come in the order of ids."""
    record = next(records, None)
    for photo in photos:
        while record is not None and record.photo_id < photo.photo_id:
            record = next(records, None)
        yield photo, record if record is not None and record.photo_id == photo.photo_id else None


def _is_as_listed(record: PhotoRecord, photo: SourcePhoto, field_names: Sequence[str]) -> bool:
    metadata: tuple[MetadataValue, ...] = tuple(record.metadata.get(name) for name in field_names)
    return (record.photo_id, record.path, record.category, metadata) == (
        photo.photo_id,
        photo.path,
        photo.category,
        photo.metadata,
    )
