"""Shared fixtures: a real bundle of two tiny ONNX encoders."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from models.bundle import Preprocess, SketchNormalisation, write_bundle

TINY_PX = 32
TINY_DIM = 3 * 8 * 8


def tiny_onnx() -> bytes:
    """(B, 3, 32, 32) -> block means of 4 x 4, less 1 so that white is zero -> (B, 192), rows of length 1."""
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["image"], ["means"], kernel_shape=[4, 4], strides=[4, 4]),
            helper.make_node("Flatten", ["means"], ["flat"], axis=1),
            helper.make_node("Sub", ["flat", "white"], ["ink"]),
            helper.make_node("LpNormalization", ["ink"], ["embedding"], axis=1, p=2),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, TINY_PX, TINY_PX])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", TINY_DIM])],
        # A little less than white: an all-white photo keeps a direction of its own.
        [helper.make_tensor("white", TensorProto.FLOAT, [], [1.001])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="session")
def tiny_bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose encoders are 32 px block means, E = 192: an image finds itself, as sketch and as photo."""
    out = tmp_path_factory.mktemp("bundles") / "tiny"
    unit: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    write_bundle(
        out,
        name="tiny",
        sketch_onnx=tiny_onnx(),
        sketch_preprocess=Preprocess(size_px=TINY_PX, sketch=SketchNormalisation(), **unit),
        photo_onnx=tiny_onnx(),
        photo_preprocess=Preprocess(size_px=TINY_PX, **unit),
        model_card="# tiny\n\nBlock means, for tests.\n",
    )
    return out
