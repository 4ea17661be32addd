"""How weights lie in an ONNX file: in half precision or 8 bits, computed with as float32 all the same.

Nodes behind the stored numbers make float32 of them. onnxruntime folds these when it opens the file, so they cost
nothing per image.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor

from models.arrays import Vectors

_SHRUNK_FROM = 256  # numbers; smaller constants are not worth nodes of their own
_LEVELS = 127  # of a signed byte, both ways from 0
_KERNEL_DIMS = 4
_IN_BYTES_FROM = 8  # channels that an output channel sums up


class Storage(StrEnum):
    """The numbers that weights are rounded to."""

    HALF = "half"
    BYTE = "byte"  # most convolutions, one scale an output channel; everything else in half


def is_shrunk(shape: Sequence[int]) -> bool:
    """Whether weights of this shape are rounded at all: kernels and matrices, not biases or means.

    A saturated channel has a mean near 6 and hardly any variance, so what half precision would cut off its mean is many
    times its deviation; and vectors are few.
    """
    return len(shape) >= 2 and math.prod(shape) >= _SHRUNK_FROM


def as_stored(weights: Tensor, storage: Storage) -> Tensor:
    """Weights of any shape -> what a file with them gives back."""
    if not is_shrunk(weights.shape):
        return weights
    if storage == Storage.BYTE and _in_bytes(weights.shape):
        whole, scale = whole_numbers(weights.detach().numpy())
        return torch.from_numpy(whole * scale)
    return weights.half().float()


def store_weights(model: ModelProto, storage: Storage) -> None:
    """Store large float32 weights in fewer bits: half the file or a quarter, computed in float32 as before.

    Weights that `as_stored` rounded lose nothing by it.
    """
    restoring: list[NodeProto] = []
    scales: list[TensorProto] = []
    for weights in model.graph.initializer:
        if weights.data_type != TensorProto.FLOAT or not is_shrunk(weights.dims):
            continue
        name, numbers = weights.name, numpy_helper.to_array(weights)
        if storage == Storage.BYTE and _in_bytes(numbers.shape):
            whole, scale = whole_numbers(numbers)
            weights.CopyFrom(numpy_helper.from_array(whole.astype(np.int8), f"{name}.byte"))
            scales.append(numpy_helper.from_array(scale, f"{name}.scale"))
            restoring.append(helper.make_node("Cast", [f"{name}.byte"], [f"{name}.whole"], to=TensorProto.FLOAT))
            restoring.append(helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name]))
        else:
            weights.CopyFrom(numpy_helper.from_array(numbers.astype(np.float16), f"{name}.half"))
            restoring.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    model.graph.initializer.extend(scales)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    # ONNX wants each node behind those that it reads from, so what restores weights comes first.
    model.graph.node.extend(restoring + nodes)


def stored_as(onnx_file: bytes, storage: Storage) -> bytes:
    """A file whose weights are stored in any way -> the same in this one, rounded to it."""
    model = onnx.load_from_string(onnx_file)
    store_in_single(model)
    store_weights(model, storage)
    return to_bytes(model)


def store_in_single(model: ModelProto) -> None:
    """Undo `store_weights`: tools that change a model's arithmetic look for weights, not for what a node gives."""
    stored = {weights.name: weights for weights in model.graph.initializer}
    whole = {}
    nodes, used = [], set()
    for node in model.graph.node:
        first = stored.get(node.input[0]) if node.op_type == "Cast" else None
        if first is not None and first.data_type == TensorProto.INT8:
            whole[node.output[0]] = first
        elif first is not None and first.data_type == TensorProto.FLOAT16:
            _restore(first, node, numpy_helper.to_array(first).astype(np.float32))
        elif node.op_type == "Mul" and node.input[0] in whole:
            weights, scale = whole[node.input[0]], stored[node.input[1]]
            used.add(scale.name)
            _restore(weights, node, numpy_helper.to_array(weights) * numpy_helper.to_array(scale))
        else:
            nodes.append(node)
    left = [weights for weights in model.graph.initializer if weights.name not in used]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.initializer[:]
    model.graph.initializer.extend(left)


def whole_numbers(kernel: Vectors, levels: int = _LEVELS) -> tuple[Vectors, Vectors]:
    """(C, Cin, k, k) -> whole numbers of that shape up to `levels` both ways, and what each channel's are times.

    The second is (C, 1, 1, 1): the product of both is the kernel, rounded.
    """
    largest = np.abs(kernel).max(axis=(1, 2, 3), keepdims=True)
    scale = np.where(largest > 0, largest / np.float32(levels), np.float32(1)).astype(np.float32)
    whole: Vectors = np.rint(kernel / scale)
    return whole, scale


def to_bytes(model: ModelProto) -> bytes:
    """The file of a model."""
    buffer = io.BytesIO()
    onnx.save(model, buffer)
    return buffer.getvalue()


def _in_bytes(shape: Sequence[int]) -> bool:
    """Whether rounding a kernel to 8 bits is worth it: one that filters channel by channel is small and sums up little,
    so that its errors do not cancel. Columns of a matrix behind saturated channels differ by orders of magnitude."""
    return len(shape) == _KERNEL_DIMS and shape[1] >= _IN_BYTES_FROM


def _restore(weights: TensorProto, node: NodeProto, numbers: Vectors) -> None:
    """Put the numbers that a node gave into the initializer that it read."""
    weights.CopyFrom(numpy_helper.from_array(numbers, node.output[0]))
