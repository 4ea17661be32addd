"""XMRD: the students' batch is to have the shape of the teacher's, whatever space either lives in.

Relational knowledge distillation (Park et al., CVPR 2019) as XModalViT uses it (BMVC 2022): distances between all
pairs, angles between all triples. Student and teacher need not have the same width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

_ANGLE_BUDGET = 2**23  # numbers that a part of the angle loss may hold at once: 32 MiB in single precision


def relational_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """(N, E), (N, D) -> scalar: RKD-D; no gradient reaches the teacher.

    Euclidean distances of all pairs, each side divided by the mean of its own positive ones; smooth L1 (beta 1), mean
    over N * N entries.
    """
    return F.smooth_l1_loss(_relative_distances(student), _relative_distances(teacher.detach()))


def relational_angle(student: Tensor, teacher: Tensor) -> Tensor:
    """(N, E), (N, D) -> scalar: RKD-A; no gradient reaches the teacher.

    Entry (i, j, k) is the cosine of the angle at row i between the directions to rows j and k; smooth L1 (beta 1), mean
    over N ** 3 entries. Two equal rows have no direction between them: their cosines are 0 and pull nowhere. (The photo
    student's batch holds every row twice; dividing by a tiny constant instead makes gradients of 1e12.)

    Memory: vertices are taken in parts and recomputed for the gradient, so N ** 3 numbers never exist at once.
    """
    teacher = teacher.detach()
    count = len(student)
    part = max(1, _ANGLE_BUDGET // (count * (count + student.shape[1] + teacher.shape[1])))
    total = student.new_zeros(())
    for start in range(0, count, part):
        vertices = slice(start, start + part)
        if part >= count:
            total = total + _angle_part(student, teacher, vertices)
        else:
            total = total + checkpoint(_angle_part, student, teacher, vertices, use_reentrant=False)
    return total / count**3


def _relative_distances(rows: Tensor) -> Tensor:
    """(N, E) -> (N, N)."""
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    positive = distances > 0
    mean = distances.sum() / positive.sum().clamp_min(1)
    return distances / torch.where(mean > 0, mean, torch.ones_like(mean))


def _angle_part(student: Tensor, teacher: Tensor, vertices: slice) -> Tensor:
    """Sum over all (i, j, k) with i in `vertices`."""
    with torch.no_grad():
        wanted = _cosines(teacher, vertices)
    return F.smooth_l1_loss(_cosines(student, vertices), wanted.to(student.dtype), reduction="sum")


def _cosines(rows: Tensor, vertices: slice) -> Tensor:
    """(N, E) -> (n, N, N): at vertex i between rows j and k."""
    ways = rows[None, :, :] - rows[vertices, None, :]  # (n, N, E)
    squared = ways.square().sum(dim=2, keepdim=True)
    apart = squared > 1e-12 * rows.detach().square().sum(dim=1).mean()
    lengths = torch.where(apart, squared, torch.ones_like(squared)).sqrt()
    directions = torch.where(apart, ways / lengths, torch.zeros_like(ways))
    return directions @ directions.transpose(1, 2)
