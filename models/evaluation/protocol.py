"""The protocol of validation: every sketch is a query among its own category's photos, distractors too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from models.adapters.category import CategoryAdapter
from models.data.datasets import PairDataset, Photo, SketchRecord
from models.evaluation.metrics import accuracy_at, mean_average_precision, mean_rank
from models.ranking import ranks_of

EncodeSketches = Callable[[Sequence[SketchRecord]], NDArray[np.float32]]
EncodePhotos = Callable[[Sequence[Photo]], NDArray[np.float32]]


@dataclass(frozen=True)
class CategoryGallery:
    """`queries` are searched among `photos`, all of one category."""

    category: str
    photos: tuple[Photo, ...]
    queries: tuple[SketchRecord, ...]

    def targets(self) -> NDArray[np.int64]:
        """(Q,) column of each query's photo."""
        column = {photo.key: number for number, photo in enumerate(self.photos)}
        return np.array([column[query.photo] for query in self.queries], dtype=np.int64)


@dataclass(frozen=True)
class Figures:
    """Retrieval figures of one split, averaged over its queries: accuracies and mAP in [0, 1], mean rank from 1."""

    queries: int
    photos: int
    categories: int
    acc_at_1: float
    acc_at_5: float
    acc_at_10: float
    mean_average_precision: float
    mean_rank: float

    @classmethod
    def of_ranks(cls, ranks: NDArray[np.int64], *, photos: int, categories: int) -> Figures:
        """(Q,) ranks from 1, how many photos were searched, of how many categories the queries are -> figures."""
        return cls(
            queries=len(ranks),
            photos=photos,
            categories=categories,
            acc_at_1=accuracy_at(ranks, 1),
            acc_at_5=accuracy_at(ranks, 5),
            acc_at_10=accuracy_at(ranks, 10),
            mean_average_precision=mean_average_precision(ranks),
            mean_rank=mean_rank(ranks),
        )

    def as_dict(self) -> dict[str, float]:
        """Rounded to four digits, for JSON."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class BothFigures:
    """The figures of two ways to score: `plain` cosines, and `centred` ones.

    Centred, the category mean is subtracted first, as a search within a category does (`CategoryAdapter.centred`).
    """

    plain: Figures
    centred: Figures


def category_galleries(dataset: PairDataset, split: str) -> tuple[CategoryGallery, ...]:
    """One gallery per category that the split has sketches of, in order of the names.

    A gallery is the category's photos in `dataset.split(split)`, in order of their ids: where the data set divides its
    photos by split, the split's own; where it does not, all of the category, with and without sketches. Raises
    SplitMissing.
    """
    queries: dict[str, list[SketchRecord]] = {}
    for record in dataset.records_of(split):
        queries.setdefault(record.photo.category, []).append(record)
    photos: dict[str, list[Photo]] = {}
    for key, photo in sorted(dataset.split(split).photos.items()):
        photos.setdefault(key.category, []).append(photo)
    return tuple(
        CategoryGallery(category, tuple(photos[category]), tuple(records))
        for category, records in sorted(queries.items())
    )


def ranks_both(
    galleries: Sequence[CategoryGallery], encode_sketches: EncodeSketches, encode_photos: EncodePhotos
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(Q,) ranks by plain cosines, (Q,) by mean-centred ones, of all galleries' queries in their order.

    The encoders give (N, E), rows of length 1.
    """
    plain, centred = [], []
    for gallery in galleries:
        sketches, photos = encode_sketches(gallery.queries), encode_photos(gallery.photos)
        targets = gallery.targets()
        adapter = CategoryAdapter.centred(photos)
        plain.append(ranks_of(sketches @ photos.T, targets))
        centred.append(
            ranks_of(adapter.scores(adapter.embed_sketches(sketches), adapter.embed_photos(photos)), targets)
        )
    return np.concatenate(plain), np.concatenate(centred)


def measure_both(
    galleries: Sequence[CategoryGallery], encode_sketches: EncodeSketches, encode_photos: EncodePhotos
) -> BothFigures:
    """Rank every query in its gallery, both ways. The encoders give (N, E), rows of length 1."""
    searched = sum(len(gallery.photos) for gallery in galleries)
    figures = (
        Figures.of_ranks(ranks, photos=searched, categories=len(galleries))
        for ranks in ranks_both(galleries, encode_sketches, encode_photos)
    )
    return BothFigures(*figures)
