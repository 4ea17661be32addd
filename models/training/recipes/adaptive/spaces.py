"""The embeddings that meta-training runs on.

On categories that the encoders were trained on, embeddings of pairs are far better than they will ever be on a new
category, and there is little to adapt. So meta-training takes cross-fitted ones: F encoders, each trained without every
F-th category, embed the categories that they did not see. What is learned has to fit the bundle's space then; hence the
parameters are few, and say how to read a category's own statistics.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from models.bundle import Bundle
from models.data.datasets import PairDataset, PhotoKey
from models.evaluation.encoders import EncoderPair
from models.evaluation.few_shot.material import EmbeddedPart, embedded_part
from models.training.weights.torch_encoders import TorchPair


def training_spaces(
    dataset: PairDataset, split: str, bundle: Bundle, folds: Sequence[Path], cache: Path
) -> tuple[EmbeddedPart, ...]:
    """The split's categories in the spaces of `folds`, each one's own; without folds, all of them in the bundle's.

    Fold f of F was trained without the categories whose number in alphabetical order leaves f over when divided by F.
    Photos of other splits are in no gallery. Raises SplitMissing, CheckpointInvalid, EmbeddingsNotFinite.
    """
    part = _without_other_splits(dataset, split)
    if not folds:
        return (cached_part(bundle, part, split, cache),)
    names = sorted({record.photo.category for record in part.records})
    return tuple(
        cached_part(TorchPair.load(path), _only(part, set(names[number :: len(folds)])), f"{split}-{number}", cache)
        for number, path in enumerate(folds)
    )


def _without_other_splits(dataset: PairDataset, split: str) -> PairDataset:
    elsewhere = {record.photo for record in dataset.records if record.split != split}
    part = dataset.split(split)
    photos = {key: photo for key, photo in part.photos.items() if key not in elsewhere}
    return dataclasses.replace(part, photos=MappingProxyType(photos))


def _only(part: PairDataset, categories: set[str]) -> PairDataset:
    records = tuple(record for record in part.records if record.photo.category in categories)
    photos = {key: photo for key, photo in part.photos.items() if key.category in categories}
    return dataclasses.replace(part, records=records, photos=MappingProxyType(photos))


def cached_part(encoders: EncoderPair, part: PairDataset, name: str, cache: Path) -> EmbeddedPart:
    """As `embedded_part`; kept below `cache`, since encoding is most of the time that meta-training takes."""
    path = cache / f"{part.name}-{name}-{encoders.bundle_id}-{len(part.records)}-{len(part.photos)}.npz"
    if not path.is_file():
        embedded = embedded_part(encoders, part, name)
        known = {"drawn": _plain(embedded.drawn), "people": embedded.people, "keys": _plain(embedded.keys)}
        cache.mkdir(parents=True, exist_ok=True)
        staged = path.with_suffix(".partial")
        with staged.open("wb") as file:
            # Given a path, savez would append .npz to its name. The keys are one JSON text, since arrays of objects
            # would need pickle to load.
            np.savez(file, sketches=embedded.sketches, photos=embedded.photos, known=np.array(json.dumps(known)))
        # A killed run must not leave half a file under the name that the next one trusts.
        staged.replace(path)
    with np.load(path, allow_pickle=False) as file:
        known = json.loads(str(file["known"]))
        drawn, keys = ([PhotoKey(*pair) for pair in known[which]] for which in ("drawn", "keys"))
        return EmbeddedPart(name, file["sketches"], file["photos"], tuple(drawn), tuple(known["people"]), tuple(keys))


def _plain(keys: Sequence[PhotoKey]) -> list[tuple[str, str]]:
    return [(key.category, key.photo_id) for key in keys]
