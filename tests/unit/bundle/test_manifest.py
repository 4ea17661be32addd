"""Manifests that lie: every field that a reader relies on, wrong in turn, is rejected before a model is opened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, BundleCorrupt, BundleNotFound, BundleSchemaUnsupported, read_manifest

Document = dict[str, Any]
SHA = "0" * 64


@pytest.fixture
def bundle_copy(tiny_bundle_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))


def rewrite(path: Path, change: Callable[[Document], object]) -> None:
    file = path / "manifest.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


WRONG: dict[str, Callable[[Document], object]] = {
    "no name": lambda d: d.pop("name"),
    "a name with a slash": lambda d: d.update(name="a/b"),
    "a name of 65 letters": lambda d: d.update(name="a" * 65),
    "an upper-case name": lambda d: d.update(name="Tiny"),
    "a date that is none": lambda d: d.update(created_at="yesterday"),
    "no numbers in an embedding": lambda d: d.update(embedding_dim=0),
    "embedding_dim as text": lambda d: d.update(embedding_dim="many"),
    "no sketch encoder": lambda d: d.pop("sketch"),
    "an encoder without a file": lambda d: d["photo"].pop("file"),
    "an encoder whose file is not listed": lambda d: d["photo"].update(file="other.onnx"),
    "a size of 7 px": lambda d: d["photo"]["preprocess"].update(size_px=7),
    "a size of 1,025 px": lambda d: d["photo"]["preprocess"].update(size_px=1025),
    "two channels": lambda d: d["photo"]["preprocess"].update(mean=[0.0, 0.0]),
    "a fit that is not known": lambda d: d["photo"]["preprocess"].update(fit="crop"),
    "an unknown option of preprocessing": lambda d: d["photo"]["preprocess"].update(gamma=2.2),
    "sketches that are trimmed": lambda d: d["sketch"]["preprocess"].update(trim=True),
    "an extent above 1": lambda d: d["sketch"]["preprocess"]["sketch"].update(min_extent=1.5),
    "a digest that is none": lambda d: d["files"]["photo.onnx"].update(sha256="abc"),
    "another digest": lambda d: d["files"]["photo.onnx"].update(sha256=SHA),
    "a negative size": lambda d: d["files"]["photo.onnx"].update(bytes=-1),
    "a file above the bundle": lambda d: d["files"].update({"../x": {"bytes": 1, "sha256": SHA}}),
    "a file below the bundle": lambda d: d["files"].update({"a/b": {"bytes": 1, "sha256": SHA}}),
    "an absolute file": lambda d: d["files"].update({"/etc/passwd": {"bytes": 1, "sha256": SHA}}),
    "itself as a file": lambda d: d["files"].update({"manifest.json": {"bytes": 1, "sha256": SHA}}),
    "no canary drawing": lambda d: d["files"].pop("canary.png"),
    "no canary vectors": lambda d: d["files"].pop("canary.npy"),
    "files as a list": lambda d: d.update(files=[]),
    "another identity": lambda d: d.update(bundle_id="tiny-000000000000"),
    "no identity": lambda d: d.update(bundle_id=""),
    "another mean, under the old identity": lambda d: d["photo"]["preprocess"].update(mean=[0.1, 0.0, 0.0]),
    "a field that no release wrote": lambda d: d.update(weights={"layout": 1.0}),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_wrong_manifest_is_rejected(bundle_copy: Path, wrong: str) -> None:
    rewrite(bundle_copy, WRONG[wrong])
    with pytest.raises(BundleCorrupt, match=r"manifest\.json"):
        read_manifest(bundle_copy)
    with pytest.raises(BundleCorrupt):
        Bundle.load(bundle_copy)


@pytest.mark.parametrize("version", [0, 5, 99, "1", None, 1.5, [1], True])
def test_other_schema_versions_are_unsupported(bundle_copy: Path, version: object) -> None:
    rewrite(bundle_copy, lambda d: d.update(schema_version=version))
    with pytest.raises(BundleSchemaUnsupported, match="this release reads version 1 to 4: use the release"):
        read_manifest(bundle_copy)


@pytest.mark.parametrize("content", ["", "{", "\xff", "null", "[]", '"manifest"', "1"])
def test_a_manifest_that_is_no_document_is_rejected(bundle_copy: Path, content: str) -> None:
    (bundle_copy / "manifest.json").write_text(content, encoding="latin-1")
    with pytest.raises((BundleCorrupt, BundleSchemaUnsupported)):
        read_manifest(bundle_copy)


def test_a_file_or_a_directory_in_the_wrong_place_is_no_bundle(bundle_copy: Path) -> None:
    with pytest.raises(BundleNotFound):
        read_manifest(bundle_copy / "photo.onnx")
    (bundle_copy / "manifest.json").unlink()
    (bundle_copy / "manifest.json").mkdir()
    with pytest.raises(BundleCorrupt, match="cannot be read"):
        read_manifest(bundle_copy)


def test_the_identity_is_of_weights_and_preprocessing_alone(tiny_bundle_dir: Path) -> None:
    manifest = read_manifest(tiny_bundle_dir)
    other_file = {**manifest.files, "MODEL_CARD.md": manifest.files["photo.onnx"]}
    same: tuple[Document, ...] = ({"metrics": {"a": 1}}, {"provenance": {"b": 2}}, {"files": other_file})
    for update in same:
        assert manifest.model_copy(update=update).identity() == manifest.bundle_id
    photo, sketch = manifest.photo, manifest.sketch
    entry = manifest.files["photo.onnx"].model_copy(update={"sha256": SHA})
    stretched = photo.preprocess.model_copy(update={"fit": "stretch"})
    assert sketch.preprocess.sketch is not None
    framed = sketch.preprocess.sketch.model_copy(update={"min_extent": 0.5})
    untrimmed = photo.preprocess.model_copy(update={"trim": False})
    assert manifest.model_copy(update={"photo": photo.model_copy(update={"preprocess": untrimmed})}).identity() == (
        manifest.bundle_id
    )
    trimming = photo.preprocess.model_copy(update={"trim": True})
    reframed = sketch.preprocess.model_copy(update={"sketch": framed})
    different: tuple[Document, ...] = (
        {"embedding_dim": manifest.embedding_dim + 1},
        {"files": {**manifest.files, "photo.onnx": entry}},
        {"photo": photo.model_copy(update={"preprocess": stretched})},
        {"photo": photo.model_copy(update={"preprocess": trimming})},
        {"sketch": sketch.model_copy(update={"preprocess": reframed})},
        {"name": "other"},
    )
    identities = {manifest.model_copy(update=update).identity() for update in different}
    assert len(identities | {manifest.bundle_id}) == len(different) + 1
