"""What a network that has seen photographs alone says of the batch's photos, distilled into both modalities.

A photo-only teacher on unlabelled photos, as in SketchPVT (Sain et al., CVPR 2023); here its similarities are distilled
as distributions (see `pair_relations`), to photos directly and to a sketch by way of its photo.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from models.losses.distillation.pair_relations import relation_divergence
from models.losses.inputs import LossInputs, Need
from models.losses.loss import Loss, LossOptions, Terms


def photo_relations(
    sketches: Tensor, photos: Tensor, partners: Tensor, teacher: Tensor, *, temperature: float
) -> Terms:
    """(N, E), (M, E) unit rows, (N,) the photo of each sketch or -1, (M, D) unit rows of the teacher -> scalar.

    Photos are to resemble each other as they do for the teacher, and a sketch photos, as its photo does; the mean of
    both. A photo leaves its own softmax.
    """
    relation = (teacher @ teacher.T).detach()
    among = relation_divergence(photos @ photos.T, relation, temperature=temperature, leave_own=True)
    drawn = partners >= 0
    across = relation_divergence(sketches[drawn] @ photos.T, relation[partners[drawn]], temperature=temperature)
    return Terms((among + across) / 2)


class PhotoRelationOptions(LossOptions):
    """`temperature` divides the cosines of both."""

    temperature: float = Field(default=0.1, gt=0)


def _of_inputs(inputs: LossInputs, options: PhotoRelationOptions) -> Terms:
    """A sketch without a photo of its own gets the batch's first unpaired photo of its kind."""
    assert inputs.kept_photos is not None
    count = len(inputs.sketches)
    partners = torch.arange(count, device=inputs.sketches.device)
    sketches, photos = inputs.sketches, inputs.photos
    if inputs.unpaired is not None:
        more = inputs.unpaired
        sketches, photos = torch.cat([sketches, more.sketches]), torch.cat([photos, more.photos])
        partners = torch.cat([partners, _first_of_kind(more.sketch_kinds, more.photo_kinds, count)])
    return photo_relations(sketches, photos, partners, inputs.kept_photos, temperature=options.temperature)


def _first_of_kind(kinds: Tensor, photo_kinds: Tensor, offset: int) -> Tensor:
    """(N,), (M,) -> (N,): `offset` and the first photo of each kind, -1 where there is none."""
    if not len(photo_kinds):
        return torch.full_like(kinds, -1)
    same = kinds[:, None] == photo_kinds[None, :]
    # argmax of equal values is the first in PyTorch's CPU kernels alone, so the first is asked for by its number.
    number = torch.arange(len(photo_kinds), device=kinds.device).expand_as(same)
    first = number.masked_fill(~same, len(photo_kinds)).min(dim=1).values
    return torch.where(first < len(photo_kinds), first + offset, -1)


LOSS = Loss("photo_relations", PhotoRelationOptions, _of_inputs, frozenset({Need.KEPT_PHOTOS}))
