from __future__ import annotations

import math

import pytest
import torch

from models.losses.contrastive.centred_info_nce import centred_info_nce
from models.losses.contrastive.info_nce import info_nce


def naive(sketches: torch.Tensor, photos: torch.Tensor, who: list[int], temperature: float, smoothing: float) -> float:
    """From the definition, a query at a time; both directions, mean."""
    total = 0.0
    for queries, keys in ((sketches, photos), (photos, sketches)):
        for i in range(len(queries)):
            candidates = [j for j in range(len(keys)) if j == i or who[j] != who[i]]
            logits = {j: float(queries[i] @ keys[j]) / temperature for j in candidates}
            norm = math.log(sum(math.exp(value) for value in logits.values()))
            wanted = {j: smoothing / len(candidates) + (1 - smoothing) * (j == i) for j in candidates}
            total -= sum(wanted[j] * (logits[j] - norm) for j in candidates)
    return total / (2 * len(sketches))


@pytest.mark.parametrize("who", [[0, 1, 2, 3, 4], [0, 1, 0, 2, 2]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_against_the_definition(who: list[int], smoothing: float) -> None:
    random = torch.Generator().manual_seed(0)
    sketches = torch.nn.functional.normalize(torch.randn(5, 8, generator=random, dtype=torch.float64), dim=1)
    photos = torch.nn.functional.normalize(torch.randn(5, 8, generator=random, dtype=torch.float64), dim=1)
    terms = info_nce(sketches, photos, torch.tensor(who), temperature=0.2, label_smoothing=smoothing)
    assert float(terms.total) == pytest.approx(naive(sketches, photos, who, 0.2, smoothing), rel=1e-9)
    assert float(terms.total) == pytest.approx(float(terms.sketch_to_photo + terms.photo_to_sketch) / 2)


def test_sketches_of_one_photo_do_not_repel_each_other() -> None:
    sketches = torch.eye(3, requires_grad=True)
    photos = torch.nn.functional.normalize(torch.ones(3, 3) + torch.eye(3), dim=1)
    terms = info_nce(sketches, photos, torch.tensor([7, 7, 8]), temperature=1.0)
    torch.autograd.backward(terms.sketch_to_photo)
    assert sketches.grad is not None
    assert torch.isfinite(sketches.grad).all()
    # Sketch 0 moves along (photo 2 - photo 0) only: photo 1 is photo 0 again and plays no part.
    direction = photos[2] - photos[0]
    assert torch.allclose(torch.linalg.cross(sketches.grad[0], direction), torch.zeros(3), atol=1e-6)


def test_centred_within_each_category_against_the_definition() -> None:
    random = torch.Generator().manual_seed(1)
    sketches = torch.nn.functional.normalize(torch.randn(6, 8, generator=random, dtype=torch.float64), dim=1)
    photos = torch.nn.functional.normalize(torch.randn(6, 8, generator=random, dtype=torch.float64), dim=1)
    who, groups = torch.arange(6), torch.tensor([0, 0, 0, 1, 2, 2])
    expected = 0.0
    for rows in ([0, 1, 2], [4, 5]):  # the category of one photo has nothing to tell apart
        mean = sum(photos[row] for row in rows) / (len(rows) + 4)
        moved = [[(side[row] - mean) / (side[row] - mean).norm() for row in rows] for side in (sketches, photos)]
        expected += naive(torch.stack(moved[0]), torch.stack(moved[1]), rows, 0.2, 0.1) * len(rows) / 6
    terms = centred_info_nce(sketches, photos, who, groups, temperature=0.2, label_smoothing=0.1)
    assert float(terms.total) == pytest.approx(expected, rel=1e-9)


def test_nothing_to_centre() -> None:
    rows = torch.eye(2)
    assert float(centred_info_nce(rows, rows, torch.arange(2), torch.arange(2), temperature=0.1).total) == 0.0
