"""The CNN trunks that students and hybrid transformers are built on."""

from __future__ import annotations

from models.networks.layers.mobilenet import MobileNetTrunk
from models.networks.layers.resnet import ResNetTrunk

Trunk = ResNetTrunk | MobileNetTrunk
