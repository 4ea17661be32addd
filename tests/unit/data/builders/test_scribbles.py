"""Drawings of nothing: every form, drawable, the same of a seed and unlike of another."""

from __future__ import annotations

import numpy as np
import pytest

from models.bundle import rasterise_strokes
from models.data.builders.scribbles import FORMS, scribbles


def test_the_forms_come_in_turn_and_a_seed_decides_all() -> None:
    drawn, again, other = scribbles(20, seed=3), scribbles(20, seed=3), scribbles(20, seed=4)
    assert [each.category for each in drawn[: len(FORMS)]] == list(FORMS)
    assert len({each.sketch.name for each in drawn}) == 20
    assert [each.sketch.content() for each in drawn] == [each.sketch.content() for each in again]
    assert all(a.sketch.content() != b.sketch.content() for a, b in zip(drawn, other, strict=True))
    assert [each.sketch.content() for each in scribbles(5, seed=3)] == [each.sketch.content() for each in drawn[:5]]


@pytest.mark.parametrize("form", FORMS)
def test_each_is_drawn_on_the_canvas_and_leaves_paper(form: str) -> None:
    for each in scribbles(30):
        if each.category != form:
            continue
        strokes = each.sketch.strokes()
        assert strokes is not None
        points = np.concatenate(strokes)
        assert points.min() >= 0 and points.max() <= 256
        assert np.ptp(points, axis=0).max() == pytest.approx(0.84 * 256, rel=1e-4)
        assert (len(strokes) > 1) == (form in ("hatching", "loose strokes"))
        ink = np.asarray(rasterise_strokes(strokes)) < 128
        assert 0.004 < ink.mean() < 0.6


def test_a_zigzag_goes_to_and_fro_and_a_blob_is_closed() -> None:
    by_form = {each.category: each.sketch.strokes() for each in scribbles(len(FORMS), seed=1)}
    (zigzag,), (blob,) = by_form["zigzag"] or (), by_form["blob"] or ()
    steps = np.diff(zigzag, axis=0)
    assert ((steps[1:] * steps[:-1]).sum(axis=1) < 0).mean() > 0.5
    np.testing.assert_allclose(blob[0], blob[-1], atol=1e-3)
