"""A person's drawing style: what their sketches have in common beside what they were drawn from.

It moves queries alone, so that any index and every category can use it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.adapters.gate import LeaveOneOut, leave_one_out
from models.arrays import Rows, Vectors

_ALIKE = 5  # photos that stand for a photo's kind


@dataclass(frozen=True)
class StyleAdapter:
    """q -> unit(q + (q @ down) @ up + shift); `down` (E, r), `up` (r, E), `shift` (E,)."""

    down: Vectors
    up: Vectors
    shift: Vectors

    @classmethod
    def neutral(cls, embedding_dim: int) -> StyleAdapter:
        """The head that changes nothing."""
        nothing = np.zeros((embedding_dim, 0), np.float32)
        return cls(nothing, nothing.T, np.zeros(embedding_dim, np.float32))

    def embed(self, queries: Vectors) -> Vectors:
        """(Q, E) -> (Q, E), rows of length 1."""
        moved = queries + (queries @ self.down) @ self.up + self.shift
        unit: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        return unit.astype(np.float32, copy=False)


@dataclass(frozen=True)
class FittedStyle:
    """A profile head and how it does on the photos that it was not shown; `before` is without any profile."""

    head: StyleAdapter
    leave_one_out: LeaveOneOut

    @property
    def passes_gate(self) -> bool:
        """See `LeaveOneOut.passes_gate`."""
        return self.leave_one_out.passes_gate


@dataclass(frozen=True)
class StyleRule:
    """How a style is read off sketches; all learned on other people.

    A sketch is expected to be `share` times the mean of the photos like its own (`surroundings`), plus `usual` (E,).
    What is over is style, photo and chance: the mean over P photos counts strength * P / (P + photos_trusted).
    """

    usual: Vectors
    strength: float
    photos_trusted: float
    share: float

    def head(self, sketches: Vectors, surroundings: Vectors, owners: Rows) -> StyleAdapter:
        """(S, E), (S, E), (S,) number of each one's photo -> the head that takes their style away; S may be 0."""
        nothing = np.zeros((len(self.usual), 0), np.float32)
        if not len(sketches):
            return StyleAdapter.neutral(len(self.usual))
        residual = sketches - self.share * surroundings - self.usual
        each = np.stack([residual[owners == owner].mean(axis=0) for owner in np.unique(owners)])
        kept = self.strength * len(each) / (len(each) + self.photos_trusted)
        return StyleAdapter(nothing, nothing.T, (-kept * each.mean(axis=0)).astype(np.float32))


def fit_profile(sketches: Vectors, photos: Vectors, distractors: Vectors, rule: StyleRule) -> FittedStyle:
    """(S, E), (S, E) the photo of each, (D, E) other photos, searched too when each photo is left out in turn."""
    owners = owners_of(photos)
    gallery = np.concatenate([_firsts(photos, owners), distractors.reshape(-1, photos.shape[1])])
    around = surroundings(photos, gallery)

    def before(asked: Rows) -> Vectors:
        scores: Vectors = sketches[asked] @ gallery.T
        return scores

    def after(asked: Rows, kept: Rows) -> Vectors:
        head = rule.head(sketches[kept], around[kept], owners[kept])
        scores: Vectors = head.embed(sketches[asked]) @ gallery.T
        return scores

    return FittedStyle(rule.head(sketches, around, owners), leave_one_out(owners, before, after))


def surroundings(photos: Vectors, gallery: Vectors) -> Vectors:
    """(S, E), (G, E) -> (S, E): the mean of the photos of the gallery that are nearest to each, itself among them."""
    count = min(_ALIKE, len(gallery))
    nearest = np.argpartition(-(photos @ gallery.T), count - 1, axis=1)[:, :count]
    means: Vectors = gallery[nearest].mean(axis=1)
    return means


def owners_of(photos: Vectors) -> Rows:
    """(S, E) -> (S,): equal rows are one photo."""
    _, owners = np.unique(photos, axis=0, return_inverse=True)
    return owners.reshape(-1).astype(np.int64)


def _firsts(photos: Vectors, owners: Rows) -> Vectors:
    _, first = np.unique(owners, return_index=True)
    rows: Vectors = photos[first]
    return rows
