"""A bundle's own adaptation as two methods: always fitted, and as it serves, where leave-one-out does not get worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.adapters import Adaptation, CategoryAdapter, FittedCategory, FittedStyle, StyleAdapter
from models.arrays import Rows, Vectors
from models.bundle import Bundle
from models.evaluation.few_shot.methods import Centred, Head, Method, NoAdaptation, PlainHead, SharedHead
from models.evaluation.few_shot.protocol import Unit

UNFITTED, FITTED, SERVED = "unfitted", "fitted", "served"


@dataclass(frozen=True)
class StyledHead:
    """A profile: sketches move, photos stay."""

    profile: StyleAdapter

    def sketches(self, rows: Vectors) -> Vectors:
        """See StyleAdapter.embed_sketches."""
        return self.profile.embed_sketches(rows)

    def photos(self, rows: Vectors) -> Vectors:
        """The same rows."""
        return rows


Fit = Callable[[Vectors, Rows, Vectors], "tuple[Head, Head]"]


@dataclass
class _LastFit:
    """Makes (fitted head, head that serves), once for the two methods that ask one after the other."""

    fit: Fit
    asked: tuple[Vectors, Rows, Vectors] | None = None
    made: tuple[Head, Head] | None = None

    def of(self, sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[Head, Head]:
        same = self.asked is not None and self.asked[2] is photos and np.array_equal(self.asked[0], sketches)
        if self.made is None or not same:
            self.asked = (sketches, positives, photos)
            self.made = self.fit(*self.asked)
        return self.made


@dataclass(frozen=True)
class Bundled:
    """One of the two heads. `gated`: the one that serves."""

    name: str
    fits: _LastFit
    gated: bool
    uses_examples: bool = field(default=True)

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """See `Adaptation.fit_category` and `Adaptation.fit_style`."""
        return self.fits.of(sketches, positives, photos)[self.gated]


@dataclass(frozen=True)
class Unfitted:
    """What an adaptation makes of a category before it sees an example."""

    adaptation: Adaptation
    name: str = UNFITTED
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> Head:
        """See `Adaptation.zero_shot`."""
        return SharedHead(self.adaptation.zero_shot(photos))


def bundle_methods(bundle: Bundle, unit: Unit) -> tuple[Method, ...]:
    """What a bundle can do with examples, beside what it does without. One without an adaptation only centres."""
    return _unfitted(unit) if bundle.adaptation is None else adaptation_methods(bundle.adaptation, unit)


def adaptation_methods(adaptation: Adaptation, unit: Unit) -> tuple[Method, ...]:
    """The same for an adaptation on its own."""
    fits = _LastFit(_profiles(adaptation) if unit is Unit.PERSON else _heads(adaptation))
    own = () if unit is Unit.PERSON else (Unfitted(adaptation),)
    return (*_unfitted(unit), *own, Bundled(FITTED, fits, gated=False), Bundled(SERVED, fits, gated=True))


def _unfitted(unit: Unit) -> tuple[Method, ...]:
    return (NoAdaptation(),) if unit is Unit.PERSON else (NoAdaptation(), Centred())


def _heads(adaptation: Adaptation) -> Fit:
    def fit(sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[Head, Head]:
        found: FittedCategory = adaptation.fit_category(sketches, positives, photos)
        fitted = SharedHead(found.adapter)
        return fitted, fitted if found.passes_gate else SharedHead(CategoryAdapter.centred(photos))

    return fit


def _profiles(adaptation: Adaptation) -> Fit:
    def fit(sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[Head, Head]:
        others = np.delete(photos, np.unique(positives), axis=0)
        found: FittedStyle = adaptation.fit_style(sketches, photos[positives], others)
        fitted = StyledHead(found.adapter)
        return fitted, fitted if found.passes_gate else PlainHead()

    return fit
