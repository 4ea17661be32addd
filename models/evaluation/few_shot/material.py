"""A split of a data set in a pair of encoders' space: what episodes are run on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from models.arrays import Vectors
from models.data.datasets import PairDataset, PhotoKey
from models.data.sampling.episodes import category_tasks, person_tasks
from models.evaluation.embeddings import Progress, embed_photos, embed_sketches
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToEvaluate
from models.evaluation.few_shot.protocol import Material, Unit
from models.evaluation.purposes import within_category


@dataclass(frozen=True)
class EmbeddedPart:
    """A split's sketches (N, E) and its gallery (G, E), what adapters work on, with what is known of each.

    `drawn` (N,): the photo of each sketch; `people` (N,): its artist, or empty; `keys` (G,): the photos; `left_out`:
    names of the images without an embedding, which are in no episode.
    """

    name: str
    sketches: Vectors
    photos: Vectors
    drawn: tuple[PhotoKey, ...]
    people: tuple[str, ...]
    keys: tuple[PhotoKey, ...]
    left_out: tuple[str, ...] = ()

    def of_categories(self, names: Collection[str]) -> EmbeddedPart:
        """The sketches and photos of these categories."""
        kept = [row for row, photo in enumerate(self.drawn) if photo.category in names]
        shown = [row for row, photo in enumerate(self.keys) if photo.category in names]
        return replace(
            self,
            sketches=self.sketches[kept],
            photos=self.photos[shown],
            drawn=tuple(self.drawn[row] for row in kept),
            people=tuple(self.people[row] for row in kept),
            keys=tuple(self.keys[row] for row in shown),
        )

    def material(self, unit: Unit) -> Material:
        """Its tasks of this unit, with the embeddings. Raises NoTasks, NothingToEvaluate."""
        if unit is Unit.PERSON:
            if not any(self.people):
                raise NothingToEvaluate(f"{self.name} does not name the artists, so there are no episodes of people")
            tasks = person_tasks(self.drawn, self.people, self.keys)
        else:
            tasks = category_tasks(self.drawn, self.keys)
        return Material(self.name, unit, self.sketches, self.photos, tasks)


def embedded_part(
    encoders: EncoderPair, part: PairDataset, name: str, progress: Progress | None = None
) -> EmbeddedPart:
    """Encode every sketch and photo of a split. Raises EmbeddingsNotFinite."""
    photos = tuple(part.photos.values())
    of_photos = embed_photos(encoders, photos, progress).adaptable(encoders.parts)
    of_sketches = embed_sketches(
        encoders,
        part.records,
        progress,
        purposes=within_category(encoders, [record.photo for record in part.records], photos),
    ).adaptable(encoders.parts)
    # A sketch of a photo without an embedding has nothing to find, so it is in no episode either.
    lost = {photos[row].key for row in of_photos.unusable}
    kept = [
        row for row, record in enumerate(part.records) if row not in of_sketches.unusable and record.photo not in lost
    ]
    shown = [row for row in range(len(photos)) if row not in of_photos.unusable]
    unusable = [part.records[row].sketch.name for row in sorted(of_sketches.unusable)]
    return EmbeddedPart(
        name=name,
        sketches=of_sketches.vectors[kept],
        photos=of_photos.vectors[shown],
        drawn=tuple(part.records[row].photo for row in kept),
        people=tuple(part.records[row].person for row in kept),
        keys=tuple(photos[row].key for row in shown),
        left_out=(*unusable, *(part.photo_name(photos[row]) for row in sorted(of_photos.unusable))),
    )
