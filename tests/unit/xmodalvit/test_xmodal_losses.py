from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.losses import relational_distillation
from models.losses.queue_contrast import KeyQueue, queue_contrast
from models.losses.relational_distillation import relational_angle, relational_distance
from models.losses.triplet import triplet


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rows(count: int, dim: int) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64)


def smooth_l1(a: float, b: float) -> float:
    return 0.5 * (a - b) ** 2 if abs(a - b) < 1 else abs(a - b) - 0.5


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
    assert float(terms.found) == pytest.approx(found / 4)


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


def naive_distance(student: Tensor, teacher: Tensor) -> float:
    def relative(x: Tensor) -> list[list[float]]:
        table = [[float((a - b).norm()) for b in x] for a in x]
        positive = [value for line in table for value in line if value > 0]
        return [[value / (sum(positive) / len(positive)) for value in line] for line in table]

    s, t, n = relative(student), relative(teacher), len(student)
    return sum(smooth_l1(s[i][j], t[i][j]) for i in range(n) for j in range(n)) / n**2


def naive_angle(student: Tensor, teacher: Tensor) -> float:
    def cosine(x: Tensor, i: int, j: int, k: int) -> float:
        a, b = x[j] - x[i], x[k] - x[i]
        length = float(a.norm() * b.norm())
        return float(a @ b) / length if length else 0.0

    n = len(student)
    corners = [(i, j, k) for i in range(n) for j in range(n) for k in range(n)]
    return sum(smooth_l1(cosine(student, *c), cosine(teacher, *c)) for c in corners) / n**3


def test_relations_against_the_definition() -> None:
    student, teacher = rows(6, 4), 3 * rows(6, 9)
    assert float(relational_distance(student, teacher)) == pytest.approx(naive_distance(student, teacher), rel=1e-9)
    assert float(relational_angle(student, teacher)) == pytest.approx(naive_angle(student, teacher), rel=1e-9)
    doubled = torch.cat([student[:3], student[:3]])
    assert float(relational_distance(doubled, teacher)) == pytest.approx(naive_distance(doubled, teacher), rel=1e-9)
    assert float(relational_angle(doubled, teacher)) == pytest.approx(naive_angle(doubled, teacher), rel=1e-9)


@pytest.mark.parametrize("loss", [relational_distance, relational_angle])
def test_relations_do_not_care_where_a_batch_lies_and_teach_the_student_alone(loss: object) -> None:
    assert callable(loss)
    student, teacher = rows(6, 4).requires_grad_(), rows(6, 4).requires_grad_()
    torch.autograd.backward(loss(student, teacher))
    assert teacher.grad is None
    assert student.grad is not None and student.grad.abs().sum() > 0
    seen = teacher.detach()
    turned = torch.linalg.qr(rows(4, 4)).Q
    assert float(loss(5 * seen @ turned + 2, seen)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("loss", [relational_distance, relational_angle])
def test_equal_rows_have_gradients_of_an_ordinary_size(loss: object) -> None:
    assert callable(loss)
    half = torch.randn(4, 5, requires_grad=True)
    torch.autograd.backward(loss(torch.cat([half, half]), torch.randn(8, 5)))
    assert half.grad is not None
    assert 0 < half.grad.abs().max() < 1
    same = torch.ones(4, 5, requires_grad=True)
    torch.autograd.backward(loss(same, torch.randn(4, 5)))
    assert same.grad is not None and torch.isfinite(same.grad).all()


def test_angles_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    student, teacher = rows(7, 4).requires_grad_(), rows(7, 3)
    whole = relational_angle(student, teacher)
    (gradient,) = torch.autograd.grad(whole, student)
    monkeypatch.setattr(relational_distillation, "_ANGLE_BUDGET", 3 * 7 * 14)
    parts = relational_angle(student, teacher)
    assert torch.allclose(parts, whole)
    assert torch.allclose(torch.autograd.grad(parts, student)[0], gradient)


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
