"""Feedback as a use case: kept where it names a photo of a category, and weighed as examples when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InkseekError
from service.adaptation.encoding import EncodedSketch, encode_sketch
from service.adaptation.examples import Examples
from service.adaptation.fit import fit
from service.errors import FeedbackUnusable
from service.search.retriever import Retriever
from service.store.feedback.pairs import FeedbackRecord, FeedbackStore
from service.store.records import AdapterTarget, NewAdapter

FEWEST_PHOTOS = 2
"""Feedback on fewer photos is not suggested: leave-one-out needs one to fit to and one to find."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What adapting a category to its feedback would do.

    `pairs`, `photos`: that can be fitted to. `expected_gain`: of the mean of 1 / rank on other drawings, None where it
    is not known. `pays`: whether the adapter would be activated. `problem`: why nothing can be fitted.
    """

    category: str
    pairs: int
    photos: int
    expected_gain: float | None = None
    pays: bool = False
    reason: str = ""
    problem: str | None = None


def collect(retriever: Retriever, feedback: FeedbackStore, photo_id: str, sketch: bytes) -> FeedbackRecord:
    """Keep a sketch with the photo that it was meant to find.

    Raises PhotoNotFound, FeedbackUnusable (the photo is in no category), ImageError, BodyInvalid, OnlineTargetsLimit,
    OnlineFull, OnlineUnwritable.
    """
    photo = retriever.gallery().view.photo(photo_id)
    if not photo.category:
        raise FeedbackUnusable(f"photo {photo_id!r} is in no category, and adapters are of categories")
    # What no encoder can read is no example, so it is rejected now and not when it is wanted.
    encode_sketch(retriever, sketch, 0, AdapterTarget("category", photo.category))
    return feedback.add(photo.category, photo_id, sketch)


def suggestions(retriever: Retriever, feedback: FeedbackStore, most: int) -> list[Suggestion]:
    """Every category with feedback on two photos or more, those that would gain most first; nothing is stored.

    `most`: pairs that are fitted to, the newest ones.
    """
    categories = sorted({record.category for record in feedback.records()})
    found = [_suggestion(retriever, feedback, category, most) for category in categories]
    kept = [each for each in found if each.photos >= FEWEST_PHOTOS]
    return sorted(kept, key=lambda each: (not each.pays, -(each.expected_gain or 0.0), each.category))


def examples_of(retriever: Retriever, feedback: FeedbackStore, category: str, most: int) -> Examples:
    """The newest `most` pairs of a category whose photo is still in it, one drawing once."""
    view, kept, seen = retriever.gallery().view, [], set()
    for sketch, photo_id in feedback.pairs(category):
        if sketch in seen or not view.has_photo(photo_id) or view.photo(photo_id).category != category:
            continue
        seen.add(sketch)
        kept.append((sketch, photo_id))
    return Examples(tuple(sketch for sketch, _ in kept[:most]), tuple(photo for _, photo in kept[:most]))


def _suggestion(retriever: Retriever, feedback: FeedbackStore, category: str, most: int) -> Suggestion:
    examples = examples_of(retriever, feedback, category, most)
    pairs, photos = len(examples.sketches), len(set(examples.photos))
    if photos < FEWEST_PHOTOS:
        return Suggestion(category, pairs, photos)
    target = AdapterTarget("category", category)
    try:
        new = fit(retriever, target, examples, _encoded(retriever, target, examples.sketches), {})
    except InkseekError as error:
        return Suggestion(category, pairs, photos, problem=str(error))
    return Suggestion(category, pairs, photos, _gain(new), new.activate, new.reason)


def _encoded(retriever: Retriever, target: AdapterTarget, sketches: Sequence[bytes]) -> list[EncodedSketch]:
    return [encode_sketch(retriever, data, number, target, stored=True) for number, data in enumerate(sketches)]


def _gain(new: NewAdapter) -> float | None:
    expected = new.leave_one_out.expected
    return None if expected is None else expected.mean
