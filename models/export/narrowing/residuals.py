"""Inverted residuals in an ONNX graph: which channels lie between an expanding and a projecting convolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from models.arrays import Vectors


@dataclass(frozen=True)
class InvertedResidual:
    """Three convolutions in a row, 1x1, channel by channel, 1x1, whose H channels in between nobody else reads.

    `hidden`: name of the value that `project` reads, (B, H, h, w). `result`: name of what the block adds up to, the sum
    with its input where there is one, else the output of `project`; (B, C, h, w).
    """

    expand: NodeProto
    depthwise: NodeProto
    project: NodeProto
    hidden: str
    result: str


def inverted_residuals(model: ModelProto) -> list[InvertedResidual]:
    """All of a graph, in its order. Weights and biases of theirs are initializers of float32."""
    stored = {weights.name: weights for weights in model.graph.initializer}
    readers: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    given = {name: node for node in model.graph.node for name in node.output}
    ends = {value.name for value in model.graph.output}
    found = []
    for depthwise in model.graph.node:
        if not _is_depthwise(depthwise, stored):
            continue
        expand = _through(depthwise.input[0], given, readers)
        hidden, project = _onward(depthwise.output[0], readers)
        if expand is None or project is None or not (_is_pointwise(expand, stored) and _is_pointwise(project, stored)):
            continue
        added = readers.get(project.output[0], [])
        alone = len(added) == 1 and added[0].op_type == "Add" and project.output[0] not in ends
        result = added[0].output[0] if alone else project.output[0]
        found.append(InvertedResidual(expand, depthwise, project, hidden, result))
    return found


def _is_depthwise(node: NodeProto, stored: Mapping[str, TensorProto]) -> bool:
    """A convolution of one filter a channel, whose weights and bias are stored."""
    return _is_stored(node, stored) and stored[node.input[1]].dims[1] == 1 and _groups(node) > 1


def _is_pointwise(node: NodeProto, stored: Mapping[str, TensorProto]) -> bool:
    """A 1x1 convolution over all channels, whose weights and bias are stored."""
    return _is_stored(node, stored) and list(stored[node.input[1]].dims[2:]) == [1, 1] and _groups(node) == 1


def _is_stored(node: NodeProto, stored: Mapping[str, TensorProto]) -> bool:
    return node.op_type == "Conv" and len(node.input) == 3 and all(name in stored for name in node.input[1:])


def _groups(node: NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)


def _through(name: str, given: Mapping[str, NodeProto], readers: Mapping[str, list[NodeProto]]) -> NodeProto | None:
    """The node that gives a value, behind a clamp if there is one; None where somebody else reads from it."""
    node = given.get(name)
    if node is not None and node.op_type in ("Clip", "Relu") and len(readers[name]) == 1:
        name = node.input[0]
        node = given.get(name)
    return node if node is not None and len(readers[name]) == 1 else None


def _onward(name: str, readers: Mapping[str, list[NodeProto]]) -> tuple[str, NodeProto | None]:
    """The single reader of a value, behind a clamp if there is one, and what it reads; None: there is no single one."""
    following = readers.get(name, [])
    if len(following) == 1 and following[0].op_type in ("Clip", "Relu"):
        name = following[0].output[0]
        following = readers.get(name, [])
    return name, following[0] if len(following) == 1 else None


def weights_of(stored: Mapping[str, TensorProto], name: str) -> Vectors:
    """An initializer's numbers, float32."""
    return numpy_helper.to_array(stored[name]).astype(np.float32)
