"""Figures of the validation splits while training, from the torch modules; reported figures come from the bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from models.bundle import SketchNormalisation, decode_image
from models.bundle.preprocess import Preprocess
from models.data.pairs import Pair, Photo
from models.evaluation.protocol import measure
from models.evaluation.splits import ValidationSplit, load_galleries
from models.students import Student, Students

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_BATCH = 32
T = TypeVar("T")


def preprocesses(size_px: int, normalisation: SketchNormalisation | None = None) -> tuple[Preprocess, Preprocess]:
    """The serving preprocessing of sketches and of photos at this size."""
    plain = Preprocess(size_px=size_px, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return plain.model_copy(update={"sketch": normalisation or SketchNormalisation()}), plain


@torch.no_grad()
def validate(
    students: Students, data: Path, splits: Sequence[ValidationSplit], rank: int, world: int
) -> dict[str, float]:
    """acc@1 and acc@10 of each split in percent; the encoding is shared by all processes.

    In eval mode, which the students are left in.
    """
    students.eval()
    sketch, photo = preprocesses(students.config.size_px)
    figures: dict[str, float] = {}
    for name, galleries in load_galleries(data, splits).items():
        drawn = _table(
            [query.sketch_path for g in galleries for query in g.queries], students.sketch, sketch, rank, world
        )
        seen = _table([p.path for g in galleries for p in g.photos], students.photo, photo, rank, world)
        measured = measure(galleries, _lookup(drawn, _sketch_path), _lookup(seen, _photo_path))
        figures[f"{name}@1"] = round(100 * measured.acc_at_1, 1)
        figures[f"{name}@10"] = round(100 * measured.acc_at_10, 1)
    return figures


def _table(
    paths: Sequence[Path], student: Student, preprocess: Preprocess, rank: int, world: int
) -> dict[Path, NDArray[np.float32]]:
    own = list(dict.fromkeys(paths))[rank::world]
    table: dict[Path, NDArray[np.float32]] = {}
    for start in range(0, len(own), _BATCH):
        chunk = own[start : start + _BATCH]
        pixels = np.stack([preprocess(decode_image(path.read_bytes(), matte="contrast").image) for path in chunk])
        batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cells = student.cells(batch)
        table.update(zip(chunk, student.head(cells.float()).numpy(), strict=True))
    if world == 1:
        return table
    tables: list[dict[Path, NDArray[np.float32]]] = [{}] * world
    dist.all_gather_object(tables, table)
    return {path: row for part in tables for path, row in part.items()}


def _sketch_path(pair: Pair) -> Path:
    return pair.sketch_path


def _photo_path(photo: Photo) -> Path:
    return photo.path


def _lookup(
    table: dict[Path, NDArray[np.float32]], path: Callable[[T], Path]
) -> Callable[[Sequence[T]], NDArray[np.float32]]:
    return lambda items: np.stack([table[path(item)] for item in items])
