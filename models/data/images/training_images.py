"""Every training image decoded once, through the serving code, into arrays that lie on disk and are mapped to memory.

Several training processes share one copy, and a resumed run finds it ready.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.arrays import Rows
from models.atomic_files import write_text
from models.bundle import ImageError, Preprocess, SketchNormalisation
from models.data.builders.synthetic import DRAWING_STYLES, line_drawings, random_styles
from models.data.datasets import DatasetFlawed, LabelledSketch, PhotoKey, SketchRecord
from models.data.images.training_sets import SetConfig, TrainingSet
from models.data.sampling.category_batches import CategoryPool

_UNNORMALISED = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
_CHUNK = 16  # photos that are decoded before their drawings are made in one batch


@dataclass(frozen=True)
class TrainingImages:
    """`photos` (N, 3, P, P) and `sketches` (M, P, P), uint8, 255 = paper; `pools` say which rows belong together."""

    photos: NDArray[np.uint8]
    sketches: NDArray[np.uint8]
    pools: tuple[CategoryPool, ...]

    def tensors(self, sketches: Rows, photos: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (B,), (B,) -> (B, 1, P, P), (B, 3, P, P) float32 in [0, 1]."""
        # Only a batch is ever float: all images would take four times the room.
        sketch_batch = torch.from_numpy(self.sketches[sketches]).unsqueeze(1)
        photo_batch = torch.from_numpy(self.photos[photos])
        return sketch_batch.float().div_(255), photo_batch.float().div_(255)


@dataclass
class _Pool:
    """Rows by photo, while the sets of one pool are joined."""

    weight: float
    photos: dict[PhotoKey, int] = field(default_factory=dict)
    sketches: dict[PhotoKey, list[int]] = field(default_factory=dict)
    synthetic: dict[PhotoKey, list[int]] = field(default_factory=dict)


def prepare_images(
    data: Path, sets: Sequence[SetConfig], size_px: int, cache: Path, log: Callable[[str], None]
) -> TrainingImages:
    """Decode what is not yet in `cache` (a folder), then map it to memory.

    Photos of other splits are left out, with and without sketches, and so are categories that do not occur in the
    training split. The rows of a set follow those of the set before; its synthetic drawings follow its sketches. `log`
    gets a line per set: its sizes and the findings of reading it. Raises DatasetError, for an unusable image as well.
    """
    return prepare_sets([TrainingSet.open(data, config) for config in sets], size_px, cache, log)


def prepare_sets(
    chosen: Sequence[TrainingSet],
    size_px: int,
    cache: Path,
    log: Callable[[str], None],
    normalisation: SketchNormalisation | None = None,
) -> TrainingImages:
    """As `prepare_images`, of sets that are opened already; `normalisation`: how sketches are framed.

    A set's rows of sketches are those of its photos, then its labelled ones, then the synthetic ones.
    """
    normalisation = normalisation or SketchNormalisation()
    fingerprint = _fingerprint(chosen, size_px, normalisation)
    ready = cache / "fingerprint.txt"
    fresh = not ready.is_file() or ready.read_text() != fingerprint
    # The fingerprint goes first and comes last: arrays of an interrupted run are never taken for finished ones.
    if fresh:
        cache.mkdir(parents=True, exist_ok=True)
        ready.unlink(missing_ok=True)
    photo_count, sketch_count = sum(len(s.photos) for s in chosen), sum(sketch_rows(s) for s in chosen)
    photos = _array(cache / "photos.npy", (photo_count, 3, size_px, size_px), fresh)
    sketches = _array(cache / "sketches.npy", (sketch_count, size_px, size_px), fresh)
    pools: dict[tuple[str, str], _Pool] = {}
    photo_row = sketch_row = 0
    for training_set in chosen:
        if fresh:
            _decode(training_set, size_px, normalisation, photos[photo_row:], sketches[sketch_row:])
        _add_rows(pools, training_set, photo_row, sketch_row)
        log(training_set.headline)
        photo_row += len(training_set.photos)
        sketch_row += sketch_rows(training_set)
    if fresh:
        photos.flush()
        sketches.flush()
        write_text(ready, fingerprint)
    return TrainingImages(photos, sketches, tuple(_category_pool(name, pool) for name, pool in pools.items()))


def sketch_rows(training_set: TrainingSet) -> int:
    """How many rows of sketches the set takes, synthetic ones among them."""
    return len(training_set.sketch_names) + len(training_set.photos) * training_set.styles


def _fingerprint(chosen: Sequence[TrainingSet], size_px: int, normalisation: SketchNormalisation) -> str:
    """SHA-256 of everything that decides what the arrays hold; files are known by their names."""
    content = {
        "size_px": size_px,
        "styles": DRAWING_STYLES,
        "drawn": [[s.config.synthetic, s.config.drawings, s.config.focus] for s in chosen],
        "files": [s.photo_names for s in chosen],
        "sketches": [s.sketch_names for s in chosen],
        "framed": normalisation.model_dump(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _array(path: Path, shape: tuple[int, ...], fresh: bool) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new array on disk, or the one that is there, copied to memory where it is written to."""
    if fresh:
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    # Copy on write: a change in one process reaches neither the disk nor the others.
    return np.lib.format.open_memmap(path, mode="c")


def _decode(
    training_set: TrainingSet,
    size_px: int,
    normalisation: SketchNormalisation,
    photos: NDArray[np.uint8],
    sketches: NDArray[np.uint8],
) -> None:
    """Fill the first rows: photos; people's sketches, then the drawings of each photo in every style.

    Sketches stay where the data set has them (`frame="false"`): encoders learn a layout from their places.
    """
    sketch_view = Preprocess(size_px=size_px, sketch=normalisation, **_UNNORMALISED)
    photo_view = Preprocess(size_px=size_px, **_UNNORMALISED)
    drawn: tuple[SketchRecord | LabelledSketch, ...] = (*training_set.sketches, *training_set.labelled)
    for row, (item, name) in enumerate(zip(drawn, training_set.sketch_names, strict=True)):
        with _naming(name):
            sketches[row] = np.asarray(sketch_view.view(item.sketch.image(), "false"))
    row, names, times = len(drawn), training_set.photo_names, training_set.config.drawings
    for start in range(0, len(training_set.photos), _CHUNK):
        images = []
        for photo, name in zip(training_set.photos[start : start + _CHUNK], names[start : start + _CHUNK], strict=True):
            with _naming(name):
                images.append(photo_view.decode(photo.path).image)
        for offset, image in enumerate(images):
            photos[start + offset] = np.asarray(photo_view.view(image)).transpose(2, 0, 1)
        if training_set.config.synthetic:
            styles = random_styles(start, len(images), times) if times else None
            for drawing in line_drawings(images, training_set.config.focus, styles):
                sketches[row] = np.asarray(sketch_view.view(drawing, "false"))
                row += 1


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Name the image that cannot be used: the decoder only sees its bytes. Raises DatasetFlawed."""
    try:
        yield
    except (ImageError, OSError) as error:
        raise DatasetFlawed(f"{name}: {error}; `inkseek data inspect` lists every such image") from error


def _add_rows(pools: dict[tuple[str, str], _Pool], training_set: TrainingSet, photo_row: int, sketch_row: int) -> None:
    """Enter the set's rows into the pools of its categories; keys tell apart equal ids of different sets."""
    config, styles = training_set.config, training_set.styles
    for offset, photo in enumerate(training_set.photos):
        category = photo.key.category
        # The first set that has a category decides its weight in the pool.
        pool = pools.setdefault((config.pool, category), _Pool(config.weights.get(category, config.weight)))
        key = PhotoKey(f"{config.folder}/{category}", photo.key.photo_id)
        pool.photos[key] = photo_row + offset
        if config.synthetic:
            first = sketch_row + len(training_set.sketch_names) + offset * styles
            pool.synthetic[key] = list(range(first, first + styles))
    for offset, record in enumerate(training_set.sketches):
        key = PhotoKey(f"{config.folder}/{record.photo.category}", record.photo.photo_id)
        pools[config.pool, record.photo.category].sketches.setdefault(key, []).append(sketch_row + offset)


def _category_pool(name: tuple[str, str], pool: _Pool) -> CategoryPool:
    return CategoryPool(
        name="/".join(name),
        weight=pool.weight,
        photos=tuple(pool.photos.values()),
        sketches=tuple(tuple(pool.sketches.get(key, ())) for key in pool.photos),
        synthetic=tuple(tuple(pool.synthetic.get(key, ())) for key in pool.photos),
    )
