"""The deep adapter: its gradient against torch autograd, its map against a convolution, its gate against a loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional as F

from models.adapters import Adaptation, CategoryAdapter, Drawings, LiveSupport, ProjectionRule, fit_deep
from models.adapters.deep import (
    Comparison,
    deepened,
    projection_map,
    projection_slope,
    tuned_projection,
)
from models.adapters.state import Method
from models.arrays import Rows
from models.ranking import ranks_of

Floats = npt.NDArray[np.float32]
C, CELLS = 3, 25
E = C * CELLS
RULE = ProjectionRule(steps=4)


def unit(rows: npt.NDArray[np.float64]) -> Floats:
    scaled: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def category(seed: int = 0) -> tuple[Floats, Rows, Floats, Drawings]:
    """Sketches, the photo of each, 9 photos of one category, two drawings of each."""
    random = np.random.default_rng(seed)
    photos = unit(random.normal(size=E) + random.normal(size=(9, E)))
    positives = np.array([2, 2, 5, 7])
    sketches = unit(photos[positives] + 0.4 * random.normal(size=(4, E)) / 9)
    owners = np.repeat(np.arange(9), 2)
    return sketches, positives, photos, Drawings(unit(photos[owners] + random.normal(size=(18, E)) / 9), owners)


def compared(seed: int = 1) -> tuple[Floats, Comparison]:
    random = np.random.default_rng(seed)
    allowed = np.ones((6, 5), np.bool_)
    allowed[:2, 3:] = False
    queries, photos = unit(random.normal(size=(6, E))), unit(random.normal(size=(5, E)))
    own = np.array([0, 2, 1, 3, 4, 4])
    return photos, Comparison(queries, own, random.random(6).astype(np.float32), allowed)


def loss(k: torch.Tensor, photos: Floats, told: Comparison, rule: ProjectionRule) -> torch.Tensor:
    """From the definition, with a convolution in the map's place."""

    def projected(rows: Floats) -> torch.Tensor:
        grid = torch.from_numpy(rows).reshape(len(rows), C, 5, 5)
        return F.normalize(F.conv2d(grid, (torch.eye(C) + k).T[:, :, None, None]).flatten(1), dim=1)

    logits = projected(told.queries) @ projected(photos).T / rule.temperature
    logits = logits.masked_fill(~torch.from_numpy(told.allowed), -torch.inf)
    each = F.cross_entropy(logits, torch.from_numpy(told.own), reduction="none")
    return (each * torch.from_numpy(told.weights)).sum() * rule.temperature + rule.strength / 2 * k.square().sum()


def test_the_slope_is_that_of_autograd() -> None:
    photos, told = compared()
    k = 0.2 * torch.randn(C, C, generator=torch.Generator().manual_seed(0))
    leaf = k.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(loss(leaf, photos, told, RULE), leaf)
    np.testing.assert_allclose(projection_slope(k.numpy(), photos, told, RULE), expected.numpy(), atol=2e-6)


def test_the_steps_lower_the_loss() -> None:
    photos, told = compared()
    k = torch.from_numpy(tuned_projection(photos, told, RULE))
    assert float(loss(k, photos, told, RULE)) < float(loss(torch.zeros(C, C), photos, told, RULE))


def test_the_map_is_a_one_by_one_convolution() -> None:
    random = np.random.default_rng(2)
    k, rows = random.normal(size=(C, C)).astype(np.float32), random.normal(size=(4, E)).astype(np.float32)
    weights = (torch.eye(C) + torch.from_numpy(k)).T[:, :, None, None]
    expected = F.conv2d(torch.from_numpy(rows).reshape(4, C, 5, 5), weights).flatten(1).numpy()
    np.testing.assert_allclose(rows @ projection_map(k, E), expected, atol=1e-4)


@pytest.mark.parametrize("method", ["bayes", "adaptive"])
def test_an_untuned_projection_is_the_light_adapter(method: Method) -> None:
    sketches, positives, photos, drawings = category()
    adaptation = Adaptation.untrained(E, method, power=0.2)
    none = replace(RULE, steps=0)
    deep = fit_deep(adaptation, sketches, positives, photos, drawings, rule=none)
    light = adaptation.fit_category(sketches, positives, photos)
    assert deep.leave_one_out.after == light.leave_one_out.after
    for rows in (sketches, photos):
        np.testing.assert_allclose(deep.adapter.embed_photos(rows), light.adapter.embed_photos(rows), atol=1e-4)


def test_pairs_are_told_from_each_others_photos_alone() -> None:
    """A photo that neither pairs nor drawings show changes nothing: no pair is pulled away from it."""
    sketches, positives, photos, drawings = category()
    adaptation = Adaptation.untrained(E, "bayes")
    drawn = drawings.positives != 8
    fewer = Drawings(drawings.vectors[drawn], drawings.positives[drawn])
    prepared = adaptation.prepare(photos)
    moved = replace(prepared, features=np.concatenate([prepared.features[:8], -prepared.features[8:]]))
    heads = [deepened(each, sketches, positives, fewer, RULE).head for each in (prepared, moved)]
    assert heads[0] is not None and heads[1] is not None
    np.testing.assert_array_equal(heads[0], heads[1])
    assert np.abs(heads[0] - np.eye(E)).max() > 1e-3


@pytest.mark.parametrize("live_is_deep", [None, False, True])
def test_each_photo_is_left_out_with_its_pairs(live_is_deep: bool | None) -> None:
    sketches, positives, photos, drawings = category(3)
    adaptation = Adaptation.untrained(E, "bayes", power=0.2)
    told = LiveSupport(sketches[2:], positives[2:], bool(live_is_deep))
    seen: list[tuple[int, int]] = []
    fitted = fit_deep(
        adaptation,
        sketches,
        positives,
        photos,
        drawings,
        None if live_is_deep is None else told,
        rule=RULE,
        progress=lambda done, total: seen.append((done, total)),
    )
    prepared = adaptation.prepare(photos)
    before, after = np.empty(4, np.int64), np.empty(4, np.int64)
    for photo in (2, 5, 7):
        out = positives == photo

        def ranked(support: Floats, owners: Rows, deep: bool, out: npt.NDArray[np.bool_] = out) -> Rows:
            own = deepened(prepared, support, owners, drawings, RULE) if deep else prepared
            adapter = own.adapter(own.fit(support, owners))
            scores = adapter.embed_sketches(sketches[out]) @ adapter.embed_photos(photos).T
            return ranks_of(scores, positives[out])

        after[out] = ranked(sketches[~out], positives[~out], True)
        if live_is_deep is None:
            centred = CategoryAdapter.centred(photos)
            before[out] = ranks_of(
                centred.embed_sketches(sketches[out]) @ centred.embed_photos(photos).T, positives[out]
            )
        else:
            kept = told.positives != photo
            before[out] = ranked(told.sketches[kept], told.positives[kept], live_is_deep)
    assert fitted.leave_one_out.before.mrr == pytest.approx(float((1 / before).mean()))
    assert fitted.leave_one_out.after.mrr == pytest.approx(float((1 / after).mean()))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_is_no_grid_has_one_cell() -> None:
    rows = unit(np.random.default_rng(0).normal(size=(4, 7)))
    k = tuned_projection(rows, Comparison(rows, np.arange(4), np.ones(4, np.float32), np.ones((4, 4), np.bool_)), RULE)
    assert k.shape == (7, 7)
    assert projection_map(k, 7).shape == (7, 7)
