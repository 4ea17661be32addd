"""What a step sees: pairs of a few categories, and drawings and photos of many kinds, augmented on the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.arrays import Rows
from models.data.images.augment import Augmentation, draw_augmentation
from models.data.sampling.category_batches import Batch, CategoryBatches
from models.data.sampling.kind_batches import KindBatch, KindBatches
from models.losses.inputs import KeptPairs
from models.networks.preprocessing import PixelStatistics
from models.training.engine.distributed import share_of
from models.training.engine.processes import Process
from models.training.pairs.batches import prepared_ahead
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.kept_teachers import KeptEnsemble
from models.training.recipes.parts.material import Material


@dataclass(frozen=True)
class PartsBatch:
    """This process's share of the views, (n, 3, S, S) normalised, and facts of the whole batch.

    `pair_sketches`, `pair_photos`: of B pairs; `sketches`, `photos`: of N and M images that belong to no pair.
    `identities`, `groups`, `kind_labels` (B,): photo, category, kind or -1. `sketch_kinds` (N,), `photo_kinds` (M,).
    `kept_pairs`, `kept_photos`: see `LossInputs`.
    """

    pair_sketches: Tensor
    pair_photos: Tensor
    sketches: Tensor
    photos: Tensor
    identities: Tensor
    groups: Tensor
    kind_labels: Tensor
    sketch_kinds: Tensor
    photo_kinds: Tensor
    kept_pairs: KeptPairs | None
    kept_photos: Tensor | None


@dataclass(frozen=True)
class PartsBatches:
    """Batch number i is a function of seed and i alone, whatever the number of processes.

    `ensemble`, `photo_vectors`: what teachers said of the images, where losses need it. `resident`: keep all images
    on the device, where they have room on a GPU.
    """

    config: PartsConfig
    material: Material
    pairs: CategoryBatches
    kinds: KindBatches
    process: Process
    ensemble: KeptEnsemble | None = None
    photo_vectors: NDArray[np.float16] | None = None
    resident: bool = field(default=False)

    def batch(self, number: int) -> PartsBatch:
        """Batch `number`: rows of decoded images, of which this process's share is augmented."""
        rows, more = self._rows(number)
        size_px = self.config.input_sizes[number % len(self.config.input_sizes)]
        groups = torch.from_numpy(rows.groups)
        # Chance is drawn for the whole batch and then cut, so that it does not depend on how many processes there are.
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + number)
        drawn = draw_augmentation(len(rows.photos), self.config.augment, generator, groups)
        apart = [draw_augmentation(len(r), self.config.kind_augment, generator) for r in (more.sketches, more.photos)]
        ensemble, vectors = self.ensemble, self.photo_vectors
        photos = np.concatenate([rows.photos, more.photos])
        return PartsBatch(
            pair_sketches=self._sketches(rows.sketches, drawn, size_px),
            pair_photos=self._photos(rows.photos, drawn, size_px),
            sketches=self._sketches(more.sketches, apart[0], size_px),
            photos=self._photos(more.photos, apart[1], size_px),
            identities=self._there(torch.from_numpy(rows.photos)),
            groups=self._there(groups),
            kind_labels=self._there(torch.from_numpy(self.material.table.photo_kind[rows.photos])),
            sketch_kinds=self._there(torch.from_numpy(more.sketch_kinds)),
            photo_kinds=self._there(torch.from_numpy(more.photo_kinds)),
            kept_pairs=None if ensemble is None else self._kept(ensemble, rows, drawn),
            kept_photos=None if vectors is None else self._there(torch.from_numpy(vectors[photos]).float()),
        )

    def from_to(self, start: int, stop: int, workers: int) -> Iterator[PartsBatch]:
        """Batches `start` to `stop`; see `prepared_ahead`."""
        return prepared_ahead(self.batch, start, stop, workers)

    def _rows(self, number: int) -> tuple[Batch, KindBatch]:
        """Every process must have equally many rows to gather, so what does not divide is left out."""
        world = self.process.world_size
        rows, more = self.pairs.batch(number), self.kinds.batch(number)
        if self.config.even_steps:
            batch, apart = self.config.batch, self.config.kind_batch
            more = more.repeated(batch.pairs + apart.kinds * apart.drawings - len(rows.photos))
        pairs, sketches, photos = (len(r) // world * world for r in (rows.photos, more.sketches, more.photos))
        return (
            Batch(rows.sketches[:pairs], rows.photos[:pairs], rows.groups[:pairs]),
            KindBatch(
                more.sketches[:sketches], more.sketch_kinds[:sketches], more.photos[:photos], more.photo_kinds[:photos]
            ),
        )

    def _sketches(self, rows: Rows, augmentation: Augmentation, size_px: int) -> Tensor:
        own = share_of(len(rows), self.process)
        images = self._images("sketches", rows[own]).unsqueeze(1)
        return self._normalised(augmentation.rows(own).to(self.process.device).apply_to_sketches(images, size_px))

    def _photos(self, rows: Rows, augmentation: Augmentation, size_px: int) -> Tensor:
        own = share_of(len(rows), self.process)
        images = self._images("photos", rows[own])
        return self._normalised(augmentation.rows(own).to(self.process.device).apply_to_photos(images, size_px))

    def _images(self, name: str, rows: Rows) -> Tensor:
        """Rows -> float in [0, 1] on the device; only a batch is ever float."""
        if self.resident:
            return self._on_device[name][torch.from_numpy(rows).to(self.process.device)].float().div_(255)
        chosen = torch.from_numpy(getattr(self.material.images, name)[rows])
        return self._there(chosen).float().div_(255)

    @cached_property
    def _on_device(self) -> dict[str, Tensor]:
        images = self.material.images
        return {
            name: self._there(torch.from_numpy(np.asarray(getattr(images, name)))) for name in ("sketches", "photos")
        }

    def _normalised(self, images: Tensor) -> Tensor:
        """(B, 1 or 3, S, S) in [0, 1] -> (B, 3, S, S) with the students' mean and deviation."""
        statistics: PixelStatistics = self.config.student.statistics
        mean, std = (self._there(torch.tensor(v)).view(3, 1, 1) for v in (statistics.mean, statistics.std))
        # (x - mean) / std in a single pass; a sketch's one channel is spread over three by the same broadcast.
        return torch.addcmul(-mean / std, images, 1 / std).contiguous(memory_format=torch.channels_last)

    def _kept(self, ensemble: KeptEnsemble, rows: Batch, drawn: Augmentation) -> KeptPairs:
        kept = ensemble.pairs(rows.sketches, rows.photos, drawn.mirrored)
        return KeptPairs(*(self._there(value) for value in vars(kept).values()))

    def _there(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.process.device, non_blocking=True)
