"""What a task offers to its losses for one batch, and the names by which a loss says what it needs.

B pairs a batch, E numbers of an embedding, D of a teacher's. Rows are those of the whole batch, whatever process
computed them; what a task does not offer is None or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional as F

from models.losses.key_queue import KeyQueue


class Need(StrEnum):
    """An optional input; its value is the field of `LossInputs` that holds it."""

    SECOND_SKETCHES = "second_sketches"
    KIND_LABELS = "kind_labels"
    MATCHES = "matches"
    QUEUES = "queues"
    TARGETS = "targets"
    FEATURE_MAPS = "feature_maps"
    ATTENTION = "attention"
    STROKES = "strokes"
    UNPAIRED = "unpaired"
    PROTOTYPES = "prototypes"
    KEPT_PAIRS = "kept_pairs"
    KEPT_PHOTOS = "kept_photos"


@dataclass(frozen=True)
class Targets:
    """A teacher's answers for photo p and its sketches a, b: unit rows (B, D).

    `photo_first`: r_p(p, a); `sketch_first`: r_s(p, a); `photo_second`, `sketch_second`: the same of (p, b).
    """

    photo_first: Tensor
    sketch_first: Tensor
    photo_second: Tensor
    sketch_second: Tensor


@dataclass(frozen=True)
class Match:
    """`queries` (B, D) are to come to lie at `keys` (B, D), which get no gradient. `modality` names the queries."""

    modality: str
    queries: Tensor
    keys: Tensor


@dataclass(frozen=True)
class PerModality:
    """Named outputs of both encoders: maps (B, C, H, W) by stage, or attention (B, heads, h, w) as the only entry."""

    sketches: tuple[Tensor, ...]
    photos: tuple[Tensor, ...]


@dataclass(frozen=True)
class Strokes:
    """Sketches as pen movements. `points` (B, T, 2) in [0, 1] of the side, `pen_down` (B, T) bool: a line leads here.

    `lengths` (B,): how many of the T points count; the rest is padding.
    """

    points: Tensor
    pen_down: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class Unpaired:
    """Embeddings (N, E) of sketches and (M, E) of photos that belong to no pair, with the number of each one's kind."""

    sketches: Tensor
    sketch_kinds: Tensor
    photos: Tensor
    photo_kinds: Tensor


@dataclass(frozen=True)
class KeptPairs:
    """A teacher's vectors of some of the pairs, taken before training. `rows` (R,): which pairs of the batch.

    `sketches`, `photos` (R, D): unit rows of their un-augmented images, mirrored where the pair is.
    """

    rows: Tensor
    sketches: Tensor
    photos: Tensor


@dataclass(frozen=True)
class LossInputs:
    """`sketches`, `photos` (B, E): unit rows, row i of both is a pair. `identities` (B,): the photo of each pair.

    `categories` (B,): the batch's group of each pair, from 0. `kind_labels` (B,): kinds by name, over all data sets,
    -1 where it is unknown. `second_sketches` (B, E): another sketch of each photo. `matches`: queries with the keys
    that they are to find; `queues`: earlier keys by the modality of the queries. `prototypes` (K, E): learned, one per
    kind. `compatible_kinds` (K, K) bool: kinds that some picture has both of, so that neither is wrong where the other
    is right; None: no two are. `kept_photos` (B + M, D): a photo-only teacher's unit rows of the pairs' photos and of
    the unpaired ones. `parts`: named ranges of the E numbers.
    """

    sketches: Tensor
    photos: Tensor
    identities: Tensor
    categories: Tensor
    second_sketches: Tensor | None = None
    kind_labels: Tensor | None = None
    matches: tuple[Match, ...] = ()
    queues: Mapping[str, KeyQueue] = field(default_factory=dict)
    targets: Targets | None = None
    feature_maps: PerModality | None = None
    attention: PerModality | None = None
    strokes: Strokes | None = None
    unpaired: Unpaired | None = None
    prototypes: Tensor | None = None
    compatible_kinds: Tensor | None = None
    kept_pairs: KeptPairs | None = None
    kept_photos: Tensor | None = None
    parts: Mapping[str, slice] = field(default_factory=dict)

    def labelled(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Sketches (N, E) with their kinds (N,), then photos (M, E) with theirs: of pairs, then unpaired."""
        kinds = self.kind_labels
        assert kinds is not None, "the batch has no kinds"
        if self.unpaired is None:
            # Both sides of a pair are of one kind, so one tensor says it for both.
            return (self.sketches, kinds), (self.photos, kinds)
        more = self.unpaired
        return (
            (torch.cat([self.sketches, more.sketches]), torch.cat([kinds, more.sketch_kinds])),
            (torch.cat([self.photos, more.photos]), torch.cat([kinds, more.photo_kinds])),
        )

    def part(self, name: str) -> LossInputs:
        """The same batch with the own embeddings cut to a named part, rows of length 1 again. Raises KeyError."""
        chosen = self.parts[name]

        def cut(rows: Tensor | None) -> Tensor | None:
            return None if rows is None else F.normalize(rows[:, chosen], dim=1)

        sketches, photos = F.normalize(self.sketches[:, chosen], dim=1), F.normalize(self.photos[:, chosen], dim=1)
        return replace(
            self,
            sketches=sketches,
            photos=photos,
            second_sketches=cut(self.second_sketches),
            prototypes=cut(self.prototypes),
            unpaired=None if self.unpaired is None else self.unpaired_part(self.unpaired, chosen),
        )

    @staticmethod
    def unpaired_part(unpaired: Unpaired, chosen: slice) -> Unpaired:
        """Unpaired embeddings cut to a range of their numbers, rows of length 1 again."""
        return replace(
            unpaired,
            sketches=F.normalize(unpaired.sketches[:, chosen], dim=1),
            photos=F.normalize(unpaired.photos[:, chosen], dim=1),
        )


# A misspelt need shows at import and not in the middle of a training.
assert {need.value for need in Need} <= {each.name for each in fields(LossInputs)}
