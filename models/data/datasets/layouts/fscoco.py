"""FS-COCO as it unpacks: `images/<user>/<id>.jpg`, `raster_sketches/<user>/`, `raw_data/<user>/<id>.json`.

A hundred people drew a hundred scenes each. The split is made here, by person: 70 of 100 train, 30 test. The released
val_unseen_user.txt takes photos of all hundred, so nobody in it is unseen, and is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from models.data.datasets.files.folders import bases, folders_in, images_in, is_visible, required_bases
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.json_sketches import JsonStrokeSketch
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch, SketchSource

REQUIRES = "images/<user>/ and raster_sketches/<user>/ or raw_data/<user>/"

CATEGORY = "scene"  # one gallery: a scene has no category of its own
TRAIN_SHARE = 0.7


def recognises(root: Path) -> bool:
    """Whether such folders are there."""
    return bool(bases(root, _is_base))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read images of the sketches; strokes with `options.strokes` or without images. Raises LayoutIncomplete."""
    folders = required_bases(root, _is_base, REQUIRES)
    base = folders[0]
    folder = base / "raster_sketches"
    if options.strokes or not folder.is_dir():
        folder = base / "raw_data"
    if not folder.is_dir():
        raise LayoutIncomplete(f"{base} has no raw_data/, which holds the strokes")
    users = [user.name for user in folders_in(base / "images")]
    splits = user_split(users)
    collector = Collector(root, options.keep_marked)
    for user in users:
        for path in images_in(base / "images" / user):
            collector.add_photo(Photo(PhotoKey(CATEGORY, path.stem), path, splits[user]))
    for user_folder in folders_in(folder):
        for path in _sketches_in(user_folder):
            user = user_folder.name
            key = PhotoKey(CATEGORY, path.stem)
            collector.add_sketch(_sketch(collector, path), key, splits.get(user, "train"), person=user)
    drawn = {record.photo for record in collector.records}
    for key in sorted(collector.photos.keys() - drawn):
        photo = collector.photos[key]
        collector.note(
            FindingKind.MISSING_FILE, photo.path, f"its drawing is not in {folder.name}; stays in the gallery"
        )
    return collector.build(root.name, "fscoco")


def user_split(users: Sequence[str]) -> dict[str, str]:
    """User -> `train` or `test`: 70 in 100 train, the same for the same users on every machine."""
    shuffled = sorted(users, key=lambda user: hashlib.sha256(f"fscoco {user}".encode()).digest())
    cut = round(TRAIN_SHARE * len(shuffled))
    return {user: "train" if place < cut else "test" for place, user in enumerate(shuffled)}


def _is_base(folder: Path) -> bool:
    return bool(folders_in(folder / "images")) and any(
        folders_in(folder / kind) for kind in ("raster_sketches", "raw_data")
    )


def _sketches_in(folder: Path) -> list[Path]:
    return images_in(folder) or sorted(p for p in folder.glob("*.json") if is_visible(p))


def _sketch(collector: Collector, path: Path) -> SketchSource:
    name = collector.name_of(path)
    return JsonStrokeSketch(name, path) if path.suffix == ".json" else ImageSketch(name, path)
