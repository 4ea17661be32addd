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

from models.losses.category_means import category_means, same_category
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
    own = torch.eye(len(student), dtype=torch.bool, device=student.device) if leave_own else None
    return _row_divergences(student, teacher, own, temperature).mean()


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
    inner = _within_categories(
        (sketches, photos), (teacher_sketches.detach(), teacher_photos.detach()), categories, temperature, prior_photos
    )
    return PairRelationTerms(between + inner, between, inner)


def _within_categories(
    student: tuple[Tensor, Tensor],
    teacher: tuple[Tensor, Tensor],
    categories: Tensor,
    temperature: float,
    prior_photos: float,
) -> Tensor:
    """Sketches and photos of both -> scalar: mean over all pairs. All categories at once, see `centred_info_nce`."""
    if not len(categories):
        return student[0].sum() * 0.0
    same = same_category(categories)
    counted = same.sum(dim=1) >= _FEWEST
    # Of a row that does not count nothing leaves the softmax: without a column left it would be no number.
    others = ~same & counted[:, None]
    others_or_own = others | (torch.eye(len(same), dtype=torch.bool, device=same.device) & counted[:, None])
    (s, p), (t_s, t_p) = (_centred(each, same, prior_photos) for each in (student, teacher))
    compared = (
        (s @ p.T, t_s @ t_p.T, others),
        (p @ s.T, t_p @ t_s.T, others),
        (s @ s.T, t_s @ t_s.T, others_or_own),
        (p @ p.T, t_p @ t_p.T, others_or_own),
    )
    rows = torch.stack([_row_divergences(of, by, left_out, temperature) for of, by, left_out in compared]).mean(dim=0)
    return (rows * counted).mean()


def _row_divergences(student: Tensor, teacher: Tensor, left_out: Tensor | None, temperature: float) -> Tensor:
    """(A, B), (A, B), (A, B) bool -> (A,)."""
    if left_out is not None:
        student, teacher = student.masked_fill(left_out, -torch.inf), teacher.masked_fill(left_out, -torch.inf)
    log_s = F.log_softmax(student / temperature, dim=1)
    log_t = F.log_softmax(teacher / temperature, dim=1)
    apart = log_t - log_s
    # -inf less -inf is no number, and what left both softmaxes adds nothing.
    return (log_t.exp() * apart.masked_fill(apart.isnan(), 0.0)).sum(dim=1)


def _both_ways(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    forward = relation_divergence(student, teacher, temperature=temperature)
    return (forward + relation_divergence(student.T, teacher.T, temperature=temperature)) / 2


def _centred(of: tuple[Tensor, Tensor], same: Tensor, prior_photos: float) -> tuple[Tensor, Tensor]:
    sketches, photos = of
    mean = category_means(photos, same, prior_photos)
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
