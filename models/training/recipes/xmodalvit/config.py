"""One XModalViT experiment as a frozen value: teacher, students, and how each is trained."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.data.images.augment import AugmentConfig
from models.data.images.training_images import SetConfig
from models.evaluation.splits import STANDARD_SPLITS, ValidationSplit
from models.networks.fused_teacher import TeacherConfig
from models.networks.grid_students import GridStudentConfig
from models.networks.protocol import StudentPair
from models.networks.vit_students import VitStudentConfig
from models.training.engine.config import BatchConfig, ConfigInvalid


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingPlan(_Frozen):
    """How long and how fast. `new_rate`: of what has no pretrained weights; without it `rate` holds for everything.

    `accumulate`: batches a step; each contrasts within itself. `decay_share`, `warmup_steps`: see `rate_factor`, of a
    run that would be `span` times as long; `decay_per_step`: a further factor on the rate. `patience`: evaluations
    without a better score before the run ends early; 0: never. `clip`: of the gradient's length; 0: none.
    """

    steps: int = Field(ge=1)
    accumulate: int = Field(default=1, ge=1)
    optimiser: Literal["adam", "adamw"] = "adamw"
    rate: float = 2e-4
    new_rate: float | None = None
    weight_decay: float = 0.01
    warmup_steps: int = 0
    decay_share: float = 0.0
    span: float = 1.0
    decay_per_step: float = 1.0
    clip: float = 5.0
    ema_decay: float = Field(default=0.0, ge=0.0, lt=1.0)
    frozen_stages: int = Field(default=0, ge=0, le=3)
    evaluate_every: int = Field(default=300, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    patience: int = Field(default=0, ge=0)


class TeacherTraining(_Frozen):
    """Weights of the teacher's terms, r_p(p, a) against r_s(p, b).

    `queue_contrast`: XAQC over `queue_length` earlier keys. `info_nce`: both directions within the batch.
    `grid_info_nce`: the same for the grid parts alone. Fused vectors of a pair both know the photo, so telling pairs
    apart is easy for them; grids know their own image alone.
    """

    plan: TrainingPlan
    queue_contrast: float = Field(default=1.0, ge=0)
    info_nce: float = Field(default=0.0, ge=0)
    grid_info_nce: float = Field(default=0.0, ge=0)
    queue_length: int = Field(default=128, ge=1)
    temperature: float = Field(default=0.07, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)


class StudentTraining(_Frozen):
    """Weights of the students' terms; those of `DISTILLING` need a teacher.

    `queue_contrast`: XAQC to r_s and r_p; `match`: `embedding_match` to them; `distance`, `angle`: XMRD.
    `info_nce`, `triplet`: sketch against photo within the batch, no teacher; `centred`: InfoNCE within each category,
    its mean photo taken away.
    """

    plan: TrainingPlan
    queue_contrast: float = Field(default=1.0, ge=0)
    distance: float = Field(default=1.0, ge=0)
    angle: float = Field(default=1.0, ge=0)
    match: float = Field(default=0.0, ge=0)
    info_nce: float = Field(default=0.0, ge=0)
    centred: float = Field(default=0.0, ge=0)
    triplet: float = Field(default=0.0, ge=0)
    queue_length: int = Field(default=256, ge=1)
    temperature: float = Field(default=0.07, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    margin: float = Field(default=0.2, ge=0)

    @property
    def distilling(self) -> bool:
        """Whether any term needs a teacher."""
        return bool(self.queue_contrast or self.match or self.distance or self.angle)


class XModalConfig(_Frozen):
    """Everything that decides an experiment, besides the data. `about`: source, command, hardware, figures; not read.

    `student` or `vit_student`: the students' form, exactly one. `published`: a file with a ViT's published weights for
    the teacher's encoders; `published_student`: for ViT students. `pretrained`: CNN trunks start from ImageNet
    (see `start_from_imagenet`). `augment`: false only resizes. `teacher_training`: None where no teacher is trained.
    """

    about: dict[str, Any]
    seed: int = 0
    bf16: bool = True
    cache_px: int = 192
    pretrained: bool = True
    published: Path | None = None
    published_student: Path | None = None
    teacher: TeacherConfig = TeacherConfig()
    student: GridStudentConfig | None = None
    vit_student: VitStudentConfig | None = None
    batch: BatchConfig = BatchConfig()
    augment: AugmentConfig | Literal[False] = AugmentConfig()
    sets: tuple[SetConfig, ...] = Field(min_length=1)
    validation: tuple[ValidationSplit, ...] = STANDARD_SPLITS
    teacher_training: TeacherTraining | None = None
    student_training: StudentTraining

    @model_validator(mode="after")
    def _one_form(self) -> XModalConfig:
        if (self.student is None) == (self.vit_student is None):
            raise ValueError("give either [student] or [vit_student]")
        return self

    @classmethod
    def load(cls, path: Path, changes: Sequence[str] = ()) -> XModalConfig:
        """Read a TOML file; each of `changes` is a line of TOML such as `batch.pairs = 32`. Raises ConfigInvalid."""
        values = read_toml(path)
        for line in changes:
            values = merge_tables(values, parse_toml(line, line))
        return cls.parse(values, str(path))

    @classmethod
    def parse(cls, values: dict[str, Any], source: str) -> XModalConfig:
        """Check plain values; `source` is for the message. Raises ConfigInvalid."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigInvalid(f"{source} is no XModalViT experiment: {error}") from error

    def require_teacher(self) -> TeacherTraining:
        """How the teacher is trained. Raises ConfigInvalid where none is."""
        if self.teacher_training is None:
            raise ConfigInvalid("this experiment trains no teacher: it has no [teacher_training]")
        return self.teacher_training

    def build_students(self) -> StudentPair:
        """Students of the configured form, with random weights."""
        form = self.student or self.vit_student
        assert form is not None
        return form.build()


def read_toml(path: Path) -> dict[str, Any]:
    """Raises ConfigInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigInvalid(f"{path} cannot be read: {error}") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """Raises ConfigInvalid."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigInvalid(f"{source} is no TOML: {error}") from error


def merge_tables(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` over `values`, table by table; a list is replaced whole."""
    result = dict(values)
    for name, change in changes.items():
        old = result.get(name)
        result[name] = merge_tables(old, change) if isinstance(change, dict) and isinstance(old, dict) else change
    return result
