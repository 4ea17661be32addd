"""Averages of weights of one origin: of a run's end, an earlier step and its pretrained weights, or of several runs.

The end of a run knows its training categories best and others less well than before; a straight line between weights
of one origin keeps most of both (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022). Runs that
differ in their seed or length err differently, and the mean of their weights often errs less than each, at the cost of
one (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from models.training.engine.state import CheckpointInvalid
from models.training.weights.pretrained import RESNET18_IMAGENET, fetch
from models.training.weights.students_file import StudentsFile

_TRUNK = ".trunk."


@dataclass(frozen=True)
class Blend:
    """`late`, `early`: the students.pt of a run's end and of an earlier step. Shares lie in [0, 1].

    `pretrained`: the folder that keeps downloaded ImageNet weights; it is used where `pretrained_share` is not 0.
    """

    late: Path
    early: Path
    pretrained: Path
    early_share: float = 0.3
    pretrained_share: float = 0.2

    def run(self) -> StudentsFile:
        """The blended students, with step and experiment of `late`. Raises CheckpointInvalid, PretrainedError."""
        late, early = StudentsFile.load(self.late), StudentsFile.load(self.early)
        weights = blend(late.weights, early.weights, self.early_share)
        if self.pretrained_share:
            try:
                weights = towards_pretrained(weights, fetch(RESNET18_IMAGENET, self.pretrained), self.pretrained_share)
            except (KeyError, CheckpointInvalid) as error:
                advice = "give --pretrained-share 0"
                raise CheckpointInvalid(f"the trunks of {self.late} are not ImageNet's ResNet-18: {advice}") from error
        return replace(late, weights=weights)


def blend(late: Mapping[str, Tensor], early: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) * late + share * early, name by name; whole numbers (counters) are the late ones.

    Raises CheckpointInvalid where the two have other names or shapes.
    """
    if late.keys() != early.keys() or any(late[name].shape != early[name].shape for name in late):
        raise CheckpointInvalid("the two files hold students of different shapes")
    return {
        name: torch.lerp(weights, early[name], share) if weights.is_floating_point() else weights
        for name, weights in late.items()
    }


def average(files: Sequence[Path]) -> StudentsFile:
    """The mean of runs that started from the same weights, with step and experiment of the first.

    Raises CheckpointInvalid where one holds no students, or those of another shape.
    """
    first, *others = (StudentsFile.load(path) for path in files)
    weights = dict(first.weights)
    for number, other in enumerate(others, start=2):
        weights = blend(weights, other.weights, 1 / number)
    return replace(first, weights=weights)


def towards_pretrained(weights: Mapping[str, Tensor], trunk: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The trunks moved by `share` towards `trunk`, whose names lack the student's prefix; the heads stay."""
    origin = {name: trunk[name.split(_TRUNK, 1)[1]] if _TRUNK in name else held for name, held in weights.items()}
    return blend(weights, origin, share)
