"""XMRD, angles: the students' batch is to have the teacher's angles in all triples of rows.

Relational knowledge distillation (Park et al., CVPR 2019, eq. 7 and 8) as XModalViT uses it (BMVC 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, ModalityTerms, Terms

ANGLE_BUDGET = 2**23
"""Numbers that a part of the loss may hold at once: 32 MiB in single precision."""


def relational_angle(student: Tensor, teacher: Tensor, *, budget: int = ANGLE_BUDGET) -> Terms:
    """(N, E), (N, D) -> scalar: RKD-A; E and D may differ; no gradient reaches the teacher.

    Entry (i, j, k) is the cosine of the angle at row i between the directions to rows j and k; smooth L1 (beta 1), mean
    over N ** 3 entries. Two equal rows have no direction between them: their cosines are 0 and pull nowhere. (The photo
    student's batch holds every row twice; dividing by a tiny constant instead makes gradients of 1e12.)

    Memory: vertices are taken in parts of `budget` numbers and recomputed for the gradient, so N ** 3 numbers never
    exist at once.
    """
    teacher = teacher.detach()
    count = len(student)
    part = max(1, budget // (count * (count + student.shape[1] + teacher.shape[1])))
    total = student.new_zeros(())
    for start in range(0, count, part):
        vertices = slice(start, start + part)
        # Where everything fits at once there is no reason to compute it twice.
        if part >= count:
            total = total + _angle_part(student, teacher, vertices)
        else:
            total = total + checkpoint(_angle_part, student, teacher, vertices, use_reentrant=False)
    return Terms(total / count**3)


def _angle_part(student: Tensor, teacher: Tensor, vertices: slice) -> Tensor:
    """Sum over all (i, j, k) with i in `vertices`."""
    with torch.no_grad():
        expected = _cosines(teacher, vertices)
    return F.smooth_l1_loss(_cosines(student, vertices), expected.to(student.dtype), reduction="sum")


def _cosines(rows: Tensor, vertices: slice) -> Tensor:
    """(N, E) -> (n, N, N): at vertex i between rows j and k."""
    ways = rows[None, :, :] - rows[vertices, None, :]  # (n, N, E)
    squared = ways.square().sum(dim=2, keepdim=True)
    apart = squared > 1e-12 * rows.detach().square().sum(dim=1).mean()
    # The 1 goes in before the root: its slope is infinite at 0, and a `where` after it would multiply that by 0 to NaN.
    lengths = torch.where(apart, squared, torch.ones_like(squared)).sqrt()
    directions = torch.where(apart, ways / lengths, torch.zeros_like(ways))
    return directions @ directions.transpose(1, 2)


def _of_inputs(inputs: LossInputs, options: LossOptions) -> ModalityTerms:
    """Both sketches of each photo, and each photo twice, against r_p(p, a) and r_p(p, b)."""
    assert inputs.targets is not None
    assert inputs.second_sketches is not None
    fused = torch.cat([inputs.targets.photo_first, inputs.targets.photo_second])
    return ModalityTerms.sum_of(
        relational_angle(torch.cat([inputs.sketches, inputs.second_sketches]), fused),
        relational_angle(torch.cat([inputs.photos, inputs.photos]), fused),
    )


LOSS = Loss("relational_angle", LossOptions, _of_inputs, frozenset({Need.TARGETS, Need.SECOND_SKETCHES}))
