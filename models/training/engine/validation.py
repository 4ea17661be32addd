"""Figures of the validation splits while training, from the torch modules; reported figures come from the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from models.bundle import SketchNormalisation
from models.bundle.preprocess import Preprocess
from models.data.datasets.pairs import Pair, Photo
from models.evaluation.protocol import CategoryGallery, measure_both
from models.networks.grid_students import Student, Students
from models.networks.vit_students import VitStudent, VitStudents
from models.training.engine.placement import Place

AnyStudents: TypeAlias = Students | VitStudents

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
    students: AnyStudents, galleries: Mapping[str, Sequence[CategoryGallery]], place: Place, *, bf16: bool = True
) -> dict[str, float]:
    """acc@1 and acc@10 of each split in percent; the encoding is shared by all processes.

    `NAME@1` by plain cosines, `NAME/centred@1` as a search within a category scores. Leaves the students in eval mode.
    """
    students.eval()
    sketch, photo = preprocesses(students.config.size_px)
    figures: dict[str, float] = {}
    for name, parts in galleries.items():
        drawn = _table([q.sketch_path for g in parts for q in g.queries], students.sketch, sketch, place, bf16)
        seen = _table([p.path for g in parts for p in g.photos], students.photo, photo, place, bf16)
        measured = measure_both(parts, _lookup(drawn, _sketch_path), _lookup(seen, _photo_path))
        for label, found in ((name, measured.plain), (f"{name}/centred", measured.centred)):
            figures[f"{label}@1"] = round(100 * found.acc_at_1, 1)
            figures[f"{label}@10"] = round(100 * found.acc_at_10, 1)
    return figures


def _table(
    paths: Sequence[Path], student: Student | VitStudent, preprocess: Preprocess, place: Place, bf16: bool
) -> dict[Path, NDArray[np.float32]]:
    own = list(dict.fromkeys(paths))[place.rank :: place.world]
    table: dict[Path, NDArray[np.float32]] = {}
    for start in range(0, len(own), _BATCH):
        chunk = own[start : start + _BATCH]
        pixels = np.stack([preprocess.read(path) for path in chunk])
        batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last).to(place.device)
        with place.autocast(bf16):
            cells = student.cells(batch)
        table.update(zip(chunk, student.head(cells.float()).cpu().numpy(), strict=True))
    if place.world == 1:
        return table
    tables: list[dict[Path, NDArray[np.float32]]] = [{}] * place.world
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
