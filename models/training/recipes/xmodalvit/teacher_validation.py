"""Figures of a teacher while it trains. They are no retrieval figures: a fused vector has seen the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.bundle import ImageFile
from models.bundle.preprocess import Preprocess
from models.data.datasets import Photo, PhotoKey, SketchSource
from models.evaluation.protocol import CategoryGallery
from models.networks.fused_teacher import Teacher
from models.networks.preprocessing import preprocesses
from models.ranking import ranks_of
from models.training.engine.distributed import gather_objects
from models.training.engine.loop import Evaluation
from models.training.engine.processes import Process

_BATCH = 32


@dataclass(frozen=True)
class _Triple:
    """A photo and two sketches of it, the same twice where there is one only."""

    photo: Photo
    first: SketchSource
    second: SketchSource


@torch.no_grad()
def validate_teacher(
    teacher: Teacher,
    galleries: Mapping[str, Sequence[CategoryGallery]],
    temperature: float,
    process: Process,
    bf16: bool,
) -> Evaluation:
    """Within each category, does r_s(p, b) find r_p(p, a)? Leaves the teacher in eval mode.

    `/fused@1` in percent and `/loss`, the cross-entropy of it; `/grid@1` asks the same of the grid parts, which know
    their own image alone. The score is grid@1 where there is a grid, else the loss with its sign changed.
    """
    teacher.eval()
    figures: dict[str, float] = {}
    scores: list[float] = []
    for name, parts in galleries.items():
        # Each process encodes its share of the categories, and all gather all rows: every one has to come to the same
        # score, because early stopping goes by it.
        share = parts[process.rank :: process.world_size]
        own = [row for gallery in share for row in _measured(teacher, gallery, temperature, process, bf16)]
        rows = [row for part in gather_objects(own, process) for row in part]
        if not rows:
            continue
        loss, fused, grid = np.mean(rows, axis=0)
        figures[f"{name}/loss"] = round(float(loss), 4)
        figures[f"{name}/fused@1"] = round(100 * float(fused), 1)
        if teacher.config.grid:
            figures[f"{name}/grid@1"] = round(100 * float(grid), 1)
        # fused@1 says little, since both fused vectors know the photo.
        scores.append(100 * float(grid) if teacher.config.grid else -float(loss))
    return Evaluation(figures, float(np.mean(scores)) if scores else 0.0)


def _measured(
    teacher: Teacher, gallery: CategoryGallery, temperature: float, process: Process, bf16: bool
) -> list[tuple[float, float, float]]:
    """Of each item: cross-entropy, fused hit, grid hit. A category with a single item is left out."""
    triples = _triples(gallery)
    if len(triples) < 2:
        return []
    r_p, r_s = _encoded(teacher, triples, process, bf16)
    logits = F.normalize(r_s, dim=1) @ F.normalize(r_p, dim=1).T
    loss = -F.log_softmax(logits / temperature, dim=1).diagonal()
    cells = teacher.config.embedding_dim - teacher.config.encoder.dim
    # The grid's numbers are the last columns, behind the fused vector.
    layout = r_s[:, -cells:] @ r_p[:, -cells:].T if cells else torch.zeros_like(logits)
    target = np.arange(len(triples))
    fused, grid = ranks_of(logits.numpy(), target) == 1, ranks_of(layout.numpy(), target) == 1
    return [(float(a), float(b), float(c)) for a, b, c in zip(loss, fused, grid, strict=True)]


def _encoded(teacher: Teacher, triples: Sequence[_Triple], process: Process, bf16: bool) -> tuple[Tensor, Tensor]:
    """r_p(p, a) and r_s(p, b) of each, on the CPU."""
    sketch_view, photo_view = preprocesses(teacher.config.encoder.size_px)
    rows: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(triples), _BATCH):
        chunk = triples[start : start + _BATCH]
        photos = _pixels([item.photo.path for item in chunk], photo_view).to(process.device)
        first = _pixels([item.first.image for item in chunk], sketch_view).to(process.device)
        second = _pixels([item.second.image for item in chunk], sketch_view).to(process.device)
        with process.autocast(bf16):
            of_photos = teacher.photo_encoder(photos)
            with_first = teacher.fuse(of_photos, teacher.sketch_encoder(first))
            with_second = teacher.fuse(of_photos, teacher.sketch_encoder(second))
        rows.append((teacher.embed(with_first.float())[0].cpu(), teacher.embed(with_second.float())[1].cpu()))
    return torch.cat([row[0] for row in rows]), torch.cat([row[1] for row in rows])


def _triples(gallery: CategoryGallery) -> list[_Triple]:
    photo_of = {photo.key: photo for photo in gallery.photos}
    sketches: dict[PhotoKey, list[SketchSource]] = {}
    for query in gallery.queries:
        sketches.setdefault(query.photo, []).append(query.sketch)
    return [_Triple(photo_of[key], own[0], own[min(1, len(own) - 1)]) for key, own in sketches.items()]


def _pixels(files: Sequence[ImageFile], prepare: Preprocess) -> Tensor:
    return torch.from_numpy(np.stack([prepare.read(file) for file in files])).contiguous(
        memory_format=torch.channels_last
    )
