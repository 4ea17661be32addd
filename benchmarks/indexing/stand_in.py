"""A bundle whose encoders take microseconds: over 200,000 photos the builder is measured then, not the network."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from models.bundle import Preprocess, SketchNormalisation, write_bundle

_SIZE_PX, _CELL_PX = 32, 4
_DIM = 3 * (_SIZE_PX // _CELL_PX) ** 2


def write_stand_in(out: Path) -> Path:
    """Write the bundle to `out`: (B, 3, 32, 32) -> the mean colour of each of 8 x 8 cells, (B, 192), of length 1."""
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["image"], ["means"], kernel_shape=[_CELL_PX] * 2, strides=[_CELL_PX] * 2),
            helper.make_node("Flatten", ["means"], ["flat"], axis=1),
            helper.make_node("Sub", ["flat", "white"], ["ink"]),
            helper.make_node("LpNormalization", ["ink"], ["embedding"], axis=1, p=2),
        ],
        "stand_in",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, _SIZE_PX, _SIZE_PX])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", _DIM])],
        # A little more than white, so that a white photo has a direction as well.
        [helper.make_tensor("white", TensorProto.FLOAT, [], [1.001])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx_model = bytes(model.SerializeToString())
    unscaled: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    write_bundle(
        out,
        name=out.name,
        sketch_onnx=onnx_model,
        sketch_preprocess=Preprocess(size_px=_SIZE_PX, sketch=SketchNormalisation(), **unscaled),
        photo_onnx=onnx_model,
        photo_preprocess=Preprocess(size_px=_SIZE_PX, **unscaled),
        model_card=f"# {out.name}\n\nCell means, for benchmarks.\n",
    )
    return out


def bundle_or_stand_in(name: str, folder: Path) -> str:
    """The bundle of that name or directory; "stand-in": one that is written below `folder`."""
    return str(write_stand_in(folder / "stand-in")) if name == "stand-in" else name
