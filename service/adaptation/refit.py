"""Adapters of another bundle fitted anew for the one in service, to the examples that are kept with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index_builder.artifact import PhotoNotFound
from models.errors import InkseekError
from service.adaptation.encoding import encode_photo, encode_sketch
from service.adaptation.examples import Examples
from service.adaptation.fit import fit
from service.errors import OnlineCorrupt, SupportMismatch
from service.search.retriever import Retriever
from service.store.arrays import vector_bytes
from service.store.records import AdapterRecord


@dataclass(frozen=True, slots=True)
class RefitResult:
    """The outcome for a stale adapter: the adapter `made` in its place, or the `problem`.

    `lost`: how many of its examples name a photo that is gone.
    """

    stale: AdapterRecord
    made: AdapterRecord | None
    problem: str | None = None
    lost: int = 0


def encode_uploads_anew(retriever: Retriever) -> int:
    """Give every uploaded photo that has none its embedding by the bundle in service; returns how many.

    Raises ImageError, OnlineUnwritable, OnlineCorrupt.
    """
    vectors = {}
    for number, photo in enumerate(retriever.store.state().photos):
        if photo.vector is not None:
            continue
        image = retriever.store.image(photo.photo_id)
        if image is None:
            raise OnlineCorrupt(f"uploaded photo {photo.photo_id} has no file")
        encoded = encode_photo(retriever, photo.category, image, number).photo.vector
        assert encoded is not None
        vectors[photo.photo_id] = vector_bytes(encoded)
    if vectors:
        retriever.store.set_vectors(vectors)
    return len(vectors)


def refit_adapters(retriever: Retriever, *, max_adapters: int, force: bool = False) -> Iterator[RefitResult]:
    """Fit anew what was active with another bundle, one adapter after the other.

    An adapter that cannot be fitted is reported and does not stop the others.
    Raises OnlineUnwritable, OnlineCorrupt.
    """
    for stale in retriever.store.state().outdated:
        kept, lost = _examples(retriever, stale)
        try:
            if not kept.sketches:
                raise SupportMismatch("none of the photos of its examples is in the gallery any more")
            sketches = [
                encode_sketch(retriever, data, number, stale.target, stored=True)
                for number, data in enumerate(kept.sketches)
            ]
            # No uploads: a photo that once came with these examples is in the store, and is named by its id.
            new = fit(retriever, stale.target, kept, sketches, {}, force=force)
        except InkseekError as error:
            yield RefitResult(stale, None, str(error), lost)
            continue
        # It brings no photos, so what is stored is the limit: one that was lowered since does not stop a refit.
        yield RefitResult(
            stale, retriever.store.add(new, max_adapters, max_photos=retriever.store.state().photo_count), lost=lost
        )


def _examples(retriever: Retriever, stale: AdapterRecord) -> tuple[Examples, int]:
    """The examples whose photo is still there, and how many others there were."""
    view, support = retriever.gallery().view, retriever.store.support_of(stale.adapter_id)
    kept = []
    for pair in support:
        try:
            # `photo` also knows uploads that cannot be searched; `row` raises for those.
            photo = view.photo(pair.photo_id)
            view.row(pair.photo_id)
        except PhotoNotFound:
            continue
        # An index built since may have the photo in another category, and `fit` would reject all examples for it.
        if stale.target.scope == "profile" or photo.category == stale.target.name:
            kept.append(pair)
    examples = Examples(tuple(pair.sketch for pair in kept), tuple(pair.photo_id for pair in kept))
    return examples, len(support) - len(kept)
