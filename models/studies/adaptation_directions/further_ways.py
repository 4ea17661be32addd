"""Families that need what was learned or drawn beforehand: deeper projections, and weights predicted from photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.adapters import Adaptation
from models.arrays import Rows, Vectors
from models.data.kinds.word_vectors import name_vectors
from models.evaluation.few_shot.methods import TaskAdapter
from models.evaluation.few_shot.protocol import Material
from models.studies.adaptation_directions.fits.conditioning import Conditioning, Known
from models.studies.adaptation_directions.fits.deeper import Shown, TrunkRule, embedded, prepared_deep, tuned_trunk
from models.studies.adaptation_directions.views import Columns
from models.studies.adaptation_directions.ways import Compared, Families, Way

_DECAYS = (0.3, 1.0)


@dataclass(frozen=True)
class Conditioned:
    """Weights of each category by the first row of its photos, which is all that a way knows it by."""

    gains: Mapping[bytes, Vectors]

    def of(self, photos: Vectors) -> Vectors:
        """(G, all) the task's photos -> (E,)."""
        return self.gains[photos[0].tobytes()]


def deeper_families(columns: Columns, adaptation: Adaptation) -> Families:
    """The projection as it is tuned in service, and the sketch encoder's own projection from its trunk on."""
    return {
        "projection tuned (deep)": (_deep(columns, adaptation),),
        "trunk re-projected by gradient": (_trunk(columns, adaptation, TrunkRule()),),
    }


def conditioned_families(
    material: Material, columns: Columns, adaptation: Adaptation, elsewhere: Sequence[tuple[str, Known]]
) -> Families:
    """Weights from photos and name, learned from the other tasks' pairs, and from those of the split of training.

    `elsewhere`: its categories, in weights of 1. All begin at the usual weights of cells, as `adaptation` has them.
    """
    usual = adaptation.arrays.get("gains", np.ones(adaptation.embedding_dim, np.float32))
    names = [task.name for task in material.tasks]
    words = dict(zip(names, name_vectors(names)[0], strict=True))
    own = {
        task.name: Known(
            columns.layout_of(material.sketches[task.sketches]) * usual,
            task.targets,
            columns.layout_of(material.photos[task.gallery]) * usual,
            words[task.name],
        )
        for task in material.tasks
    }
    first = {task.name: material.photos[task.gallery[0]].tobytes() for task in material.tasks}
    trained = [replace(each, sketches=each.sketches * usual, photos=each.photos * usual) for _, each in elsewhere]

    def way(label: str, made: Mapping[str, Conditioning]) -> Way:
        gains = {first[name]: usual * made[name].gains(own[name].photos, words[name]) for name in names}
        return _conditioned(columns, adaptation, Conditioned(gains), label)

    def by_the_others(decay: float) -> dict[str, Conditioning]:
        return {name: Conditioning.of([own[o] for o in names if o != name], decay=decay) for name in names}

    made: Families = {
        "weights by photos and name, from other unseen categories": tuple(
            way(f"conditioned {decay:g}", by_the_others(decay)) for decay in _DECAYS
        )
    }
    if trained:
        made["weights by photos and name, from trained categories"] = tuple(
            way(f"conditioned on training {decay:g}", dict.fromkeys(names, Conditioning.of(trained, decay=decay)))
            for decay in _DECAYS
        )
    return made


def _deep(columns: Columns, adaptation: Adaptation) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        shown = columns.layout_of(sketches)
        deep = prepared_deep(adaptation, shown, positives, columns.layout_of(photos), columns.lined_of(photos))
        adapter = deep.adapter(deep.fit(shown, positives))
        return Compared(
            lambda rows: adapter.embed_sketches(columns.layout_of(rows)),
            lambda rows: adapter.embed_photos(columns.layout_of(rows)),
        )

    return Way("projection tuned", make, uses_examples=True)


def _trunk(columns: Columns, adaptation: Adaptation, rule: TrunkRule) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        category, shown = adaptation.prepare(columns.layout_of(photos)), columns.layout_of(sketches)
        owners = np.repeat(np.arange(len(photos)), columns.lines)
        drawings = Shown(
            columns.lined_of(photos).reshape(len(owners), -1),
            columns.lined_cells_of(photos).reshape(len(owners), -1),
            owners,
        )
        tuned = tuned_trunk(category, Shown(shown, columns.cells_of(sketches), positives), drawings, rule)
        centre = category.fit(shown, positives).centre
        return Compared(
            lambda rows: embedded(category, tuned, columns.layout_of(rows), columns.cells_of(rows), centre),
            lambda rows: adaptation.prepare(columns.layout_of(rows)).features,
        )

    return Way(f"trunk {rule.rate:g}", make, uses_examples=True)


def _conditioned(columns: Columns, adaptation: Adaptation, weights: Conditioned, label: str) -> Way:
    def make(sketches: Vectors, positives: Rows, photos: Vectors) -> TaskAdapter:
        own = replace(adaptation, arrays={**adaptation.arrays, "gains": weights.of(photos)})
        prepared = own.prepare(columns.layout_of(photos))
        adapter = prepared.adapter(prepared.fit(columns.layout_of(sketches), positives))
        return Compared(
            lambda rows: adapter.embed_sketches(columns.layout_of(rows)),
            lambda rows: adapter.embed_photos(columns.layout_of(rows)),
        )

    return Way(label, make, uses_examples=True)
