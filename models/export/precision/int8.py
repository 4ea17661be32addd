"""An encoder computed in 8-bit integers, for CPUs: static quantisation, calibrated on images like those it will see.

Activations are u8 with one scale a tensor, weights s8 with one scale a channel and 7 bits used. CPUs without VNNI add
two u8 x s8 products in 16 bits, which 8-bit weights overflow: on an emulated Haswell the same file then answered with
a cosine of 0.81 to 0.95 to itself on a newer CPU; with 7 bits it answers alike everywhere. What rounding to 7 bits
shifts on average is taken off the biases; docs/results/variants.md says what that gains.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from models.export.precision.calibration_batches import CalibrationBatches
from models.export.precision.rounding_bias import anticipate_rounding
from models.export.stored_weights import Storage, store_in_single, store_weights, to_bytes

_LEVELS = 64  # of weights with 7 bits used, both ways from 0
_WITH_WEIGHTS = frozenset({"Conv", "Gemm", "MatMul"})
_BETWEEN_CONVOLUTIONS = frozenset({"Add", "Relu", "Clip", "MaxPool"})


def to_int8(onnx_file: bytes, calibration: NDArray[np.float32], *, float_stem: bool = False) -> bytes:
    """A float32 encoder and (N, 3, S, S) of its inputs -> the encoder in int8, same interface.

    The last layers before the embedding stay in float32: they cost next to nothing and their error would be the
    embedding's. `float_stem`: so do the first, which cost more and see the image itself.
    """
    model = onnx.load_from_string(onnx_file)
    store_in_single(model)
    add_pre_process_metadata(model)  # BatchNorm is folded already
    chosen = _quantised_nodes(model, float_stem)
    anticipate_rounding(model, calibration, chosen, _LEVELS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            path,
            CalibrationBatches(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=chosen,
        )
        quantised = onnx.load(path)
    del quantised.metadata_props[:]
    del quantised.graph.value_info[:]
    store_weights(quantised, Storage.HALF)
    onnx.checker.check_model(quantised, full_check=True)
    return to_bytes(quantised)


def _quantised_nodes(model: ModelProto, float_stem: bool) -> list[str]:
    """Names of the nodes to compute in integers."""
    weighted = _with_weights(model)
    kept = _first_met(model, weighted, backwards=True)
    if float_stem:
        kept |= _first_met(model, weighted, backwards=False)
    nodes = [node.name for node in weighted.values() if node.name not in kept]
    if not any(node.op_type == "Softmax" for node in model.graph.node):
        # Integers flow from convolution to convolution. A transformer's sums and norms stay in float32 instead: its
        # residual stream has outliers that one scale cannot hold.
        nodes += [node.name for node in model.graph.node if node.op_type in _BETWEEN_CONVOLUTIONS]
    return nodes


def _with_weights(model: ModelProto) -> dict[str, NodeProto]:
    stored = {weights.name for weights in model.graph.initializer}
    return {
        node.name: node
        for node in model.graph.node
        if node.op_type in _WITH_WEIGHTS and any(name in stored for name in node.input)
    }


def _first_met(model: ModelProto, weighted: dict[str, NodeProto], *, backwards: bool) -> set[str]:
    """Names of the nodes with weights that come first on any way from the output backwards, or from the input on."""
    edges: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.output if backwards else node.input:
            edges.setdefault(name, []).append(node)
    ends = model.graph.output if backwards else model.graph.input
    names, found, seen = [value.name for value in ends], set(), set()
    while names:
        for node in edges.get(names.pop(), []):
            if node.name in weighted:
                found.add(node.name)
            elif node.name not in seen:
                seen.add(node.name)
                names.extend(node.input if backwards else node.output)
    return found
