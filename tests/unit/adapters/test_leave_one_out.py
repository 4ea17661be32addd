"""Ranks among the contenders of a large category are those among all of its photos, as long as they are small."""

from __future__ import annotations

import numpy as np

from models.adapters import Adaptation, CategoryAdapter
from models.adapters.gate import contenders, leave_one_out


def test_contenders_are_each_sketchs_nearest_and_its_own() -> None:
    rng = np.random.default_rng(0)
    assert contenders(rng.random((3, 2000)).astype(np.float32), np.array([1, 2, 3])).tolist() == list(range(2000))
    scores = rng.random((4, 2001)).astype(np.float32)
    own = scores.argmin(axis=1)  # the farthest of all
    rows = contenders(scores, own)
    nearest = {row for line in scores for row in np.argsort(-line)[:150].tolist()}
    assert set(rows.tolist()) == nearest | set(own.tolist())
    assert rows.tolist() == sorted(rows.tolist())


def test_leave_one_out_in_a_large_category() -> None:
    """Against leaving each photo out naively, with a fit and every photo embedded for each."""
    rng = np.random.default_rng(1)
    photos = (rng.standard_normal((2500, 24)) + 2 * rng.standard_normal(24)).astype(np.float32)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    positives = np.arange(6)
    sketches = photos[positives] + 0.08 * rng.standard_normal((6, 24)).astype(np.float32)
    sketches /= np.linalg.norm(sketches, axis=1, keepdims=True)
    adaptation = Adaptation.untrained(24, power=0.3, rate=2.0)
    centred = CategoryAdapter.centred(photos)

    def scores(head: CategoryAdapter, asked: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray:
        return head.embed_sketches(sketches[asked]) @ head.embed_photos(photos).T

    naive = leave_one_out(
        positives,
        lambda asked: scores(centred, asked),
        lambda asked, kept: scores(adaptation.fit_category(sketches[kept], positives[kept], photos).adapter, asked),
    )
    fitted = adaptation.fit_category(sketches, positives, photos).leave_one_out
    assert fitted.before == naive.before
    assert fitted.after.acc_at_1 == naive.after.acc_at_1
    assert abs(fitted.after.mrr - naive.after.mrr) < 0.005
    assert naive.after.mrr < 1  # there was something to tell
