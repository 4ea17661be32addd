"""Shared fixtures: a real bundle of two tiny ONNX encoders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import onnx
import pytest
from onnx import TensorProto, helper

from models.adapters import Adaptation
from models.bundle import EmbeddingParts, Preprocess, SketchNormalisation, add_adaptation, write_bundle
from tests.unit.index_builder.files.s3_server import Bucket, serving_s3

# Hypothesis fails an example that takes more than 0.2 s, which on a busy machine any may.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

TINY_PX = 32
TINY_DIM = 3 * 8 * 8
TINY_PARTS = EmbeddingParts(layout_dim=TINY_DIM, kind_dim=3 * 2 * 2, layout_weight=0.6)


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


def tiny_parted_onnx() -> bytes:
    """As `tiny_onnx`, and beside that layout a kind: block means of 16 x 16, each part of its weight's length."""
    nodes = []
    for part, block, weight in (("layout", 4, TINY_PARTS.layout_weight), ("kind", 16, TINY_PARTS.kind_weight)):
        nodes += [
            helper.make_node(
                "AveragePool", ["image"], [f"{part}_means"], kernel_shape=[block] * 2, strides=[block] * 2
            ),
            helper.make_node("Flatten", [f"{part}_means"], [f"{part}_flat"], axis=1),
            helper.make_node("Sub", [f"{part}_flat", "white"], [f"{part}_ink"]),
            helper.make_node("LpNormalization", [f"{part}_ink"], [f"{part}_unit"], axis=1, p=2),
            helper.make_node("Constant", [], [f"{part}_weight"], value_float=weight),
            helper.make_node("Mul", [f"{part}_unit", f"{part}_weight"], [part]),
        ]
    graph = helper.make_graph(
        [*nodes, helper.make_node("Concat", ["layout", "kind"], ["embedding"], axis=1)],
        "tiny_parted",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, TINY_PX, TINY_PX])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", TINY_DIM + TINY_PARTS.kind_dim])],
        [helper.make_tensor("white", TensorProto.FLOAT, [], [1.001])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_tiny(out: Path, onnx_model: bytes, parts: EmbeddingParts | None = None) -> Path:
    """A bundle whose two encoders are the same network over unscaled images of 32 px."""
    unit: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    write_bundle(
        out,
        name=out.name,
        sketch_onnx=onnx_model,
        sketch_preprocess=Preprocess(size_px=TINY_PX, sketch=SketchNormalisation(), **unit),
        photo_onnx=onnx_model,
        photo_preprocess=Preprocess(size_px=TINY_PX, **unit),
        model_card=f"# {out.name}\n\nBlock means, for tests.\n",
        parts=parts,
    )
    return out


@pytest.fixture(scope="session")
def tiny_bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose encoders are 32 px block means, E = 192: an image finds itself, as sketch and as photo."""
    return write_tiny(tmp_path_factory.mktemp("bundles") / "tiny", tiny_onnx())


@pytest.fixture(scope="session")
def parted_bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle's layout with a kind of 12 numbers behind it; it can adapt, untrained."""
    out = write_tiny(tmp_path_factory.mktemp("bundles") / "parted", tiny_parted_onnx(), TINY_PARTS)
    add_adaptation(out, Adaptation.untrained(TINY_DIM))
    return out


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Bucket]:
    with serving_s3() as bucket:
        yield bucket


@pytest.fixture
def s3(s3_server: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, and the environment to find it."""
    s3_server.empty()
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server
