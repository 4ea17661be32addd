"""A teacher's similarities as distributions: whom a row resembles among the others of the batch.

As relational knowledge distillation (Park et al., CVPR 2019) it needs no common space, so a teacher may be an ensemble
whose vectors lie side by side. It departs from there in that rows of similarities are compared by their softmax, as in
CompRess (Abbasi Koohpayegani et al., NeurIPS 2020), which weighs the likely neighbours more.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, Terms

_FEWEST = 3  # rows of a category that are compared within it: among two there is one neighbour, and no order


@dataclass(frozen=True)
class PairRelationTerms(Terms):
    """`between`: over the whole batch; `within`: in each category after centring; `total`: their sum."""

    between: Tensor
    within: Tensor


def relation_divergence(student: Tensor, teacher: Tensor, *, temperature: float, leave_own: bool = False) -> Tensor:
    """(A, B), (A, B) cosines -> scalar: KL divergence of softmax rows from the teacher's, mean over rows, 0 of none.

    `leave_own`: a row's own column (the diagonal) leaves the softmax, for relations within a modality.
    """
    if not len(student):
        return student.sum() * 0.0
    if leave_own:
        own = torch.eye(len(student), dtype=torch.bool, device=student.device)
        student, teacher = student.masked_fill(own, -torch.inf), teacher.masked_fill(own, -torch.inf)
    log_s = F.log_softmax(student / temperature, dim=1)
    log_t = F.log_softmax(teacher / temperature, dim=1)
    apart = log_t - log_s
    # -inf less -inf is no number, and what left both softmaxes adds nothing.
    return (log_t.exp() * apart.masked_fill(apart.isnan(), 0.0)).sum(dim=1).mean()


def pair_relations(
    sketches: Tensor,
    photos: Tensor,
    teacher_sketches: Tensor,
    teacher_photos: Tensor,
    categories: Tensor,
    *,
    temperature: float,
    prior_photos: float = 4.0,
) -> PairRelationTerms:
    """(B, E), (B, E) unit rows of the student, (B, D), (B, D) of the teacher, (B,) -> scalars.

    Between the modalities over the batch, both directions; and within each category, its mean photo subtracted as a
    search within a category does (see `centred_info_nce`), between the modalities and within each.
    """
    own, known = sketches @ photos.T, (teacher_sketches @ teacher_photos.T).detach()
    between = _both_ways(own, known, temperature)
    within = [sketches.sum() * 0.0]
    for category in torch.unique(categories):
        rows = (categories == category).nonzero()[:, 0]
        if len(rows) < _FEWEST:
            continue
        s, p = _centred(sketches[rows], photos[rows], prior_photos)
        t_s, t_p = _centred(teacher_sketches[rows].detach(), teacher_photos[rows].detach(), prior_photos)
        across = _both_ways(s @ p.T, t_s @ t_p.T, temperature)
        inside = sum(
            relation_divergence(a @ a.T, b @ b.T, temperature=temperature, leave_own=True)
            for a, b in ((s, t_s), (p, t_p))
        )
        within.append((across / 2 + inside / 4) * len(rows))
    inner = torch.stack(within).sum() / max(1, len(categories))
    return PairRelationTerms(between + inner, between, inner)


def _both_ways(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    forward = relation_divergence(student, teacher, temperature=temperature)
    return (forward + relation_divergence(student.T, teacher.T, temperature=temperature)) / 2


def _centred(sketches: Tensor, photos: Tensor, prior_photos: float) -> tuple[Tensor, Tensor]:
    mean = photos.sum(dim=0) / (len(photos) + prior_photos)
    return F.normalize(sketches - mean, dim=1), F.normalize(photos - mean, dim=1)


class PairRelationOptions(LossOptions):
    """`temperature` divides the cosines of both. `prior_photos`: see `centred_info_nce`."""

    temperature: float = Field(default=0.07, gt=0)
    prior_photos: float = Field(default=4.0, ge=0)


def _of_inputs(inputs: LossInputs, options: PairRelationOptions) -> PairRelationTerms:
    """Of the pairs that the teacher knows."""
    kept = inputs.kept_pairs
    assert kept is not None
    rows = kept.rows
    categories = inputs.categories[rows]
    own = inputs.sketches[rows], inputs.photos[rows]
    return pair_relations(*own, kept.sketches, kept.photos, categories, **options.model_dump())


LOSS = Loss("pair_relations", PairRelationOptions, _of_inputs, frozenset({Need.KEPT_PAIRS}))
