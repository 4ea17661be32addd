"""A contact sheet of pairs: each sketch as the encoder sees it beside its photo, with their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.bundle import AS_DRAWN, ImageError, SketchNormalisation, decode_image, normalise_sketch
from models.data.datasets import PairDataset, SketchRecord
from models.data.images.captions import Font, printable, shortened

_CELL_PX = 168
_GAP_PX = 14
_FONT_PX = 12
_LINES = 2
_COLUMNS = 4  # pairs
_PAPER, _PAGE, _INK, _FAINT, _FAULT = (255, 255, 255), (238, 239, 242), (28, 28, 34), (96, 98, 108), (190, 30, 30)


@dataclass(frozen=True)
class _Picture:
    """What goes into a cell; `fault` is drawn over it."""

    image: Image.Image
    fault: str = ""


def choose_records(dataset: PairDataset, count: int, seed: int = 0) -> tuple[SketchRecord, ...]:
    """Up to `count` records: one of each split and category in turn, so that all of them are shown.

    Drawn at random, the same ones for the same seed; in order of photo, split and sketch name.
    """
    rng = np.random.default_rng(seed)
    # Plain sampling would show a hundred chairs and none of the rare categories.
    groups: dict[tuple[str, str], list[SketchRecord]] = {}
    for record in dataset.records:
        groups.setdefault((record.photo.category, record.split), []).append(record)
    queues = [[group[i] for i in rng.permutation(len(group))] for group in groups.values()]
    queues = [queues[i] for i in rng.permutation(len(queues))]
    chosen: list[SketchRecord] = []
    depth = 0
    while len(chosen) < count and any(len(queue) > depth for queue in queues):
        chosen += [queue[depth] for queue in queues if len(queue) > depth]
        depth += 1
    return tuple(sorted(chosen[:count], key=lambda r: (r.photo, r.split, r.sketch.name)))


def pair_sheet(dataset: PairDataset, records: Sequence[SketchRecord]) -> Image.Image:
    """RGB, four pairs per row. An image that cannot be decoded, or a sketch without ink, shows the reason in red."""
    width = 2 * _CELL_PX + _GAP_PX
    height = _CELL_PX + _LINES * (_FONT_PX + 4) + _GAP_PX
    columns = max(1, min(_COLUMNS, len(records)))
    rows = max(1, -(-len(records) // _COLUMNS))
    sheet = Image.new("RGB", (columns * width + _GAP_PX, rows * height + _GAP_PX), _PAGE)
    font = ImageFont.load_default(_FONT_PX)
    for number, record in enumerate(records):
        left = _GAP_PX + width * (number % _COLUMNS)
        top = _GAP_PX + height * (number // _COLUMNS)
        _paste(sheet, _sketch_picture(record), left, top, font)
        _paste(sheet, _photo_picture(dataset, record), left + _CELL_PX, top, font)
        _caption(sheet, record, left, top + _CELL_PX + 2, font)
    return sheet


def _sketch_picture(record: SketchRecord) -> _Picture:
    try:
        sketch = record.sketch.image()
    except (ImageError, OSError) as error:
        return _Picture(_blank(), str(error))
    try:
        return _Picture(normalise_sketch(sketch, SketchNormalisation(), AS_DRAWN))
    except ImageError as error:
        return _Picture(sketch, str(error))


def _photo_picture(dataset: PairDataset, record: SketchRecord) -> _Picture:
    try:
        # A reduced decode is enough for a thumbnail and about four times cheaper.
        return _Picture(decode_image(dataset.photo_of(record).path.read_bytes(), draft_px=_CELL_PX).image)
    except (ImageError, OSError) as error:
        return _Picture(_blank(), str(error))


def _blank() -> Image.Image:
    return Image.new("RGB", (_CELL_PX, _CELL_PX), _PAPER)


def _paste(sheet: Image.Image, picture: _Picture, left: int, top: int, font: Font) -> None:
    cell = _blank()
    scale = _CELL_PX / max(picture.image.size)
    size = (max(1, round(picture.image.width * scale)), max(1, round(picture.image.height * scale)))
    shown = picture.image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    cell.paste(shown, ((_CELL_PX - size[0]) // 2, (_CELL_PX - size[1]) // 2))
    if picture.fault:
        draw = ImageDraw.Draw(cell)
        draw.rectangle((1, 1, _CELL_PX - 2, _CELL_PX - 2), outline=_FAULT, width=2)
        draw.text((8, 8), _wrapped(picture.fault, font), fill=_FAULT, font=font)
    sheet.paste(cell, (left, top))


def _caption(sheet: Image.Image, record: SketchRecord, left: int, top: int, font: Font) -> None:
    facts = [record.split, f"by {record.person}" if record.person else "", *sorted(record.marks)]
    lines = (f"{record.photo.category}/{record.photo.photo_id}", f"{_last(record)}  {'  '.join(filter(None, facts))}")
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        text = shortened(line, font, 2 * _CELL_PX)
        draw.text((left, top + number * (_FONT_PX + 3)), text, fill=_FAINT if number else _INK, font=font)


def _last(record: SketchRecord) -> str:
    return record.sketch.name.rpartition("/")[2]


def _wrapped(text: str, font: Font) -> str:
    lines = [""]
    for word in printable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= _CELL_PX - 16 or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines[:8])
