"""Every training image decoded once, through the serving code, into arrays that lie on disk and are mapped to memory.

Several training processes share one copy, and a resumed run finds it ready.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, field_serializer

from models.bundle import SketchNormalisation
from models.bundle.preprocess import Preprocess
from models.data.builders.synthetic import edge_drawing
from models.data.datasets import PairDataset, Photo, PhotoKey, SketchRecord, open_dataset, summarise
from models.data.sampling.category_batches import CategoryPool

_PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
# How much a synthetic drawing keeps, from every crease to the outline: (blur in px of 256, share of the image drawn).
_DRAWING_STYLES = ((1.2, 0.045), (2.0, 0.035), (3.0, 0.028))
_CHUNK = 16


class SetConfig(BaseModel):
    """One data set to train on.

    `folder`: below the data directory, in any layout that `inkseek data inspect` reads. `split`: of its pairs; empty
    for a set of photos without sketches. `pool`: sets with the same pool and category are mixed. `weight`: how often
    one of its categories is chosen; `weights` overrides it by category. `synthetic`: draw its photos too. `focus`: see
    `edge_drawing`. `exclude`: ids of photos that are left out with their sketches, because they show what a validation
    split or a zero-shot protocol keeps unseen. `split_by_person`: the splits share their photos and differ in who drew
    them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    split: str = "train"
    pool: str
    weight: float = 1.0
    weights: dict[str, float] = {}
    synthetic: bool = True
    focus: float | None = None
    exclude: frozenset[str] = frozenset()
    split_by_person: bool = False

    @field_serializer("exclude")
    def _in_order(self, ids: frozenset[str]) -> list[str]:
        """A set has another order in every process, and an experiment is known by its text."""
        return sorted(ids)


@dataclass(frozen=True)
class TrainingImages:
    """`photos` (N, 3, P, P) and `sketches` (M, P, P), uint8, 255 = paper; `pools` say which rows belong together."""

    photos: NDArray[np.uint8]
    sketches: NDArray[np.uint8]
    pools: tuple[CategoryPool, ...]

    def tensors(self, sketches: NDArray[np.int64], photos: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (B,), (B,) -> (B, 1, P, P), (B, 3, P, P) float32 in [0, 1]."""
        drawn = torch.from_numpy(self.sketches[sketches]).unsqueeze(1)
        seen = torch.from_numpy(self.photos[photos])
        return drawn.float().div_(255), seen.float().div_(255)


@dataclass
class _Pool:
    weight: float
    photos: dict[PhotoKey, int]
    sketches: dict[PhotoKey, list[int]]
    drawings: dict[PhotoKey, list[int]]


@dataclass(frozen=True)
class _Source:
    """One set's contribution, before anything is decoded."""

    config: SetConfig
    dataset: PairDataset
    photos: tuple[Photo, ...]
    sketches: tuple[SketchRecord, ...]

    @property
    def headline(self) -> str:
        """What is trained on, and what reading the set noticed: no row is dropped silently."""
        noticed = f"; findings: {summarise(self.dataset.findings)}" if self.dataset.findings else ""
        return f"{self.config.folder}: {len(self.photos):,} photos, {len(self.sketches):,} sketches{noticed}"


def prepare_images(
    data: Path, sets: Sequence[SetConfig], size_px: int, cache: Path, say: Callable[[str], None]
) -> TrainingImages:
    """Decode what is not yet in `cache` (a folder), then open it.

    Photos of other splits are left out, with and without sketches, and so are categories that do not occur in the
    training split. `say` gets a line per set: its size, and what reading it noticed. Raises DatasetError, ImageError.
    """
    sources = [_source(data, config) for config in sets]
    wanted = {
        "size_px": size_px,
        "styles": _DRAWING_STYLES,
        "drawn": [[config.synthetic, config.focus] for config in sets],
        "files": [[f"{s.config.folder}/{s.dataset.photo_name(p)}" for p in s.photos] for s in sources],
        "sketches": [[f"{s.config.folder}/{record.sketch.name}" for record in s.sketches] for s in sources],
    }
    fingerprint = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    ready = cache / "fingerprint.txt"
    fresh = not ready.is_file() or ready.read_text() != fingerprint
    if fresh:
        cache.mkdir(parents=True, exist_ok=True)
        ready.unlink(missing_ok=True)
    count_photos = sum(len(s.photos) for s in sources)
    count_sketches = sum(len(s.sketches) + s.config.synthetic * len(s.photos) * len(_DRAWING_STYLES) for s in sources)
    photos = _array(cache / "photos.npy", (count_photos, 3, size_px, size_px), fresh)
    sketches = _array(cache / "sketches.npy", (count_sketches, size_px, size_px), fresh)
    pools: dict[tuple[str, str], _Pool] = {}
    photo_row = sketch_row = 0
    for source in sources:
        if fresh:
            _decode_source(source, size_px, photos[photo_row:], sketches[sketch_row:])
        _enter(pools, source, photo_row, sketch_row)
        say(source.headline)
        photo_row += len(source.photos)
        sketch_row += len(source.sketches) + source.config.synthetic * len(source.photos) * len(_DRAWING_STYLES)
    if fresh:
        photos.flush()
        sketches.flush()
        ready.write_text(fingerprint)
    return TrainingImages(photos, sketches, tuple(_frozen(name, pool) for name, pool in pools.items()))


def trainable_photos(dataset: PairDataset, split: str) -> tuple[Photo, ...]:
    """Photos of the split's categories that no other split's sketch shows: its own, and those without sketches.

    In order of their keys. Raises SplitMissing.
    """
    categories = {record.photo.category for record in dataset.records_of(split)}
    elsewhere = {record.photo for record in dataset.records if record.split != split}
    return tuple(
        photo
        for key, photo in sorted(dataset.photos.items())
        if key.category in categories and key not in elsewhere and photo.split in ("", split)
    )


def _source(data: Path, config: SetConfig) -> _Source:
    dataset = open_dataset(data / config.folder)
    whole = config.split_by_person or not config.split
    mine = tuple(dataset.photos.values()) if whole else trainable_photos(dataset, config.split)
    photos = tuple(photo for photo in mine if photo.key.photo_id not in config.exclude)
    if not config.split:
        return _Source(config, dataset, photos, ())
    # A sketch whose photo another split shows as well has no photo left to be trained with.
    keys = {photo.key for photo in photos}
    drawn = tuple(record for record in dataset.records_of(config.split) if record.photo in keys)
    if not config.synthetic:
        keys = {record.photo for record in drawn}
        photos = tuple(photo for photo in photos if photo.key in keys)
    return _Source(config, dataset, photos, drawn)


def _array(path: Path, shape: tuple[int, ...], fresh: bool) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    if fresh:
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    return np.lib.format.open_memmap(path, mode="c")


def _decode_source(source: _Source, size_px: int, photos: NDArray[np.uint8], sketches: NDArray[np.uint8]) -> None:
    """Fill the first rows: photos; people's sketches, then the drawings of each photo in every style."""
    sketch_view = Preprocess(size_px=size_px, sketch=SketchNormalisation(), **_PLAIN)
    photo_view = Preprocess(size_px=size_px, **_PLAIN)
    for row, record in enumerate(source.sketches):
        sketches[row] = np.asarray(sketch_view.view(record.sketch.image()))
    row = len(source.sketches)
    for start in range(0, len(source.photos), _CHUNK):
        chunk = source.photos[start : start + _CHUNK]
        images = [photo_view.decode(photo.path).image for photo in chunk]
        for offset, image in enumerate(images):
            photos[start + offset] = np.asarray(photo_view.view(image)).transpose(2, 0, 1)
        if source.config.synthetic:
            for drawing in _drawings(images, source.config.focus):
                sketches[row] = np.asarray(sketch_view.view(drawing))
                row += 1


def _drawings(images: Sequence[Image.Image], focus: float | None) -> Iterable[Image.Image]:
    """Each image in every style; all styles of one image follow each other."""
    square = [np.asarray(image.resize((256, 256), Image.Resampling.BILINEAR)) for image in images]
    batch = torch.from_numpy(np.stack(square)).permute(0, 3, 1, 2).float() / 255
    styles = []
    for blur_px, amount in _DRAWING_STYLES:
        ones = torch.ones(len(batch))
        line = edge_drawing(batch, ones * blur_px, ones * amount, focus)
        # A photo without any edge still needs a drawing: its frame, which matches nothing.
        line[line.flatten(1).sum(1) < 64, :, 2:-2, 2] = 1.0
        ink = torch.nn.functional.max_pool2d(line, 3, stride=1, padding=1)
        styles.append((255 * (1 - ink[:, 0])).byte().numpy())
    for number in range(len(images)):
        for style in styles:
            yield Image.fromarray(style[number])


def _enter(pools: dict[tuple[str, str], _Pool], source: _Source, photo_row: int, sketch_row: int) -> None:
    config = source.config
    for offset, photo in enumerate(source.photos):
        category = photo.key.category
        weight = config.weights.get(category, config.weight)
        pool = pools.setdefault((config.pool, category), _Pool(weight, {}, {}, {}))
        key = PhotoKey(f"{config.folder}/{category}", photo.key.photo_id)
        pool.photos[key] = photo_row + offset
        if config.synthetic:
            first = sketch_row + len(source.sketches) + offset * len(_DRAWING_STYLES)
            pool.drawings[key] = list(range(first, first + len(_DRAWING_STYLES)))
    for offset, record in enumerate(source.sketches):
        pool = pools[config.pool, record.photo.category]
        key = PhotoKey(f"{config.folder}/{record.photo.category}", record.photo.photo_id)
        pool.sketches.setdefault(key, []).append(sketch_row + offset)


def _frozen(name: tuple[str, str], pool: _Pool) -> CategoryPool:
    keys = list(pool.photos)
    return CategoryPool(
        name="/".join(name),
        weight=pool.weight,
        photos=tuple(pool.photos[key] for key in keys),
        sketches=tuple(tuple(pool.sketches.get(key, ())) for key in keys),
        drawings=tuple(tuple(pool.drawings.get(key, ())) for key in keys),
    )
