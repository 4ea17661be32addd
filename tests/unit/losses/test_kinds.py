"""Losses of kinds against loops written from their definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.losses.contrastive.kind_contrast import kind_contrast
from models.losses.contrastive.kind_prototypes import kind_prototypes
from models.losses.inputs import LossInputs, Unpaired
from models.losses.objective import Objective, loss_terms

SKETCH_KINDS = [0, 0, 1, 2, -1, 3]
PHOTO_KINDS = [0, 1, 1, 2, 2, -1, 4]
COMPATIBLE = {(0, 2), (2, 0)}
KINDS = 5


def unit(seed: int, count: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(count, 8, generator=random, dtype=torch.float64), dim=1)


def table() -> Tensor:
    compatible = torch.zeros(KINDS, KINDS, dtype=torch.bool)
    for one, other in COMPATIBLE:
        compatible[one, other] = True
    return compatible


def naive_contrast(queries: Tensor, own: list[int], keys: Tensor, theirs: list[int], temperature: float) -> float:
    losses = []
    for query, kind in zip(queries, own, strict=True):
        positives = [j for j, other in enumerate(theirs) if other == kind and kind >= 0]
        if not positives:
            continue
        candidates = [j for j, other in enumerate(theirs) if other >= 0 and (kind, other) not in COMPATIBLE]
        norm = math.log(sum(math.exp(float(query @ keys[j]) / temperature) for j in candidates))
        losses.append(-sum(float(query @ keys[j]) / temperature - norm for j in positives) / len(positives))
    return sum(losses) / len(losses)


def test_contrast_of_kinds_against_the_definition() -> None:
    sketches, photos = unit(0, 6), unit(1, 7)
    terms = kind_contrast(
        sketches, torch.tensor(SKETCH_KINDS), photos, torch.tensor(PHOTO_KINDS), table(), temperature=0.2
    )
    forward = naive_contrast(sketches, SKETCH_KINDS, photos, PHOTO_KINDS, 0.2)
    backward = naive_contrast(photos, PHOTO_KINDS, sketches, SKETCH_KINDS, 0.2)
    assert float(terms.sketch_to_photo) == pytest.approx(forward, rel=1e-9)
    assert float(terms.photo_to_sketch) == pytest.approx(backward, rel=1e-9)
    assert float(terms.total) == pytest.approx((forward + backward) / 2, rel=1e-9)


def test_what_has_no_known_kind_gets_no_gradient() -> None:
    sketches, photos = unit(0, 6).requires_grad_(), unit(1, 7).requires_grad_()
    terms = kind_contrast(sketches, torch.tensor(SKETCH_KINDS), photos, torch.tensor(PHOTO_KINDS), temperature=0.2)
    of_sketches, of_photos = torch.autograd.grad(terms.total, (sketches, photos))
    assert torch.isfinite(of_sketches).all()
    assert of_sketches[4].abs().sum() == 0
    assert of_photos[5].abs().sum() == 0
    assert of_photos[6].abs().sum() > 0  # kind 4 was not drawn: a negative all the same
    nothing = kind_contrast(sketches, torch.full((6,), -1), photos, torch.tensor(PHOTO_KINDS), temperature=0.2)
    assert float(nothing.total.detach()) == 0.0


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_prototypes_against_the_definition(smoothing: float) -> None:
    rows, prototypes = unit(2, 6), unit(3, KINDS)
    expected, hits = [], []
    for row, kind in zip(rows, SKETCH_KINDS, strict=True):
        if kind < 0:
            continue
        stay = [k for k in range(KINDS) if (kind, k) not in COMPATIBLE]
        logits = {k: float(row @ prototypes[k]) / 0.3 for k in stay}
        norm = math.log(sum(math.exp(value) for value in logits.values()))
        target = {k: smoothing / len(stay) + (1 - smoothing) * (k == kind) for k in stay}
        expected.append(-sum(target[k] * (logits[k] - norm) for k in stay))
        hits.append(int((prototypes @ row).argmax()) == kind)
    terms = kind_prototypes(
        rows, torch.tensor(SKETCH_KINDS), prototypes, table(), temperature=0.3, label_smoothing=smoothing
    )
    assert float(terms.total) == pytest.approx(sum(expected) / len(expected), rel=1e-9)
    assert float(terms.accuracy) == pytest.approx(sum(hits) / len(hits))
    assert float(kind_prototypes(rows, torch.full((6,), -1), prototypes, temperature=0.3).total) == 0.0


def test_pairs_and_unpaired_pictures_count_together() -> None:
    pairs = torch.tensor([0, 1, 2])
    sketches, photos, more, others, prototypes = unit(4, 3), unit(5, 3), unit(6, 2), unit(7, 4), unit(8, KINDS)
    unpaired = Unpaired(more, torch.tensor([3, 0]), others, torch.tensor([1, 1, 4, -1]))
    inputs = LossInputs(
        sketches,
        photos,
        torch.arange(3),
        torch.zeros(3, dtype=torch.int64),
        kind_labels=pairs,
        unpaired=unpaired,
        prototypes=prototypes,
        compatible_kinds=table(),
    )
    terms = Objective.of(loss_terms(kind_contrast=1, kind_prototypes={"weight": 2, "label_smoothing": 0}))(inputs)
    all_sketches, all_photos = torch.cat([sketches, more]), torch.cat([photos, others])
    sketch_kinds, photo_kinds = torch.tensor([0, 1, 2, 3, 0]), torch.tensor([0, 1, 2, 1, 1, 4, -1])
    contrast = kind_contrast(all_sketches, sketch_kinds, all_photos, photo_kinds, table(), temperature=0.07)
    each = [
        kind_prototypes(rows, kinds, prototypes, table(), temperature=0.07).total
        for rows, kinds in ((all_sketches, sketch_kinds), (all_photos, photo_kinds))
    ]
    assert float(terms["kind_contrast"]) == pytest.approx(float(contrast.total), rel=1e-9)
    assert float(terms["kind_prototypes"]) == pytest.approx(float(sum(each)) / 2, rel=1e-9)
    assert float(terms["total"]) == pytest.approx(float(contrast.total + sum(each)), rel=1e-9)
