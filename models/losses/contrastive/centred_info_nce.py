"""InfoNCE within each category after the category mean is subtracted: what a search within a category scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.category_means import category_means, same_category
from models.losses.contrastive.info_nce import alike_rows, masked_info_nce
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
    does what is learned here. A photo that is alone in its category has nothing to be told apart from and adds 0.

    All categories at once: one after the other, each would make a GPU wait for its few kernels.
    """
    if not len(categories):
        # The empty sum stays on the graph, so that a backward pass works.
        return CentredTerms(sketches.sum() * 0.0, torch.tensor(0.0))
    same = same_category(categories)
    mean = category_means(photos, same, prior_photos)
    within = masked_info_nce(
        F.normalize(sketches - mean, dim=1),
        F.normalize(photos - mean, dim=1),
        ~same | alike_rows(identities),
        temperature=temperature,
        label_smoothing=label_smoothing,
    )
    # The mean is over all pairs, those without others of their category too: a batch in which few count weighs less.
    return CentredTerms(within.total, (same.sum(dim=1) >= 2).float().mean())


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
