"""The category adapter: how to compare within one category, by its own photos and a few drawn examples.

It works on stored embeddings, so adapting never encodes a photo again and never rebuilds an index:

    photo x -> unit((x - mean) @ map)        sketch x -> unit((x - sketch_mean) @ map)

Photos of one category share most of their embedding. Mean-centring leaves what distinguishes them; a map fitted to
examples weighs that further. Scores come out on the scale of plain cosines, see `score_scale`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.adapters.adapter import row_lengths, unit_rows
from models.arrays import Vectors

_PRIOR_PHOTOS = 4.0
"""The mean of n photos counts n / (n + 4): with three photos it is mostly those photos, not their category."""
_SCALE_SAMPLE = 256  # photos whose similarity to each other sets the scale; more change the third digit


@dataclass(frozen=True)
class LowRankGram:
    """M Mt of a map M that scales each number and turns few directions: diag(weights) + axes diag(values) axes^T.

    `weights` (E,), `axes` (E, r), `values` (r,). A category's frame has at most 127 directions, so lengths after M take
    a sixth of the time that the product with M would.
    """

    weights: Vectors
    axes: Vectors
    values: Vectors

    @property
    def nbytes(self) -> int:
        """Of the three arrays."""
        return self.weights.nbytes + self.axes.nbytes + self.values.nbytes

    @classmethod
    def of_frame(cls, axes: Vectors, gains: Vectors, scales: Vectors | None = None) -> LowRankGram:
        """Of x -> y + (y @ axes) * gains @ axes.T with y = x * scales; (E, r) orthonormal, (r,), (E,) or None for 1."""
        values = np.square(1 + gains) - 1
        if scales is None:
            return cls(np.ones(len(axes), np.float32), axes, values.astype(np.float32))
        return cls(np.square(scales), scales[:, None] * axes, values.astype(np.float32))

    def lengths(self, rows: Vectors) -> Vectors:
        """(N, E) -> (N,): |x M| of each row."""
        # BLAS's product with a vector depends in its last bit on the other rows, and photos that are alike have to tie.
        squared = np.einsum("ne,e->n", np.square(rows), self.weights)
        if len(self.values):
            squared += np.einsum("nr,r->n", np.square(rows @ self.axes), self.values)
        # Of a row that M nearly takes away, rounding can leave the square below zero.
        lengths: Vectors = np.sqrt(np.maximum(squared, 0.0))
        return lengths

    def times(self, vector: Vectors) -> Vectors:
        """(E,) -> (E,): M Mt x."""
        product: Vectors = self.weights * vector + self.axes @ (self.values * (vector @ self.axes))
        return product


@dataclass(frozen=True)
class CategoryAdapter:
    """`mean` (E,); `map` (E, E'), None for the identity; `scale`, `offset`: see `scores`.

    `sketch_mean` (E,): the mean of the category's sketches, None where it is taken to be that of its photos. `gram`: of
    a `map` that has a short one; it says nothing that the map does not.
    """

    mean: Vectors
    map: Vectors | None = None
    scale: float = 1.0
    offset: float = 0.0
    sketch_mean: Vectors | None = None
    gram: LowRankGram | None = None

    @classmethod
    def centred(cls, photos: Vectors) -> CategoryAdapter:
        """The adapter without examples: (G, E) unit embeddings of the category's photos -> mean-centred, no map."""
        return cls(category_mean(photos)).calibrated(photos)

    @property
    def sketch_centre(self) -> Vectors:
        """(E,): what is subtracted from a sketch."""
        return self.mean if self.sketch_mean is None else self.sketch_mean

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) photos -> (N, E'), rows of length 1; a row that equals the mean becomes zeros."""
        return self._mapped(photos - self.mean)

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) sketches -> (N, E'), rows of length 1; a row that equals `sketch_centre` becomes zeros."""
        return self._mapped(sketches - self.sketch_centre)

    def photo_lengths(self, photos: Vectors) -> Vectors:
        """(N, E) photos -> (N,): of each after the map, before it is scaled to length 1."""
        centred = photos - self.mean
        if self.gram is not None:
            return self.gram.lengths(centred)
        moved: Vectors = centred if self.map is None else np.matmul(centred, self.map, dtype=np.float32)
        return row_lengths(moved)

    def _mapped(self, centred: Vectors) -> Vectors:
        return unit_rows(centred if self.map is None else centred @ self.map)

    def scores(self, sketches: Vectors, photos: Vectors) -> Vectors:
        """(Q, E') sketches, (G, E') photos, embedded by this adapter -> (Q, G) in [-1, 1]: offset + scale * cosine.

        Within a category they are rescaled cosines, whose values compare with the plain cosines of other searches.
        """
        # Rescaling can carry a cosine past 1, and callers rely on the range of a cosine.
        rescaled: Vectors = np.clip(self.offset + self.scale * (sketches @ photos.T), -1.0, 1.0)
        return rescaled

    def calibrated(self, photos: Vectors) -> CategoryAdapter:
        """The same adapter with the scale that `score_scale` gives on (G, E) embeddings of the category's photos."""
        # Every k-th photo and not a random choice: the same photos always give the same scale.
        sample = photos[:: max(1, -(-len(photos) // _SCALE_SAMPLE))]
        scale, offset = score_scale(sample, self.embed_photos(sample))
        return replace(self, scale=scale, offset=offset)


def category_mean(photos: Vectors) -> Vectors:
    """(G, E) -> (E,): the mean times G / (G + 4), shrunk towards zero where few photos estimate it."""
    mean: Vectors = (photos.sum(axis=0) / (len(photos) + _PRIOR_PHOTOS)).astype(np.float32)
    return mean


def centred_cosines(sketches: Vectors, photos: Vectors) -> Vectors:
    """(Q, E), (G, E) unit embeddings -> (Q, G) mean-centred cosines, as `CategoryAdapter.centred` without its scale.

    The centred photos, a second (G, E) array, are never formed.
    """
    mean = category_mean(photos)
    centred = unit_rows(sketches - mean)
    # |x - mean|^2 of unit rows x, written out; rounding may leave it below zero where x is the mean itself.
    squared = 1 - 2 * (photos @ mean) + float(mean @ mean)
    products = centred @ photos.T - (centred @ mean)[:, None]
    cosines: Vectors = (products / np.sqrt(np.maximum(squared, 1e-9))).astype(np.float32, copy=False)
    return cosines


def score_scale(before: Vectors, after: Vectors) -> tuple[float, float]:
    """(N, E), (N, E') unit rows of the same photos -> scale, offset that put cosines of `after` on those of `before`.

    The similarity of different photos then has the same mean and deviation as before, so that a threshold on scores
    means the same with an adapter as without. (1, 0) for fewer than three photos, or photos that are all alike.
    """
    if len(before) < 3:
        return 1.0, 0.0
    # k=1 leaves out each photo's cosine with itself: it is 1 in both spaces and says nothing about the scale.
    pairs = np.triu_indices(len(before), k=1)
    old, new = (before @ before.T)[pairs], (after @ after.T)[pairs]
    spread = float(new.std())
    if spread < 1e-6:
        return 1.0, 0.0
    scale = float(old.std()) / spread
    return scale, float(old.mean()) - scale * float(new.mean())
