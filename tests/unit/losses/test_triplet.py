from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.losses.contrastive.triplet import triplet


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rows(count: int, dim: int) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64)


@pytest.mark.parametrize("who", [[0, 1, 2, 3], [0, 1, 0, 2], [5, 5, 5, 5]])
def test_triplet_against_the_definition(who: list[int]) -> None:
    sketches, photos = rows(4, 3), rows(4, 3)
    hinges = [
        0.2 + float((sketches[i] - photos[i]).square().sum()) - float((sketches[i] - photos[j]).square().sum())
        for i in range(4)
        for j in range(4)
        if who[j] != who[i]
    ]
    terms = triplet(sketches, photos, torch.tensor(who), margin=0.2)
    assert float(terms.total) == pytest.approx(sum(max(0.0, h) for h in hinges) / max(1, len(hinges)))
    assert float(terms.active) == pytest.approx(sum(h > 0 for h in hinges) / max(1, len(hinges)))
