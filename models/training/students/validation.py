"""Figures of the validation splits while training, from the torch modules; reported figures come from the bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle import ImageFile
from models.bundle.preprocess import Preprocess
from models.data.datasets import Photo, SketchRecord
from models.evaluation.protocol import CategoryGallery, measure_both
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentEncoder, StudentPair
from models.training.engine.distributed import gather_objects
from models.training.engine.processes import Process

_BATCH = 32
T = TypeVar("T")


@torch.no_grad()
def validate(
    students: StudentPair,
    galleries: Mapping[str, Sequence[CategoryGallery]],
    process: Process,
    *,
    bf16: bool = True,
    trim: bool = False,
) -> dict[str, float]:
    """acc@1 and acc@10 of each split in percent; the encoding is shared by all processes.

    `NAME@1` by plain cosines, `NAME/centred@1` as a search within a category scores; of an
    embedding in parts both compare the layout alone, which is what tells a category's photos apart. `trim`: of photos,
    see `Preprocess`. Leaves the students in eval mode.
    """
    students.eval()
    sketch, photo = preprocesses(students.config.size_px, statistics=students.config.statistics, trim=trim)
    figures: dict[str, float] = {}
    divided = students.config.embedding_parts
    within = (lambda rows: rows) if divided is None else divided.layout_of
    for name, parts in galleries.items():
        sketches = _table([q for g in parts for q in g.queries], _sketch_file, students.sketch, sketch, process, bf16)
        photos = _table([p for g in parts for p in g.photos], _photo_file, students.photo, photo, process, bf16)
        measured = measure_both(parts, _lookup(sketches, within), _lookup(photos, within))
        for label, part in ((name, measured.plain), (f"{name}/centred", measured.centred)):
            figures[f"{label}@1"] = round(100 * part.acc_at_1, 1)
            figures[f"{label}@10"] = round(100 * part.acc_at_10, 1)
    return figures


def _table(
    items: Sequence[T],
    file: Callable[[T], ImageFile],
    student: StudentEncoder,
    preprocess: Preprocess,
    process: Process,
    bf16: bool,
) -> dict[T, NDArray[np.float32]]:
    # Rows are exchanged by number: an item that came from another process need not equal the one here.
    items = list(dict.fromkeys(items))
    own = range(process.rank, len(items), process.world_size)
    table: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(own), _BATCH):
        chunk = own[start : start + _BATCH]
        pixels = np.stack([preprocess.read(file(items[row])) for row in chunk])
        batch = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last).to(process.device)
        with process.autocast(bf16):
            cells = student.cells(batch)
        table.update(zip(chunk, student.head(cells.float()).cpu().numpy(), strict=True))
    vectors = {row: vector for part in gather_objects(table, process) for row, vector in part.items()}
    return {item: vectors[row] for row, item in enumerate(items)}


def _sketch_file(record: SketchRecord) -> ImageFile:
    return record.sketch.image


def _photo_file(photo: Photo) -> ImageFile:
    return photo.path


def _lookup(
    table: dict[T, NDArray[np.float32]], within: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> Callable[[Sequence[T]], NDArray[np.float32]]:
    return lambda items: within(np.stack([table[item] for item in items]))
