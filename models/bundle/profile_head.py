"""A person's drawing style: what their sketches have in common beside what they were drawn from.

It moves queries alone, so that any index and every category can use it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle.leave_one_out import LeaveOneOut, Rows, leave_one_out

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class ProfileHead:
    """q -> unit(q + (q @ down) @ up + shift); `down` (E, r), `up` (r, E), `shift` (E,)."""

    down: Vectors
    up: Vectors
    shift: Vectors

    @classmethod
    def neutral(cls, embedding_dim: int) -> ProfileHead:
        """The head that changes nothing."""
        nothing = np.zeros((embedding_dim, 0), np.float32)
        return cls(nothing, nothing.T, np.zeros(embedding_dim, np.float32))

    def embed(self, queries: Vectors) -> Vectors:
        """(Q, E) -> (Q, E), rows of length 1."""
        moved = queries + (queries @ self.down) @ self.up + self.shift
        unit: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        return unit.astype(np.float32, copy=False)


@dataclass(frozen=True)
class FittedProfile:
    """A profile head and how it does on the photos that it was not shown; `before` is without any profile."""

    head: ProfileHead
    leave_one_out: LeaveOneOut

    @property
    def improves(self) -> bool:
        """See `LeaveOneOut.improves`."""
        return self.leave_one_out.improves


def style_shift(
    sketches: Vectors, photos: Vectors, usual: Vectors, *, strength: float, photos_trusted: float
) -> ProfileHead:
    """(S, E) sketches, (S, E) the photos they were drawn from, (E,) what sketches differ by anyway -> their style.

    The shift takes away what this hand adds to what every hand adds. The mean of P photos' residuals counts
    P / (P + photos_trusted): a residual is mostly that of its photo.
    """
    owners = owners_of(photos)
    residual = sketches - photos - usual
    each = np.stack([residual[owners == owner].mean(axis=0) for owner in np.unique(owners)])
    kept = strength * len(each) / (len(each) + photos_trusted)
    nothing = np.zeros((sketches.shape[1], 0), np.float32)
    return ProfileHead(nothing, nothing.T, (-kept * each.mean(axis=0)).astype(np.float32))


def fit_profile(
    sketches: Vectors,
    photos: Vectors,
    distractors: Vectors,
    usual: Vectors,
    *,
    strength: float,
    photos_trusted: float,
) -> FittedProfile:
    """See `style_shift`; `distractors` (D, E) are searched too when each photo is left out in turn."""
    owners = owners_of(photos)
    gallery = np.concatenate([_firsts(photos, owners), distractors.reshape(-1, photos.shape[1])])
    style = {"strength": strength, "photos_trusted": photos_trusted}

    def before(asked: Rows) -> Vectors:
        scores: Vectors = sketches[asked] @ gallery.T
        return scores

    def after(asked: Rows, kept: Rows) -> Vectors:
        if not len(kept):
            return before(asked)
        scores: Vectors = style_shift(sketches[kept], photos[kept], usual, **style).embed(sketches[asked]) @ gallery.T
        return scores

    return FittedProfile(style_shift(sketches, photos, usual, **style), leave_one_out(owners, before, after))


def owners_of(photos: Vectors) -> Rows:
    """(S, E) -> (S,): equal rows are one photo."""
    _, owners = np.unique(photos, axis=0, return_inverse=True)
    return owners.reshape(-1).astype(np.int64)


def _firsts(photos: Vectors, owners: Rows) -> Vectors:
    _, first = np.unique(owners, return_index=True)
    rows: Vectors = photos[first]
    return rows
