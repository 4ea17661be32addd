"""The published weights that an experiment starts from or asks: fetched before anything else is done."""

from __future__ import annotations

from pathlib import Path

from models.losses.inputs import Need
from models.training.recipes.parts.config import PartsConfig
from models.training.weights.pretrained import EFFICIENTNET_LITE2_IMAGENET, HED_BSDS, PinnedWeights, fetch
from models.training.weights.start import imagenet_weights


def published_weights(config: PartsConfig, *, started: bool) -> tuple[PinnedWeights, ...]:
    """What `config` needs, each once. `started`: the students' own start is there already."""
    needed: list[PinnedWeights] = []
    if config.pretrained and not started:
        needed += imagenet_weights(config.student.build())
    if Need.KEPT_PHOTOS in config.student_training.objective.needs:
        needed.append(EFFICIENTNET_LITE2_IMAGENET)
    if config.edge_drawings is not None:
        needed.append(HED_BSDS)
    return tuple(dict.fromkeys(needed))


def fetch_published(config: PartsConfig, pretrained: Path, *, started: bool) -> None:
    """Download into `pretrained` what is not there. Raises PretrainedError."""
    for pinned in published_weights(config, started=started):
        fetch(pinned, pretrained)
