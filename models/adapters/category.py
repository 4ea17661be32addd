"""The category head: what a category's own photos, and a few drawn examples, say about how to compare within it.

A head works on stored embeddings, so adapting never encodes a photo again and never rebuilds an index:

    photo x -> unit((x - mean) @ map)        sketch x -> unit((x - sketch_mean) @ map)

Photos of one category share most of their embedding. Taking their mean away leaves what tells them apart; a map that
was fitted to examples weighs that further. Scores come out on the scale of plain cosines, see `score_scale`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.arrays import Vectors

_PRIOR_PHOTOS = 4.0
"""The mean of n photos counts n / (n + 4): with three photos it is mostly those photos, not their category."""
_SCALE_SAMPLE = 256  # photos whose likeness to each other sets the scale; more change the third digit


@dataclass(frozen=True)
class CategoryAdapter:
    """`mean` (E,); `map` (E, E'), None for the identity; `scale`, `offset`: see `scores`.

    `sketch_mean` (E,): what the category's sketches share, None where it is taken to be what its photos do.
    """

    mean: Vectors
    map: Vectors | None = None
    scale: float = 1.0
    offset: float = 0.0
    sketch_mean: Vectors | None = None

    @classmethod
    def centred(cls, photos: Vectors) -> CategoryAdapter:
        """The head that needs no examples: (G, E) unit embeddings of the category's photos -> their mean taken away."""
        return cls(category_mean(photos)).calibrated(photos)

    @property
    def sketch_centre(self) -> Vectors:
        """(E,): what is taken away from a sketch."""
        return self.mean if self.sketch_mean is None else self.sketch_mean

    def embed(self, photos: Vectors) -> Vectors:
        """(N, E) photos -> (N, E'), rows of length 1; a row that equals the mean becomes zeros."""
        return self._mapped(photos - self.mean)

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) sketches -> (N, E'): as `embed`, less what sketches share."""
        return self._mapped(sketches - self.sketch_centre)

    def _mapped(self, moved: Vectors) -> Vectors:
        if self.map is not None:
            moved = moved @ self.map
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        unit: Vectors = (moved / np.maximum(length, 1e-9)).astype(np.float32, copy=False)
        return unit

    def scores(self, queries: Vectors, photos: Vectors) -> Vectors:
        """Sketches (Q, E'), photos (G, E'), embedded by this head -> (Q, G) in [-1, 1], comparable to plain cosines."""
        found: Vectors = np.clip(self.offset + self.scale * (queries @ photos.T), -1.0, 1.0)
        return found

    def calibrated(self, photos: Vectors) -> CategoryAdapter:
        """The same head with the scale that `score_scale` finds on (G, E) embeddings of the category's photos."""
        sample = photos[:: max(1, -(-len(photos) // _SCALE_SAMPLE))]
        scale, offset = score_scale(sample, self.embed(sample))
        return replace(self, scale=scale, offset=offset)


def category_mean(photos: Vectors) -> Vectors:
    """(G, E) -> (E,): the mean, drawn towards zero where there are few photos to take it of."""
    mean: Vectors = (photos.sum(axis=0) / (len(photos) + _PRIOR_PHOTOS)).astype(np.float32)
    return mean


def centred_cosines(sketches: Vectors, photos: Vectors) -> Vectors:
    """(Q, E), (G, E) unit embeddings -> (Q, G) mean-centred cosines, as `CategoryAdapter.centred` has them."""
    mean = category_mean(photos)
    asked = sketches - mean
    asked = asked / np.maximum(np.linalg.norm(asked, axis=1, keepdims=True), 1e-9)
    squared = 1 - 2 * (photos @ mean) + float(mean @ mean)
    products = asked @ photos.T - (asked @ mean)[:, None]
    found: Vectors = (products / np.sqrt(np.maximum(squared, 1e-9))).astype(np.float32, copy=False)
    return found


def score_scale(before: Vectors, after: Vectors) -> tuple[float, float]:
    """(N, E), (N, E') unit rows of the same photos -> scale, offset that put cosines of `after` on those of `before`.

    Likeness of different photos then has the same mean and deviation as before, so that a threshold on scores means
    the same with a head as without. (1, 0) where there are too few photos to tell.
    """
    if len(before) < 3:
        return 1.0, 0.0
    pairs = np.triu_indices(len(before), k=1)
    old, new = (before @ before.T)[pairs], (after @ after.T)[pairs]
    spread = float(new.std())
    if spread < 1e-6:
        return 1.0, 0.0
    scale = float(old.std()) / spread
    return scale, float(old.mean()) - scale * float(new.mean())
