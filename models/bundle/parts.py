"""An embedding in two parts: *layout*, where lines are, and *kind*, what the image shows.

A unit embedding is `(w l, v k)` with unit vectors l (layout) and k (kind) and w^2 + v^2 = 1, so that the cosine of two
of them is w^2 times the layouts' cosine plus v^2 times the kinds'. Among everything both parts find a drawing's photo;
within a category the kind is the same for all, and the layout alone tells them apart.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.adapters.adapter import unit_rows
from models.arrays import Vectors

Focus: TypeAlias = Literal["kind", "detail", "balanced"]
"""What a search goes by: the kind of thing, the layout alone, or both as they are weighed in the embedding."""


class EmbeddingParts(BaseModel):
    """`layout_dim` numbers of layout, then `kind_dim` numbers of kind; `layout_weight` is w of the formula above."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout_dim: int = Field(ge=1)
    kind_dim: int = Field(ge=1)
    layout_weight: float = Field(gt=0, lt=1)

    @property
    def kind_weight(self) -> float:
        """v of the formula above."""
        # The squared weights add to 1, so two parts of length 1 make an embedding of length 1.
        return math.sqrt(1 - self.layout_weight**2)

    def layout_of(self, embeddings: Vectors) -> Vectors:
        """(N, E) -> (N, layout_dim), rows of length 1; a row of zeros stays one."""
        return unit_rows(embeddings[:, : self.layout_dim])

    def kind_of(self, embeddings: Vectors) -> Vectors:
        """(N, E) -> (N, kind_dim), rows of length 1; a row of zeros stays one."""
        return unit_rows(embeddings[:, self.layout_dim :])

    def with_layout(self, embedding: Vectors, layout: Vectors) -> Vectors:
        """(E,), (layout_dim,) of length 1 -> (E,) with that layout at its own layout's length, its kind kept."""
        length = np.linalg.norm(embedding[: self.layout_dim])
        whole: Vectors = np.concatenate([length * layout, embedding[self.layout_dim :]])
        return whole

    def over_layout(self, weights: Vectors) -> Vectors:
        """(layout_dim,) -> (E,): its inner product with an embedding is that of `weights` with the embedding's layout.

        So a linear score of layouts is computed from whole stored embeddings, none of which is copied.
        """
        whole = np.zeros(self.layout_dim + self.kind_dim, np.float32)
        # A stored layout has the length w, which this undoes.
        whole[: self.layout_dim] = weights / np.float32(self.layout_weight)
        return whole

    def focused(self, embedding: Vectors, focus: Focus) -> Vectors:
        """(E,) unit sketch -> (E,) of length 1 whose products with stored embeddings rank photos by `focus`.

        With one part zero, such a product is the weight of the other part times its cosine.
        """
        if focus == "balanced":
            return embedding
        kept = np.zeros_like(embedding)
        part = slice(None, self.layout_dim) if focus == "detail" else slice(self.layout_dim, None)
        kept[part] = embedding[part]
        focused: Vectors = unit_rows(kept[None])[0]
        return focused
