"""A bundle's own adaptation as methods: before any example (zero-shot), fitted (adapted), and as it serves (gated).

Gated, an adapter is used where leave-one-out passes the gate, else what serves without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from models.adapters import Adaptation, CategoryAdapter, NoAdapter
from models.arrays import Rows, Vectors
from models.bundle import Bundle
from models.evaluation.few_shot.methods import Centred, Method, NoAdaptation, TaskAdapter
from models.evaluation.few_shot.protocol import Unit

ZERO_SHOT, ADAPTED, GATED = "zero-shot", "adapted", "gated"


Fit = Callable[[Vectors, Rows, Vectors], "tuple[TaskAdapter, TaskAdapter]"]


@dataclass
class _LastFit:
    """Makes (adapted, gated), once for the two methods that request one after the other."""

    fit: Fit
    arguments: tuple[Vectors, Rows, Vectors] | None = None
    made: tuple[TaskAdapter, TaskAdapter] | None = None

    def of(self, sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[TaskAdapter, TaskAdapter]:
        known = self.arguments
        # Within a draw the gallery is one object, so identity is enough and far cheaper than comparing it.
        same = known is not None and known[2] is photos and np.array_equal(known[0], sketches)
        if self.made is None or not same:
            self.arguments = (sketches, positives, photos)
            self.made = self.fit(*self.arguments)
        return self.made


@dataclass(frozen=True)
class BundleMethod:
    """One of the two fitted methods; `gated`: the one with the gate."""

    name: str
    fits: _LastFit
    gated: bool
    uses_examples: bool = field(default=True)

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(S, E), (S,), (G, E) -> an adapter, see `Adaptation.fit_category` and `Adaptation.fit_style`."""
        return self.fits.of(sketches, positives, photos)[self.gated]


@dataclass(frozen=True)
class ZeroShot:
    """What an adaptation makes of a category before it sees an example."""

    adaptation: Adaptation
    name: str = ZERO_SHOT
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(G, E) photos -> an adapter, see `Adaptation.zero_shot`; the examples are ignored."""
        return self.adaptation.zero_shot(photos)


def bundle_methods(bundle: Bundle, unit: Unit) -> tuple[Method, ...]:
    """The bundle's methods after the baselines without examples. One without an adaptation only mean-centres."""
    return _baselines(unit) if bundle.adaptation is None else adaptation_methods(bundle.adaptation, unit)


def adaptation_methods(adaptation: Adaptation, unit: Unit) -> tuple[Method, ...]:
    """The same for an adaptation that lies outside a bundle."""
    fits = _LastFit(_fit_styles(adaptation) if unit is Unit.PERSON else _fit_categories(adaptation))
    own = () if unit is Unit.PERSON else (ZeroShot(adaptation),)
    return (*_baselines(unit), *own, BundleMethod(ADAPTED, fits, gated=False), BundleMethod(GATED, fits, gated=True))


def _baselines(unit: Unit) -> tuple[Method, ...]:
    return (NoAdaptation(),) if unit is Unit.PERSON else (NoAdaptation(), Centred())


def _fit_categories(adaptation: Adaptation) -> Fit:
    def fit(sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[TaskAdapter, TaskAdapter]:
        fitted = adaptation.fit_category(sketches, positives, photos)
        return fitted.adapter, fitted.adapter if fitted.passes_gate else CategoryAdapter.centred(photos)

    return fit


def _fit_styles(adaptation: Adaptation) -> Fit:
    def fit(sketches: Vectors, positives: Rows, photos: Vectors) -> tuple[TaskAdapter, TaskAdapter]:
        others = np.delete(photos, np.unique(positives), axis=0)
        fitted = adaptation.fit_style(sketches, photos[positives], others)
        return fitted.adapter, fitted.adapter if fitted.passes_gate else NoAdapter()

    return fit
