"""Writes tests/golden/bundle_v1: a bundle of schema version 1 whose adaptation is of format 1.

Run once; the result is committed and never made again, since later releases have to read what this one wrote.

python tests/golden/make_bundle_v1.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.adapters import Adaptation
from models.bundle import Preprocess, SketchNormalisation, add_adaptation, write_bundle

SIZE_PX, DIM, HEAD_DIM, RANK, HIDDEN = 16, 12, 5, 2, 8


def waves(*shape: int, phase: float = 0.0) -> NDArray[np.float32]:
    """Numbers in [-1, 1] that need no random generator to be made again."""
    count = int(np.prod(shape))
    return np.cos(np.arange(1, count + 1, dtype=np.float64) ** 2 + phase).astype(np.float32).reshape(shape)


def golden_onnx() -> bytes:
    """(B, 3, 16, 16) -> means of 8 x 8 blocks, less a little more than white -> (B, 12), rows of length 1."""
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["image"], ["means"], kernel_shape=[8, 8], strides=[8, 8]),
            helper.make_node("Flatten", ["means"], ["flat"], axis=1),
            helper.make_node("Sub", ["flat", "white"], ["ink"]),
            helper.make_node("LpNormalization", ["ink"], ["embedding"], axis=1, p=2),
        ],
        "golden",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIZE_PX, SIZE_PX])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIM])],
        [helper.make_tensor("white", TensorProto.FLOAT, [], [1.001])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def golden_adaptation() -> Adaptation:
    """Every array that format 1 may hold."""
    untrained = Adaptation.untrained(DIM, rate=0.4, power=0.25, shrinkage=1.5, negatives=6, style_strength=0.75)
    arrays = {
        **untrained.arrays,
        "head": waves(DIM, HEAD_DIM),
        "down": 0.3 * waves(DIM, RANK, phase=1.0),
        "up": 0.3 * waves(RANK, DIM, phase=2.0),
        "usual": 0.1 * waves(DIM, phase=3.0),
        "margin.inner_weight": waves(3, HIDDEN, phase=4.0),
        "margin.outer_weight": waves(HIDDEN, HIDDEN, phase=5.0),
        "margin.last_weight": waves(HIDDEN, phase=6.0),
    }
    return replace(untrained, arrays=arrays, name="golden")


def main() -> None:
    out = Path(__file__).parent / "bundle_v1"
    unit: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    manifest = write_bundle(
        out,
        name="golden",
        sketch_onnx=golden_onnx(),
        sketch_preprocess=Preprocess(size_px=SIZE_PX, sketch=SketchNormalisation(min_extent=0.2), **unit),
        photo_onnx=golden_onnx(),
        photo_preprocess=Preprocess(size_px=SIZE_PX, fit="stretch", **unit),
        model_card="# golden\n\nBlock means. For tests.\n",
        metrics={"splits": {"none": {"acc@1": 0.5}}},
        provenance={"experiment": {"about": "made by make_bundle_v1.py"}},
    )
    add_adaptation(out, replace(golden_adaptation(), bundle_id=manifest.bundle_id))


if __name__ == "__main__":
    main()
