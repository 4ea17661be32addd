"""The bundle directory: rejected when a byte changed, replaced atomically when written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from models.arrays import Vectors
from models.bundle import (
    Bundle,
    BundleCorrupt,
    BundleNotFound,
    BundleSchemaUnsupported,
    Encoder,
    Preprocess,
    Runtime,
    RuntimeUnavailable,
    SketchNormalisation,
    cpu_quota,
    read_manifest,
    write_bundle,
)


@pytest.fixture
def bundle_copy(tiny_bundle_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))


def edit_manifest(path: Path, **changes: Any) -> None:
    file = path / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_loaded_bundle_encodes_unit_rows(tiny_bundle_dir: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir, Runtime(threads=1))
    drawing = Image.new("RGB", (64, 64), "white")
    drawing.paste((0, 0, 0), (10, 10, 40, 20))
    batch = np.stack([bundle.sketch.prepare(drawing), bundle.photo.prepare(drawing)])
    embeddings = bundle.sketch.encode(batch)
    assert embeddings.shape == (2, bundle.embedding_dim)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-5)
    assert bundle.providers == ("CPUExecutionProvider",)
    bundle.check_canary()


def test_one_by_one_equals_batched(tiny_bundle_dir: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir)
    batch = np.random.default_rng(0).random((5, 3, 32, 32), dtype=np.float32)
    singly = np.concatenate([bundle.photo.encode(item[None]) for item in batch])
    np.testing.assert_allclose(singly, bundle.photo.encode(batch), atol=1e-6)


@pytest.mark.parametrize("name", ["sketch.onnx", "photo.onnx", "MODEL_CARD.md", "canary.png", "canary.npy"])
def test_one_changed_byte_is_rejected(bundle_copy: Path, name: str) -> None:
    data = bytearray((bundle_copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (bundle_copy / name).write_bytes(data)
    with pytest.raises(BundleCorrupt, match=rf"{name} was changed"):
        Bundle.load(bundle_copy)


def test_a_missing_file_is_rejected(bundle_copy: Path) -> None:
    (bundle_copy / "photo.onnx").unlink()
    with pytest.raises(BundleCorrupt, match=r"photo\.onnx cannot be read"):
        Bundle.load(bundle_copy)


def test_unknown_schema_versions_are_unsupported(bundle_copy: Path) -> None:
    edit_manifest(bundle_copy, schema_version=99)
    with pytest.raises(BundleSchemaUnsupported, match="99"):
        Bundle.load(bundle_copy)


@pytest.mark.parametrize(
    "changes",
    [{"bundle_id": "tiny-000000000000"}, {"embedding_dim": 64}, {"surprise": 1}, {"files": {}}, {"name": "../x"}],
)
def test_a_manifest_that_contradicts_itself_is_rejected(bundle_copy: Path, changes: dict[str, Any]) -> None:
    edit_manifest(bundle_copy, **changes)
    with pytest.raises(BundleCorrupt):
        Bundle.load(bundle_copy)


def test_files_outside_the_bundle_are_never_read(bundle_copy: Path) -> None:
    files = json.loads((bundle_copy / "manifest.json").read_text())["files"]
    edit_manifest(bundle_copy, files={**files, "../outside": files["photo.onnx"]})
    with pytest.raises(BundleCorrupt, match="plain file name"):
        read_manifest(bundle_copy)


def test_no_bundle_says_so(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound, match=r"manifest\.json"):
        Bundle.load(tmp_path)


def test_figures_do_not_change_the_identity_but_preprocessing_does(tiny_bundle_dir: Path) -> None:
    manifest = read_manifest(tiny_bundle_dir)
    assert manifest.model_copy(update={"metrics": {"acc@1": 1.0}}).identity() == manifest.bundle_id
    mean = manifest.photo.preprocess.model_copy(update={"mean": (0.1, 0.0, 0.0)})
    other = manifest.model_copy(update={"photo": manifest.photo.model_copy(update={"preprocess": mean})})
    assert other.identity() != manifest.bundle_id


def test_an_encoder_that_changed_its_answer_fails_the_canary(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir)
    right = bundle.sketch
    swapped = replace(bundle, sketch=Negated(right.session, right.preprocess, right.embedding_dim))
    with pytest.raises(BundleCorrupt, match="canary"):
        swapped.check_canary()


class Negated(Encoder):
    """An encoder gone wrong: every embedding points the other way."""

    def encode(self, batch: Vectors, *, is_alone: bool = False) -> Vectors:
        return -super().encode(batch)


def test_a_model_that_cannot_serve_is_never_written(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    spec = Preprocess(size_px=64, mean=(0, 0, 0), std=(1, 1, 1))  # the model wants 32 px
    onnx = (tiny_bundle_dir / "photo.onnx").read_bytes()
    sketch = spec.model_copy(update={"sketch": SketchNormalisation()})
    with pytest.raises(BundleCorrupt, match="64"):
        write_bundle(
            tmp_path / "out",
            name="bad",
            sketch_onnx=onnx,
            sketch_preprocess=sketch,
            photo_onnx=onnx,
            photo_preprocess=spec,
            model_card="",
        )
    assert list(tmp_path.iterdir()) == []


def test_writing_replaces_the_old_bundle_whole(tiny_bundle_dir: Path, bundle_copy: Path) -> None:
    before = read_manifest(bundle_copy)
    (bundle_copy / "stray").write_text("left over")
    onnx = (bundle_copy / "photo.onnx").read_bytes()
    after = write_bundle(
        bundle_copy,
        name="tiny",
        sketch_onnx=onnx,
        sketch_preprocess=before.sketch.preprocess,
        photo_onnx=onnx,
        photo_preprocess=before.photo.preprocess,
        model_card="# new",
    )
    assert after.bundle_id == before.bundle_id
    assert sorted(p.name for p in bundle_copy.parent.iterdir()) == ["bundle"]
    assert not (bundle_copy / "stray").exists()
    Bundle.load(bundle_copy).check_canary()


@pytest.mark.skipif("CUDAExecutionProvider" in ort.get_available_providers(), reason="has a GPU")
def test_a_required_gpu_is_not_quietly_replaced(tiny_bundle_dir: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match="gpu extra"):
        Bundle.load(tiny_bundle_dir, Runtime(require_gpu=True))


@pytest.mark.parametrize(("cpu_max", "expected"), [("150000 100000", 1), ("50000 100000", 1), ("100000 100000", 1)])
def test_the_containers_quota_bounds_the_threads(tmp_path: Path, cpu_max: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(cpu_max + "\n")
    assert cpu_quota(tmp_path) == expected


def test_no_quota_leaves_the_affinity(tmp_path: Path) -> None:
    without = cpu_quota(tmp_path)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cpu_quota(tmp_path) == without >= 1
