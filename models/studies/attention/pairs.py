"""One picture per pair: sketch, its photo and the strongest wrong one, with what students and teacher look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.adapters.category import CategoryAdapter
from models.bundle import Purpose, decode_image
from models.data.datasets import PairDataset, Photo, SketchRecord
from models.evaluation.embeddings import embed_photos, embed_sketches
from models.evaluation.purposes import within_category
from models.ranking import ranks_of
from models.studies.attention.layout import Layout, LayoutUnknown, Parts
from models.studies.attention.overlay import PANEL_PX, Panel, Row, overlay, picture
from models.studies.attention.students import InspectedStudents, cls_attention
from models.studies.attention.teacher import InspectedTeacher
from models.training.weights.torch_encoders import TorchEncoder


@dataclass(frozen=True)
class _RankedPair:
    """A sketch ranked among its category's photos, mean-centred as the service does: its photo and the best other."""

    record: SketchRecord
    purpose: Purpose
    right: Photo
    other: Photo
    rank: int
    right_parts: Parts
    other_parts: Parts


def pair_pictures(
    dataset: PairDataset, records: Sequence[SketchRecord], students: InspectedStudents, teacher: InspectedTeacher | None
) -> Iterator[tuple[str, Image.Image]]:
    """File name and RGB of each record that can be encoded and has a wrong photo next to the right one.

    Raises EmbeddingsNotFinite, and LayoutUnknown where there is nothing to see: no layout, no CLS to read, no teacher.
    """
    if not students.layout.grid and not isinstance(students.sketch, TorchEncoder) and teacher is None:
        raise LayoutUnknown(f"{students.bundle_id} keeps no layout; what its CLS reads needs --students FILE")
    number = 0
    for category in dict.fromkeys(record.photo.category for record in records):
        photos = tuple(photo for key, photo in dataset.photos.items() if key.category == category)
        queries = [record for record in records if record.photo.category == category]
        for pair in _search(students, queries, photos):
            number += 1
            record = pair.record
            heading = f"{category}/{record.photo.photo_id}: rank {pair.rank} of {len(photos)}"
            rows = _student_rows(pair, students)
            if teacher is not None:
                rows += _teacher_rows(pair, teacher)
            name = f"{number:02d}_{_plain(category)}_{_plain(record.photo.photo_id)}_rank_{pair.rank}.png"
            yield name, picture(heading, rows)


def _search(
    students: InspectedStudents, records: Sequence[SketchRecord], photos: Sequence[Photo]
) -> Iterator[_RankedPair]:
    purposes = within_category(students, [record.photo for record in records], photos)
    seen, drawn = embed_photos(students, photos), embed_sketches(students, records, purposes=purposes)
    usable = [row for row in range(len(photos)) if row not in seen.unusable]
    # With a single photo there is no wrong one to set beside the right one.
    if len(usable) < 2:
        return
    head = CategoryAdapter.centred(seen.vectors[usable])
    gallery, queries = head.embed_photos(seen.vectors[usable]), head.embed_sketches(drawn.vectors)
    keys = [photos[row].key for row in usable]
    for row, record in enumerate(records):
        if row in drawn.unusable or record.photo not in keys:
            continue
        scores, right = gallery @ queries[row], keys.index(record.photo)
        other = max((other for other in range(len(keys)) if other != right), key=lambda other: float(scores[other]))
        yield _RankedPair(
            record=record,
            purpose=purposes[row],
            right=photos[usable[right]],
            other=photos[usable[other]],
            rank=int(ranks_of(scores[None], np.array([right]))[0]),
            right_parts=students.layout.parts(queries[row], gallery[right]),
            other_parts=students.layout.parts(queries[row], gallery[other]),
        )


def _student_rows(pair: _RankedPair, students: InspectedStudents) -> list[Row]:
    sketch = students.sketch.view(pair.record.sketch.image(), pair.purpose)
    right, other = (students.photo.view(_decoded(photo)) for photo in (pair.right, pair.other))
    rows = [_contributions(pair, students.layout, (sketch, right, other))] if students.layout.grid else []
    encoders = (students.sketch, students.photo, students.photo)
    images = (pair.record.sketch.image(), _decoded(pair.right), _decoded(pair.other))
    maps = [
        cls_attention(encoder, image, pair.purpose) if isinstance(encoder, TorchEncoder) else None
        for encoder, image in zip(encoders, images, strict=True)
    ]
    read = [attention for attention in maps if attention is not None]
    if len(read) == len(maps):
        names = ("sketch", "its photo", "the other")
        panels = [_read(*each) for each in zip((sketch, right, other), read, names, strict=True)]
        rows.append(
            Row(
                "students: what each CLS reads of its own image in the last block; evenly read, a cell has 1 share",
                panels,
            )
        )
    return rows


def _contributions(pair: _RankedPair, layout: Layout, views: tuple[Image.Image, Image.Image, Image.Image]) -> Row:
    """Both photos on one scale; on the sketch, where the right photo gains on the wrong one, and where it loses."""
    right, other = pair.right_parts, pair.other_parts
    strongest = float(max(np.abs(right.cells).max(), np.abs(other.cells).max()))
    gain = right.cells - other.cells
    rest = f", CLS {right.rest:+.2f} and {other.rest:+.2f}" if layout.cls_dim else ""
    return Row(
        f"students: what each cell adds (blue) or takes (red){rest}; on the sketch: its photo minus the other",
        [
            Panel(overlay(views[0], gain, float(np.abs(gain).max())), f"difference {right.total - other.total:+.2f}"),
            Panel(overlay(views[1], right.cells, strongest), f"its photo: {right.total:.2f}"),
            Panel(
                overlay(views[2], other.cells, strongest), f"the other: {other.total:.2f} ({pair.other.key.photo_id})"
            ),
        ],
    )


def _teacher_rows(pair: _RankedPair, teacher: InspectedTeacher) -> list[Row]:
    sketch, photo = pair.record.sketch.image(), _decoded(pair.right)
    maps = teacher.maps(sketch, photo)
    if not maps:
        return []
    drawn, seen = teacher.sketch.view(sketch), teacher.photo.view(photo)
    names = [f"XMA block {number}" for number in range(1, len(maps) + 1)]
    return [
        Row(
            "teacher: what the sketch's CLS reads of the photo; evenly read, a cell has 1 share",
            [_read(seen, block.on_photo, name) for block, name in zip(maps, names, strict=True)],
        ),
        Row(
            "teacher: what the photo's CLS reads of the sketch",
            [_read(drawn, block.on_sketch, name) for block, name in zip(maps, names, strict=True)],
        ),
    ]


def _read(view: Image.Image, attention: NDArray[np.float32], caption: str) -> Panel:
    """Coloured where more is read than an even share; even attention stays without colour."""
    shares = attention / attention.mean()
    above = np.maximum(shares - 1, 0)
    strongest = max(1.0, float(above.max()))  # full colour is twice the even share, or more where there is more
    return Panel(overlay(view, above, strongest, smooth=True), f"{caption}, up to {shares.max():.1f} shares")


def _decoded(photo: Photo) -> Image.Image:
    return decode_image(photo.path.read_bytes(), draft_px=2 * PANEL_PX).image


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40]
