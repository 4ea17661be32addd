"""Training images on their way into arrays on disk, set by set: a killed run resumes with the set that it was at.

photos.npy, sketches.npy   the arrays
decoding.json              until all is done: of what, how many sets are done, and what was unusable in them
fingerprint.txt            once all is done: what decides the content of the arrays
unusable.json              images that cannot be used, each with the reason; their rows are blank
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.atomic_files import write_json, write_text
from models.bundle import AS_DRAWN, ImageError, Preprocess, SketchNormalisation, cpu_quota
from models.bundle.ground import trimmed
from models.data.builders.synthetic import line_drawings, random_styles
from models.data.datasets import LabelledSketch, Photo, SketchRecord
from models.data.images.training_sets import TrainingSet

UNUSABLE_NAME: Final = "unusable.json"
_READY, _DECODING = "fingerprint.txt", "decoding.json"
_UNNORMALISED = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
_CHUNK = 16  # photos that are decoded before their drawings are made in one batch
_BLANK = 255


@dataclass(frozen=True)
class Unusable:
    """An image that cannot be decoded or shows nothing: its `row` among photos or sketches, its name, the reason."""

    kind: Literal["photo", "sketch"]
    row: int
    image: str
    reason: str


@dataclass(frozen=True)
class DecodedSets:
    """`photos` (N, 3, P, P) and `sketches` (M, P, P), uint8, 255 = paper, mapped to memory; blank where `unusable`."""

    photos: NDArray[np.uint8]
    sketches: NDArray[np.uint8]
    unusable: tuple[Unusable, ...]


@dataclass(frozen=True)
class SetDecoder:
    """Images as the encoders see them, before the mean is subtracted: (P, P) of a sketch, (3, P, P) of a photo.

    Sketches stay where the data set has them (`frame="false"`): encoders learn a layout from their places. `trim`: of
    photos, see `Preprocess`.
    """

    size_px: int
    normalisation: SketchNormalisation
    trim: bool = False

    def decode_all(
        self, chosen: Sequence[TrainingSet], fingerprint: str, cache: Path, log: Callable[[str], None]
    ) -> DecodedSets:
        """Decode into `cache` what is not there; `log` gets a line per set. Raises OSError.

        Images that were unusable are tried again, since somebody may have mended them.
        """
        cache.mkdir(parents=True, exist_ok=True)
        ready = cache / _READY
        if not ready.is_file() or ready.read_text() != fingerprint:
            self._decode_missing(chosen, fingerprint, cache, log)
        else:
            for each in chosen:
                log(each.headline)
        unusable = _read_unusable(cache / UNUSABLE_NAME)
        if unusable:
            unusable = self._try_again(chosen, unusable, cache)
        # Copy on write: a change in one process reaches neither the disk nor the others.
        arrays = [np.lib.format.open_memmap(cache / f"{name}.npy", mode="c") for name in ("photos", "sketches")]
        return DecodedSets(arrays[0], arrays[1], unusable)

    def _decode_missing(
        self, chosen: Sequence[TrainingSet], fingerprint: str, cache: Path, log: Callable[[str], None]
    ) -> None:
        # The fingerprint goes first and comes last: arrays of an interrupted run are never taken for finished ones.
        (cache / _READY).unlink(missing_ok=True)
        done, unusable = _decoded_before(cache / _DECODING, fingerprint)
        photo_count, sketch_count = sum(len(s.photos) for s in chosen), sum(sketch_rows(s) for s in chosen)
        shapes = {
            "photos": (photo_count, 3, self.size_px, self.size_px),
            "sketches": (sketch_count, self.size_px, self.size_px),
        }
        photos, sketches = (_array(cache / f"{name}.npy", shape, fresh=not done) for name, shape in shapes.items())
        photo_row = sketch_row = 0
        for number, each in enumerate(chosen):
            if number >= done:
                unusable += self._decode(each, photo_row, sketch_row, photos, sketches)
                photos.flush()
                sketches.flush()
                state = {"of": fingerprint, "sets": number + 1, "unusable": [asdict(item) for item in unusable]}
                write_json(cache / _DECODING, state)
            log(each.headline)
            photo_row, sketch_row = photo_row + len(each.photos), sketch_row + sketch_rows(each)
        write_json(cache / UNUSABLE_NAME, [asdict(item) for item in unusable])
        write_text(cache / _READY, fingerprint)
        (cache / _DECODING).unlink(missing_ok=True)

    def _decode(
        self,
        training_set: TrainingSet,
        photo_row: int,
        sketch_row: int,
        photos: NDArray[np.uint8],
        sketches: NDArray[np.uint8],
    ) -> list[Unusable]:
        """Fill the set's rows: photos; people's sketches, then the drawings of each photo in every style."""
        unusable: list[Unusable] = []
        drawn = _drawn(training_set)
        # Threads: decoding lets go of the interpreter's lock for most of the time.
        with ThreadPoolExecutor(cpu_quota()) as pool:
            for row, (view, name) in enumerate(
                zip(pool.map(self._sketch, drawn), training_set.sketch_names, strict=True), start=sketch_row
            ):
                if isinstance(view, str):
                    unusable.append(Unusable("sketch", row, name, view))
                    sketches[row] = _BLANK
                else:
                    sketches[row] = view
            names, row = training_set.photo_names, sketch_row + len(drawn)
            for start in range(0, len(training_set.photos), _CHUNK):
                found = list(pool.map(self._photo, training_set.photos[start : start + _CHUNK]))
                for offset, image in enumerate(found, start=start):
                    if isinstance(image, str):
                        unusable.append(Unusable("photo", photo_row + offset, names[offset], image))
                images = [self._blank if isinstance(image, str) else image for image in found]
                for offset, image in enumerate(images, start=photo_row + start):
                    photos[offset] = self._photo_view(image)
                for drawing in self._synthetic(training_set, start, images):
                    sketches[row] = drawing
                    row += 1
        return unusable

    def _try_again(
        self, chosen: Sequence[TrainingSet], unusable: tuple[Unusable, ...], cache: Path
    ) -> tuple[Unusable, ...]:
        """Those that are still unusable; rows of the others are filled."""
        still = []
        photos, sketches = (np.lib.format.open_memmap(cache / f"{n}.npy", mode="r+") for n in ("photos", "sketches"))
        for item in unusable:
            each, photo_row, sketch_row = _set_of(chosen, item)
            view: NDArray[np.uint8] | str
            if item.kind == "sketch":
                view = self._sketch(_drawn(each)[item.row - sketch_row])
                if not isinstance(view, str):
                    sketches[item.row] = view
            else:
                number = item.row - photo_row
                image = self._photo(each.photos[number])
                view = image if isinstance(image, str) else self._photo_view(image)
                if not isinstance(image, str):
                    photos[item.row] = view
                    row = sketch_row + len(_drawn(each)) + number * each.styles
                    for drawing in self._synthetic(each, number, [image]):
                        sketches[row] = drawing
                        row += 1
            if isinstance(view, str):
                still.append(item)
        # Several processes may come here at a time, so nothing is written where nothing changed.
        if len(still) != len(unusable):
            photos.flush()
            sketches.flush()
            write_json(cache / UNUSABLE_NAME, [asdict(item) for item in still])
        return tuple(still)

    def _sketch(self, item: SketchRecord | LabelledSketch) -> NDArray[np.uint8] | str:
        """The view, or why there is none."""
        try:
            return np.asarray(self._sketch_view.view(item.sketch.image(), AS_DRAWN))
        except (ImageError, OSError) as error:
            return str(error)

    def _photo(self, photo: Photo) -> Image.Image | str:
        """The picture, or why there is none."""
        try:
            image = self._plain.decode(photo.path).image
            # Trimmed before it is drawn: a drawing lies where the input has the thing.
            return trimmed(image) if self.trim else image
        except (ImageError, OSError) as error:
            return str(error)

    def _photo_view(self, image: Image.Image) -> NDArray[np.uint8]:
        return np.asarray(self._plain.view(image)).transpose(2, 0, 1)

    def _synthetic(
        self, training_set: TrainingSet, first: int, images: Sequence[Image.Image]
    ) -> Iterator[NDArray[np.uint8]]:
        """The drawings of photos number `first` and on; each photo's follow each other."""
        config = training_set.config
        if not config.synthetic:
            return
        styles = random_styles(first, len(images), config.drawings) if config.drawings else None
        for drawing in line_drawings(images, config.focus, styles):
            yield np.asarray(self._sketch_view.view(drawing, AS_DRAWN))

    @property
    def _sketch_view(self) -> Preprocess:
        return Preprocess(size_px=self.size_px, sketch=self.normalisation, **_UNNORMALISED)

    @property
    def _plain(self) -> Preprocess:
        return Preprocess(size_px=self.size_px, **_UNNORMALISED)

    @property
    def _blank(self) -> Image.Image:
        return Image.new("RGB", (self.size_px, self.size_px), "white")


def sketch_rows(training_set: TrainingSet) -> int:
    """How many rows of sketches the set takes, synthetic ones among them."""
    return len(training_set.sketch_names) + len(training_set.photos) * training_set.styles


def _drawn(training_set: TrainingSet) -> tuple[SketchRecord | LabelledSketch, ...]:
    return (*training_set.sketches, *training_set.labelled)


def _set_of(chosen: Sequence[TrainingSet], item: Unusable) -> tuple[TrainingSet, int, int]:
    """The set that the image belongs to, and its first rows of photos and of sketches."""
    photo_row = sketch_row = 0
    for each in chosen:
        ends = {"photo": photo_row + len(each.photos), "sketch": sketch_row + sketch_rows(each)}
        if item.row < ends[item.kind]:
            return each, photo_row, sketch_row
        photo_row, sketch_row = ends["photo"], ends["sketch"]
    raise AssertionError(f"row {item.row} is beyond what was decoded")


def _array(path: Path, shape: tuple[int, ...], *, fresh: bool) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new array on disk, or the one of an interrupted run."""
    if fresh:
        # A run of another experiment may have the former one mapped: it keeps what it maps.
        path.unlink(missing_ok=True)
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    return np.lib.format.open_memmap(path, mode="r+")


def _decoded_before(path: Path, fingerprint: str) -> tuple[int, list[Unusable]]:
    """How many sets of the same fingerprint an interrupted run has decoded, and what was unusable in them."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0, []
    if state.get("of") != fingerprint:
        return 0, []
    return state["sets"], [Unusable(**item) for item in state["unusable"]]


def _read_unusable(path: Path) -> tuple[Unusable, ...]:
    """Nothing where there is no such file: earlier releases rejected what was unusable."""
    if not path.is_file():
        return ()
    return tuple(Unusable(**item) for item in json.loads(path.read_text(encoding="utf-8")))
