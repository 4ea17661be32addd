"""Losses from kept teachers against sums written out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from models.losses.contrastive.centred_info_nce import centred_info_nce
from models.losses.distillation.pair_relations import pair_relations
from models.losses.distillation.photo_relations import photo_relations


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def unit(count: int, dim: int) -> Tensor:
    return F.normalize(torch.randn(count, dim, dtype=torch.float64), dim=1)


def divergence(student: Tensor, teacher: Tensor, t: float, *, own: bool = True) -> float:
    """Mean over rows of KL(teacher || student) between softmaxes; without `own` a row's own column is left out."""
    total = 0.0
    for i in range(len(student)):
        columns = [j for j in range(student.shape[1]) if own or j != i]
        shares = []
        for table in (teacher, student):
            weights = [math.exp(float(table[i, j]) / t) for j in columns]
            shares.append([weight / sum(weights) for weight in weights])
        total += sum(p * math.log(p / q) for p, q in zip(*shares, strict=True))
    return total / len(student)


def test_pair_relations_against_the_definition() -> None:
    s, p, t_s, t_p = unit(7, 4), unit(7, 4), unit(7, 9), unit(7, 9)
    categories = torch.tensor([0, 0, 0, 0, 1, 1, 2])
    found = pair_relations(s, p, t_s, t_p, categories, temperature=0.3)
    between = (divergence(s @ p.T, t_s @ t_p.T, 0.3) + divergence(p @ s.T, t_p @ t_s.T, 0.3)) / 2
    assert float(found.between) == pytest.approx(between, rel=1e-9)

    def centred(x: Tensor, photos: Tensor) -> Tensor:
        return F.normalize(x[:4] - photos[:4].sum(0) / 8, dim=1)  # four photos and a prior of four

    a, b, c, d = centred(s, p), centred(p, p), centred(t_s, t_p), centred(t_p, t_p)
    terms = [
        divergence(a @ b.T, c @ d.T, 0.3),
        divergence(b @ a.T, d @ c.T, 0.3),
        divergence(a @ a.T, c @ c.T, 0.3, own=False),
        divergence(b @ b.T, d @ d.T, 0.3, own=False),
    ]
    assert float(found.within) == pytest.approx(sum(terms) / 4 * 4 / 7, rel=1e-9)  # two pairs have no order
    assert float(found.total) == pytest.approx(float(found.between + found.within))


def test_relations_pull_nowhere_where_student_and_teacher_agree_and_of_no_pair_are_zero() -> None:
    s, p = unit(5, 4).requires_grad_(), unit(5, 4)
    same = pair_relations(s, p, s.detach(), p, torch.zeros(5), temperature=0.1)
    torch.autograd.backward(same.total)
    assert s.grad is not None
    assert s.grad.abs().max() < 1e-9
    none = pair_relations(s[:0], p[:0], unit(0, 9), unit(0, 9), torch.zeros(0), temperature=0.1)
    assert none.total.item() == 0.0
    torch.autograd.backward(none.total)


def test_photo_relations_against_the_definition() -> None:
    sketches, photos, teacher = unit(4, 3), unit(5, 3), unit(5, 6)
    partners = torch.tensor([2, -1, 0, 4])
    relation = teacher @ teacher.T
    among = divergence(photos @ photos.T, relation, 0.2, own=False)
    drawn = [0, 2, 3]
    across = divergence(sketches[drawn] @ photos.T, relation[partners[drawn]], 0.2)
    found = photo_relations(sketches, photos, partners, teacher, temperature=0.2)
    assert float(found.total) == pytest.approx((among + across) / 2, rel=1e-9)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call] # as torch declares it
    """Counts what is computed inside: each is a kernel to start on a GPU."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("loss", ["centred_info_nce", "pair_relations"])
def test_what_looks_within_categories_looks_into_all_of_them_at_once(loss: str) -> None:
    s, p = unit(24, 5), unit(24, 5)
    counts = []
    for categories in (torch.zeros(24), torch.arange(24) // 3):
        with _Operations() as operations:  # type: ignore[no-untyped-call] # as torch declares it
            if loss == "centred_info_nce":
                centred_info_nce(s, p, torch.arange(24), categories, temperature=0.1)
            else:
                pair_relations(s, p, s, p, categories, temperature=0.1)
        counts.append(operations.count)
    assert counts[0] == counts[1] > 0
