"""Real embeddings in numbers: every photo of some folders in several views, human sketches, and drawings of photos.

View 0 is the photo, view 1 its mirror image, each further one a crop of 60 to 95 % of either side, half of them
mirrored; each is encoded as a photo of its own. Rows come view by view. Sketches are the held-out ones (`split` begins
with "val") of the folders' manifests, whose photos are in the gallery.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from index_builder.quality.probes import spread
from models.arrays import Vectors
from models.bundle import Bundle, Embedded, Encoder
from models.images.line_drawing import drawn

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_FIRST_VIEWS = 2  # encoded before the others, so that a small table need not wait for a large one
_SMALLEST_CROP, _LARGEST_CROP = 0.6, 0.95  # of a side
_DRAWINGS = 1_200
_DRAFT_PX = 512


def photo_paths(root: Path) -> list[Path]:
    """Every picture in a folder `photos` of the data sets below `root`, by path."""
    paths = (path for folder in sorted(root.glob("*/photos")) for path in sorted(folder.rglob("*")))
    return [path for path in paths if path.suffix.lower() in _SUFFIXES and path.is_file()]


def sketch_paths(root: Path) -> list[Path]:
    """The held-out sketches of people: those that the manifests below `root` put into a split of that kind."""
    found: set[Path] = set()
    for manifest in sorted(root.glob("*/manifest.csv")):
        with manifest.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row.get("split", "").startswith("val")]
        # A person's drawing of this very photo; sets that ask people to draw renders have other queries.
        if rows and "person" not in rows[0]:
            found.update(manifest.parent / row["sketch_path"] for row in rows)
    return sorted(found)


def view_of(image: Image.Image, photo: int, view: int) -> Image.Image:
    """View number `view` of a photo; the same one each time."""
    if view == 0:
        return image
    if view == 1:
        return ImageOps.mirror(image)
    rng = np.random.default_rng((photo, view))
    width, height = (int(side * rng.uniform(_SMALLEST_CROP, _LARGEST_CROP)) for side in image.size)
    left, top = (
        int(rng.integers(0, whole - part + 1)) for whole, part in zip(image.size, (width, height), strict=True)
    )
    crop = image.crop((left, top, left + width, top + height))
    return ImageOps.mirror(crop) if view % 2 else crop


def embed_views(encoder: Encoder, paths: Sequence[Path], views: range, workers: int, into: Vectors) -> None:
    """Fill (V * N, E), view by view, with the embeddings of N photos in V views."""

    def embed_one(photo: int) -> None:
        image = encoder.decode(paths[photo], draft_px=_DRAFT_PX).image
        batch = np.stack([encoder.prepare(view_of(image, photo, view)) for view in views])
        into[photo :: len(paths)] = encoder.encode(batch)

    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(embed_one, range(len(paths))), 1):
            if done % 2_000 == 0:
                print(f"{done:,} of {len(paths):,} photos in {len(views)} views", flush=True)


def write_embeddings(root: Path, out: Path, bundle: Bundle, views: int, workers: int) -> None:
    """Write photos-0.npy, photos-1.npy (N views by N views), sketches.npy and drawings.npy into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    paths = photo_paths(root)
    print(f"{len(paths):,} photos", flush=True)
    _write(out / "sketches.npy", _embedded(bundle.sketch, sketch_paths(root)))
    rows = spread(len(paths), _DRAWINGS).tolist()
    drawings = (drawn(bundle.photo.decode(paths[row], draft_px=_DRAFT_PX).image, row) for row in rows)
    _write(out / "drawings.npy", _embedded(bundle.sketch, [drawing for drawing in drawings if drawing]))
    for number, part in enumerate((range(min(views, _FIRST_VIEWS)), range(_FIRST_VIEWS, views))):
        file = out / f"photos-{number}.npy"
        if not file.exists() and len(part):
            vectors = np.empty((len(part) * len(paths), bundle.embedding_dim), np.float32)
            embed_views(bundle.photo, paths, part, workers, vectors)
            _write(file, vectors)


def _embedded(encoder: Encoder, files: Sequence[Path] | Sequence[Image.Image]) -> Vectors:
    """(Q, E) of those that can be read and hold a drawing."""
    outcomes = encoder.embed_stream(files, lambda _: None)
    return np.stack([outcome.vector for outcome in outcomes if isinstance(outcome, Embedded)])


def _write(file: Path, vectors: Vectors) -> None:
    partial = file.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.save(stream, vectors)
    partial.rename(file)
