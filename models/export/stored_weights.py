"""How weights lie in an ONNX file: in half precision behind a Cast, or as the float32 that is computed with."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

_HALVED_FROM = 256  # numbers; smaller constants are not worth a Cast node


def is_halved(shape: Sequence[int]) -> bool:
    """Whether weights of this shape are stored in half precision: kernels and matrices, not biases or means.

    A saturated channel has a mean near 6 and hardly any variance, so what half precision would cut off its mean is many
    times its deviation; and vectors are few.
    """
    return len(shape) >= 2 and math.prod(shape) >= _HALVED_FROM


def store_in_half(model: ModelProto) -> None:
    """Store large float32 weights as float16 with a Cast behind them: half the file, computed in float32 as before.

    The weights of a halved student lose nothing by it. onnxruntime folds the casts when it opens the file, so they cost
    nothing per image.
    """
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != TensorProto.FLOAT or not is_halved(weights.dims):
            continue
        name = weights.name
        halved = numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float16), f"{name}.half")
        weights.CopyFrom(halved)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    # ONNX wants each node behind those that it reads from, so the casts come first.
    model.graph.node.extend(casts + nodes)


def store_in_single(model: ModelProto) -> None:
    """Undo `store_in_half`: tools that change a model's arithmetic look for weights, not for what a Cast gives."""
    stored = {weights.name: weights for weights in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        weights = stored.get(node.input[0]) if node.op_type == "Cast" else None
        if weights is None or weights.data_type != TensorProto.FLOAT16:
            nodes.append(node)
            continue
        single = numpy_helper.to_array(weights).astype(np.float32)
        weights.CopyFrom(numpy_helper.from_array(single, node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def to_bytes(model: ModelProto) -> bytes:
    """The file of a model."""
    buffer = io.BytesIO()
    onnx.save(model, buffer)
    return buffer.getvalue()
