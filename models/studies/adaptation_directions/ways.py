"""The ways that are compared. Each reads some pieces of a row (`Columns`) and compares by inner products.

Families are grids of one way's numbers; which member counts is chosen on other categories (`selection`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.adapters import Adaptation, CategoryAdapter
from models.adapters.adapter import unit_rows
from models.adapters.category import category_mean
from models.adapters.frame import GalleryFrame
from models.adapters.prior import CentrePrior
from models.arrays import Rows, Vectors
from models.evaluation.few_shot.methods import TaskAdapter
from models.evaluation.few_shot.protocol import Material
from models.studies.adaptation_directions.fits.drawn_metric import cell_gains, within_metric
from models.studies.adaptation_directions.fits.reprojection import Reprojection
from models.studies.adaptation_directions.views import Columns

Embed = Callable[[Vectors], Vectors]
Make = Callable[[Vectors, Rows, Vectors], TaskAdapter]


@dataclass(frozen=True)
class Compared:
    """Two functions from rows to what is compared."""

    sketch: Embed
    photo: Embed

    def embed_sketches(self, sketches: Vectors) -> Vectors:
        """(N, all) -> (N, E')."""
        return self.sketch(sketches)

    def embed_photos(self, photos: Vectors) -> Vectors:
        """(N, all) -> (N, E')."""
        return self.photo(photos)


@dataclass(frozen=True)
class Way:
    """A method of the protocol made of one function."""

    name: str
    make: Make
    uses_examples: bool = False

    def fit(self, sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        """(S, all), (S,), (G, all) -> the task's adapter."""
        return self.make(sketches, positives, photos)


Families = dict[str, tuple[Way, ...]]


def families(columns: Columns, adaptation: Adaptation | None, usual_gains: Vectors) -> Families:
    """Every family by its name, in the order of the table. `usual_gains` (E,): see `usual_cell_gains`."""
    prior = CentrePrior(share=1.0, follow=0.05, trust=1.8, per_photo=0.27)
    made: Families = {
        "plain cosines": (_plain(columns),),
        "mean-centred": (_centred(columns),),
        "kind part added": tuple(_with_kind(columns, weight) for weight in (0.1, 0.3, 1.0)),
        "frame of the photos": tuple(_framed(columns, power, None) for power in (0.15, 0.25, 0.35)),
        "weights of cells": tuple(_cell_weights(columns, power) for power in (0.25, 0.5, 1.0)),
        "usual weights of cells": tuple(_usual_cells(columns, usual_gains**power, 0.0, None) for power in _POWERS),
        "drawn metric": tuple(_drawn_metric(columns, *numbers, None) for numbers in _METRICS),
        "drawings' mean": tuple(_drawn_centre(columns, share) for share in (0.3, 0.6, 1.0)),
        "drawings beside photos": tuple(_beside(columns, weight) for weight in (0.1, 0.3, 1.0)),
        "photos closer, too": (_closer(columns, None),),
    }
    if adaptation is not None:
        made["bundle's adaptation"] = (_bundled(columns, adaptation),)
    made["frame, mean of pairs"] = tuple(
        _framed(columns, power, prior.model_copy(update={"follow": follow, "trust": trust}))
        for power in (0.0, 0.25)
        for follow in (0.0, 0.1)
        for trust in (1.0, 2.0)
    )
    made["usual cells, frame, mean of pairs"] = tuple(
        _usual_cells(columns, usual_gains**power, 0.25, prior) for power in _POWERS
    )
    made["drawn metric, mean of pairs"] = tuple(_drawn_metric(columns, *numbers, prior) for numbers in _METRICS)
    made["re-projected, mean of pairs"] = tuple(_reprojected(columns, prior, strength) for strength in (0.1, 1.0, 10.0))
    made["photos closer, frame, mean of pairs"] = (_closer(columns, prior),)
    return made


_METRICS: Sequence[tuple[float, float]] = ((3.0, 0.25), (1.0, 0.25), (1.0, 0.5), (0.3, 0.5))
_POWERS = (0.5, 0.7, 1.0)


def usual_cell_gains(material: Material, columns: Columns) -> Vectors:
    """(E,): `cell_gains` to the power 1, averaged over the tasks. Photos alone decide it, no person's sketch does."""
    each = [
        cell_gains(columns.drawn_of(photos), columns.layout_of(photos), 1.0)
        for photos in (material.photos[task.gallery] for task in material.tasks)
    ]
    usual: Vectors = np.mean(each, axis=0, dtype=np.float32)
    return usual


def _plain(columns: Columns) -> Way:
    adapter = Compared(columns.layout_of, columns.layout_of)
    return Way("plain cosines", lambda sketches, positives, photos: adapter)


def _centred(columns: Columns) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        return _on_layout(columns, CategoryAdapter.centred(columns.layout_of(photos)))

    return Way("mean-centred", make)


def _bundled(columns: Columns, adaptation: Adaptation) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        prepared = adaptation.prepare(columns.layout_of(photos))
        return _on_layout(columns, prepared.adapter(prepared.fit(columns.layout_of(sketches), positives)))

    return Way("bundle's adaptation", make, uses_examples=True)


def _with_kind(columns: Columns, weight: float) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout, kind = category_mean(columns.layout_of(photos)), category_mean(columns.kind_of(photos))

        def embed(rows: Vectors) -> Vectors:
            both = (unit_rows(columns.layout_of(rows) - layout), weight**0.5 * unit_rows(columns.kind_of(rows) - kind))
            return np.concatenate(both, axis=1)

        return Compared(embed, embed)

    return Way(f"kind x {weight:g}", make)


def _framed(columns: Columns, power: float, prior: CentrePrior | None) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout = columns.layout_of(photos)
        frame = GalleryFrame.of(layout, shrinkage=1.36, power=power)
        centre = _centre(columns, prior, sketches, positives, layout, frame.mean)
        return _turned(columns, frame.turn, frame.mean, centre)

    numbers = "" if prior is None else f", follow {prior.follow:g}, trust {prior.trust:g}"
    return Way(f"frame {power:g}{numbers}", make, uses_examples=prior is not None)


def _drawn_metric(columns: Columns, shrinkage: float, power: float, prior: CentrePrior | None) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout = columns.layout_of(photos)
        metric = within_metric(columns.drawn_of(photos), layout, shrinkage=shrinkage, power=power)
        mean = category_mean(layout)
        centre = _centre(columns, prior, sketches, positives, layout, mean)
        return _turned(columns, metric, mean, centre)

    paired = "" if prior is None else ", pairs"
    return Way(f"drawn metric {shrinkage:g}, {power:g}{paired}", make, uses_examples=prior is not None)


def _cell_weights(columns: Columns, power: float) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout = columns.layout_of(photos)
        gains, mean = cell_gains(columns.drawn_of(photos), layout, power), category_mean(layout)
        return _turned(columns, lambda rows: rows * gains, mean, mean)

    return Way(f"cells ** {power:g}", make)


def _usual_cells(columns: Columns, gains: Vectors, power: float, prior: CentrePrior | None) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout = columns.layout_of(photos) * gains
        frame = GalleryFrame.of(layout, shrinkage=1.36, power=power)
        shown = columns.layout_of(sketches) * gains
        centre = frame.mean if prior is None else prior.centre(shown, positives, layout, frame.mean)
        return Compared(
            lambda rows: unit_rows(frame.turn(columns.layout_of(rows) * gains - centre)),
            lambda rows: unit_rows(frame.embed(columns.layout_of(rows) * gains)),
        )

    paired = "" if prior is None else ", frame, pairs"
    return Way(f"usual cells to {gains.max():.2f}{paired}", make, uses_examples=prior is not None)


def _drawn_centre(columns: Columns, share: float) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        mean = category_mean(columns.layout_of(photos))
        drawn = columns.drawn_of(photos).mean(axis=(0, 1))
        return _turned(columns, lambda rows: rows, mean, share * drawn + (1 - share) * mean)

    return Way(f"drawings' mean x {share:g}", make)


def _beside(columns: Columns, weight: float) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        mean, drawn = category_mean(columns.layout_of(photos)), columns.drawn_of(photos).mean(axis=(0, 1))

        def photo(rows: Vectors) -> Vectors:
            own = unit_rows(columns.layout_of(rows) - mean)
            return unit_rows(own + weight * unit_rows(columns.drawn_of(rows).mean(axis=1) - drawn))

        return Compared(lambda rows: unit_rows(columns.layout_of(rows) - mean), photo)

    return Way(f"drawings x {weight:g}", make)


def _closer(columns: Columns, prior: CentrePrior | None) -> Way:
    power = 0.0 if prior is None else 0.25

    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        def both(rows: Vectors) -> Vectors:
            return unit_rows(columns.layout_of(rows) + columns.closer_of(rows))

        layout = both(photos)
        frame = GalleryFrame.of(layout, shrinkage=1.36, power=power)
        centre = _centre(columns, prior, sketches, positives, layout, frame.mean)
        return Compared(
            lambda rows: unit_rows(frame.turn(columns.layout_of(rows) - centre)),
            lambda rows: unit_rows(frame.embed(both(rows))),
        )

    return Way("closer" if prior is None else "closer, pairs", make, uses_examples=prior is not None)


def _reprojected(columns: Columns, prior: CentrePrior, strength: float) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        layout, cells = columns.layout_of(photos), columns.cells_of
        learned = Reprojection.of(
            cells(sketches), columns.layout_of(sketches), layout[positives], layout, strength=strength
        )
        frame = GalleryFrame.of(layout, shrinkage=1.36, power=0.25)

        def moved(rows: Vectors) -> Vectors:
            return learned.apply(columns.layout_of(rows), cells(rows))

        centre = prior.centre(moved(sketches), positives, layout, frame.mean) if len(sketches) else frame.mean
        return Compared(
            lambda rows: unit_rows(frame.turn(moved(rows) - centre)),
            lambda rows: unit_rows(frame.embed(columns.layout_of(rows))),
        )

    return Way(f"re-projected {strength:g}", make, uses_examples=True)


def _centre(
    columns: Columns, prior: CentrePrior | None, sketches: Vectors, positives: Rows, layout: Vectors, mean: Vectors
) -> Vectors:
    return mean if prior is None else prior.centre(columns.layout_of(sketches), positives, layout, mean)


def _turned(columns: Columns, turn: Embed, mean: Vectors, centre: Vectors) -> Compared:
    return Compared(
        lambda rows: unit_rows(turn(columns.layout_of(rows) - centre)),
        lambda rows: unit_rows(turn(columns.layout_of(rows) - mean)),
    )


def _on_layout(columns: Columns, adapter: CategoryAdapter) -> Compared:
    return Compared(
        lambda rows: adapter.embed_sketches(columns.layout_of(rows)),
        lambda rows: adapter.embed_photos(columns.layout_of(rows)),
    )
