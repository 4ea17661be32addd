"""Few-shot adaptation at serving time: a few drawings and their photos -> a category adapter or a style adapter.

What is learned across categories (the frame's shrinkage, the prior of the sketches' centre, the start of M, the inner
rate, the margin) is an `Adaptation`: `adaptation.npz` in a bundle. Fitting takes milliseconds of numpy; no image is
encoded again and no index rebuilt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from models.adapters.category import CategoryAdapter, centred_cosines
from models.adapters.errors import AdaptationCorrupt
from models.adapters.fit import LowRankResidual, PreparedCategory, StepRule
from models.adapters.frame import GalleryFrame
from models.adapters.gate import Fitted, contenders, leave_one_out, spread_ratio
from models.adapters.margin import MarginPredictor
from models.adapters.prior import CentrePrior
from models.adapters.state.adaptation_file import Header, file_bytes, parsed
from models.adapters.state.settings import AdaptationSettings, Method
from models.adapters.style import StyleAdapter, StyleRule, fit_style
from models.arrays import Rows, Vectors
from models.atomic_files import write_bytes

FittedCategory: TypeAlias = Fitted[CategoryAdapter]
FittedStyle: TypeAlias = Fitted[StyleAdapter]

# A direction of one embedding space means nothing in another, even where E is the same.
_OF_ONE_SPACE = ("head", "down", "up", "usual")
# Weights of a layout's cells mean the same in every space with that layout, thus wherever E is the same.
_OF_ONE_LENGTH = ("gains",)


@dataclass(frozen=True)
class LiveSupport:
    """The examples that the active adapter was fitted to: `sketches` (S, E), `positives` (S,) rows of their photos.

    `is_deep`: its projection was tuned; what has no drawings to tune one by takes it for the light one of its examples.
    """

    sketches: Vectors
    positives: Rows
    is_deep: bool = False


@dataclass(frozen=True)
class Adaptation:
    """Meta-learned parameters of one method, bound to embeddings of length E.

    `arrays` may hold `head` (E, E'), the start of M within the category's frame, the identity where absent; `down`
    (E, r) and `up` (r, E), a residual before M; `gains` (E,), positive weights of the embedding's numbers within a
    category; the margin predictor's parameters; and `usual` (E,), the expected offset of a `StyleRule`. `bundle_id`:
    the bundle whose embeddings they were made for, empty where any with this E will do.
    """

    method: Method
    embedding_dim: int
    settings: AdaptationSettings = field(default_factory=AdaptationSettings)
    arrays: Mapping[str, Vectors] = field(default_factory=dict)
    name: str = "untrained"
    bundle_id: str = ""

    @classmethod
    def untrained(cls, embedding_dim: int, method: Method = "adaptive", **settings: float) -> Adaptation:
        """The method before meta-training: M the identity, rate 0.1, margin 0.3; `settings` are set on top of those."""
        start = {"rate": 0.1 if method == "adaptive" else 0.0, **settings}
        arrays = MarginPredictor.constant(0.3).arrays() if method == "adaptive" else {}
        return cls(method, embedding_dim, AdaptationSettings.model_validate(start), arrays)

    @property
    def adaptation_id(self) -> str:
        """Name and digest of everything that decides what is fitted: equal exactly when fits are."""
        digest = hashlib.sha256(self._header().to_json(identifying=True))
        # The order in which arrays were added is no difference, and the same bytes in another shape are one.
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"

    def carried_over(self, embedding_dim: int) -> Adaptation:
        """What of this holds in another space, of `embedding_dim` numbers: scalars, margin, weights; no direction."""
        lost = _OF_ONE_SPACE if embedding_dim == self.embedding_dim else (*_OF_ONE_SPACE, *_OF_ONE_LENGTH)
        kept = {name: array for name, array in self.arrays.items() if name not in lost}
        return replace(self, embedding_dim=embedding_dim, arrays=kept, name=f"{self.name}-carried", bundle_id="")

    def fit_category(
        self, sketches: Vectors, positives: Rows, photos: Vectors, live: LiveSupport | None = None
    ) -> FittedCategory:
        """(S, E) sketches, (S,) row of each one's photo, (G, E) photos of the category -> its adapter, gated.

        S is at least 1, all embeddings have length 1. `live`: the examples of the active adapter, which the gate
        compares with, each time fitted without the photo that is left out; None: with the adapter without examples.
        Costs a few passes over the photos, and in leave-one-out a few over the contenders (see `contenders`) for each
        photo that has a sketch.
        """
        positives = np.asarray(positives, np.int64)
        plain = centred_cosines(sketches, photos)
        rows = contenders(plain, positives)
        if live is not None:
            rows = np.unique(np.concatenate([rows, live.positives]))
        category, own = self.prepare(photos, rows), np.searchsorted(rows, positives)

        def before(held_out: Rows) -> Vectors:
            if live is None:
                scores: Vectors = plain[np.ix_(held_out, rows)]
                return scores
            # An adapter knows its own examples better than it will know others.
            kept = ~np.isin(live.positives, positives[held_out])
            other = category.fit(live.sketches[kept], np.searchsorted(rows, live.positives[kept]))
            return category.scores(sketches[held_out], other)

        def after(held_out: Rows, kept: Rows) -> Vectors:
            return category.scores(sketches[held_out], category.fit(sketches[kept], own[kept]))

        fitted, live_photos = category.fit(sketches, own), 0 if live is None else len(np.unique(live.positives))
        prior = self.settings.gain.for_spread(spread_ratio(sketches, positives, photos))
        figures = leave_one_out(own, before, after, prior, live_photos)
        return Fitted(category.adapter(fitted), figures, fitted.margin)

    def zero_shot(self, photos: Vectors) -> CategoryAdapter:
        """(G, E) photos of a category -> the adapter that the method makes of them without examples."""
        category = self.prepare(photos)
        no_sketches = np.zeros((0, photos.shape[1]), np.float32)
        return category.adapter(category.fit(no_sketches, np.zeros(0, np.int64)))

    def prepare(self, photos: Vectors, rows: Rows | None = None) -> PreparedCategory:
        """(G, E) photos of a category, prepared for fits to those of `rows` (R,), by default all."""
        settings, rule = self.settings, None
        if self.method == "centred":
            frame = GalleryFrame.of(photos, shrinkage=1.0, power=0.0)
            # With this trust the centre stays at the photos' mean, however many sketches there are.
            no_examples = CentrePrior(share=1.0, follow=0.0, trust=1e9)
            return PreparedCategory.of(photos, rows, frame=frame, prior=no_examples, head=None, rule=None)
        if self.method == "adaptive":
            margin = MarginPredictor.from_arrays(self.arrays)
            rule = StepRule(margin, settings.rate, settings.softness, settings.negatives)
        gains = self.arrays.get("gains")
        return PreparedCategory.of(
            photos,
            rows,
            frame=GalleryFrame.of(photos, shrinkage=settings.shrinkage, power=settings.power, scales=gains),
            prior=settings.centre,
            head=self.arrays.get("head"),
            rule=rule,
            residual=LowRankResidual(self.arrays["down"], self.arrays["up"]) if "down" in self.arrays else None,
            gains=gains,
        )

    def fit_style(self, sketches: Vectors, photos: Vectors, distractors: Vectors) -> FittedStyle:
        """(S, E) a person's sketches, (S, E) the photo of each, (D, E) other photos -> their style adapter, gated."""
        expected_offset = self.arrays.get("usual", np.zeros(self.embedding_dim, np.float32))
        settings = self.settings
        rule = StyleRule(expected_offset, settings.style_strength, settings.style_photos, settings.style_share)
        return fit_style(sketches, photos, distractors, rule, settings.style_gain)

    def save(self, path: Path) -> None:
        """Replace the file at `path` atomically. Raises OSError."""
        write_bytes(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The .npz file, see `adaptation_file`."""
        return file_bytes(self._header(), self.arrays)

    @classmethod
    def load(cls, path: Path) -> Adaptation:
        """Read a file of `save`. Raises AdaptationCorrupt."""
        try:
            return cls.from_bytes(path.read_bytes(), str(path))
        except OSError as error:
            raise AdaptationCorrupt(f"{path} cannot be read: {error.strerror}") from error

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "adaptation") -> Adaptation:
        """The inverse of `to_bytes`; `source` names it in errors. Raises AdaptationCorrupt."""
        header, arrays = parsed(data, source)
        return cls(header.method, header.embedding_dim, header.settings, arrays, header.name, header.bundle_id)

    def require_fits(self, embedding_dim: int, bundle_id: str) -> None:
        """Raises AdaptationCorrupt when this was made for other embeddings."""
        if self.embedding_dim != embedding_dim or self.bundle_id not in ("", bundle_id):
            raise AdaptationCorrupt(
                f"adaptation {self.adaptation_id} was made for {self.embedding_dim} numbers of "
                f"{self.bundle_id or 'any bundle'}, not for {embedding_dim} of {bundle_id}: train it again"
            )

    def _header(self) -> Header:
        return Header(
            method=self.method,
            name=self.name,
            bundle_id=self.bundle_id,
            embedding_dim=self.embedding_dim,
            settings=self.settings,
        )
