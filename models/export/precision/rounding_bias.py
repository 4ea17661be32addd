"""What rounding a convolution's weights adds to its output on average, taken off its bias beforehand.

Rounding errors of a channel's weights do not cancel where inputs have a mean, as they have behind a ReLU: the output
shifts. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019; here the
means are measured on calibration images.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from models.arrays import Vectors
from models.bundle import Runtime
from models.bundle.encoder import INPUT_NAME
from models.export.stored_weights import to_bytes, whole_numbers

_BATCH = 8


def anticipate_rounding(model: ModelProto, images: NDArray[np.float32], nodes: Collection[str], levels: int) -> None:
    """Change, in place, the biases of the convolutions among `nodes`, whose weights will be rounded.

    `images` (N, 3, S, S): inputs of the model. `levels`: steps from 0 to a channel's largest weight, one scale a
    channel. Convolutions without a bias stay as they are. Padding is not accounted for.
    """
    stored = {weights.name: weights for weights in model.graph.initializer}
    rounded = [node for node in model.graph.node if node.name in nodes and _has_bias(node, stored)]
    means = _channel_means(model, images, {node.input[0] for node in rounded})
    for node in rounded:
        weights = numpy_helper.to_array(stored[node.input[1]])  # (C, Cin / groups, k, k)
        whole, scale = whole_numbers(weights, levels)
        lost = (weights - whole * scale).sum(axis=(2, 3))
        mean = means[node.input[0]]
        # One filter a channel sees that channel alone; else every filter sees all channels.
        seen = mean[:, None] if weights.shape[1] == 1 else mean[None]
        bias = numpy_helper.to_array(stored[node.input[2]]) + (lost * seen).sum(axis=1)
        stored[node.input[2]].CopyFrom(numpy_helper.from_array(bias.astype(np.float32), node.input[2]))


def _has_bias(node: NodeProto, stored: Collection[str]) -> bool:
    """Whether it is a convolution of stored weights with a stored bias, over all channels or channel by channel."""
    return node.op_type == "Conv" and len(node.input) == 3 and node.input[1] in stored and node.input[2] in stored


def _channel_means(model: ModelProto, images: NDArray[np.float32], names: Collection[str]) -> dict[str, Vectors]:
    """By name of a value in the graph: the mean of each channel over images and places, (C,)."""
    inside = sorted(set(names) - {INPUT_NAME})
    probe = ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend([onnx.helper.make_empty_tensor_value_info(name) for name in inside])
    session = Runtime(device="cpu").session(to_bytes(probe))
    sums: dict[str, Vectors] = {INPUT_NAME: images.sum(axis=0).mean(axis=(1, 2))}
    for start in range(0, len(images), _BATCH):
        found = session.run(inside, {INPUT_NAME: images[start : start + _BATCH]}) if inside else []
        for name, values in zip(inside, found, strict=True):
            sums[name] = sums.get(name, 0.0) + values.mean(axis=(2, 3)).sum(axis=0)
    return {name: (total / len(images)).astype(np.float32) for name, total in sums.items()}
