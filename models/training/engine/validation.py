"""Figures of the validation splits while training, from the torch modules; reported figures come from the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from models.bundle import ImageFile
from models.bundle.preprocess import Preprocess
from models.data.datasets import Photo, SketchRecord
from models.evaluation.protocol import CategoryGallery, measure_both
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentEncoder, StudentPair
from models.training.engine.placement import Place

_BATCH = 32
T = TypeVar("T")


@torch.no_grad()
def validate(
    students: StudentPair, galleries: Mapping[str, Sequence[CategoryGallery]], place: Place, *, bf16: bool = True
) -> dict[str, float]:
    """acc@1 and acc@10 of each split in percent; the encoding is shared by all processes.

    `NAME@1` by plain cosines, `NAME/centred@1` as a search within a category scores. Leaves the students in eval mode.
    """
    students.eval()
    sketch, photo = preprocesses(students.config.size_px)
    figures: dict[str, float] = {}
    for name, parts in galleries.items():
        drawn = _table([q for g in parts for q in g.queries], _drawn, students.sketch, sketch, place, bf16)
        seen = _table([p for g in parts for p in g.photos], _photographed, students.photo, photo, place, bf16)
        measured = measure_both(parts, _lookup(drawn), _lookup(seen))
        for label, found in ((name, measured.plain), (f"{name}/centred", measured.centred)):
            figures[f"{label}@1"] = round(100 * found.acc_at_1, 1)
            figures[f"{label}@10"] = round(100 * found.acc_at_10, 1)
    return figures


def _table(
    items: Sequence[T],
    file: Callable[[T], ImageFile],
    student: StudentEncoder,
    preprocess: Preprocess,
    place: Place,
    bf16: bool,
) -> dict[T, NDArray[np.float32]]:
    # Rows are exchanged by number: an item that came from another process need not equal the one here.
    items = list(dict.fromkeys(items))
    own = range(place.rank, len(items), place.world)
    table: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(own), _BATCH):
        chunk = own[start : start + _BATCH]
        pixels = np.stack([preprocess.read(file(items[row])) for row in chunk])
        batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last).to(place.device)
        with place.autocast(bf16):
            cells = student.cells(batch)
        table.update(zip(chunk, student.head(cells.float()).cpu().numpy(), strict=True))
    tables = [table]
    if place.world > 1:
        tables = [{}] * place.world
        dist.all_gather_object(tables, table)
    vectors = {row: vector for part in tables for row, vector in part.items()}
    return {item: vectors[row] for row, item in enumerate(items)}


def _drawn(record: SketchRecord) -> ImageFile:
    return record.sketch.image


def _photographed(photo: Photo) -> ImageFile:
    return photo.path


def _lookup(table: dict[T, NDArray[np.float32]]) -> Callable[[Sequence[T]], NDArray[np.float32]]:
    return lambda items: np.stack([table[item] for item in items])
