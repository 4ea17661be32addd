"""Every training image decoded once, through the serving code, into arrays that lie on disk and are mapped to memory.

Several training processes share one copy, and a resumed run finds it ready.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.arrays import Rows
from models.bundle import SketchNormalisation
from models.data.builders.synthetic import DRAWING_STYLES
from models.data.datasets import DatasetFlawed, PhotoKey, require_below
from models.data.images.decoded_sets import UNUSABLE_NAME, SetDecoder, Unusable, sketch_rows
from models.data.images.training_sets import SetConfig, SetContent, TrainingSet
from models.data.sampling.category_batches import CategoryPool

_QUOTED = 5  # unusable images in a message; the file beside it lists all


@dataclass(frozen=True)
class TrainingImages:
    """`photos` (N, 3, P, P) and `sketches` (M, P, P), uint8, 255 = paper; `pools` say which rows belong together.

    `unusable`: what is blank there, and in no pool. `contents`: how much of each data set there is.
    """

    photos: NDArray[np.uint8]
    sketches: NDArray[np.uint8]
    pools: tuple[CategoryPool, ...]
    unusable: tuple[Unusable, ...] = ()
    contents: tuple[SetContent, ...] = ()

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
    data: Path,
    sets: Sequence[SetConfig],
    size_px: int,
    cache: Path,
    log: Callable[[str], None],
    *,
    skip_flawed: bool = False,
) -> TrainingImages:
    """Decode what is not yet in `cache` (a folder), then map it to memory.

    Photos of other splits are left out, with and without sketches, and so are categories that do not occur in the
    training split. The rows of a set follow those of the set before; its synthetic drawings follow its sketches. `log`
    gets a line per set: its sizes and the findings of reading it. `skip_flawed`: leave out images that cannot be used;
    else DatasetFlawed names them all at once. Raises DatasetError.
    """
    require_below(data, [config.folder for config in sets])
    return prepare_sets(
        [TrainingSet.open(data, config) for config in sets], size_px, cache, log, skip_flawed=skip_flawed
    )


def prepare_sets(
    chosen: Sequence[TrainingSet],
    size_px: int,
    cache: Path,
    log: Callable[[str], None],
    normalisation: SketchNormalisation | None = None,
    *,
    trim: bool = False,
    skip_flawed: bool = False,
) -> TrainingImages:
    """As `prepare_images`, of sets that are opened already; `normalisation`, `trim`: see `Preprocess`.

    A set's rows of sketches are those of its photos, then its labelled ones, then the synthetic ones.
    """
    normalisation = normalisation or SketchNormalisation()
    decoder = SetDecoder(size_px, normalisation, trim)
    decoded = decoder.decode_all(chosen, _fingerprint(chosen, decoder), cache, log)
    if decoded.unusable:
        report = cache / UNUSABLE_NAME
        if not skip_flawed:
            raise DatasetFlawed(flaws_in_words([(i.image, i.reason) for i in decoded.unusable], report))
        log(f"left out, since they cannot be used: {len(decoded.unusable):,} images, listed in {report}")
    pools, contents = pools_of(chosen, decoded.unusable)
    return TrainingImages(decoded.photos, decoded.sketches, pools, decoded.unusable, contents)


def pools_of(
    chosen: Sequence[TrainingSet], unusable: Sequence[Unusable]
) -> tuple[tuple[CategoryPool, ...], tuple[SetContent, ...]]:
    """The pools whose rows are those of `prepare_sets`, and how much each set brings. Raises OSError."""
    pools: dict[tuple[str, str], _Pool] = {}
    contents = []
    photo_row = sketch_row = 0
    for training_set in chosen:
        _add_rows(pools, training_set, photo_row, sketch_row)
        ends = {"photo": photo_row + len(training_set.photos), "sketch": sketch_row + sketch_rows(training_set)}
        starts = {"photo": photo_row, "sketch": sketch_row}
        left_out = sum(starts[item.kind] <= item.row < ends[item.kind] for item in unusable)
        contents.append(SetContent.of(training_set, left_out))
        photo_row, sketch_row = ends["photo"], ends["sketch"]
    return tuple(_category_pool(name, pool, unusable) for name, pool in pools.items()), tuple(contents)


def flaws_in_words(flaws: Sequence[tuple[str, str]], report: Path) -> str:
    """(name, reason) of unusable images -> a message with the first few and what to do; `report` lists all."""
    count = "1 image" if len(flaws) == 1 else f"{len(flaws):,} images"
    first = "; ".join(f"{name}: {reason}" for name, reason in flaws[:_QUOTED])
    more = f"; and {len(flaws) - _QUOTED:,} more" if len(flaws) > _QUOTED else ""
    return f"{count} cannot be used: {first}{more}. {report} lists all. Mend or delete them, or give --skip-flawed"


def _fingerprint(chosen: Sequence[TrainingSet], decoder: SetDecoder) -> str:
    """SHA-256 of everything that decides what the arrays hold; files are known by their names."""
    content = {
        "size_px": decoder.size_px,
        "styles": DRAWING_STYLES,
        "drawn": [[s.config.synthetic, s.config.drawings, s.config.focus] for s in chosen],
        "files": [s.photo_names for s in chosen],
        "sketches": [s.sketch_names for s in chosen],
        "framed": decoder.normalisation.model_dump(),
    }
    if decoder.trim:  # left out otherwise: images that were prepared before there was trimming are still right
        content["trimmed"] = True
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


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


def _category_pool(name: tuple[str, str], pool: _Pool, unusable: Sequence[Unusable]) -> CategoryPool:
    """The pool without unusable photos and sketches, and without photos that nothing is left to be paired with."""
    bad = {(item.kind, item.row) for item in unusable}
    kept = []
    for key, row in pool.photos.items():
        sketches = tuple(each for each in pool.sketches.get(key, ()) if ("sketch", each) not in bad)
        synthetic = tuple(pool.synthetic.get(key, ()))
        if ("photo", row) not in bad and (sketches or synthetic):
            kept.append((row, sketches, synthetic))
    photos, drawn, made = zip(*kept, strict=True) if kept else ((), (), ())
    return CategoryPool("/".join(name), pool.weight, photos, drawn, made)
