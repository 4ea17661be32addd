"""The style adapter: what a person's sketches have in common beyond what they were drawn from.

It moves queries alone, so any index and every category can use it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.adapters.adapter import plain_cosines, unit_rows
from models.adapters.gate import Fitted, GainPrior, leave_one_out
from models.arrays import Rows, Vectors

_NEIGHBOURS = 5  # photos that stand for what is usual near a photo


@dataclass(frozen=True)
class StyleAdapter:
    """q -> unit(q + (q @ down) @ up + shift); `down` (E, r), `up` (r, E), `shift` (E,). Photos stay as they are."""

    down: Vectors
    up: Vectors
    shift: Vectors

    @property
    def nbytes(self) -> int:
        """Of the three arrays."""
        return self.down.nbytes + self.up.nbytes + self.shift.nbytes

    @classmethod
    def neutral(cls, embedding_dim: int) -> StyleAdapter:
        """The adapter of no examples: rank 0 and no shift, so that unit rows come back as they are."""
        return cls.shifting(np.zeros(embedding_dim, np.float32))

    @classmethod
    def shifting(cls, shift: Vectors) -> StyleAdapter:
        """The adapter that adds `shift` (E,) to every sketch and does nothing else."""
        nothing = np.zeros((len(shift), 0), np.float32)
        return cls(nothing, nothing.T, shift)

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, E) -> (N, E), rows of length 1."""
        return unit_rows(np.add(sketches + (sketches @ self.down) @ self.up, self.shift, dtype=np.float32))

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, E) -> the same rows."""
        return photos

    def scores(self, sketches: Vectors, photos: Vectors) -> Vectors:
        """(Q, E) sketches embedded by this adapter, (G, E) unit rows -> (Q, G) cosines."""
        return plain_cosines(sketches, photos)


def joined(shifts: Sequence[StyleAdapter], photos: Sequence[int], photos_trusted: float) -> StyleAdapter:
    """Adapters of one person and rule, each with its number of photos -> that of all their examples together.

    Of different photos, it is what `StyleRule.adapter` makes of all, without needing them: a mean over P photos is kept
    by strength * P / (P + photos_trusted), so the mean of all P is sum_i (P_i + photos_trusted) shift_i over
    P + photos_trusted. Adapters have rank 0.
    """
    weights = np.array([count + photos_trusted for count in photos], np.float32)
    total = weights @ np.stack([each.shift for each in shifts])
    shift: Vectors = np.divide(total, sum(photos) + photos_trusted, dtype=np.float32)
    return StyleAdapter.shifting(shift)


@dataclass(frozen=True)
class StyleRule:
    """How a style is estimated from sketches; everything in it was learned from other people.

    A sketch is expected to be `share` times the mean of the photos near its own (`surroundings`), plus
    `expected_offset` (E,). The residual is style, photo and noise: its mean over P photos counts
    strength * P / (P + photos_trusted).
    """

    expected_offset: Vectors
    strength: float
    photos_trusted: float
    share: float

    def adapter(self, sketches: Vectors, surroundings: Vectors, owners: Rows) -> StyleAdapter:
        """(S, E) sketches, (S, E) their photos' surroundings, (S,) number of each one's photo -> the adapter.

        Sketches of one photo are averaged first, so that a photo counts once however often it was drawn. S may be 0.
        """
        if not len(sketches):
            return StyleAdapter.neutral(len(self.expected_offset))
        residual = sketches - self.share * surroundings - self.expected_offset
        per_photo = np.stack([residual[owners == owner].mean(axis=0) for owner in np.unique(owners)])
        kept = self.strength * len(per_photo) / (len(per_photo) + self.photos_trusted)
        # The sign: a query is moved by what the person's style adds, in the opposite direction.
        return StyleAdapter.shifting((-kept * per_photo.mean(axis=0)).astype(np.float32))


def fit_style(
    sketches: Vectors, photos: Vectors, distractors: Vectors, rule: StyleRule, gain: GainPrior | None = None
) -> Fitted[StyleAdapter]:
    """(S, E) sketches, (S, E) the photo of each, (D, E) other photos -> their style, gated by leave-one-out.

    Leave-one-out searches the distractors, too. Rows have length 1. `gain`: what styles are expected to gain.
    """
    owners = owners_of(photos)
    gallery = np.concatenate([_firsts(photos, owners), distractors.reshape(-1, photos.shape[1])])
    around = surroundings(photos, gallery)

    def before(held_out: Rows) -> Vectors:
        return plain_cosines(sketches[held_out], gallery)

    def after(held_out: Rows, kept: Rows) -> Vectors:
        adapter = rule.adapter(sketches[kept], around[kept], owners[kept])
        return adapter.scores(adapter.embed_sketches(sketches[held_out]), gallery)

    return Fitted(rule.adapter(sketches, around, owners), leave_one_out(owners, before, after, gain))


def surroundings(photos: Vectors, gallery: Vectors) -> Vectors:
    """(S, E), (G, E) unit rows -> (S, E): the mean of the five gallery photos nearest to each, itself included."""
    count = min(_NEIGHBOURS, len(gallery))
    nearest = np.argpartition(-(photos @ gallery.T), count - 1, axis=1)[:, :count]
    means: Vectors = gallery[nearest].mean(axis=1)
    return means


def owners_of(photos: Vectors) -> Rows:
    """(S, E) -> (S,) numbers from 0; equal rows are one photo."""
    _, owners = np.unique(photos, axis=0, return_inverse=True)
    # numpy 2.0 alone returns the inverse as a column where an axis is named.
    return owners.reshape(-1).astype(np.int64)


def _firsts(photos: Vectors, owners: Rows) -> Vectors:
    _, first = np.unique(owners, return_index=True)
    rows: Vectors = photos[first]
    return rows
