"""The mean photo of each category of a batch, for losses that look within categories, of all categories at once."""

from __future__ import annotations

from torch import Tensor


def same_category(categories: Tensor) -> Tensor:
    """(B,) -> (B, B) bool: whether two pairs are of one category."""
    return categories[:, None] == categories[None, :]


def category_means(photos: Tensor, same: Tensor, prior_photos: float) -> Tensor:
    """(B, E), (B, B) -> (B, E): the mean photo of each pair's category, see `centred_info_nce`."""
    together = same.to(photos.dtype)
    return together @ photos / (together.sum(dim=1, keepdim=True) + prior_photos)
