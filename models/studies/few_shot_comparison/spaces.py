"""The embeddings that a comparison runs on: each fold's own categories to learn from, and test splits.

Methods that learn a matrix can only be used in the space that they were learned in, so every fold is a comparison of
its own: its encoders saw neither the categories that its methods learn from nor those that they are tested on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from models.bundle import Bundle
from models.data.datasets import open_dataset
from models.evaluation.encoders import EncoderPair
from models.evaluation.few_shot.material import EmbeddedPart
from models.studies.few_shot_comparison.variant import ComparisonConfig, TestSet
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.spaces import cached_part, training_spaces
from models.training.weights.torch_encoders import TorchPair

Log = Callable[[str], object]


@dataclass(frozen=True)
class Fold:
    """What is learned from, and what is tested on, in one fold's embeddings."""

    meta: EmbeddedPart
    test: EmbeddedPart


@dataclass(frozen=True)
class Spaces:
    """`data`: the folder of the data sets; `kept`: the cache of embeddings, since encoding takes longest."""

    data: Path
    kept: Path
    log: Log

    def folds(self, config: ComparisonConfig, base: AdaptConfig, bundle: Bundle, paths: Sequence[Path]) -> list[Fold]:
        """One fold per checkpoint of `paths`, which are in the order of `training_spaces`."""
        dataset = open_dataset(self.data / base.folder)
        self.log(
            f"encoding {base.split} and {config.test_split} of {dataset.name} for {len(paths)} folds, unless cached"
        )
        metas = training_spaces(dataset, base.split, bundle, paths, self.kept)
        tested = dataset.split(config.test_split)
        tests = [cached_part(TorchPair.load(path), tested, config.test_split, self.kept) for path in paths]
        name = f"{dataset.name} {config.test_split}, encoders of the folds"
        return [Fold(meta, replace(test, name=name)) for meta, test in zip(metas, tests, strict=True)]

    def halves(self, config: ComparisonConfig, folder: str, bundle: Bundle) -> list[Fold]:
        """Two folds in the bundle's own space: one half of the test split's categories to learn from, and the other."""
        dataset = open_dataset(self.data / folder)
        self.log(f"encoding {config.test_split} of {dataset.name}, unless cached")
        part = cached_part(bundle, dataset.split(config.test_split), config.test_split, self.kept)
        part = replace(part, name=f"{dataset.name} {config.test_split}, learned from the other half")
        names = sorted({key.category for key in part.drawn})
        either = [part.of_categories(names[start::2]) for start in range(2)]
        return [Fold(meta, test) for meta, test in (either, reversed(either))]

    def test(self, requested: TestSet, encoders: EncoderPair) -> EmbeddedPart:
        """A test set in the space of a bundle's encoders."""
        part = open_dataset(self.data / requested.folder).split(requested.split)
        if requested.category is not None:
            photos = {key: photo for key, photo in part.photos.items() if key.category == requested.category}
            records = tuple(record for record in part.records if record.photo in photos)
            part = replace(part, records=records, photos=MappingProxyType(photos))
        self.log(f"encoding {requested.name}, unless cached")
        kept = cached_part(encoders, part, f"{requested.split}-{requested.category or 'all'}", self.kept)
        return replace(kept, name=requested.name)
