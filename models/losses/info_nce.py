"""Symmetric InfoNCE over a batch of pairs (van den Oord et al., 2018; CLIP, 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class InfoNceTerms:
    """`sketch_to_photo`: a sketch finds its photo; `photo_to_sketch`: the reverse; `total`: their mean. Scalars."""

    total: Tensor
    sketch_to_photo: Tensor
    photo_to_sketch: Tensor


def info_nce(
    sketches: Tensor, photos: Tensor, identities: Tensor, *, temperature: float, label_smoothing: float = 0.0
) -> InfoNceTerms:
    """(B, E), (B, E) unit rows, (B,) -> scalars; row i of both is a pair, all other rows are its negatives.

    Rows of one identity (two sketches of one photo) are neither positives nor negatives of each other: they leave the
    softmax. Smoothing spreads its share evenly over the candidates that stay, the positive included.
    """
    logits = sketches @ photos.T / temperature
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    left_out = (identities[:, None] == identities[None, :]) & ~own
    forward = _cross_entropy(logits, left_out, label_smoothing)
    backward = _cross_entropy(logits.T, left_out, label_smoothing)
    return InfoNceTerms((forward + backward) / 2, forward, backward)


def centred_info_nce(
    sketches: Tensor,
    photos: Tensor,
    identities: Tensor,
    groups: Tensor,
    *,
    temperature: float,
    label_smoothing: float = 0.0,
    prior_photos: float = 4.0,
) -> Tensor:
    """The same within each group, after the group's mean photo is taken away from both: (B, E), (B, E) -> scalar.

    `groups` (B,): category of each pair. `prior_photos`: the mean of n photos counts n / (n + prior), as in
    `models.adapters.category`, where a search within a category does what is learned here. Groups of fewer than two
    photos have nothing to tell apart and are left out; 0 when that leaves none.
    """
    terms = []
    for group in torch.unique(groups):
        rows = (groups == group).nonzero()[:, 0]
        if len(rows) < 2:
            continue
        mean = photos[rows].sum(dim=0) / (len(rows) + prior_photos)
        drawn, seen = F.normalize(sketches[rows] - mean, dim=1), F.normalize(photos[rows] - mean, dim=1)
        found = info_nce(drawn, seen, identities[rows], temperature=temperature, label_smoothing=label_smoothing)
        terms.append(found.total * len(rows))
    return torch.stack(terms).sum() / len(groups) if terms else sketches.sum() * 0.0


def _cross_entropy(logits: Tensor, left_out: Tensor, label_smoothing: float) -> Tensor:
    """(B, B), (B, B) -> scalar; the target of row i is column i."""
    log_p = F.log_softmax(logits.masked_fill(left_out, -torch.inf), dim=1)
    stay = ~left_out
    even = log_p.masked_fill(left_out, 0.0).sum(dim=1) / stay.sum(dim=1)
    return -((1 - label_smoothing) * log_p.diagonal() + label_smoothing * even).mean()
