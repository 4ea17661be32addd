from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.losses.contrastive.queue_contrast import queue_contrast
from models.losses.key_queue import KeyQueue


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rows(count: int, dim: int) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64)


def test_queue_contrast_against_the_definition() -> None:
    queries, keys, queued = rows(4, 6), rows(4, 6), rows(9, 6)
    who, queued_who = torch.tensor([0, 1, 2, 3]), torch.tensor([7, 1, 8, 9, 1, 5, -1, -1, 3])
    queue = KeyQueue(torch.nn.functional.normalize(queued, dim=1), queued_who, 0)
    terms = queue_contrast(queries, keys, who, queue, temperature=0.07)
    total, found = 0.0, 0
    for i in range(4):
        own = float(torch.cosine_similarity(queries[i], keys[i], dim=0)) / 0.07
        others = [
            float(torch.cosine_similarity(queries[i], queued[j], dim=0)) / 0.07
            for j in range(9)
            if queued_who[j] != who[i]
        ]
        total += math.log(sum(math.exp(v) for v in (own, *others))) - own
        found += own > max(others)
    assert float(terms.total) == pytest.approx(total / 4, rel=1e-9)
    assert float(terms.accuracy) == pytest.approx(found / 4)


def test_queue_contrast_pulls_queries_alone_and_by_direction() -> None:
    queries, keys = rows(3, 5).requires_grad_(), rows(3, 5).requires_grad_()
    queue = KeyQueue.start(8, 5, seed=0)
    queue = KeyQueue(queue.keys.double(), queue.identities, 0)
    terms = queue_contrast(queries, keys, torch.arange(3), queue, temperature=0.07)
    torch.autograd.backward(terms.total)
    assert keys.grad is None
    assert queries.grad is not None and queries.grad.abs().sum() > 0
    longer = queue_contrast(queries * 7, keys * 0.1, torch.arange(3), queue, temperature=0.07)
    assert torch.allclose(longer.total, terms.total)


def test_queue_keeps_the_last_keys_whatever_the_batch_sizes() -> None:
    queue = KeyQueue.start(5, 3, seed=1)
    assert torch.allclose(queue.keys.norm(dim=1), torch.ones(5))
    pushed: list[tuple[int, Tensor]] = []
    for step, count in enumerate([2, 2, 3, 1, 4, 5, 2]):
        keys = torch.randn(count, 3)
        who = torch.arange(count) + 10 * step
        before = queue.keys.clone()
        after = queue.pushed(keys, who)
        assert torch.equal(queue.keys, before)  # a queue is a value
        queue = after
        pushed += list(zip(who.tolist(), torch.nn.functional.normalize(keys, dim=1), strict=True))
        last = dict(pushed[-5:])
        held = dict(zip(queue.identities.tolist(), queue.keys, strict=True))
        assert set(last) <= set(held)
        assert all(torch.allclose(held[number], key) for number, key in last.items())


def test_a_batch_longer_than_the_queue_leaves_its_end() -> None:
    queue = KeyQueue.start(3, 2, seed=0).pushed(torch.randn(8, 2), torch.arange(8))
    assert sorted(queue.identities.tolist()) == [5, 6, 7]
