"""Suggestions: what is expected of a fit to the feedback, without storing anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.adaptation.encoding import encode_sketch
from service.adaptation.examples import Examples
from service.adaptation.feedback import collect, examples_of, suggestions
from service.adaptation.fit import fit
from service.errors import FeedbackNotFound, OnlineFull, OnlineTargetsLimit
from service.search.retriever import Retriever
from service.store.feedback.pairs import FeedbackLimits, FeedbackStore
from service.store.records import AdapterTarget


@pytest.fixture
def examples(draw: Callable[[str, int], bytes]) -> Examples:
    return Examples(tuple(draw("box", n) for n in (0, 2, 3)), ("box/0.png", "box/2.png", "box/3.png"))


@pytest.fixture
def feedback(retriever: Retriever) -> FeedbackStore:
    return FeedbackStore(retriever.store.folder)


def test_a_suggestion_is_the_verdict_of_a_fit(
    retriever: Retriever, feedback: FeedbackStore, examples: Examples
) -> None:
    for sketch, photo in zip(examples.sketches, examples.photos, strict=True):
        collect(retriever, feedback, str(photo), sketch)
    (found,) = suggestions(retriever, feedback, 64)
    newest_first = Examples(examples.sketches[::-1], examples.photos[::-1])
    assert examples_of(retriever, feedback, "box", 64) == newest_first
    box = AdapterTarget("category", "box")
    drawn = [encode_sketch(retriever, data, number, box) for number, data in enumerate(newest_first.sketches)]
    expected = fit(retriever, box, newest_first, drawn, {})
    assert (found.category, found.pairs, found.photos) == ("box", 3, len(set(examples.photos)))
    assert (found.pays, found.reason, found.problem) == (expected.activate, expected.reason, None)
    assert retriever.store.list_adapters() == []


def test_one_photo_is_too_little(retriever: Retriever, feedback: FeedbackStore, examples: Examples) -> None:
    collect(retriever, feedback, str(examples.photos[0]), examples.sketches[0])
    assert suggestions(retriever, feedback, 64) == []


def test_photos_that_are_gone_are_left_out(retriever: Retriever, feedback: FeedbackStore, examples: Examples) -> None:
    feedback.add("box", "box/gone.png", examples.sketches[0])
    feedback.add("box", str(examples.photos[1]), examples.sketches[1])
    assert examples_of(retriever, feedback, "box", 64).photos == (examples.photos[1],)


def test_limits_hold(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path / "online", FeedbackLimits(max_pairs=2, max_categories=1))
    with pytest.raises(FeedbackNotFound):
        store.delete("feedback-none")
    assert (store.records(), store.clear(), store.pairs("a")) == ([], 0, [])
    for number in range(3):
        store.add("a", f"a/{number}", f"sketch {number}".encode())
    assert store.pairs("a") == [(b"sketch 2", "a/2"), (b"sketch 1", "a/1")]
    with pytest.raises(OnlineTargetsLimit):
        store.add("b", "b/0", b"sketch")
    with pytest.raises(OnlineFull):
        FeedbackStore(tmp_path / "online", FeedbackLimits(max_bytes=1)).add("a", "a/9", b"sketch 9")
    assert store.clear("b") == 0
    assert store.clear() == 2
