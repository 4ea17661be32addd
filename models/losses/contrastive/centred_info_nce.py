"""InfoNCE within each category after the category mean is subtracted: what a search within a category scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.contrastive.info_nce import info_nce
from models.losses.inputs import LossInputs
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class CentredTerms(Terms):
    """`total`: mean over the batch's pairs; `counted`: share of pairs in [0, 1] whose category has two or more."""

    counted: Tensor


def centred_info_nce(
    sketches: Tensor,
    photos: Tensor,
    identities: Tensor,
    categories: Tensor,
    *,
    temperature: float,
    label_smoothing: float = 0.0,
    prior_photos: float = 4.0,
) -> CentredTerms:
    """InfoNCE within each category, mean-centred: (B, E), (B, E) unit rows -> scalars.

    `categories` (B,): the number of each pair's category; its mean photo is subtracted from both sides. `prior_photos`:
    the mean of n photos counts n / (n + prior), as in `models.adapters.category`, where a search within a category
    does what is learned here. Categories of fewer than two photos have nothing to tell apart and are left out; `total`
    is 0 when that leaves none.
    """
    terms, counted = [], 0
    for category in torch.unique(categories):
        rows = (categories == category).nonzero()[:, 0]
        if len(rows) < 2:
            continue
        mean = photos[rows].sum(dim=0) / (len(rows) + prior_photos)
        centred_sketches = F.normalize(sketches[rows] - mean, dim=1)
        centred_photos = F.normalize(photos[rows] - mean, dim=1)
        within = info_nce(
            centred_sketches, centred_photos, identities[rows], temperature=temperature, label_smoothing=label_smoothing
        )
        terms.append(within.total * len(rows))
        counted += len(rows)
    # Divided by B and not by `counted`: a batch in which few pairs count then weighs less. The empty sum stays on the
    # graph, so that a backward pass works.
    total = torch.stack(terms).sum() / len(categories) if terms else sketches.sum() * 0.0
    return CentredTerms(total, torch.tensor(counted / max(1, len(categories))))


class CentredOptions(LossOptions):
    """`temperature`, `label_smoothing`: see `InfoNceOptions`. `prior_photos`: see `centred_info_nce`."""

    temperature: float = Field(default=0.07, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    prior_photos: float = Field(default=4.0, ge=0)


def _of_inputs(inputs: LossInputs, options: CentredOptions) -> CentredTerms:
    return centred_info_nce(
        inputs.sketches, inputs.photos, inputs.identities, inputs.categories, **options.model_dump()
    )


LOSS = Loss("centred_info_nce", CentredOptions, _of_inputs)
