"""One experiment as a frozen value, read from a TOML file of models/configs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.bundle.errors import InkseekError
from models.data.augment import AugmentConfig
from models.data.training_images import SetConfig
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit
from models.students import StudentConfig


class ConfigInvalid(InkseekError):
    """The experiment file cannot be read or asks for something that does not exist."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatchConfig(_Frozen):
    """See `CategoryBatches`."""

    pairs: int = 64
    groups: int = 4
    drawn_share: float = 0.6
    synthetic_share: float = 0.1


class OptimiserConfig(_Frozen):
    """AdamW; `head_rate` is the projection's. `ema_decay`: of the averaged weights, which are what is evaluated."""

    rate: float = 2e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 50
    decay_share: float = 0.3
    temperature: float = 0.07
    label_smoothing: float = 0.05
    ema_decay: float = 0.998
    frozen_stages: int = Field(default=1, ge=0, le=3)
    """The stem and this many stages keep their pretrained weights."""


class ExperimentConfig(_Frozen):
    """Everything that decides a run, besides the data. `about`: source, command, hardware, hours, figures; not read."""

    about: dict[str, Any]
    seed: int = 0
    steps: int = Field(ge=0)
    evaluate_every: int = 300
    checkpoint_every: int = 100
    cache_px: int = 192
    """Training images are kept at this size; augmentation samples the student's size from it."""
    pretrained: bool = True
    """Start from ImageNet weights (`RESNET18_IMAGENET`); they fit the default trunk alone."""
    student: StudentConfig = StudentConfig()
    batch: BatchConfig = BatchConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    augment: AugmentConfig = AugmentConfig()
    sets: tuple[SetConfig, ...]
    validation: tuple[ValidationSplit, ...] = STANDARD_SPLITS

    @classmethod
    def load(cls, path: Path) -> ExperimentConfig:
        """Read a TOML file. Raises ConfigInvalid."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            raise ConfigInvalid(f"{path} is no experiment: {error}") from error
