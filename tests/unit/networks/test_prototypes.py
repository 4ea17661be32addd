from __future__ import annotations

import torch
from torch.nn import functional as F

from models.networks.prototypes import Prototypes


def test_kinds_with_like_names_have_like_prototypes() -> None:
    torch.manual_seed(0)
    words = F.normalize(torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), dim=1)
    words[3] = 0.0  # no word of this name is known
    module = Prototypes(4, 16, words)
    with torch.no_grad():
        module.free.mul_(0.2)
    rows = module().detach()
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(4))
    expected = [
        free + module.of_words.weight.detach() @ word for free, word in zip(module.free.detach(), words, strict=True)
    ]
    torch.testing.assert_close(rows, torch.stack([row / row.norm() for row in expected]))
    assert float(rows[0] @ rows[1]) > 0.8 > float(rows[0] @ rows[2])


def test_a_gradient_at_one_kind_moves_the_others_through_their_words() -> None:
    torch.manual_seed(1)
    module = Prototypes(2, 8, torch.ones(2, 4) / 2)
    torch.autograd.backward(module()[0].sum())
    assert module.free.grad is not None
    assert module.free.grad[1].abs().sum() == 0
    assert module.of_words.weight.grad is not None
    assert module.of_words.weight.grad.abs().sum() > 0
