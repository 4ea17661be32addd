"""The CNN trunks that students and hybrid transformers are built on."""

from __future__ import annotations

from models.layers.mobilenet import MobileNetTrunk
from models.layers.resnet import ResNetTrunk

Trunk = ResNetTrunk | MobileNetTrunk
