"""Average of weights from one run: its end, an earlier checkpoint, and the pretrained weights that it began with.

    python -m models.training.weights.blend --checkpoint RUN/checkpoint.pt --early EARLY.pt --early-share 0.3 \\
        --pretrained-share 0.2 --out BLEND.pt

The end of a run knows its training categories best and others less well than before; a straight line between weights
of one origin keeps most of both (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models.errors import InkseekError
from models.training.engine.checkpoint import Checkpoint, CheckpointInvalid
from models.training.weights.pretrained import RESNET18_IMAGENET, fetch

_TRUNK = ".trunk."


def blend(late: Mapping[str, Tensor], early: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) * late + share * early, name by name; whole numbers (counters) are the late ones."""
    if late.keys() != early.keys():
        raise CheckpointInvalid("the checkpoints hold students of different shapes")
    return {
        name: torch.lerp(weights, early[name], share) if weights.is_floating_point() else weights
        for name, weights in late.items()
    }


def towards_pretrained(weights: Mapping[str, Tensor], trunk: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The trunks moved by `share` towards `trunk`, whose names lack the student's; the heads stay."""
    origin = {name: trunk[name.split(_TRUNK, 1)[1]] if _TRUNK in name else held for name, held in weights.items()}
    return blend(weights, origin, share)


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: a checkpoint or the pretrained weights cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.training.weights.blend", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the end of the run")
    parser.add_argument("--early", type=Path, required=True, help="an earlier checkpoint of the same run")
    parser.add_argument("--early-share", type=float, default=0.3)
    parser.add_argument("--pretrained-share", type=float, default=0.2)
    parser.add_argument("--weights", type=Path, help="a folder that keeps the pretrained weights between runs")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        late, early = Checkpoint.load(given.checkpoint), Checkpoint.load(given.early)
        averaged = blend(late.averaged, early.averaged, given.early_share)
        if given.pretrained_share:
            published = fetch(RESNET18_IMAGENET, given.weights or given.checkpoint.parent / "pretrained")
            averaged = towards_pretrained(averaged, published, given.pretrained_share)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    # The optimiser's state belongs to weights that are no longer there.
    replace(late, students=averaged, averaged=averaged, optimiser={}).save(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
