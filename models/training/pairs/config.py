"""The part of an experiment that says which pairs are trained on, and how their batches and views are made."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.data.images.augment import AugmentConfig
from models.data.images.training_sets import SetConfig
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit
from models.training.engine.config import Experiment, Frozen


class BatchConfig(Frozen):
    """`pairs` of `groups` categories a batch; `drawn_share`, `synthetic_share`: see `CategoryBatches`."""

    pairs: int = Field(default=64, ge=2)
    groups: int = Field(default=4, ge=1)
    drawn_share: float = Field(default=0.6, ge=0, le=1)
    synthetic_share: float = Field(default=0.1, ge=0, le=1)


class PairExperiment(Experiment):
    """`cache_px`: side in pixels at which decoded images are kept. `augment`: false only resizes.

    `pretrained`: CNN trunks start from ImageNet (see `start_from_imagenet`). `bf16`: encoders compute in bfloat16,
    heads and losses in single precision.
    """

    bf16: bool = True
    cache_px: int = Field(default=192, ge=16)
    pretrained: bool = True
    batch: BatchConfig = BatchConfig()
    augment: AugmentConfig | Literal[False] = AugmentConfig()
    sets: tuple[SetConfig, ...] = Field(min_length=1)
    validation: tuple[ValidationSplit, ...] = STANDARD_SPLITS
