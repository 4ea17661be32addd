"""What training, validation and export ask of students, whatever their architecture.

A student encodes one modality. Its forward pass has two halves: `encode` looks at each image by itself, `head` may use
statistics of the whole batch, so that processes which share a batch gather the cells between the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Tensor, nn

from models.bundle import EmbeddingParts
from models.networks.preprocessing import PixelStatistics

Extra = Literal["feature_maps", "attention"]
"""Outputs beside the embedding that a loss may need: maps (B, C, H, W) by stage, and (B, heads, h, w) of the CLS."""


@dataclass(frozen=True)
class Encoded:
    """One image's share of a forward pass, by name. `cells`: the head's input, its rows are images.

    `feature_maps`: (B, C, H, W) of each stage, the coarsest last. `attention`: (B, heads, h, w) in [0, 1], how much the
    CLS reads of each cell in the last block. Both are empty or None unless they were requested.
    """

    cells: Tensor
    feature_maps: tuple[Tensor, ...] = ()
    attention: Tensor | None = None


class StudentForm(Protocol):
    """The architecture of a pair of students as a frozen value; `build` gives random weights."""

    @property
    def size_px(self) -> int:
        """Side S of the square input in pixels."""

    @property
    def embedding_dim(self) -> int:
        """Length E of an embedding."""

    @property
    def statistics(self) -> PixelStatistics:
        """Mean and deviation that the inputs are normalised with."""

    @property
    def embedding_parts(self) -> EmbeddingParts | None:
        """How an embedding is divided into layout and kind; None: it is not."""

    def build(self) -> StudentPair:
        """A pair of this form with random weights, in training mode."""


class StudentEncoder(nn.Module, ABC):
    """The encoder of one modality. `head`: cells of a batch -> (B, E), rows of length 1."""

    head: nn.Module

    @property
    @abstractmethod
    def extras(self) -> frozenset[Extra]:
        """The outputs beside the embedding that this architecture has."""

    @abstractmethod
    def encode(self, images: Tensor, extras: frozenset[Extra] = frozenset()) -> Encoded:
        """(B, 3, S, S) normalised -> cells and the requested extras; one that this architecture lacks stays empty."""

    @abstractmethod
    def folded(self) -> nn.Module:
        """A copy in single precision and eval mode, images -> embeddings, its BatchNorms folded into convolutions."""

    def cells(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> what the head takes, (B, ...)."""
        return self.encode(images).cells

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) normalised -> (B, E), rows of length 1."""
        embedding: Tensor = self.head(self.cells(images))
        return embedding


class StudentPair(nn.Module, ABC):
    """A sketch encoder and a photo encoder into one space of E numbers."""

    config: StudentForm
    sketch: StudentEncoder
    photo: StudentEncoder

    @property
    def parts(self) -> Mapping[str, slice]:
        """Named ranges of the embedding, on which losses may look apart from the rest; by default none."""
        return {}

    @abstractmethod
    def trunks(self) -> list[nn.Module]:
        """The distinct modules that look at images one by one: each process trains them on its own rows."""

    def projections(self) -> list[nn.Parameter]:
        """The heads' parameters, each once: every process trains them on the whole batch."""
        # Heads may share a projection; a dictionary drops the second mention and keeps the order.
        return list(dict.fromkeys((*self.sketch.head.parameters(), *self.photo.head.parameters())))

    def encode_pair(
        self, sketches: Tensor, photos: Tensor, extras: frozenset[Extra] = frozenset()
    ) -> tuple[Encoded, Encoded]:
        """(Bs, 3, S, S), (Bp, 3, S, S) normalised -> outputs of each; sharing work between them is up to the form."""
        return self.sketch.encode(sketches, extras), self.photo.encode(photos, extras)
