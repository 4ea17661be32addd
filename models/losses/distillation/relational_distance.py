"""XMRD, distances: the students' batch is to have the teacher's distances between all pairs of rows.

Relational knowledge distillation (Park et al., CVPR 2019, eq. 5 and 6) as XModalViT uses it (BMVC 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, ModalityTerms, Terms


def relational_distance(student: Tensor, teacher: Tensor) -> Terms:
    """(N, E), (N, D) -> scalar: RKD-D; E and D may differ; no gradient reaches the teacher.

    Euclidean distances of all pairs, each side divided by the mean of its own positive ones; smooth L1 (beta 1), mean
    over N * N entries.
    """
    return Terms(F.smooth_l1_loss(_relative_distances(student), _relative_distances(teacher.detach())))


def _relative_distances(rows: Tensor) -> Tensor:
    """(N, E) -> (N, N)."""
    # By way of matrix products equal rows come out slightly apart, and `positive` would count them.
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    positive = distances > 0
    mean = distances.sum() / positive.sum().clamp_min(1)
    return distances / torch.where(mean > 0, mean, torch.ones_like(mean))


def _of_inputs(inputs: LossInputs, options: LossOptions) -> ModalityTerms:
    """Sketches against r_s(p, a), photos against r_p(p, a)."""
    assert inputs.targets is not None
    return ModalityTerms.sum_of(
        relational_distance(inputs.sketches, inputs.targets.sketch_first),
        relational_distance(inputs.photos, inputs.targets.photo_first),
    )


LOSS = Loss("relational_distance", LossOptions, _of_inputs, frozenset({Need.TARGETS}))
