"""Encoders in ONNX whose embeddings weigh kind and layout by how familiar the kind is.

A photo's embedding e = (w l, v k) becomes (p e, g known, r, 0, 0): p^2 = 1 - g^2, and r makes its length 1. A sketch's
becomes c / (1 + W) (l / (p w), W k / (p v), -W d / g), W and d by its familiarity, followed by 0, a number that makes
its length 1 where photos have 0, and 0. The product of the two is c times what `KindWeighing` says; c is the largest
factor that leaves no sketch longer than 1. So any index of inner products computes it, and what reads the parts of a
photo finds them as before: the new numbers are the last ones of its kind.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.arrays import Vectors
from models.bundle import EmbeddingParts
from models.bundle.encoder import OUTPUT_NAME
from models.export.known_kinds.weighing import KindWeighing
from models.export.stored_weights import to_bytes

ADDED = 4  # numbers of an embedding; with two of them 0, 4-bit codes of an index go on covering four numbers each
_KNOWN = math.sqrt(0.1)  # g of above: small, so that two photos are about as alike as they were
_KEPT = math.sqrt(0.9)  # p


def weighed_parts(parts: EmbeddingParts) -> EmbeddingParts:
    """How the photos' embeddings are divided afterwards."""
    return EmbeddingParts(
        layout_dim=parts.layout_dim, kind_dim=parts.kind_dim + ADDED, layout_weight=_KEPT * parts.layout_weight
    )


def weigh_photos(onnx_file: bytes, parts: EmbeddingParts, known: Vectors) -> bytes:
    """A photo encoder and (N, kind_dim) known kinds' photos -> the encoder of (B, E + ADDED), rows of length 1."""
    graph = _Graph(onnx_file, parts)
    like = graph.familiarity(known)
    scaled = graph.node("Mul", like, graph.number("g", _KNOWN))
    square = graph.node("Mul", scaled, scaled)
    # 1 - p^2 is g^2, and a cosine is 1 at most but for rounding.
    rest = graph.node("Sqrt", graph.node("Relu", graph.node("Sub", graph.number("g2", _KNOWN**2), square)))
    kept = graph.node("Mul", graph.embedding, graph.number("p", _KEPT))
    nothing = graph.node("Mul", like, graph.number("zero", 0.0))
    return graph.finish(kept, scaled, rest, nothing, nothing)


def weigh_sketches(onnx_file: bytes, parts: EmbeddingParts, known: Vectors, weighing: KindWeighing) -> bytes:
    """A sketch encoder and (M, kind_dim) known kinds' drawings -> the encoder of (B, E + ADDED), rows of length 1."""
    graph = _Graph(onnx_file, parts)
    above = graph.node("Sub", graph.familiarity(known), graph.number("unsure", weighing.unsure))
    steps = graph.node("Mul", above, graph.number("steep", 1 / (weighing.sure - weighing.unsure)))
    sure = graph.node("Clip", steps, graph.number("none", 0.0), graph.number("all", 1.0))
    growth = graph.node("Mul", sure, graph.number("growth", math.log(weighing.most / weighing.least)))
    weight = graph.node("Mul", graph.node("Exp", growth), graph.number("least", weighing.least))
    whole = graph.number("whole", 1.0)
    share = graph.node("Div", graph.number("c", _scale(parts, weighing)), graph.node("Add", weight, whole))
    layout = graph.node("Mul", graph.layout, graph.number("layout", 1 / (_KEPT * parts.layout_weight**2)))
    kind = graph.node("Mul", graph.kind, graph.number("kind", 1 / (_KEPT * parts.kind_weight)))
    discount = graph.node("Mul", graph.node("Sub", whole, sure), graph.number("d", -weighing.discount / _KNOWN))
    weighed = graph.node("Concat", layout, *(graph.node("Mul", weight, each) for each in (kind, discount)), axis=1)
    scored = graph.node("Mul", weighed, share)
    square = graph.node("ReduceSum", graph.node("Mul", scored, scored), graph.axes, keepdims=1)
    rest = graph.node("Sqrt", graph.node("Relu", graph.node("Sub", whole, square)))
    nothing = graph.node("Mul", weight, graph.number("zero", 0.0))
    return graph.finish(scored, nothing, rest, nothing)


def _scale(parts: EmbeddingParts, weighing: KindWeighing) -> float:
    """c of above: what no sketch's length exceeds 1 with, whatever its familiarity."""
    sure = np.linspace(0, 1, 1001)
    weight = weighing.least * (weighing.most / weighing.least) ** sure
    discount = weighing.discount * (1 - sure)
    layout, kind = 1 / (_KEPT * parts.layout_weight), weight / (_KEPT * parts.kind_weight)
    lengths = np.sqrt(layout**2 + kind**2 + (weight * discount / _KNOWN) ** 2) / (1 + weight)
    # A millionth less, since the steps may miss the longest.
    return float((1 - 1e-6) / lengths.max())


class _Graph:
    """An encoder's graph, to whose end nodes are added."""

    def __init__(self, onnx_file: bytes, parts: EmbeddingParts) -> None:
        self._model: ModelProto = onnx.load_from_string(onnx_file)
        self._parts = parts
        self._count = 0
        self.embedding = f"{_PREFIX}before"
        for node in self._model.graph.node:
            for index, name in enumerate(node.output):
                if name == OUTPUT_NAME:
                    node.output[index] = self.embedding
            for index, name in enumerate(node.input):
                if name == OUTPUT_NAME:
                    node.input[index] = self.embedding
        self.axes = self._constant("axes", np.array([1], np.int64))
        end = parts.layout_dim + parts.kind_dim
        bounds = [self._constant(f"at{at}", np.array([at], np.int64)) for at in (0, parts.layout_dim, end)]
        self.layout = self.node("Slice", self.embedding, bounds[0], bounds[1], self.axes)
        kind = self.node("Slice", self.embedding, bounds[1], bounds[2], self.axes)
        self.kind = self.node("Mul", kind, self.number("unit", 1 / parts.kind_weight))

    def familiarity(self, known: Vectors) -> str:
        """(M, kind_dim) -> name of (B, 1): the largest cosine of an image's kind with any of them."""
        stored = self._constant("known", np.ascontiguousarray(known.T, np.float16))
        matrix = self.node("Cast", stored, to=TensorProto.FLOAT)
        # The first of one sorted: ReduceMax takes its axes otherwise from operator set 18 on, TopK is the same in all.
        return self.node("TopK", self.node("MatMul", self.kind, matrix), self.axes, axis=1)

    def number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of the only output, or the first of TopK's two."""
        self._count += 1
        name = f"{_PREFIX}{self._count}"
        outputs = [name, f"{name}.places"] if kind == "TopK" else [name]
        added: NodeProto = helper.make_node(kind, list(inputs), outputs, name=name, **attributes)
        self._model.graph.node.append(added)
        return name

    def finish(self, *pieces: str) -> bytes:
        """The pieces (B, n) side by side are the new embedding."""
        graph = self._model.graph
        graph.node.append(helper.make_node("Concat", list(pieces), [OUTPUT_NAME], name=f"{_PREFIX}embedding", axis=1))
        (output,) = graph.output
        dim = self._parts.layout_dim + self._parts.kind_dim + ADDED
        output.type.tensor_type.shape.dim[1].dim_value = dim
        del graph.value_info[:]  # the embedding's shape of before
        onnx.checker.check_model(self._model, full_check=True)
        return to_bytes(self._model)

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        name = f"{_PREFIX}{name}"
        self._model.graph.initializer.append(numpy_helper.from_array(value, name))
        return name


_PREFIX = "known_kinds."
