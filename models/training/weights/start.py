"""What a network starts from: ImageNet for CNN trunks, a published ViT where the user has its file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk
from models.networks.layers.trunk import Trunk
from models.networks.vit import Vit
from models.training.engine.state import CheckpointInvalid, load_tensors
from models.training.weights.pretrained import MOBILENET_V2_IMAGENET, RESNET18_IMAGENET, PinnedWeights, fetch
from models.training.weights.students_file import load_students

_IMAGENET: dict[type[Trunk], PinnedWeights] = {
    ResNetTrunk: RESNET18_IMAGENET,
    MobileNetTrunk: MOBILENET_V2_IMAGENET,
}


def start_from_imagenet(module: nn.Module, cache: Path) -> None:
    """Give every CNN trunk in the module its ImageNet weights. Raises PretrainedError."""
    for kind, pinned in _IMAGENET.items():
        trunks = [part for part in module.modules() if isinstance(part, kind)]
        if trunks:
            published = fetch(pinned, cache)
            for trunk in trunks:
                trunk.load_published(published)


def start_from_students(module: nn.Module, path: Path) -> None:
    """Give students the averaged weights of others, which may have seen another size. Raises CheckpointInvalid."""
    try:
        module.load_state_dict(load_students(path)[0].state_dict())
    except RuntimeError as error:
        raise CheckpointInvalid(f"the students of {path} have another form than those to train: {error}") from error


def start_from_published(module: nn.Module, path: Path) -> None:
    """Give every ViT in the module the weights of a file. Raises CheckpointInvalid, PublishedWeightsUnfit."""
    values = load_tensors(path)
    state = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
    for part in module.modules():
        if isinstance(part, Vit):
            part.load_published(state)


def freeze_stages(module: nn.Module, stages: int) -> None:
    """Keep the first stages of every CNN trunk as they are."""
    for part in module.modules():
        if isinstance(part, Trunk):
            part.freeze(stages)
