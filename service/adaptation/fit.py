"""Encoded examples in, an adapter for their category or profile out. Blocking; runs in worker threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.adapters import Adaptation, CategoryAdapter, Drawings, LeaveOneOut, LiveSupport, StyleAdapter, fit_deep
from models.arrays import Rows, Vectors
from service.adaptation.encoding import EncodedSketch
from service.adaptation.examples import Examples
from service.adaptation.support import SupportPhoto, reject_contradictions, resolve_photos, row_of
from service.errors import AdaptationUnavailable, CategoryTooSmall, SupportMismatch
from service.search.gallery import Gallery, evenly
from service.search.retriever import Retriever
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, SupportPair


@dataclass(frozen=True, slots=True)
class FitSample:
    """How many photos an adapter is fitted to: of a larger category a sample stands for all.

    `photos`: 4,000 of 800 numbers are 13 MB a copy and some 100 ms with ten pairs. `nearest`: the photos nearest to
    each sketch, always among them. `distractors`: photos that a user's sketches are compared with; more change the
    third digit of the figures.
    """

    photos: int = 4_000
    nearest: int = 40
    distractors: int = 2_000


DEEP = "deep"
"""The method of an adapter whose projection was tuned, too."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a deep fit needs: embeddings (n, E) of drawings by the id of their photo; `progress`: see `fit_deep`."""

    vectors: Mapping[str, Vectors]
    progress: Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class _Fit:
    adapter: CategoryAdapter | StyleAdapter
    margin: float | None
    leave_one_out: LeaveOneOut
    passes_gate: bool


def check(retriever: Retriever, target: AdapterTarget, examples: Examples) -> None:
    """Whether the examples can be fitted to, as far as that shows before anything is encoded.

    Raises AdaptationUnavailable, UnknownPhoto, PhotoElsewhere, SupportMismatch.
    """
    _adaptation_of(retriever)
    if target.scope == "profile" and examples.uploads:
        raise SupportMismatch("a drawing style is learned from photos of the gallery: name them with 'photo_id'")
    gallery = retriever.gallery()
    for number, photo in enumerate(examples.photos):
        if isinstance(photo, str):
            row_of(gallery, target, photo, number)


def fit(
    retriever: Retriever,
    target: AdapterTarget,
    examples: Examples,
    sketches: Sequence[EncodedSketch],
    uploads: Mapping[int, NewPhoto],
    *,
    force: bool = False,
    sample: FitSample | None = None,
    drawn: Drawn | None = None,
) -> NewAdapter:
    """The adapter, to be activated where it passes the leave-one-out gate or by `force`; nothing is stored.

    `uploads`: the encoded photos by their number among `examples.photos`. `drawn`: of photos of the category, with
    which a deep adapter is fitted. Raises AdaptationUnavailable, SupportError.
    """
    adaptation, gallery, sample = _adaptation_of(retriever), retriever.gallery(), sample or FitSample()
    new, photos = resolve_photos(gallery, target, examples, uploads)
    shown = photos[: len(sketches)]
    reject_contradictions(sketches, shown)
    vectors = gallery.adaptable(np.stack([sketch.vector for sketch in sketches]))
    if target.scope == "category":
        active = gallery.state.active.get(target)
        live = retriever.store.support_of(active) if active is not None else []
        is_deep = active is not None and retriever.store.get_adapter(target, active).method == DEEP
        fitted = _fit_category(adaptation, gallery, target.name, vectors, shown, new, sample, live, is_deep, drawn)
    else:
        fitted = _fit_profile(adaptation, gallery, vectors, shown, sample)
    return NewAdapter(
        target=target,
        bundle_id=retriever.bundle.bundle_id,
        adaptation_id=adaptation.adaptation_id,
        method=DEEP if drawn is not None else adaptation.method,
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


def _adaptation_of(retriever: Retriever) -> Adaptation:
    if retriever.bundle.adaptation is None:
        raise AdaptationUnavailable(f"bundle {retriever.bundle.bundle_id} has no adaptation: nothing can be fitted")
    return retriever.bundle.adaptation


def _fit_category(
    adaptation: Adaptation,
    gallery: Gallery,
    category: str,
    sketches: Vectors,
    shown: Sequence[SupportPhoto],
    new: Sequence[NewPhoto],
    sample: FitSample,
    live: Sequence[SupportPair],
    live_is_deep: bool,
    drawn: Drawn | None,
) -> _Fit:
    # A photo may have gone, or changed its category, since the active adapter was fitted to it.
    live_rows = _rows_of(gallery, category, live)
    rows = _rows_to_fit_to(gallery, category, sketches, shown, sample)
    rows = np.unique(np.concatenate([rows, live_rows[live_rows >= 0], _drawn_rows(gallery, category, drawn)]))
    # New photos have no row in the gallery yet: they are appended behind its rows, in this order.
    position = {photo.photo.photo_id: len(rows) + n for n, photo in enumerate(new)}
    if len(rows) + len(new) < 2:
        raise CategoryTooSmall(f"category {category!r} has a single photo: there is nothing to tell it from")
    # Rows ascend, and a sample too holds each sketch's own photo: `searchsorted` finds its very position.
    positives = [
        position[photo.photo_id] if photo.row is None else int(np.searchsorted(rows, photo.row)) for photo in shown
    ]
    photos = gallery.vectors(rows)
    if new:
        added = np.stack([photo.photo.vector for photo in new if photo.photo.vector is not None])
        photos = np.concatenate([photos, gallery.adaptable(added)])
    compared = _live_support(gallery, live, live_rows, rows, live_is_deep)
    own = np.array(positives, np.int64)
    if drawn is None:
        fitted = adaptation.fit_category(sketches, own, photos, compared)
    else:
        drawings = _drawings(gallery, category, drawn, rows)
        fitted = fit_deep(adaptation, sketches, own, photos, drawings, compared, progress=drawn.progress)
    return _Fit(fitted.adapter, fitted.margin, fitted.leave_one_out, fitted.passes_gate)


def _rows_of(gallery: Gallery, category: str, pairs: Sequence[SupportPair]) -> Rows:
    """(S,) the row of each pair's photo among the category's; -1 for a photo that is not one of them any more."""
    own = gallery.category_rows(category)
    rows = [gallery.view.row(pair.photo_id) if gallery.view.has_photo(pair.photo_id) else -1 for pair in pairs]
    return np.array([row if row in own else -1 for row in rows], np.int64)


def _drawn_rows(gallery: Gallery, category: str, drawn: Drawn | None) -> Rows:
    """Ascending rows of the photos that were drawn, and are still there."""
    if drawn is None:
        return np.empty(0, np.int64)
    rows = [gallery.view.row(name) for name in drawn.vectors if gallery.view.has_photo(name)]
    return np.intersect1d(np.array(rows, np.int64), gallery.category_rows(category))


def _drawings(gallery: Gallery, category: str, drawn: Drawn, rows: Rows) -> Drawings:
    """The drawings, with the positions of their photos among `rows`. Raises CategoryTooSmall where there are none."""
    own = set(_drawn_rows(gallery, category, drawn).tolist())
    kept = [(gallery.view.row(name), each) for name, each in drawn.vectors.items() if gallery.view.has_photo(name)]
    kept = [(row, each) for row, each in kept if row in own]
    if not kept:
        raise CategoryTooSmall(f"no photo of category {category!r} has lines that can be drawn; adapt without depth")
    owners = np.concatenate([np.full(len(each), row, np.int64) for row, each in kept])
    vectors = gallery.adaptable(np.concatenate([each for _, each in kept]))
    return Drawings(vectors, np.searchsorted(rows, owners))


def _live_support(
    gallery: Gallery, pairs: Sequence[SupportPair], pair_rows: Rows, rows: Rows, is_deep: bool
) -> LiveSupport | None:
    """The active adapter's examples by their positions among `rows`; None where no example is left."""
    kept = [number for number, row in enumerate(pair_rows.tolist()) if row >= 0]
    if not kept:
        return None
    sketches = gallery.adaptable(np.stack([pairs[number].vector for number in kept]))
    return LiveSupport(sketches, np.searchsorted(rows, pair_rows[kept]), is_deep)


def _rows_to_fit_to(
    gallery: Gallery, category: str, sketches: Vectors, shown: Sequence[SupportPhoto], sample: FitSample
) -> Rows:
    """The category's photos; of a large one an even sample with each sketch's own photo and the nearest ones.

    A fit takes time and memory for each photo, and tells sketches from the nearest; those few are in both samples, so
    they do not count for much more in the category's mean.
    """
    rows = gallery.category_rows(category)
    if len(rows) <= sample.photos:
        return rows
    # Photos that come with this request have no row, and are all fitted to anyway.
    own = [photo.row for photo in shown if photo.row is not None]
    # Unfitted, so that the same examples give the same sample whatever adapter happens to be active.
    near = gallery.scorer(category, fitted=False).nearest(sketches, sample.nearest, gallery.blocks_of_products)
    return np.unique(np.concatenate([evenly(rows, sample.photos), near.ravel(), np.array(own, np.int64)]))


def _fit_profile(
    adaptation: Adaptation, gallery: Gallery, sketches: Vectors, shown: Sequence[SupportPhoto], sample: FitSample
) -> _Fit:
    own = {photo.row for photo in shown if photo.row is not None}
    categories = {photo.category for photo in gallery.view.photos(sorted(own))}
    near = np.concatenate([gallery.category_rows(category) for category in categories])
    # Photos of the same categories are the hard ones to tell apart; the whole gallery stands in where they are too few.
    rows = near if len(near) > 2 * len(own) else gallery.view.rows
    others = evenly(np.setdiff1d(rows, np.array(sorted(own))), sample.distractors)
    if not len(others) and len(own) < 2:
        raise CategoryTooSmall("the gallery has a single photo: there is nothing to tell it from")
    drawn = gallery.adaptable(np.stack([photo.vector for photo in shown]))
    fitted = adaptation.fit_style(sketches, drawn, gallery.vectors(others))
    return _Fit(fitted.adapter, None, fitted.leave_one_out, fitted.passes_gate)


def _reason(fitted: _Fit, force: bool) -> str:
    verdict = fitted.leave_one_out.explained()
    if fitted.passes_gate:
        return verdict
    return f"forced, though {verdict}" if force else f"not active, because {verdict}"
