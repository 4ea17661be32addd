"""One run of a recipe on pairs: the experiment, what it may use of the machine, and where it reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from torch import nn

from models.console import log
from models.data.datasets import require_below
from models.data.images.training_images import TrainingImages, prepare_images
from models.data.sampling.category_batches import CategoryBatches
from models.data.sampling.second_sketches import SecondSketches
from models.evaluation.protocol import CategoryGallery
from models.evaluation.splits import load_galleries
from models.networks.preprocessing import IMAGENET, PixelStatistics
from models.training.engine.processes import Process, available_device, launch
from models.training.engine.run_directory import RunDirectory
from models.training.pairs.batches import PairBatches, require_learnable
from models.training.pairs.config import PairExperiment
from models.training.pairs.validation_images import usable_galleries
from models.training.weights.start import fetch_imagenet

C = TypeVar("C", bound=PairExperiment, covariant=True)


@dataclass(frozen=True)
class Resources:
    """What a run may use. `data`: folder of the data sets. `processes`, `threads`, `device`: see `launch`.

    `workers`: threads that prepare batches ahead, for a GPU half as many as CPU cores, for a CPU none. `cache`: decoded
    images and pretrained weights, which runs may share; by default below the run's directory. `skip_flawed`: leave
    images out that cannot be used, in place of naming them all and ending.
    """

    data: Path
    processes: int = 1
    threads: int = 1
    device: str = "auto"
    workers: int = 0
    cache: Path | None = None
    skip_flawed: bool = False

    def require(self) -> None:
        """Raise DatasetNotFound, DeviceUnavailable where data or device are not there, before anything is read."""
        require_below(self.data, ())
        available_device(self.device, self.processes)


@dataclass(frozen=True)
class PairRun(Generic[C]):
    """`out`: the run's directory. `teacher`: a teacher's path. `stop_after`: end after this step as if killed.

    `keep`: steps whose students are kept whatever their figures, to blend them. `start`: a students.pt of the same
    form, whose weights the new students begin with.
    """

    config: C
    resources: Resources
    out: Path
    teacher: Path | None = None
    stop_after: int | None = None
    keep: tuple[int, ...] = ()
    start: Path | None = None

    @property
    def images(self) -> Path:
        """The folder of decoded training images."""
        return (self.resources.cache or self.out) / "images"

    @property
    def pretrained(self) -> Path:
        """The folder of downloaded weights."""
        return (self.resources.cache or self.out) / "pretrained"

    def launch(self, work: Callable[[Process], None]) -> None:
        """Call `work` in every process of the run. Raises DeviceUnavailable."""
        granted = self.resources
        launch(work, processes=granted.processes, threads=granted.threads, device=granted.device)

    def galleries(self) -> dict[str, tuple[CategoryGallery, ...]]:
        """The validation splits' galleries by the split's name, all of whose images decode. Raises DatasetError."""
        loaded = load_galleries(self.resources.data, self.config.validation)
        return usable_galleries(loaded, self.images, log, skip_flawed=self.resources.skip_flawed)

    def prepare(self, network: nn.Module) -> None:
        """Reject what cannot work, decode every image once, fetch the weights that `network` starts from.

        All that may fail fails here. Raises DatasetError, TrainingDataUnfit, PretrainedError.
        """
        # What is missing shows at once, before images are decoded for minutes.
        if self.config.pretrained and self.start is None:
            fetch_imagenet(network, self.pretrained)
        galleries = self.galleries()
        images = self._open_images(log)
        require_learnable(self._category_batches(images), self.resources.processes)
        self.note_data(images)
        sketches = sum(len(rows) for pool in images.pools for rows in pool.sketches)
        log(f"{len(images.pools)} categories, {len(images.photos):,} photos, {sketches:,} sketches to learn from")
        for name, parts in galleries.items():
            queries, photos = sum(len(g.queries) for g in parts), sum(len(g.photos) for g in parts)
            log(f"{name}: {queries:,} sketches search {photos:,} photos of {len(parts)} categories")

    def note_data(self, images: TrainingImages) -> None:
        """Write down what is trained on, for the model card. Raises OSError."""
        RunDirectory(self.out).write_data([asdict(each) for each in images.contents])

    def batches(
        self,
        sizes: tuple[int, ...],
        process: Process,
        *,
        two_sketches: bool,
        statistics: PixelStatistics = IMAGENET,
    ) -> PairBatches:
        """The batches of a process at input sides `sizes` in pixels; call `prepare` first.

        `two_sketches`: with a second sketch of each photo, else the views repeat the first.
        `statistics`: of the inputs.
        """
        images = self._open_images(lambda line: None)
        second = SecondSketches(images.pools, self.config.seed) if two_sketches else None
        augment = self.config.augment or None
        return PairBatches(images, self._category_batches(images), second, augment, sizes, process, statistics)

    def _open_images(self, report: Callable[[str], None]) -> TrainingImages:
        config, granted = self.config, self.resources
        return prepare_images(
            granted.data, config.sets, config.cache_px, self.images, report, skip_flawed=granted.skip_flawed
        )

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
