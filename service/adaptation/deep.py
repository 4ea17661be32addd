"""A deep adaptation as a job: what waits with it, what is drawn for it, and the steps that make it.

Each step is blocking and short but for the last; between two, searches take their turn. Nothing is stored before the
last step, and then in one transaction: a job that is killed or cancelled leaves the adapters as they were.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from index_builder.artifact import PhotoNotFound
from models.arrays import Vectors
from models.bundle import Frame
from models.errors import InkseekError
from models.images.line_drawing import drawn
from service.adaptation.adapt import dry_run_record
from service.adaptation.encoding import EncodedSketch, sketch_purpose
from service.adaptation.examples import Examples
from service.adaptation.fit import Drawn, fit
from service.errors import SupportMismatch
from service.search.gallery import evenly
from service.search.retriever import Retriever
from service.store.jobs.records import JobItem
from service.store.records import AdapterRecord, AdapterTarget

DRAWN_PHOTOS = 48
"""Of a larger category these many stand for all, evenly spread: drawing and encoding them takes most of the time."""
DRAWINGS = 6
"""Of each photo; four gained 0.3 points less at k = 5."""


@dataclass(frozen=True, slots=True)
class DeepRequest:
    """What a deep adaptation is made of; its examples name photos of the gallery."""

    category: str
    examples: Examples
    force: bool = False
    dry_run: bool = False
    frame: Frame = "auto"

    @property
    def target(self) -> AdapterTarget:
        """The category as a target."""
        return AdapterTarget("category", self.category)


def queued_request(request: DeepRequest) -> list[JobItem]:
    """The request as it waits with its job: one item that describes it, then a sketch each. Raises SupportMismatch."""
    if request.examples.uploads:
        raise SupportMismatch("a deep adapter is fitted to photos of the gallery: name them with 'photo_id'")
    described = [request.category, list(request.examples.photos), request.force, request.dry_run, request.frame]
    sketches = [JobItem(number + 1, "", sketch) for number, sketch in enumerate(request.examples.sketches)]
    return [JobItem(0, json.dumps(described)), *sketches]


def waiting_request(items: Sequence[JobItem]) -> DeepRequest:
    """The inverse of `queued_request`."""
    category, photos, force, dry_run, frame = json.loads(items[0].item)
    sketches = tuple(item.image for item in items[1:] if item.image is not None)
    return DeepRequest(category, Examples(sketches, tuple(photos)), force, dry_run, frame)


def photos_to_draw(retriever: Retriever, request: DeepRequest) -> list[str]:
    """Ids of the photos that are drawn: the category's, or an even sample of them, with those of the examples."""
    gallery = retriever.gallery()
    rows = evenly(gallery.category_rows(request.category), DRAWN_PHOTOS)
    sampled = [photo.photo_id for photo in gallery.view.photos(rows.tolist())]
    named = [photo for photo in request.examples.photos if isinstance(photo, str)]
    return list(dict.fromkeys([*sampled, *named]))


def drawings_of(retriever: Retriever, photo_id: str) -> Vectors:
    """(n, E) embeddings of drawings that are made of a photo's thumbnail; n is 0 where it has no edges, or is gone."""
    encoder, inputs = retriever.bundle.sketch, []
    try:
        view = retriever.gallery().view
        jpeg, category = view.thumbnail(photo_id).jpeg, view.photo(photo_id).category
    except PhotoNotFound:
        return np.zeros((0, retriever.bundle.embedding_dim), np.float32)
    with Image.open(io.BytesIO(jpeg)) as thumbnail:
        pages = [drawn(thumbnail.convert("RGB"), seed) for seed in range(DRAWINGS)]
    purpose = sketch_purpose(retriever, AdapterTarget("category", category))
    for page in pages:
        if page is None:
            continue
        try:
            inputs.append(encoder.prepare(page.convert("RGB"), purpose))
        except InkseekError:
            continue  # as a sketch it would be empty, or all ink
    if not inputs:
        return np.zeros((0, retriever.bundle.embedding_dim), np.float32)
    return encoder.encode(np.stack(inputs))


def made(
    retriever: Retriever,
    request: DeepRequest,
    sketches: Sequence[EncodedSketch],
    drawings: Mapping[str, Vectors],
    most: tuple[int, int],
    progress: Callable[[int, int], object],
) -> AdapterRecord:
    """Fit, gate and store. `most`: adapters of the category, and uploaded photos.

    Raises SupportError, AdaptationUnavailable, AdaptersLimit, OnlineTargetsLimit, OnlineFull, OnlineUnwritable, and
    what `progress` raises, before anything is stored.
    """
    shown = {name: vectors for name, vectors in drawings.items() if len(vectors)}
    new = fit(
        retriever, request.target, request.examples, sketches, {}, force=request.force, drawn=Drawn(shown, progress)
    )
    return dry_run_record(new) if request.dry_run else retriever.store.add(new, *most)
