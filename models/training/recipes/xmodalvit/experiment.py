"""What teacher and students prepare alike before the first step, and where a run reads and writes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.data.images.training_images import TrainingImages, prepare_images
from models.data.sampling.category_batches import CategoryBatches
from models.data.sampling.second_sketches import SecondSketches
from models.evaluation.protocol import CategoryGallery
from models.evaluation.splits import load_galleries
from models.training.engine.pair_batches import PairBatches, require_learnable
from models.training.engine.placement import Place, launch
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.weights.pretrained import MOBILENET_V2_IMAGENET, RESNET18_IMAGENET, fetch


@dataclass(frozen=True)
class Resources:
    """What a run may use. `data`: folder of the data sets. `processes`, `threads`, `device`: see `launch`.

    `workers`: threads that prepare batches ahead, for a GPU half as many as CPU cores, for a CPU none. `cache`: decoded
    images and pretrained weights, which runs may share; by default below the run's directory.
    """

    data: Path
    processes: int = 1
    threads: int = 1
    device: str = "auto"
    workers: int = 0
    cache: Path | None = None


@dataclass(frozen=True)
class XModalRun:
    """`out`: the run's directory. `teacher`: a teacher's. `stop_after`: end after this step as if killed there.

    `keep`: steps whose students are kept whatever their figures, to blend them. `start`: a file with students of the
    same form, whose weights the new ones begin with.
    """

    config: XModalConfig
    resources: Resources
    out: Path
    teacher: Path | None = None
    stop_after: int | None = None
    keep: tuple[int, ...] = ()
    start: Path | None = None

    @property
    def images(self) -> Path:
        """Decoded training images."""
        return (self.resources.cache or self.out) / "images"

    @property
    def pretrained(self) -> Path:
        """Downloaded weights."""
        return (self.resources.cache or self.out) / "pretrained"

    def launch(self, work: Callable[[Place], None]) -> None:
        """Call it in every process. Raises DeviceUnavailable."""
        given = self.resources
        launch(work, processes=given.processes, threads=given.threads, device=given.device)

    def galleries(self) -> dict[str, tuple[CategoryGallery, ...]]:
        """The validation splits' galleries. Raises DatasetError."""
        return load_galleries(self.resources.data, self.config.validation)

    def prepare(self) -> None:
        """Refuse what cannot work, decode every image once, fetch weights: all that may fail fails here.

        Raises DatasetError, ImageError, TrainingDataUnfit, PretrainedError.
        """
        galleries = self.galleries()
        images = self._open_images(say)
        require_learnable(self._category_batches(images), self.resources.processes)
        if self.config.pretrained and self.start is None:
            fetch(RESNET18_IMAGENET, self.pretrained)
            if self.config.student is not None and self.config.student.trunk == "mobilenet_v2":
                fetch(MOBILENET_V2_IMAGENET, self.pretrained)
        drawn = sum(len(rows) for pool in images.pools for rows in pool.sketches)
        say(f"{len(images.pools)} categories, {len(images.photos):,} photos, {drawn:,} sketches to learn from")
        for name, parts in galleries.items():
            queries, photos = sum(len(g.queries) for g in parts), sum(len(g.photos) for g in parts)
            say(f"{name}: {queries:,} sketches search {photos:,} photos of {len(parts)} categories")

    def batches(self, sizes: tuple[int, ...], place: Place, *, two_sketches: bool) -> PairBatches:
        """Batches for a process, after `prepare`."""
        images = self._open_images(_quiet)
        second = SecondSketches(images.pools, self.config.seed) if two_sketches else None
        augment = self.config.augment or None
        return PairBatches(images, self._category_batches(images), second, augment, sizes, place)

    def _open_images(self, report: Callable[[str], None]) -> TrainingImages:
        return prepare_images(self.resources.data, self.config.sets, self.config.cache_px, self.images, report)

    def _category_batches(self, images: TrainingImages) -> CategoryBatches:
        batch = self.config.batch
        return CategoryBatches(
            pools=images.pools,
            batch_size=batch.pairs,
            groups=batch.groups,
            drawn_share=batch.drawn_share,
            synthetic_share=batch.synthetic_share,
            seed=self.config.seed,
        )


def say(text: str) -> None:
    """A line to the terminal."""
    sys.stderr.write(text + "\n")


def _quiet(_: str) -> None:
    pass
