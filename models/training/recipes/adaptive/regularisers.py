"""What keeps the features F useful while they are meta-trained: Adaptive FG-SBIR (ECCV 2022), B2.

Each term looks at F of sketches and photos, of support and holdout alike. The weights are not published.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.training.recipes.adaptive.inner_loop import hinge, pair_distances


def reverse_gradient(features: Tensor) -> Tensor:
    """(N, F) -> the same numbers; backwards, the gradient with its sign turned (Ganin and Lempitsky, ICML 2015)."""
    # Forwards 2f - f = f; backwards only the second term, -f, is seen.
    return 2 * features.detach() - features


def domain_loss(discriminator: nn.Module, sketches: Tensor, photos: Tensor) -> Tensor:
    """L_D: how well a discriminator tells sketches from photos, which the features are trained to prevent. Scalar.

    `discriminator`: (N, F) -> (N, 1) logits of being a photo.
    """
    logits = discriminator(reverse_gradient(torch.cat([sketches, photos])))[:, 0]
    domain = torch.cat([torch.zeros(len(sketches)), torch.ones(len(photos))])
    return F.binary_cross_entropy_with_logits(logits, domain)


def category_loss(classifier: nn.Module, sketches: Tensor, photos: Tensor, category: int) -> Tensor:
    """L_C: cross-entropy of the episode's category, sketches and photos alike. `classifier`: (N, F) -> (N, C)."""
    logits = classifier(torch.cat([sketches, photos]))
    return F.cross_entropy(logits, torch.full((len(logits),), category))


def feature_triplet(sketches: Tensor, photos: Tensor, positives: Tensor, *, margin: float) -> Tensor:
    """L_ud: L_T on the features themselves, with a fixed margin; in place of L_C where there is one category."""
    return hinge(pair_distances(sketches, photos), positives, margin)


def semantic_loss(decoder: nn.Module, sketches: Tensor, photos: Tensor, word: Tensor) -> Tensor:
    """L_S = mean of (1 - cos(decoder(f), word)) / 2; `word` (W,), `decoder`: (N, F) -> (N, W). Scalar in [0, 1]."""
    decoded = decoder(torch.cat([sketches, photos]))
    return (1 - F.cosine_similarity(decoded, word[None, :], dim=1)).mean() / 2
