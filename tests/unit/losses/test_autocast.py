"""Losses as they are trained: encoders compute in bfloat16, losses get single precision outside of autocast.

Where a loss is called under autocast all the same, it must neither overflow nor lose the direction of its gradient.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.losses.inputs import KeptPairs, LossInputs, Match, Targets
from models.losses.key_queue import KeyQueue
from models.losses.table import LOSSES

B, E = 16, 32
INPUT = torch.randn(B, 24, generator=torch.Generator().manual_seed(5))


def unit(seed: int, dim: int = E) -> Tensor:
    return F.normalize(torch.randn(B, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def inputs_of(sketches: Tensor, photos: Tensor) -> LossInputs:
    targets = Targets(*(F.normalize(unit(9) + 0.3 * unit(seed), dim=1) for seed in range(4)))
    return LossInputs(
        sketches=sketches,
        photos=photos,
        identities=torch.arange(B) % 13,
        categories=torch.arange(B) % 4,
        second_sketches=F.normalize(sketches + 0.1 * unit(3), dim=1),
        matches=(Match("r_s", sketches, targets.sketch_first), Match("r_p", photos, targets.photo_first)),
        queues={"r_s": KeyQueue.start(20, E, 0), "r_p": KeyQueue.start(20, E, 1)},
        targets=targets,
        kind_labels=torch.arange(B) % 5,
        prototypes=unit(11)[:5],
        kept_pairs=KeptPairs(torch.arange(B), targets.sketch_first, targets.photo_first),
        kept_photos=targets.photo_first,
    )


def gradient(name: str, *, encoder_bf16: bool, loss_bf16: bool) -> tuple[Tensor, Tensor]:
    """Of a linear encoder's weights: what a step of training would follow."""
    torch.manual_seed(0)
    encoder = nn.Linear(24, E)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=encoder_bf16):
        cells = encoder(INPUT)
    sketches = F.normalize(cells.float(), dim=1)
    photos = F.normalize(cells.float() + 2.0 * cells.float().norm(dim=1, keepdim=True).detach() * unit(7), dim=1)
    loss = LOSSES[name]
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=loss_bf16):
        total = loss.compute(inputs_of(sketches, photos), loss.options()).total
    (weights,) = torch.autograd.grad(total, [encoder.weight])
    return total.float(), weights.float()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_after_a_bfloat16_encoder_a_loss_is_what_single_precision_gives(name: str) -> None:
    total, weights = gradient(name, encoder_bf16=True, loss_bf16=False)
    exact_total, exact = gradient(name, encoder_bf16=False, loss_bf16=False)
    assert total.dtype == torch.float32
    assert float(total.detach()) == pytest.approx(float(exact_total.detach()), rel=0.03, abs=1e-3)
    assert float(F.cosine_similarity(weights.flatten(), exact.flatten(), dim=0)) > 0.995


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_inside_autocast_a_loss_stays_finite_and_points_the_same_way(name: str) -> None:
    total, weights = gradient(name, encoder_bf16=True, loss_bf16=True)
    _, exact = gradient(name, encoder_bf16=False, loss_bf16=False)
    assert torch.isfinite(total)
    assert torch.isfinite(weights).all()
    assert float(F.cosine_similarity(weights.flatten(), exact.flatten(), dim=0)) > 0.9
