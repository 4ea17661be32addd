"""The use case: some sketches and the photos that they show in, an adapter for their category or their maker out.

Blocking; runs in worker threads. Nothing is stored before everything is known to be right, and then in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import THUMBNAIL_PX, PhotoNotFound, make_thumbnail
from models.adapters import Adaptation, CategoryAdapter, LeaveOneOut, StyleAdapter
from models.arrays import Rows, Vectors
from models.bundle import ImageUnreadable, decode_image
from models.errors import InkseekError
from service.adaptation.examples import Examples, sketch_source
from service.errors import (
    AdaptationUnavailable,
    CategoryTooSmall,
    PairContradictory,
    PairDuplicate,
    PhotoElsewhere,
    SupportMismatch,
    SupportOnePhoto,
    UnknownPhoto,
)
from service.search.gallery import Gallery, evenly
from service.search.retriever import Retriever
from service.store.photos import online_photo_id
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, OnlinePhoto, SupportPair

_DISTRACTORS = 2_000  # photos that a person's sketches are tried against; more change the third digit
_PHOTOS_TO_FIT_TO = 4_000  # 800 numbers each: 13 MB a copy, and some 100 ms with ten pairs
_NEAREST_TO_FIT_TO = 40
_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class EncodedSketch:
    """`digest`: of what the encoder saw, so that one drawing in two files is one drawing."""

    data: bytes
    vector: Vectors
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Placed:
    """A photo that a sketch shows: its id, and its vector (E,)."""

    photo_id: str
    vector: Vectors


@dataclass(frozen=True, slots=True)
class _Fit:
    adapter: CategoryAdapter | StyleAdapter
    margin: float | None
    leave_one_out: LeaveOneOut
    passes_gate: bool


def check(retriever: Retriever, target: AdapterTarget, examples: Examples) -> None:
    """What can be said before anything is encoded.

    Raises AdaptationUnavailable, UnknownPhoto, PhotoElsewhere, SupportMismatch.
    """
    adaptation_of(retriever)
    if target.scope == "profile" and any(isinstance(photo, bytes) for photo in examples.photos):
        raise SupportMismatch("a drawing style is learned from photos of the gallery: name them with 'photo_id'")
    gallery = retriever.gallery()
    for number, photo in enumerate(examples.photos):
        if isinstance(photo, str):
            _row(gallery, target, photo, number)


def adaptation_of(retriever: Retriever) -> Adaptation:
    """What fits adapters. Raises AdaptationUnavailable."""
    if retriever.bundle.adaptation is None:
        raise AdaptationUnavailable(f"bundle {retriever.bundle.bundle_id} has no adaptation: nothing can be fitted")
    return retriever.bundle.adaptation


def encode_sketch(retriever: Retriever, data: bytes, number: int) -> EncodedSketch:
    """Raises ImageError, BodyInvalid, saying which sketch it was."""
    try:
        tensor = retriever.bundle.sketch.prepare(retriever.decode(sketch_source(data)))
    except InkseekError as error:
        raise type(error)(f"sketch {number + 1}: {error}") from error
    return EncodedSketch(
        data, retriever.bundle.sketch.encode(tensor[None])[0], hashlib.sha256(tensor.tobytes()).digest()
    )


def encode_photo(retriever: Retriever, category: str, data: bytes, number: int) -> NewPhoto:
    """An uploaded photo as the index builder would have it. Raises ImageError, saying which photo it was."""
    encoder = retriever.bundle.photo
    try:
        decoded = decode_image(data, retriever.image_limits, draft_px=max(THUMBNAIL_PX, encoder.preprocess.size_px))
        vector = encoder.encode(encoder.prepare(decoded.image)[None])[0]
        if not abs(float(np.linalg.norm(vector)) - 1.0) < _UNIT_TOLERANCE:  # NaN fails too
            raise ImageUnreadable("the encoder has no embedding for it")
    except InkseekError as error:
        raise type(error)(f"photo {number + 1}: {error}") from error
    photo_id, digest = online_photo_id(category, data), hashlib.sha256(data).hexdigest()
    photo = OnlinePhoto(photo_id, category, digest, decoded.width, decoded.height, vector)
    return NewPhoto(photo, make_thumbnail(decoded.image), data)


def fit(
    retriever: Retriever,
    target: AdapterTarget,
    examples: Examples,
    sketches: Sequence[EncodedSketch],
    uploads: Mapping[int, NewPhoto],
    *,
    force: bool = False,
) -> NewAdapter:
    """The adapter, and whether it is to serve. `uploads`: the encoded photos by their number among `examples.photos`.

    Raises AdaptationUnavailable, SupportError.
    """
    adaptation, gallery = adaptation_of(retriever), retriever.gallery()
    new, placed = _place(gallery, target, examples, uploads)
    shown = placed[: len(sketches)]
    _refuse_contradictions(sketches, shown)
    vectors = np.stack([sketch.vector for sketch in sketches])
    if target.scope == "category":
        fitted = _fit_category(adaptation, gallery, target.name, vectors, shown, new)
    else:
        fitted = _fit_profile(adaptation, gallery, vectors, shown)
    return NewAdapter(
        target=target,
        bundle_id=retriever.bundle.bundle_id,
        adaptation_id=adaptation.adaptation_id,
        method=adaptation.method,
        margin=fitted.margin,
        leave_one_out=fitted.leave_one_out,
        adapter=fitted.adapter,
        activate=fitted.passes_gate or force,
        reason=_reason(fitted, force),
        support=tuple(
            SupportPair(sketch.data, sketch.vector, photo.photo_id)
            for sketch, photo in zip(sketches, shown, strict=True)
        ),
        photos=new,
    )


def _place(
    gallery: Gallery, target: AdapterTarget, examples: Examples, uploads: Mapping[int, NewPhoto]
) -> tuple[tuple[NewPhoto, ...], list[_Placed]]:
    """The photos that the gallery does not have yet, and every photo with its id and vector."""
    new: dict[str, NewPhoto] = {}
    placed = []
    for number, given in enumerate(examples.photos):
        if isinstance(given, str):
            placed.append(_known(gallery, given, _row(gallery, target, given, number)))
            continue
        photo = uploads[number].photo
        twin = gallery.view.index.photo_with_bytes(photo.sha256, target.name)
        if twin is not None:
            placed.append(_known(gallery, twin.photo_id, twin.row))
            continue
        if not gallery.view.has_upload(photo.photo_id):
            new.setdefault(photo.photo_id, uploads[number])
        assert photo.vector is not None
        placed.append(_Placed(photo.photo_id, photo.vector))
    return tuple(new.values()), placed


def _known(gallery: Gallery, photo_id: str, row: int) -> _Placed:
    return _Placed(photo_id, gallery.view.vectors(np.array([row]))[0])


def _row(gallery: Gallery, target: AdapterTarget, photo_id: str, number: int) -> int:
    where = [(f"photo_id.{number}", photo_id)]
    try:
        photo = gallery.view.photo(photo_id)
        row = gallery.view.row(photo_id)
    except PhotoNotFound as error:
        raise UnknownPhoto(f"example {number + 1}: {error}", where) from error
    if target.scope == "category" and photo.category != target.name:
        said = f"of category {photo.category!r}" if photo.category else "of no category"
        raise PhotoElsewhere(f"example {number + 1}: photo {photo_id!r} is {said}, not of {target.name!r}", where)
    return row


def _refuse_contradictions(sketches: Sequence[EncodedSketch], photos: Sequence[_Placed]) -> None:
    """Raises PairDuplicate, PairContradictory, SupportOnePhoto."""
    first: dict[bytes, int] = {}
    for number, (sketch, photo) in enumerate(zip(sketches, photos, strict=True)):
        earlier = first.setdefault(sketch.digest, number)
        if earlier == number:
            continue
        where = [(f"sketch.{earlier}", "the same drawing"), (f"sketch.{number}", "the same drawing")]
        both = f"examples {earlier + 1} and {number + 1}"
        if photos[earlier].photo_id == photo.photo_id:
            raise PairDuplicate(f"{both} are the same drawing of the same photo", where)
        raise PairContradictory(f"{both} are the same drawing of two photos", where)
    if len(photos) > 1 and len({photo.photo_id for photo in photos}) == 1:
        raise SupportOnePhoto(f"all {len(photos)} sketches show photo {photos[0].photo_id!r}")


def _fit_category(
    adaptation: Adaptation,
    gallery: Gallery,
    category: str,
    sketches: Vectors,
    shown: Sequence[_Placed],
    new: Sequence[NewPhoto],
) -> _Fit:
    rows = _rows_to_fit_to(gallery, category, sketches, shown)
    place = {photo.photo.photo_id: len(rows) + n for n, photo in enumerate(new)}
    if len(rows) + len(new) < 2:
        raise CategoryTooSmall(f"category {category!r} has a single photo: there is nothing to tell it from")
    positives = [
        place[photo.photo_id]
        if photo.photo_id in place
        else int(np.searchsorted(rows, gallery.view.row(photo.photo_id)))
        for photo in shown
    ]
    photos = gallery.view.vectors(rows)
    if new:
        photos = np.concatenate([photos, [added.photo.vector for added in new]])
    fitted = adaptation.fit_category(sketches, np.array(positives, np.int64), photos)
    return _Fit(fitted.adapter, fitted.margin, fitted.leave_one_out, fitted.passes_gate)


def _rows_to_fit_to(gallery: Gallery, category: str, sketches: Vectors, shown: Sequence[_Placed]) -> Rows:
    """The category's photos; of a large one an even sample with each sketch's own photo and the nearest ones.

    A fit takes time and memory for each photo, and tells sketches from the nearest; those few are in both samples, so
    they do not count for much more in the category's mean.
    """
    rows = gallery.category_rows(category)
    if len(rows) <= _PHOTOS_TO_FIT_TO:
        return rows
    own = [gallery.view.row(photo.photo_id) for photo in shown if gallery.view.has_photo(photo.photo_id)]
    scorer = gallery.scorer(category, fitted=False)
    near = [scorer.top_k(sketch, _NEAREST_TO_FIT_TO, gallery.view.products)[1] for sketch in sketches]
    return np.unique(np.concatenate([evenly(rows, _PHOTOS_TO_FIT_TO), *near, np.array(own, np.int64)]))


def _fit_profile(adaptation: Adaptation, gallery: Gallery, sketches: Vectors, shown: Sequence[_Placed]) -> _Fit:
    own = {gallery.view.row(photo.photo_id) for photo in shown}
    categories = {photo.category for photo in gallery.view.photos(sorted(own))}
    near = np.concatenate([gallery.category_rows(category) for category in categories])
    rows = near if len(near) > 2 * len(own) else np.arange(gallery.view.count)
    others = np.setdiff1d(rows, np.array(sorted(own)))
    others = evenly(others, _DISTRACTORS)
    if not len(others) and len(own) < 2:
        raise CategoryTooSmall("the gallery has a single photo: there is nothing to tell it from")
    fitted = adaptation.fit_style(sketches, np.stack([photo.vector for photo in shown]), gallery.view.vectors(others))
    return _Fit(fitted.adapter, None, fitted.leave_one_out, fitted.passes_gate)


def _reason(fitted: _Fit, force: bool) -> str:
    verdict = fitted.leave_one_out.explained()
    if fitted.passes_gate:
        return verdict
    return f"forced, though {verdict}" if force else f"not active, because {verdict}"


def photos_to_encode(examples: Examples) -> list[tuple[int, bytes]]:
    """(number, file) of each uploaded photo."""
    return [(number, photo) for number, photo in enumerate(examples.photos) if isinstance(photo, bytes)]
