"""What a network starts from: ImageNet for CNN trunks, a published ViT where the user has its file, other students."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk
from models.networks.layers.trunk import Trunk
from models.networks.vit import Vit
from models.training.engine.state import CheckpointInvalid, load_tensors
from models.training.weights.pretrained import (
    EFFICIENTNET_LITE1_IMAGENET,
    EFFICIENTNET_LITE2_IMAGENET,
    MOBILENET_V2_IMAGENET,
    RESNET18_IMAGENET,
    PinnedWeights,
    PretrainedError,
    fetch,
)
from models.training.weights.students_file import load_students

_IMAGENET: dict[type[Trunk], PinnedWeights] = {
    ResNetTrunk: RESNET18_IMAGENET,
    MobileNetTrunk: MOBILENET_V2_IMAGENET,
}
_LITE_IMAGENET = {(1.0, 1.1): EFFICIENTNET_LITE1_IMAGENET, (1.1, 1.2): EFFICIENTNET_LITE2_IMAGENET}


def cnn_trunks(module: nn.Module) -> list[Trunk]:
    """Every CNN trunk in the module: the parts that have pretrained weights."""
    return [part for part in module.modules() if isinstance(part, Trunk)]


def imagenet_weights(module: nn.Module) -> tuple[PinnedWeights, ...]:
    """The published weights that `start_from_imagenet` would load, each once. Raises PretrainedError."""
    return tuple(dict.fromkeys(_pinned(trunk) for trunk in cnn_trunks(module)))


def fetch_imagenet(module: nn.Module, cache: Path) -> None:
    """Download into `cache` the weights that `start_from_imagenet` would load. Raises PretrainedError."""
    for pinned in imagenet_weights(module):
        fetch(pinned, cache)


def start_from_imagenet(module: nn.Module, cache: Path) -> None:
    """Load ImageNet weights into every CNN trunk of the module. Raises PretrainedError."""
    published = {pinned: fetch(pinned, cache) for pinned in imagenet_weights(module)}
    for trunk in cnn_trunks(module):
        trunk.load_published(published[_pinned(trunk)])


def start_from_students(module: nn.Module, path: Path) -> None:
    """Load the weights of a students.pt, whose students may have seen another size. Raises CheckpointInvalid."""
    try:
        module.load_state_dict(load_students(path)[0].state_dict())
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise CheckpointInvalid(
            f"the students of {path} have another form than those to train, see `student`: {first[0].strip()}"
        ) from error


def start_from_published(module: nn.Module, path: Path) -> None:
    """Load a file into every ViT of the module (timm's names) and every CNN trunk (those of its `load_published`).

    Raises CheckpointInvalid, PublishedWeightsUnfit.
    """
    values = load_tensors(path)
    state = {name: value.float() for name, value in values.items() if isinstance(value, torch.Tensor)}
    for part in module.modules():
        if isinstance(part, Vit):
            part.load_published(state)
        elif isinstance(part, Trunk):
            try:
                part.load_published(state)
            except (KeyError, RuntimeError) as error:
                raise CheckpointInvalid(f"{path} holds no weights of this trunk: {error}") from error


def _pinned(trunk: Trunk) -> PinnedWeights:
    if not isinstance(trunk, EfficientNetLite):
        return _IMAGENET[type(trunk)]
    try:
        return _LITE_IMAGENET[trunk.scale]
    except KeyError:
        known = " and ".join(str(scale) for scale in _LITE_IMAGENET)
        raise PretrainedError(
            f"no published weights are known for an EfficientNet-Lite of width and depth {trunk.scale}, but for {known}"
        ) from None


def freeze_stages(module: nn.Module, stages: int) -> None:
    """Exclude stem and first `stages` stages of every CNN trunk from training."""
    for trunk in cnn_trunks(module):
        trunk.freeze(stages)
