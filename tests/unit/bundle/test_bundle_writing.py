"""Writing: a bundle that could not serve is never written, and what stood there stays until the new one is whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.bundle import (
    Bundle,
    BundleCorrupt,
    BundlePlaceTaken,
    Preprocess,
    Runtime,
    SketchNormalisation,
    read_manifest,
    write_bundle,
)

UNIT: dict[str, tuple[float, float, float]] = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def model(
    *, dim: int = 12, size_px: int = 16, normalised: bool = True, names: tuple[str, str] = ("image", "embedding")
) -> bytes:
    """(B, 3, size, size) -> the first `dim` of the block means -> (B, dim)."""
    given, answer = names
    nodes = [
        helper.make_node("AveragePool", [given], ["means"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["means"], ["flat"], axis=1),
        helper.make_node("Slice", ["flat", "start", "end", "axis"], ["cut"]),
        helper.make_node("Sub", ["cut", "white"], ["ink"]),
        helper.make_node("LpNormalization", ["ink"], [answer], axis=1, p=2)
        if normalised
        else helper.make_node("Identity", ["ink"], [answer]),
    ]
    constants = [
        helper.make_tensor("white", TensorProto.FLOAT, [], [1.001]),
        helper.make_tensor("start", TensorProto.INT64, [1], [0]),
        helper.make_tensor("end", TensorProto.INT64, [1], [dim]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["batch", 3, size_px, size_px])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, ["batch", dim])],
        constants,
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(built)
    return bytes(built.SerializeToString())


def written(out: Path, sketch: bytes, photo: bytes, **changes: Any) -> Any:
    options: dict[str, Any] = {
        "name": "made",
        "sketch_onnx": sketch,
        "sketch_preprocess": Preprocess(size_px=16, sketch=SketchNormalisation(), **UNIT),
        "photo_onnx": photo,
        "photo_preprocess": Preprocess(size_px=16, **UNIT),
        "model_card": "# made\n",
        **changes,
    }
    return write_bundle(out, **options)


def test_a_written_bundle_is_loaded_with_everything_it_was_given(tmp_path: Path) -> None:
    manifest = written(tmp_path / "deep" / "out", model(), model(), metrics={"acc@1": 0.5}, provenance={"seed": 1})
    bundle = Bundle.load(tmp_path / "deep" / "out", Runtime(device="cpu", threads=1))
    assert bundle.manifest == manifest
    assert (bundle.embedding_dim, bundle.manifest.metrics, bundle.manifest.provenance) == (
        12,
        {"acc@1": 0.5},
        {"seed": 1},
    )
    assert (bundle.path / "MODEL_CARD.md").read_text() == "# made\n"
    assert sorted(bundle.manifest.files) == ["MODEL_CARD.md", "canary.npy", "canary.png", "photo.onnx", "sketch.onnx"]
    assert (bundle.path.stat().st_mode & 0o777) == 0o755
    bundle.check_canary()


@pytest.mark.parametrize(
    ("sketch", "photo", "problem"),
    [
        (model(), model(dim=8), "12 numbers, the photo encoder 8"),
        (model(normalised=False), model(), "not of length 1"),
        (model(size_px=32), model(), "is expected"),
        (model(names=("pixels", "embedding")), model(), "image .* is expected"),
        (model(), model(names=("image", "vector")), "embedding .* is expected"),
    ],
)
def test_models_that_do_not_fit_leave_nothing_behind(tmp_path: Path, sketch: bytes, photo: bytes, problem: str) -> None:
    written(tmp_path / "out", model(), model())
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(BundleCorrupt, match=problem):
        written(tmp_path / "out", sketch, photo)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_directory_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BundlePlaceTaken, match="file is a file"):
        written(tmp_path / "file" / "out", model(), model())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_that_is_no_model_is_rejected_when_it_is_loaded(tmp_path: Path) -> None:
    """Under a digest that is right: only opening it shows."""
    written(tmp_path / "out", model(), model())
    manifest = read_manifest(tmp_path / "out")
    import hashlib

    data = b"no model at all"
    (tmp_path / "out" / "photo.onnx").write_bytes(data)
    entry = manifest.files["photo.onnx"].model_copy(
        update={"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    )
    changed = manifest.model_copy(update={"files": {**manifest.files, "photo.onnx": entry}})
    changed = changed.model_copy(update={"bundle_id": changed.identity()})
    (tmp_path / "out" / "manifest.json").write_text(changed.model_dump_json())
    with pytest.raises(BundleCorrupt, match=r"photo\.onnx is not a usable ONNX model"):
        Bundle.load(tmp_path / "out")


@pytest.mark.parametrize("name", ["photo.onnx", "canary.npy", "MODEL_CARD.md"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "longer", "missing", "directory"])
def test_every_damage_to_a_file_is_found(tiny_bundle_dir: Path, tmp_path: Path, name: str, damage: str) -> None:
    path = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle")) / name
    data = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"truncated": data[:-1], "empty": b"", "longer": data + b"\0"}[damage])
    with pytest.raises(BundleCorrupt, match=name):
        Bundle.load(tmp_path / "bundle")


def test_a_file_that_the_manifest_does_not_list_is_not_read(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))
    (copy / "adaptation.npz").write_bytes(b"not listed")
    assert Bundle.load(copy).adaptation is None


def test_the_canary_answers_are_those_of_the_models(tmp_path: Path) -> None:
    written(tmp_path / "out", model(), model())
    bundle = Bundle.load(tmp_path / "out", Runtime(device="cpu", threads=1))
    stored = np.load(tmp_path / "out" / "canary.npy")
    drawing = tmp_path / "out" / "canary.png"
    expected = np.concatenate([bundle.sketch.embed([drawing]), bundle.photo.embed([drawing])])
    np.testing.assert_allclose(stored, expected, atol=1e-6)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["schema_version"] == 4
