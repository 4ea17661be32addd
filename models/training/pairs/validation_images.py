"""Validation images decoded once before the first step: one that is broken would end a run hours later."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from models.atomic_files import write_json
from models.bundle import AS_DRAWN, ImageError, SketchNormalisation, cpu_quota, decode_image, normalise_sketch
from models.data.datasets import DatasetFlawed, Photo, SketchRecord
from models.data.images.training_images import flaws_in_words
from models.evaluation.protocol import CategoryGallery

VALIDATION_NAME: Final = "unusable_validation.json"

Galleries = Mapping[str, tuple[CategoryGallery, ...]]


def usable_galleries(
    galleries: Galleries, cache: Path, log: Callable[[str], None], *, skip_flawed: bool
) -> dict[str, tuple[CategoryGallery, ...]]:
    """The galleries without images that cannot be used, a sketch going with its photo.

    What was found is kept in `cache`, so that a resumed run does not decode everything again; what was unusable is
    tried again. Raises DatasetFlawed where there is any and `skip_flawed` is not set.
    """
    photos = {str(p.path): p for parts in galleries.values() for g in parts for p in g.photos}
    sketches = {_name(split, q): q for split, parts in galleries.items() for g in parts for q in g.queries}
    names = hashlib.sha256("\n".join((*sorted(photos), *sorted(sketches))).encode()).hexdigest()
    before = _known(cache / VALIDATION_NAME, names)
    again = {*photos, *sketches} if before is None else before.keys()
    flaws = _flaws({n: p for n, p in photos.items() if n in again}, {n: q for n, q in sketches.items() if n in again})
    if flaws != before:
        cache.mkdir(parents=True, exist_ok=True)
        write_json(cache / VALIDATION_NAME, {"of": names, "unusable": flaws})
    if flaws and not skip_flawed:
        raise DatasetFlawed(f"validation: {flaws_in_words(list(flaws.items()), cache / VALIDATION_NAME)}")
    if flaws:
        log(f"left out of the validation splits, since they cannot be used: {len(flaws):,}")
    return {name: tuple(_without(name, gallery, flaws) for gallery in parts) for name, parts in galleries.items()}


def _name(split: str, query: SketchRecord) -> str:
    """Sketches of different data sets may have equal names."""
    return f"{split}: {query.sketch.name}"


def _flaws(photos: Mapping[str, Photo], sketches: Mapping[str, SketchRecord]) -> dict[str, str]:
    """What is wrong with each image that cannot be used, by its name."""
    with ThreadPoolExecutor(cpu_quota()) as pool:
        reasons = (*pool.map(_flaw_of_photo, photos.values()), *pool.map(_flaw_of_sketch, sketches.values()))
    return {name: reason for name, reason in zip((*photos, *sketches), reasons, strict=True) if reason}


def _flaw_of_photo(photo: Photo) -> str:
    try:
        decode_image(photo.path.read_bytes())
    except (ImageError, OSError) as error:
        return str(error)
    return ""


def _flaw_of_sketch(query: SketchRecord) -> str:
    try:
        normalise_sketch(query.sketch.image(), SketchNormalisation(), AS_DRAWN)
    except (ImageError, OSError) as error:
        return str(error)
    return ""


def _without(split: str, gallery: CategoryGallery, flaws: Mapping[str, str]) -> CategoryGallery:
    photos = tuple(photo for photo in gallery.photos if str(photo.path) not in flaws)
    kept = {photo.key for photo in photos}
    queries = tuple(q for q in gallery.queries if _name(split, q) not in flaws and q.photo in kept)
    return dataclasses.replace(gallery, photos=photos, queries=queries)


def _known(path: Path, names: str) -> dict[str, str] | None:
    """What an earlier run found among the same images; None where there was none."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return dict(state["unusable"]) if state.get("of") == names else None
