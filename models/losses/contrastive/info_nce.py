"""Symmetric InfoNCE over a batch of pairs (van den Oord et al., 2018; CLIP, 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from models.losses.inputs import LossInputs
from models.losses.loss import Loss, LossOptions, Terms


@dataclass(frozen=True)
class InfoNceTerms(Terms):
    """`sketch_to_photo`: a sketch finds its photo; `photo_to_sketch`: the reverse; `total`: their mean. Scalars."""

    sketch_to_photo: Tensor
    photo_to_sketch: Tensor


def info_nce(
    sketches: Tensor, photos: Tensor, identities: Tensor, *, temperature: float, label_smoothing: float = 0.0
) -> InfoNceTerms:
    """(B, E), (B, E) unit rows, (B,) -> scalars; row i of both is a pair, all other rows are its negatives.

    Rows of one identity (two sketches of one photo) are neither positives nor negatives of each other: they leave the
    softmax. Smoothing spreads its share evenly over the candidates that stay, the positive included.
    """
    alike = alike_rows(identities)
    return masked_info_nce(sketches, photos, alike, temperature=temperature, label_smoothing=label_smoothing)


def masked_info_nce(
    sketches: Tensor, photos: Tensor, left_out: Tensor, *, temperature: float, label_smoothing: float = 0.0
) -> InfoNceTerms:
    """As `info_nce`; `left_out` (B, B) bool, symmetric, false where a row meets its own: what leaves the softmax."""
    logits = sketches @ photos.T / temperature
    forward = _cross_entropy(logits, left_out, label_smoothing)
    backward = _cross_entropy(logits.T, left_out, label_smoothing)
    return InfoNceTerms((forward + backward) / 2, forward, backward)


def alike_rows(identities: Tensor) -> Tensor:
    """(B,) -> (B, B) bool: other rows of a row's own identity."""
    own = torch.eye(len(identities), dtype=torch.bool, device=identities.device)
    return (identities[:, None] == identities[None, :]) & ~own


def _cross_entropy(logits: Tensor, left_out: Tensor, label_smoothing: float) -> Tensor:
    """(B, B), (B, B) -> scalar; the target of row i is column i."""
    log_p = F.log_softmax(logits.masked_fill(left_out, -torch.inf), dim=1)
    stay = ~left_out
    # What left the softmax is -inf here, and one such entry would make the whole sum infinite.
    even = log_p.masked_fill(left_out, 0.0).sum(dim=1) / stay.sum(dim=1)
    return -((1 - label_smoothing) * log_p.diagonal() + label_smoothing * even).mean()


class InfoNceOptions(LossOptions):
    """`temperature` divides the cosines; `label_smoothing`: share of the target that goes to all candidates evenly."""

    temperature: float = Field(default=0.07, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)


def _of_inputs(inputs: LossInputs, options: InfoNceOptions) -> InfoNceTerms:
    return info_nce(
        inputs.sketches,
        inputs.photos,
        inputs.identities,
        temperature=options.temperature,
        label_smoothing=options.label_smoothing,
    )


LOSS = Loss("info_nce", InfoNceOptions, _of_inputs)
