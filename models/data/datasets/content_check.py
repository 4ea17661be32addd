"""Every image of a data set decoded once, to find what cannot be read, what shows no ink, and copies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from models.bundle import (
    AS_DRAWN,
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
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import SketchSource


@dataclass(frozen=True)
class _Look:
    """The result of decoding one image. `digest` is empty where its bytes could not be read."""

    name: str
    kind: FindingKind | None
    detail: str
    digest: bytes


def check_content(dataset: PairDataset, progress: Callable[[], None] | None = None) -> PairDataset:
    """The data set with findings about the content of its images added; nothing is left out.

    A photo that is there twice under two identities makes one of them a wrong result for the other's sketches. Copies
    are equal bytes; the same picture compressed anew is not found. `progress` is called once per image, of which there
    are `dataset.image_count`.
    """
    findings: list[Finding] = []
    # Threads suffice: decoding and hashing, most of the work, release the GIL.
    with ThreadPoolExecutor(max_workers=cpu_quota()) as pool:
        photos = list(dataset.photos.values())
        looks = pool.map(lambda photo: _look_at_photo(dataset, photo), photos)
        findings += _findings(looks, [(_name(photo.key), photo.split) for photo in photos], progress)
        looks = pool.map(_look_at_sketch, (item.sketch for item in dataset.sketches))
        belongs = [(_name(record.photo), record.split) for record in dataset.records]
        belongs += [(f"the category {item.category}", item.split) for item in dataset.labelled]
        findings += _findings(looks, belongs, progress)
    return dataset.with_findings(findings)


def _name(photo: PhotoKey) -> str:
    return f"the photo {photo.category}/{photo.photo_id}"


def _look_at_photo(dataset: PairDataset, photo: Photo) -> _Look:
    name = dataset.photo_name(photo)
    try:
        data = photo.path.read_bytes()
        digest = hashlib.sha256(data).digest()
        decode_image(data)
    except OSError as error:
        return _Look(name, FindingKind.UNREADABLE, str(error), b"")
    except ImageError as error:
        return _Look(name, FindingKind.UNREADABLE, str(error), digest)
    return _Look(name, None, "", digest)


def _look_at_sketch(sketch: SketchSource) -> _Look:
    name, digest = sketch.name, b""
    try:
        digest = hashlib.sha256(sketch.content()).digest()
        normalise_sketch(sketch.image(), SketchNormalisation(), AS_DRAWN)
        # An image that decodes may still have broken strokes beside it.
        sketch.strokes()
    except OSError as error:
        return _Look(name, FindingKind.UNREADABLE, str(error), b"")
    except (SketchEmpty, SketchSolid) as error:
        return _Look(name, FindingKind.NO_INK, str(error), digest)
    except ImageError as error:
        return _Look(name, FindingKind.UNREADABLE, str(error), digest)
    return _Look(name, None, "", digest)


def _findings(
    looks: Iterator[_Look], belongs: list[tuple[str, str]], progress: Callable[[], None] | None
) -> Iterator[Finding]:
    """`belongs`: the photo that each image is or shows, or its category; and its split."""
    # Photos and sketches are compared among themselves: a photo used as a sketch is no copy of interest.
    first: dict[bytes, tuple[str, str, str]] = {}
    for look, (owner, split) in zip(looks, belongs, strict=True):
        if progress is not None:
            progress()
        # What is unreadable or empty is compared with nothing: empty digests, and blank pages, would all be copies.
        if look.kind is not None:
            yield Finding(look.kind, look.name, look.detail)
            continue
        other, other_owner, other_split = first.setdefault(look.digest, (look.name, owner, split))
        if other == look.name:
            continue
        if split != other_split:
            detail = f"a copy of {other}, which is of {other_split!r}, not {split!r}"
            yield Finding(FindingKind.SPLIT_LEAK, look.name, detail)
        else:
            of = f"{owner} as well" if owner == other_owner else other_owner
            yield Finding(FindingKind.DUPLICATE_CONTENT, look.name, f"a copy of {other}, which is of {of}")
