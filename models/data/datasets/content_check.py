"""Every image of a data set decoded once: what cannot be read, what shows no ink, what is there twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from models.bundle import (
    ImageError,
    SketchEmpty,
    SketchNormalisation,
    SketchSolid,
    cpu_quota,
    decode_image,
    normalise_sketch,
)
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.findings import Finding, FindingKind
from models.data.datasets.records.record import Photo, SketchRecord


@dataclass(frozen=True)
class _Looked:
    """What one look at an image gave. `digest` is empty where its bytes could not be read."""

    name: str
    kind: FindingKind | None
    detail: str
    digest: bytes


def check_content(dataset: PairDataset, progress: Callable[[], None] | None = None) -> PairDataset:
    """The data set with what its images' content shows added to its findings; nothing is left out.

    A photo that is there twice under two identities makes one of them a wrong answer for the other's sketches. Copies
    are equal bytes; the same picture compressed anew is not found. `progress` is called once an image.
    """
    findings: list[Finding] = []
    with ThreadPoolExecutor(max_workers=cpu_quota()) as pool:
        photos = list(dataset.photos.values())
        seen = pool.map(lambda photo: _look_at_photo(dataset, photo), photos)
        places = [f"{p.key.category}/{p.key.photo_id}" for p in photos]
        findings += _findings(seen, places, [p.split for p in photos], progress)
        seen = pool.map(_look_at_sketch, dataset.records)
        places = [f"{r.photo.category}/{r.photo.photo_id}" for r in dataset.records]
        findings += _findings(seen, places, [r.split for r in dataset.records], progress)
    return dataset.with_findings(findings)


def _look_at_photo(dataset: PairDataset, photo: Photo) -> _Looked:
    name = dataset.photo_name(photo)
    try:
        data = photo.path.read_bytes()
        digest = hashlib.sha256(data).digest()
        decode_image(data)
    except OSError as error:
        return _Looked(name, FindingKind.UNREADABLE, str(error), b"")
    except ImageError as error:
        return _Looked(name, FindingKind.UNREADABLE, str(error), digest)
    return _Looked(name, None, "", digest)


def _look_at_sketch(record: SketchRecord) -> _Looked:
    name = record.sketch.name
    try:
        digest = hashlib.sha256(record.sketch.content()).digest()
        normalise_sketch(record.sketch.image(), SketchNormalisation())
    except OSError as error:
        return _Looked(name, FindingKind.UNREADABLE, str(error), b"")
    except (SketchEmpty, SketchSolid) as error:
        return _Looked(name, FindingKind.NO_INK, str(error), digest)
    except ImageError as error:
        return _Looked(name, FindingKind.UNREADABLE, str(error), digest)
    return _Looked(name, None, "", digest)


def _findings(
    seen: Iterator[_Looked], places: list[str], splits: list[str], progress: Callable[[], None] | None
) -> Iterator[Finding]:
    """`places`: the photo that each image is or belongs to; `splits`: its split."""
    first: dict[bytes, tuple[str, str, str]] = {}
    for looked, place, split in zip(seen, places, splits, strict=True):
        if progress is not None:
            progress()
        if looked.kind is not None:
            yield Finding(looked.kind, looked.name, looked.detail)
            continue
        other, other_place, other_split = first.setdefault(looked.digest, (looked.name, place, split))
        if other == looked.name:
            continue
        of = "the same photo" if place == other_place else f"another photo, {other_place}"
        if split != other_split:
            yield Finding(
                FindingKind.SPLIT_LEAK, looked.name, f"a copy of {other}, which is of {other_split!r}, not {split!r}"
            )
        else:
            yield Finding(FindingKind.DUPLICATE_CONTENT, looked.name, f"a copy of {other}, which is of {of}")
