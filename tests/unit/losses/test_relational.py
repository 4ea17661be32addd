from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from models.losses.distillation.relational_angle import relational_angle
from models.losses.distillation.relational_distance import relational_distance
from models.losses.loss import Terms

RelationalLoss = Callable[[Tensor, Tensor], Terms]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rows(count: int, dim: int) -> Tensor:
    return torch.randn(count, dim, dtype=torch.float64)


def smooth_l1(a: float, b: float) -> float:
    return 0.5 * (a - b) ** 2 if abs(a - b) < 1 else abs(a - b) - 0.5


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
    assert float(relational_distance(student, teacher).total) == pytest.approx(
        naive_distance(student, teacher), rel=1e-9
    )
    assert float(relational_angle(student, teacher).total) == pytest.approx(naive_angle(student, teacher), rel=1e-9)
    doubled = torch.cat([student[:3], student[:3]])
    assert float(relational_distance(doubled, teacher).total) == pytest.approx(
        naive_distance(doubled, teacher), rel=1e-9
    )
    assert float(relational_angle(doubled, teacher).total) == pytest.approx(naive_angle(doubled, teacher), rel=1e-9)


@pytest.mark.parametrize("loss", [relational_distance, relational_angle])
def test_relations_do_not_care_where_a_batch_lies_and_teach_the_student_alone(loss: RelationalLoss) -> None:
    student, teacher = rows(6, 4).requires_grad_(), rows(6, 4).requires_grad_()
    torch.autograd.backward(loss(student, teacher).total)
    assert teacher.grad is None
    assert student.grad is not None and student.grad.abs().sum() > 0
    seen = teacher.detach()
    turned = torch.linalg.qr(rows(4, 4)).Q
    assert float(loss(5 * seen @ turned + 2, seen).total) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("loss", [relational_distance, relational_angle])
def test_equal_rows_have_gradients_of_an_ordinary_size(loss: RelationalLoss) -> None:
    half = torch.randn(4, 5, requires_grad=True)
    torch.autograd.backward(loss(torch.cat([half, half]), torch.randn(8, 5)).total)
    assert half.grad is not None
    assert 0 < half.grad.abs().max() < 1
    same = torch.ones(4, 5, requires_grad=True)
    torch.autograd.backward(loss(same, torch.randn(4, 5)).total)
    assert same.grad is not None and torch.isfinite(same.grad).all()


def test_angles_in_parts_are_the_same() -> None:
    student, teacher = rows(7, 4).requires_grad_(), rows(7, 3)
    whole = relational_angle(student, teacher).total
    (gradient,) = torch.autograd.grad(whole, student)
    parts = relational_angle(student, teacher, budget=3 * 7 * 14).total
    assert torch.allclose(parts, whole)
    assert torch.allclose(torch.autograd.grad(parts, student)[0], gradient)
