"""Searches for drawings of nothing: in the whole gallery and in parts of it, and no answer is right."""

from __future__ import annotations

import numpy as np
import pytest

from models.bundle import EmbeddingParts
from models.data.builders.scribbles import FORMS, scribbles
from models.evaluation.calibration.material import NOTHING, of_nothing


@pytest.mark.parametrize("kind_only", [False, True])
def test_their_searches_are_those_of_the_mixed_gallery_without_a_right_answer(kind_only: bool) -> None:
    random = np.random.default_rng(0)
    parts = EmbeddingParts(layout_dim=6, kind_dim=4, layout_weight=0.6)
    drawn = scribbles(12)
    sketches, photos = (random.standard_normal((count, 10)).astype(np.float32) for count in (12, 400))
    for rows in (sketches, photos):
        rows[:, :6] *= 0.6 / np.linalg.norm(rows[:, :6], axis=1, keepdims=True)
        rows[:, 6:] *= 0.8 / np.linalg.norm(rows[:, 6:], axis=1, keepdims=True)
    found = of_nothing(drawn, sketches, photos, parts, kind_only=kind_only)
    assert (found.domain, found.nonsense) == (NOTHING, True)
    assert len(found.scores) == 3 * 12  # 400 photos, 300 and 60
    assert not found.right.any() and not found.present.any() and found.fitted.all()
    assert found.groups.tolist() == 2 * list(FORMS) * 3
    scores = sketches @ photos.T
    if kind_only:
        scores = (sketches[:, 6:] / 0.8) @ photos[:, 6:].T
    np.testing.assert_allclose(found.scores[:12], -np.sort(-scores, axis=1)[:, :10], atol=1e-5)
    assert (found.scores[12:24, 0] <= found.scores[:12, 0] + 1e-6).all()
    order = np.argsort(-scores[0])[:10]
    kinds = photos[order, 6:] / 0.8
    assert found.likeness[0] == pytest.approx(float((kinds[1:] @ kinds[0]).mean()), abs=1e-5)
