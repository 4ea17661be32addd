"""Few-shot adaptation at serving time: a few drawings of a category's photos -> a head for that category.

What is learned across categories (the frame's shrinkage, the prior of the sketches' centre, the starting head, the
inner rate, the margin) is an `Adaptation`, one .npz file of the bundle. Fitting takes milliseconds of numpy; no image
is encoded again and no index rebuilt.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.adapters.category import CategoryAdapter, centred_cosines
from models.adapters.errors import AdaptationCorrupt
from models.adapters.fit import Adapter, CategoryFit, StepRule
from models.adapters.gate import LeaveOneOut, Ranks, contenders, leave_one_out
from models.adapters.margin import MarginPredictor
from models.adapters.prior import CentrePrior
from models.adapters.style import FittedStyle, StyleAdapter, StyleRule, fit_profile
from models.arrays import Rows, Vectors

__all__ = ["Adaptation", "FittedCategory", "FittedStyle", "LeaveOneOut", "Ranks", "StyleAdapter"]

Method = Literal["adaptive", "bayes", "centred"]
"""`adaptive`: the paper's, an inner step on M, within the category's frame. `bayes`: the frame and the sketches' centre
alone, in closed form. `centred`: no examples count."""


_FORMAT = 1
_HEADER = "header"
_OF_ONE_SPACE = ("head", "down", "up", "usual")


class AdaptationSettings(BaseModel):
    """The scalars among the meta-learned parameters.

    `shrinkage`, `power`: of the category's frame, see `GalleryFrame.of`. `centre`: of its sketches. `rate`, `softness`:
    of the inner step; `negatives`: how many photos beside the support's own take part in it, the nearest first.
    `style_strength`, `style_photos`, `style_share`: see `StyleRule`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shrinkage: float = Field(default=1.0, gt=0)
    power: float = Field(default=0.0, ge=0)
    centre: CentrePrior = CentrePrior()
    rate: float = Field(default=0.0, ge=0)
    softness: float = Field(default=0.05, ge=0)
    negatives: int = Field(default=24, ge=0)
    style_strength: float = Field(default=0.5, ge=0)
    style_photos: float = Field(default=4.0, ge=0)
    style_share: float = Field(default=0.5, ge=0)


@dataclass(frozen=True)
class FittedCategory:
    """A category head. `margin`: the predicted one, None for methods that have none."""

    head: CategoryAdapter
    margin: float | None
    leave_one_out: LeaveOneOut

    @property
    def passes_gate(self) -> bool:
        """See `LeaveOneOut.passes_gate`."""
        return self.leave_one_out.passes_gate


@dataclass(frozen=True)
class Adaptation:
    """Meta-learned parameters of one method, bound to embeddings of length E.

    `arrays` may hold `head` (E, E'), the start of M within the category's frame, where absent the identity; `down`
    (E, r) and `up` (r, E), an adapter before M; the margin predictor's parameters; and `usual` (E,), see `StyleRule`.
    `bundle_id`: the bundle whose embeddings they were made for, empty where any with this E will do.
    """

    method: Method
    embedding_dim: int
    settings: AdaptationSettings = field(default_factory=AdaptationSettings)
    arrays: Mapping[str, Vectors] = field(default_factory=dict)
    name: str = "untrained"
    bundle_id: str = ""

    @classmethod
    def untrained(cls, embedding_dim: int, method: Method = "adaptive", **settings: float) -> Adaptation:
        """The method before it saw a category: the identity, a small step, a margin of 0.3."""
        start = {"rate": 0.1 if method == "adaptive" else 0.0, **settings}
        arrays = MarginPredictor.constant(0.3).arrays() if method == "adaptive" else {}
        return cls(method, embedding_dim, AdaptationSettings.model_validate(start), arrays)

    @property
    def adaptation_id(self) -> str:
        """Name and digest of everything that decides a fitted head."""
        digest = hashlib.sha256(self._header())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            digest.update(f"{name}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return f"{self.name}-{digest.hexdigest()[:12]}"

    def carried_over(self, embedding_dim: int) -> Adaptation:
        """What of this holds in any space of that width: the scalars and the margin predictor, no direction."""
        kept = {name: array for name, array in self.arrays.items() if name not in _OF_ONE_SPACE}
        return replace(self, embedding_dim=embedding_dim, arrays=kept, name=f"{self.name}-carried", bundle_id="")

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> FittedCategory:
        """(S, E) sketches, (S,) row of each one's photo, (G, E) photos of the category -> a head for it.

        All embeddings have length 1. Costs a few passes over the photos, and in leave-one-out a few over the
        contenders (see `contenders`) for each photo that has a sketch.
        """
        positives = np.asarray(positives, np.int64)
        plain = centred_cosines(sketches, photos)
        rows = contenders(plain, positives)
        category, own = self.prepare(photos, rows), np.searchsorted(rows, positives)

        def before(asked: Rows) -> Vectors:
            found: Vectors = plain[np.ix_(asked, rows)]
            return found

        def after(asked: Rows, kept: Rows) -> Vectors:
            return category.scores(sketches[asked], category.fit(sketches[kept], own[kept]))

        fitted = category.fit(sketches, own)
        return FittedCategory(category.head(fitted), fitted.margin, leave_one_out(own, before, after))

    def unfitted(self, photos: Vectors) -> CategoryAdapter:
        """(G, E) photos of a category -> what the method makes of it without examples."""
        category = self.prepare(photos)
        nothing = np.zeros((0, photos.shape[1]), np.float32)
        return category.head(category.fit(nothing, np.zeros(0, np.int64)))

    def prepare(self, photos: Vectors, rows: Rows | None = None) -> CategoryFit:
        """(G, E) photos of a category, ready for fits to those of `rows` (R,), by default all."""
        settings, rule = self.settings, None
        if self.method == "centred":
            nothing = CentrePrior(share=1.0, follow=0.0, trust=1e9)
            return CategoryFit.of(photos, rows, shrinkage=1.0, power=0.0, prior=nothing, start=None, rule=None)
        if self.method == "adaptive":
            margin = MarginPredictor.from_arrays(self.arrays)
            rule = StepRule(margin, settings.rate, settings.softness, settings.negatives)
        return CategoryFit.of(
            photos,
            rows,
            shrinkage=settings.shrinkage,
            power=settings.power,
            prior=settings.centre,
            start=self.arrays.get("head"),
            rule=rule,
            adapter=Adapter(self.arrays["down"], self.arrays["up"]) if "down" in self.arrays else None,
        )

    def fit_profile(self, sketches: Vectors, photos_of: Vectors, distractors: Vectors) -> FittedStyle:
        """(S, E) a person's sketches, (S, E) the photos they were drawn from, (D, E) other photos -> their style."""
        usual = self.arrays.get("usual", np.zeros(self.embedding_dim, np.float32))
        settings = self.settings
        rule = StyleRule(usual, settings.style_strength, settings.style_photos, settings.style_share)
        return fit_profile(sketches, photos_of, distractors, rule)

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        staged = path.with_name(path.name + ".partial")
        with staged.open("wb") as file:
            file.write(self.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)

    def to_bytes(self) -> bytes:
        """The .npz file."""
        buffer = io.BytesIO()
        arrays = {name: np.asarray(self.arrays[name], np.float32) for name in sorted(self.arrays)}
        np.savez(buffer, **{_HEADER: np.frombuffer(self._header(), np.uint8)}, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def load(cls, path: Path) -> Adaptation:
        """Read a file of `save`. Raises AdaptationCorrupt."""
        try:
            return cls.from_bytes(path.read_bytes(), str(path))
        except OSError as error:
            raise AdaptationCorrupt(f"{path} cannot be read: {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "adaptation") -> Adaptation:
        """The inverse of `to_bytes`; `source` names it in errors. Raises AdaptationCorrupt."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            header = json.loads(arrays.pop(_HEADER).tobytes())
            if header.pop("format") != _FORMAT:
                raise AdaptationCorrupt(f"{source} has another format; this release reads {_FORMAT}")
            if header["method"] not in get_args(Method):
                raise AdaptationCorrupt(f"{source} is of the method {header['method']!r}, which is not known")
            settings = AdaptationSettings.model_validate(header.pop("settings"))
            loaded = cls(settings=settings, arrays=arrays, **header)
            loaded._check()
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, ValidationError) as error:
            raise AdaptationCorrupt(f"{source} is no adaptation of this product: {error}") from error
        return loaded

    def require_fits(self, embedding_dim: int, bundle_id: str) -> None:
        """Raises AdaptationCorrupt when this was made for other embeddings."""
        if self.embedding_dim != embedding_dim or self.bundle_id not in ("", bundle_id):
            raise AdaptationCorrupt(
                f"adaptation {self.adaptation_id} was made for {self.embedding_dim} numbers of "
                f"{self.bundle_id or 'any bundle'}, not for {embedding_dim} of {bundle_id}: train it anew"
            )

    def _header(self) -> bytes:
        header = {
            "format": _FORMAT,
            "method": self.method,
            "name": self.name,
            "bundle_id": self.bundle_id,
            "embedding_dim": self.embedding_dim,
            "settings": self.settings.model_dump(),
        }
        return json.dumps(header, sort_keys=True).encode()

    def _check(self) -> None:
        """Shapes and numbers. Raises ValueError, KeyError."""
        if self.method == "adaptive":
            MarginPredictor.from_arrays(self.arrays)
        for name, axis in (("head", 0), ("usual", 0), ("down", 0), ("up", 1)):
            if name in self.arrays and self.arrays[name].shape[axis] != self.embedding_dim:
                raise ValueError(f"{name} has shape {self.arrays[name].shape}, E is {self.embedding_dim}")
        if broken := [name for name, array in self.arrays.items() if not np.isfinite(array).all()]:
            raise ValueError(f"{broken[0]} holds numbers that are not finite")
