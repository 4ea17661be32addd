"""Batches as networks take them: augmented, normalised, at each size that is needed, on the device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from models.data.images.augment import Augmentation, AugmentConfig, draw_augmentation
from models.data.images.training_images import TrainingImages
from models.data.sampling.category_batches import CategoryBatches
from models.data.sampling.second_sketches import SecondSketches
from models.errors import InkseekError
from models.losses.inputs import Strokes
from models.networks.preprocessing import IMAGENET, PixelStatistics
from models.training.engine.distributed import share_of
from models.training.engine.processes import Process

B = TypeVar("B")


class TrainingDataUnfit(InkseekError):
    """The data is readable, but holds no negatives to learn from in batches of this make-up."""


@dataclass(frozen=True)
class Views:
    """This process's pairs at one size, (B / world, 3, S, S) normalised: photos, a sketch of each, another of each."""

    photos: Tensor
    first: Tensor
    second: Tensor


@dataclass(frozen=True)
class PairBatch:
    """`identities` (B,), `groups` (B,): photo and category of each pair of the whole batch, as numbers.

    `views`: this process's share by size in pixels. `kind_labels` (B,): the category of each pair by its name, over
    all data sets; `strokes`: the first sketches as pen movements; both of the whole batch, None where there are none.
    """

    identities: Tensor
    groups: Tensor
    views: dict[int, Views]
    kind_labels: Tensor | None = None
    strokes: Strokes | None = None


@dataclass(frozen=True)
class PairBatches:
    """Batch number i is a function of seed and i alone, whatever the number of processes.

    `second`: None where one sketch of a photo is enough; views then repeat the first. `augment`: None only resizes.
    `statistics`: of the networks' inputs.
    """

    images: TrainingImages
    batches: CategoryBatches
    second: SecondSketches | None
    augment: AugmentConfig | None
    sizes: Sequence[int]
    process: Process
    statistics: PixelStatistics = IMAGENET

    def batch(self, number: int) -> PairBatch:
        """Batch `number`: rows of decoded images, of which this process's share is augmented."""
        rows = self.batches.batch(number)
        # Every process must have equally many rows to gather, so what does not divide is left out.
        count = len(rows.photos) // self.process.world_size * self.process.world_size
        own = share_of(count, self.process)
        first, photos = self.images.tensors(rows.sketches[own], rows.photos[own])
        second = None
        if self.second is not None:
            second, _ = self.images.tensors(self.second.rows(rows, number)[own], rows.photos[:0])
        groups = torch.from_numpy(rows.groups[:count])
        augmentation = self._augmentation(count, number, own, groups)
        views = {size: self._views(photos, first, second, size, augmentation) for size in dict.fromkeys(self.sizes)}
        identities = torch.from_numpy(rows.photos[:count])
        kinds = torch.tensor([self._kinds[int(photo)] for photo in rows.photos[:count]])
        device = self.process.device
        return PairBatch(identities.to(device), groups.to(device), views, kinds.to(device))

    def from_to(self, start: int, stop: int, workers: int) -> Iterator[PairBatch]:
        """Batches `start` to `stop`; see `prepared_ahead`."""
        return prepared_ahead(self.batch, start, stop, workers)

    @cached_property
    def _kinds(self) -> Mapping[int, int]:
        """Photo row -> number of its category's name among all names: sets that share a name share the kind."""
        names = {pool.name: pool.name.rpartition("/")[2].lower().replace(" ", "_") for pool in self.batches.pools}
        numbers = {name: number for number, name in enumerate(sorted(set(names.values())))}
        return {photo: numbers[names[pool.name]] for pool in self.batches.pools for photo in pool.photos}

    def _augmentation(
        self, count: int, number: int, own: slice, groups: Tensor
    ) -> tuple[Augmentation, Augmentation] | None:
        if self.augment is None:
            return None
        # Drawn for the whole batch and then cut, so that a pair looks alike however many processes there are.
        generator = torch.Generator().manual_seed(self.batches.seed * 1_000_003 + number)
        pair = draw_augmentation(count, self.augment, generator, groups).rows(own)
        # The second sketch lies where the first does; its strokes are distorted, thickened and erased otherwise.
        strokes = draw_augmentation(count, self.augment, generator).rows(own)
        return pair, replace(pair, wobble=strokes.wobble, pen=strokes.pen, erase=strokes.erase)

    def _views(
        self,
        photos: Tensor,
        first: Tensor,
        second: Tensor | None,
        size_px: int,
        augmentation: tuple[Augmentation, Augmentation] | None,
    ) -> Views:
        if augmentation is None:
            first, photos = _resized(first, size_px), _resized(photos, size_px)
            second = first if second is None else _resized(second, size_px)
        else:
            original = photos
            first, photos = augmentation[0].apply(first, original, size_px)
            second = first if second is None else augmentation[1].apply(second, original, size_px)[0]
        ready = self._normalised(first)
        return Views(self._normalised(photos), ready, ready if second is first else self._normalised(second))

    def _normalised(self, images: Tensor) -> Tensor:
        """(B, 1 or 3, S, S) in [0, 1] -> (B, 3, S, S) with the networks' mean and deviation."""
        mean, std = (torch.tensor(channels).view(3, 1, 1) for channels in (self.statistics.mean, self.statistics.std))
        # (x - mean) / std in a single pass; a sketch's one channel is spread over three by the same broadcast.
        ready = torch.addcmul(-mean / std, images, 1 / std).contiguous(memory_format=torch.channels_last)
        return ready.to(self.process.device, non_blocking=True)


def prepared_ahead(batch: Callable[[int], B], start: int, stop: int, workers: int) -> Iterator[B]:
    """Batches number `start` to `stop`; with `workers` threads they are prepared while the device is busy."""
    if not workers:
        yield from (batch(number) for number in range(start, stop))
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[B]] = deque()
        # Two batches a worker are ahead of the one being trained on; the bound keeps prepared images from filling
        # memory.
        for number in range(start, stop + 2 * workers):
            if number < stop:
                ahead.append(pool.submit(batch, number))
            if number >= start + 2 * workers and ahead:
                yield ahead.popleft().result()


def require_learnable(batches: CategoryBatches, world_size: int) -> None:
    """Raises TrainingDataUnfit unless a batch can hold two photos of a category for each process."""
    share = batches.batch_size // batches.groups
    if share < 2:
        raise TrainingDataUnfit(
            f"{batches.batch_size} pairs in {batches.groups} groups give a photo no negative of its category"
        )
    poor = [pool.name for pool in batches.pools if pool.weight > 0 and len(pool.photos) < 2]
    if poor:
        raise TrainingDataUnfit(
            f"{len(poor)} categories have a single photo to learn from, the first is {poor[0]}: a photo needs others "
            "of its category beside it. Add photos, join such categories in the table, or `exclude` their photos"
        )
    if batches.batch_size < 2 * world_size:
        raise TrainingDataUnfit(f"{batches.batch_size} pairs a batch are too few for {world_size} processes")


def _resized(images: Tensor, size_px: int) -> Tensor:
    if images.shape[-1] == size_px:
        return images
    return F.interpolate(images, size=(size_px, size_px), mode="bilinear", antialias=True, align_corners=False)
