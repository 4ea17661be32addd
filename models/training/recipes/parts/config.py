"""One experiment of students in two parts as a frozen value: sets with kinds, what a step sees, and kept teachers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from models.data.images.augment import AugmentConfig
from models.data.images.kind_sets import KindSetConfig
from models.data.images.training_sets import SetConfig
from models.data.kinds.kind_book import KindsConfig
from models.losses.inputs import Need
from models.networks.part_students import PartStudentConfig
from models.training.engine.config import Frozen
from models.training.students.config import StudentExperiment

_OFFERED = frozenset({Need.KIND_LABELS, Need.UNPAIRED, Need.PROTOTYPES})
_FROM_TEACHERS = frozenset({Need.KEPT_PAIRS, Need.MATCHES})


class KindBatchConfig(Frozen):
    """`kinds`: of a step, 0 for none; `drawings`: of each; see `KindBatches`.

    `new_twice`: kinds that the students which the run starts from did not know come twice as often.
    """

    kinds: int = Field(default=40, ge=0)
    drawings: int = Field(default=2, ge=1)
    new_twice: bool = False


class TeacherMember(Frozen):
    """A bundle's name or directory, or a students.pt. `size_px`: at which it looks; None: its own size."""

    path: str
    size_px: int | None = Field(default=None, ge=16)


class PhotoTeacherConfig(Frozen):
    """EfficientNet-Lite2 as published for ImageNet: what it sees in photos, at a side of `size_px`."""

    size_px: int = Field(default=160, ge=32)


class EdgeDrawingsConfig(Frozen):
    """HED draws every photo once: at a side of `size_px`, with a share of `amount` of the pixels, see `edge_drawing`.

    `alone`: in place of the drawings by gradients and not beside them. Out of a pack those are not drawn then, which is
    most of the time that unpacking takes.
    """

    size_px: int = Field(default=384, ge=64)
    amount: tuple[float, float] = (0.012, 0.032)
    alone: bool = False


class PartsConfig(StudentExperiment):
    """`also`: splits of any set that are trained on like its own. `sizes`: input sides in pixels, one a step in turn;
    none: the students' own size alone.

    `kind_augment`: of what belongs to no pair. `min_extent`: of `SketchNormalisation`, as the bundle is built with it.
    `trim`: photos on a plain ground are cut to what stands on it (`Preprocess`), and `bundle build` takes it over.
    `teachers`: an ensemble that is asked once, before training, about the pairs of the pools `taught`; the students
    that the command names as teacher join it, once for each of `teacher_sizes`. `taught_drawings`: also about the
    synthetic drawings of all pools and their photos, which no person has to draw.
    `photo_teacher`: likewise, about all photos. `edge_drawings`: one more synthetic drawing of each photo.
    `head_share`: the rate of the trunk's last convolution, as a share of the trunk's: folded norms make its gradients
    large, and at the full rate half of its channels die.
    `even_steps`: every step encodes `batch.pairs + kind_batch.kinds * kind_batch.drawings` sketches and as many photos,
    by repeating what belongs to no pair: cuDNN compiles the kernels of depthwise convolutions anew for each number of
    images, which takes seconds.
    `half_weights`: publish weights in half precision, which is how bundles store them.
    """

    recipe: Literal["parts"] = "parts"
    student: PartStudentConfig = PartStudentConfig()
    sets: tuple[KindSetConfig, ...] = Field(min_length=1)
    also: tuple[str, ...] = ()
    kinds: KindsConfig
    kind_batch: KindBatchConfig = KindBatchConfig()
    augment: AugmentConfig = AugmentConfig()
    kind_augment: AugmentConfig = AugmentConfig()
    min_extent: float = Field(default=0.2, ge=0, le=1)
    trim: bool = False
    sizes: tuple[int, ...] = ()
    teachers: tuple[TeacherMember, ...] = ()
    teacher_sizes: tuple[int, ...] = ()
    taught: tuple[str, ...] = ()
    taught_drawings: bool = False
    photo_teacher: PhotoTeacherConfig | None = None
    edge_drawings: EdgeDrawingsConfig | None = None
    head_share: float = Field(default=1.0, gt=0, le=1)
    half_weights: bool = False
    even_steps: bool = False

    @model_validator(mode="after")
    def _can_be_computed(self) -> PartsConfig:
        objective = self.student_training.objective
        allowed = _OFFERED | _FROM_TEACHERS | {Need.KEPT_PHOTOS}
        if lacking := objective.needs - allowed:
            names = ", ".join(objective.needing(lacking))
            raise ValueError(f"{names} need {', '.join(sorted(lacking))}, which this recipe's batches have not")
        if Need.KEPT_PHOTOS in objective.needs and self.photo_teacher is None:
            names = ", ".join(objective.needing(frozenset({Need.KEPT_PHOTOS})))
            raise ValueError(f"{names} need a [photo_teacher]")
        return self

    @property
    def distilling(self) -> bool:
        """Whether any loss needs the teachers of pairs."""
        return bool(self.student_training.objective.needs & _FROM_TEACHERS)

    @property
    def selection(self) -> str:
        """What names the images and kinds that it learns from, equal where they are: see `write_pack`."""
        chosen = self.model_dump(mode="json", include={"sets", "also", "kinds"})
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def input_sizes(self) -> tuple[int, ...]:
        """The sides of the steps' inputs, in turn."""
        return self.sizes or (self.student.size_px,)

    def published(self) -> dict[str, Any]:
        """As plain values for `students.pt`: the sets that have pairs, in the form that every recipe's sets have.

        Of teachers the last part of the path alone, since a bundle ships and folders of a machine are its own affair.
        """
        pairs = (SetConfig(**{n: getattr(each, n) for n in SetConfig.model_fields}) for each in self.sets if each.split)
        sets = [each.model_dump(mode="json") for each in pairs]
        teachers = [{**each.model_dump(mode="json"), "path": Path(each.path).name} for each in self.teachers]
        return {**self.model_dump(mode="json"), "sets": sets, "teachers": teachers, "selection": self.selection}
