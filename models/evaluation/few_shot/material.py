"""From a data set's split and a pair of encoders to what episodes are run on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.arrays import Vectors
from models.data.datasets import PairDataset, PhotoKey
from models.data.sampling.episodes import category_tasks, person_tasks
from models.evaluation.dataset_embeddings import embed_photos, embed_sketches
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToEvaluate
from models.evaluation.few_shot.protocol import Material, Unit


@dataclass(frozen=True)
class EmbeddedPart:
    """A split's sketches (N, E) and its gallery (G, E), rows of length 1, with what is known of each.

    `drawn` (N,): the photo of each sketch; `people` (N,): who drew it, or empty; `keys` (G,): the photos; `left_out`:
    names of what could not be encoded, which is in no episode.
    """

    name: str
    sketches: Vectors
    photos: Vectors
    drawn: tuple[PhotoKey, ...]
    people: tuple[str, ...]
    keys: tuple[PhotoKey, ...]
    left_out: tuple[str, ...] = ()

    def material(self, unit: Unit) -> Material:
        """What episodes are run on. Raises NoTasks, NothingToEvaluate."""
        if unit is Unit.PERSON:
            if not any(self.people):
                raise NothingToEvaluate(f"{self.name} does not say who drew what: no episodes of people")
            tasks = person_tasks(self.drawn, self.people, self.keys)
        else:
            tasks = category_tasks(self.drawn, self.keys)
        return Material(self.name, unit, self.sketches, self.photos, tasks)


def embedded_part(
    encoders: EncoderPair, part: PairDataset, name: str, progress: Callable[[int], object] | None = None
) -> EmbeddedPart:
    """Encode a split. `progress` is given how many images were encoded since. Raises EmbeddingsNotFinite."""
    photos = tuple(part.photos.values())
    of_photos = embed_photos(encoders, photos, progress)
    of_sketches = embed_sketches(encoders, part.records, progress)
    lost = {photos[row].key for row in of_photos.refused}
    kept = [
        row for row, record in enumerate(part.records) if row not in of_sketches.refused and record.photo not in lost
    ]
    shown = [row for row in range(len(photos)) if row not in of_photos.refused]
    refused = [part.records[row].sketch.name for row in sorted(of_sketches.refused)]
    return EmbeddedPart(
        name=name,
        sketches=of_sketches.vectors[kept],
        photos=of_photos.vectors[shown],
        drawn=tuple(part.records[row].photo for row in kept),
        people=tuple(part.records[row].person for row in kept),
        keys=tuple(photos[row].key for row in shown),
        left_out=(*refused, *(part.photo_name(photos[row]) for row in sorted(of_photos.refused))),
    )
