"""Leave out what an encoder hardly uses: hidden channels of its inverted residuals.

Training lets channels die, and many others say what their neighbours say. For each block the channels leave whose part
the rest can take over with the smallest error, measured on images; the projecting convolution is fitted anew to those
that stay, and what a channel is on average goes into its bias. docs/results/variants.md says what that gains and costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from models.arrays import Vectors
from models.bundle import Runtime
from models.bundle.encoder import INPUT_NAME
from models.export.narrowing.residuals import InvertedResidual, inverted_residuals, weights_of
from models.export.narrowing.selection import fit_fewer
from models.export.stored_weights import store_in_single, to_bytes

_BATCH = 8
_MULTIPLE = 16  # channels that onnxruntime's kernels take at once where a CPU has AVX-512


@dataclass
class _Seen:
    """Sums over images and places: of hidden channels, their products, and of the result's values and squares."""

    count: int
    hidden: NDArray[np.float64]
    products: NDArray[np.float64]
    results: int
    result: NDArray[np.float64]
    squares: NDArray[np.float64]

    def mean(self) -> NDArray[np.float64]:
        """(H,)."""
        return self.hidden / self.count

    def covariance(self) -> NDArray[np.float64]:
        """(H, H)."""
        return self.products / self.count - np.outer(self.mean(), self.mean())

    def energy(self) -> float:
        """Variance of the block's result, summed over its channels."""
        return float((self.squares / self.results - np.square(self.result / self.results)).sum())


def narrow(onnx_file: bytes, images: NDArray[np.float32], tolerance: float) -> bytes:
    """A float32 encoder and (N, 3, S, S) of its inputs -> the encoder with fewer hidden channels, same interface.

    `tolerance`: the largest error of a block as a share of the variance of its result, both over the images. Weights
    come back in float32. A graph without inverted residuals stays as it is.
    """
    model = onnx.load_from_string(onnx_file)
    store_in_single(model)
    blocks = inverted_residuals(model)
    for block, seen in zip(blocks, _look(model, images, blocks), strict=True):
        _narrow_block(model, block, seen, tolerance)
    del model.graph.value_info[:]  # shapes of before
    onnx.checker.check_model(model, full_check=True)
    return to_bytes(model)


def hidden_channels(onnx_file: bytes) -> int:
    """How many channels lie inside the inverted residuals of an encoder, all together."""
    model = onnx.load_from_string(onnx_file)
    store_in_single(model)
    stored = {weights.name: weights for weights in model.graph.initializer}
    return sum(int(stored[block.depthwise.input[1]].dims[0]) for block in inverted_residuals(model))


def _look(model: ModelProto, images: NDArray[np.float32], blocks: Sequence[InvertedResidual]) -> list[_Seen]:
    """What each block's channels are on these images."""
    probe = ModelProto()
    probe.CopyFrom(model)
    names = sorted({name for block in blocks for name in (block.hidden, block.result)})
    known = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    session = Runtime(device="cpu").session(to_bytes(probe))
    sums: dict[str, _Seen] = {}
    for start in range(0, len(images), _BATCH) if blocks else ():
        values = dict(zip(names, session.run(names, {INPUT_NAME: images[start : start + _BATCH]}), strict=True))
        for block in blocks:
            now = _seen(_rows(values[block.hidden]), _rows(values[block.result]))
            before = sums.get(block.hidden)
            sums[block.hidden] = now if before is None else _added(before, now)
    return [sums[block.hidden] for block in blocks]


def _rows(maps: Vectors) -> Vectors:
    """(B, C, h, w) -> (B h w, C)."""
    rows: Vectors = np.moveaxis(maps, 1, 3).reshape(-1, maps.shape[1])
    return rows


def _seen(hidden: Vectors, result: Vectors) -> _Seen:
    products = (hidden.T @ hidden).astype(np.float64)
    wide = result.astype(np.float64)
    sums = hidden.sum(axis=0, dtype=np.float64)
    return _Seen(len(hidden), sums, products, len(wide), wide.sum(axis=0), np.square(wide).sum(axis=0))


def _added(one: _Seen, other: _Seen) -> _Seen:
    return _Seen(
        one.count + other.count,
        one.hidden + other.hidden,
        one.products + other.products,
        one.results + other.results,
        one.result + other.result,
        one.squares + other.squares,
    )


def _narrow_block(model: ModelProto, block: InvertedResidual, seen: _Seen, tolerance: float) -> None:
    stored = {weights.name: weights for weights in model.graph.initializer}
    weights = weights_of(stored, block.project.input[1])[:, :, 0, 0].astype(np.float64)
    fewer = fit_fewer(weights, seen.mean(), seen.covariance(), tolerance * seen.energy(), _MULTIPLE)
    if len(fewer.kept) == weights.shape[1]:
        return
    for node in (block.expand, block.depthwise):
        for name in node.input[1:]:
            _put(stored[name], weights_of(stored, name)[fewer.kept])
    _put(stored[block.project.input[1]], fewer.weights[:, :, None, None])
    _put(stored[block.project.input[2]], weights_of(stored, block.project.input[2]) + fewer.shift)
    for attribute in block.depthwise.attribute:
        if attribute.name == "group":
            attribute.i = len(fewer.kept)


def _put(stored: TensorProto, numbers: NDArray[np.floating]) -> None:
    stored.CopyFrom(numpy_helper.from_array(numbers.astype(np.float32), stored.name))
