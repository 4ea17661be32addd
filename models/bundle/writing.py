"""Writing a bundle directory, and changing what is beside its weights; `models.bundle.store` reads it."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.adapters.state import Adaptation
from models.arrays import Vectors
from models.atomic_files import sync_path, write_bytes
from models.bundle.calibration import ScoreCalibration
from models.bundle.encoder import Encoder
from models.bundle.errors import BundleCorrupt, BundlePlaceTaken
from models.bundle.manifest import (
    ADAPTATION_NAME,
    CANARY_SKETCH_NAME,
    CANARY_VECTORS_NAME,
    MANIFEST_NAME,
    MODEL_CARD_NAME,
    SCHEMA_VERSION,
    BundleManifest,
    EncoderSpec,
    FileEntry,
)
from models.bundle.parts import EmbeddingParts
from models.bundle.preprocess import Preprocess
from models.bundle.runtime import Runtime
from models.bundle.store import read_manifest, verified_contents
from models.bundle.strokes import rasterise_strokes


def write_bundle(
    out: Path,
    *,
    name: str,
    sketch_onnx: bytes,
    sketch_preprocess: Preprocess,
    photo_onnx: bytes,
    photo_preprocess: Preprocess,
    model_card: str,
    metrics: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    parts: EmbeddingParts | None = None,
) -> BundleManifest:
    """Write a bundle at `out`; a bundle that is there is replaced; see `_publish`.

    `sketch_onnx`, `photo_onnx`: serialised models, `image` (B, 3, size_px, size_px) -> `embedding` (B, E), rows of
    length 1. They are opened and run on the canary drawing, so a bundle that cannot serve is never written.
    `parts`: how embeddings are divided, where they are. Raises BundleCorrupt when the models do not fit the bundle's
    interface or each other; OSError.
    """
    files = {"sketch.onnx": sketch_onnx, "photo.onnx": photo_onnx, MODEL_CARD_NAME: model_card.encode()}
    drawing = _canary_drawing()
    vectors = [_answer(sketch_onnx, sketch_preprocess, drawing), _answer(photo_onnx, photo_preprocess, drawing)]
    if vectors[0].shape != vectors[1].shape:
        raise BundleCorrupt(f"the sketch encoder gives {vectors[0].size} numbers, the photo encoder {vectors[1].size}")
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
        raise BundleCorrupt("the encoders' embeddings are not of length 1")
    files[CANARY_SKETCH_NAME] = _png(drawing)
    files[CANARY_VECTORS_NAME] = _npy(np.stack(vectors).astype(np.float32))

    draft = BundleManifest(
        bundle_id="",
        name=name,
        created_at=datetime.now(UTC).replace(microsecond=0),
        embedding_dim=vectors[0].size,
        parts=parts,
        sketch=EncoderSpec(file="sketch.onnx", preprocess=sketch_preprocess),
        photo=EncoderSpec(file="photo.onnx", preprocess=photo_preprocess),
        files={name: _entry(data) for name, data in sorted(files.items())},
        metrics=dict(metrics or {}),
        provenance=dict(provenance or {}),
    )
    manifest = draft.model_copy(update={"bundle_id": draft.identity()})
    _publish(out, {**files, MANIFEST_NAME: _manifest_file(manifest)})
    return manifest


def add_adaptation(path: Path, adaptation: Adaptation) -> BundleManifest:
    """Put `adaptation` into the bundle at `path`, in place of one that is there; `bundle_id` stays, as embeddings do.

    Raises AdaptationCorrupt (it was made for another bundle), BundleNotFound, BundleCorrupt, BundleSchemaUnsupported.
    """
    manifest = read_manifest(path)
    adaptation.require_fits(manifest.adapted_dim, manifest.bundle_id)
    # The manifest holds the digest of the adaptation, so both change together: the whole directory is swapped.
    contents = {**verified_contents(path, manifest), ADAPTATION_NAME: adaptation.to_bytes()}
    files = {**manifest.files, ADAPTATION_NAME: _entry(contents[ADAPTATION_NAME])}
    changed = manifest.model_copy(update={"files": dict(sorted(files.items()))})
    _publish(path, {**contents, MANIFEST_NAME: _manifest_file(changed)})
    return changed


def add_calibration(path: Path, calibration: ScoreCalibration) -> BundleManifest:
    """Put `calibration` into the bundle at `path`, in place of one that is there; `bundle_id` stays.

    Raises BundleNotFound, BundleCorrupt, BundleSchemaUnsupported.
    """
    manifest = read_manifest(path)
    contents = verified_contents(path, manifest)
    # The version rises with it: a reader of an older one would reject the field, and should say why.
    changed = manifest.model_copy(update={"calibration": calibration, "schema_version": SCHEMA_VERSION})
    _publish(path, {**contents, MANIFEST_NAME: _manifest_file(changed)})
    return changed


def change_card(path: Path, manifest: BundleManifest, card: str) -> BundleManifest:
    """Give the bundle at `path` another model card, and `manifest`'s provenance; embeddings and `bundle_id` stay.

    `manifest`: the bundle's own but for the provenance. Raises BundleCorrupt, OSError.
    """
    contents = {**verified_contents(path, read_manifest(path)), MODEL_CARD_NAME: card.encode()}
    files = {**manifest.files, MODEL_CARD_NAME: _entry(contents[MODEL_CARD_NAME])}
    changed = manifest.model_copy(update={"files": files})
    _publish(path, {**contents, MANIFEST_NAME: _manifest_file(changed)})
    return changed


def set_trimming(path: Path, *, trim: bool) -> BundleManifest:
    """Have the bundle at `path` trim photos, or not; see `Preprocess`. Its weights stay, `bundle_id` becomes another.

    Figures, calibration and model card are those of before, whose identity the provenance keeps. Raises
    AdaptationCorrupt (it was made for the identity of before), BundleNotFound, BundleCorrupt, BundleSchemaUnsupported.
    """
    before = read_manifest(path)
    contents = verified_contents(path, before)
    preprocess = before.photo.preprocess.model_copy(update={"trim": trim})
    drawing = Image.open(io.BytesIO(contents[CANARY_SKETCH_NAME])).convert("RGB")
    vectors: Vectors = np.load(io.BytesIO(contents[CANARY_VECTORS_NAME]), allow_pickle=False)
    answer = _answer(contents[before.photo.file], preprocess, drawing)
    contents[CANARY_VECTORS_NAME] = _npy(np.stack([vectors[0], answer]).astype(np.float32))
    changed = before.model_copy(
        update={
            "schema_version": SCHEMA_VERSION,
            "photo": before.photo.model_copy(update={"preprocess": preprocess}),
            "files": {**before.files, CANARY_VECTORS_NAME: _entry(contents[CANARY_VECTORS_NAME])},
            "provenance": {**before.provenance, "weights_of": before.bundle_id},
        }
    )
    changed = changed.model_copy(update={"bundle_id": changed.identity()})
    if (stored := contents.get(ADAPTATION_NAME)) is not None:
        Adaptation.from_bytes(stored, str(path / ADAPTATION_NAME)).require_fits(changed.adapted_dim, changed.bundle_id)
    _publish(path, {**contents, MANIFEST_NAME: _manifest_file(changed)})
    return changed


def require_free_place(out: Path) -> None:
    """Raises BundlePlaceTaken unless nothing, an empty directory or a bundle is at `out`: what is there is replaced."""
    if out.is_dir() and ((out / MANIFEST_NAME).is_file() or not any(out.iterdir())):
        return
    above = next(parent for parent in out.absolute().parents if parent.exists())
    if not above.is_dir():
        raise BundlePlaceTaken(f"{out} cannot be made: {above} is a file. Give another --out")
    if out.exists() or out.is_symlink():
        what = "directory with other files" if out.is_dir() else "file"
        raise BundlePlaceTaken(f"{out} is a {what}, which a bundle would replace: give another --out")


def _answer(onnx: bytes, preprocess: Preprocess, drawing: Image.Image) -> Vectors:
    """(E,) what an encoder makes of the canary drawing."""
    session = Runtime(device="cpu", threads=1).session(onnx)
    encoder = Encoder(session, preprocess, int(session.get_outputs()[0].shape[-1]))
    answer: Vectors = encoder.encode(encoder.prepare(drawing)[None])[0]
    return answer


def _entry(data: bytes) -> FileEntry:
    return FileEntry(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _manifest_file(manifest: BundleManifest) -> bytes:
    return (manifest.model_dump_json(indent=2) + "\n").encode()


def _publish(out: Path, files: Mapping[str, bytes]) -> None:
    """Have `files`, and nothing else, at `out`: never a part of them, nor a mixture of old and new.

    A crash between the two renames leaves nothing at `out`, and the old bundle beside it as `.NAME-…-old`. An error
    there brings it back. Raises BundlePlaceTaken, OSError.
    """
    require_free_place(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`, because a rename is atomic within one file system alone.
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        # `mkdtemp` makes a folder that its owner alone may read; the service may run as somebody else.
        staged.chmod(0o755)
        for name, data in files.items():
            write_bytes(staged / name, data)
        # A rename cannot replace a directory that holds files, so the old bundle steps aside first.
        retired = staged.with_name(staged.name + "-old")
        if out.exists():
            out.rename(retired)
        try:
            staged.rename(out)
        except OSError:
            if retired.exists():
                retired.rename(out)
            raise
        sync_path(out.parent)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _canary_drawing() -> Image.Image:
    """A cup: the drawing that every bundle must answer as it did when it was written."""
    body = [(60, 80), (70, 200), (150, 200), (160, 80), (60, 80)]
    handle = [(158, 100), (195, 105), (198, 150), (154, 165)]
    steam = [[(x, 60), (x + 8, 45), (x - 4, 30), (x + 4, 15)] for x in (90, 125)]
    return rasterise_strokes([body, handle, *steam]).convert("RGB")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _npy(array: Vectors) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
