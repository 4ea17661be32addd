"""Reading and writing a bundle directory: the only module that knows the files in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from models.adapters.errors import AdaptationCorrupt
from models.adapters.state import Adaptation
from models.bundle.encoder import Encoder
from models.bundle.errors import BundleCorrupt, BundleNotFound, BundleSchemaUnsupported
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
from models.bundle.preprocess import Preprocess
from models.bundle.runtime import Runtime
from models.bundle.strokes import rasterise_strokes

DEFAULT_BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "default"

_CANARY_COSINE = 0.99  # providers and precisions differ in the fourth digit; another model is far below


@dataclass(frozen=True)
class Bundle:
    """A verified pair of encoders. `Bundle.load(path)` gives one that is ready to use.

    `adaptation`: what fits heads to a few examples; None in bundles that were written without.
    """

    path: Path
    manifest: BundleManifest
    sketch: Encoder
    photo: Encoder
    adaptation: Adaptation | None = None

    @classmethod
    def load(cls, path: Path | None = None, runtime: Runtime | None = None) -> Bundle:
        """Open the bundle at `path` (None: the one that ships with the package), every byte checked.

        Raises BundleNotFound, BundleCorrupt, BundleSchemaUnsupported, RuntimeUnavailable.
        """
        path = path or DEFAULT_BUNDLE
        runtime = runtime or Runtime()
        manifest = read_manifest(path)
        contents = _verified_contents(path, manifest)
        encoders = []
        for spec in (manifest.sketch, manifest.photo):
            try:
                session = runtime.session(contents[spec.file])
            except (RuntimeError, ValueError) as error:  # onnxruntime's own errors for what is no model
                raise BundleCorrupt(f"{path / spec.file} is not a usable ONNX model: {error}") from error
            encoders.append(Encoder(session, spec.preprocess, manifest.embedding_dim))
        adaptation = None
        if (stored := contents.get(ADAPTATION_NAME)) is not None:
            try:
                adaptation = Adaptation.from_bytes(stored, str(path / ADAPTATION_NAME))
                adaptation.require_fits(manifest.embedding_dim, manifest.bundle_id)
            except AdaptationCorrupt as error:
                raise BundleCorrupt(str(error)) from error
        return cls(path, manifest, encoders[0], encoders[1], adaptation)

    @property
    def bundle_id(self) -> str:
        """Identity of the embedding space; an index built by one bundle is useless to another."""
        return self.manifest.bundle_id

    @property
    def embedding_dim(self) -> int:
        """Length E of an embedding."""
        return self.manifest.embedding_dim

    @property
    def providers(self) -> tuple[str, ...]:
        """Execution providers in use, the preferred one first."""
        return self.sketch.providers

    @cached_property
    def _canary(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with Image.open(self.path / CANARY_SKETCH_NAME) as drawing:
            image = drawing.convert("RGB")
        expected: NDArray[np.float32] = np.load(self.path / CANARY_VECTORS_NAME, allow_pickle=False)
        return np.stack([self.sketch.prepare(image), self.photo.prepare(image)]), expected

    def check_canary(self) -> None:
        """Encode a known drawing with both encoders and compare with what they answered when the bundle was written.

        Raises BundleCorrupt when an encoder no longer gives its own answer (dead device, wrong kernel, not finite).
        """
        inputs, expected = self._canary
        for encoder, batch, vector in zip((self.sketch, self.photo), inputs, expected, strict=True):
            cosine = float(encoder.encode(batch[None])[0] @ vector)
            if not cosine >= _CANARY_COSINE:
                raise BundleCorrupt(
                    f"the {encoder.preprocess.modality} encoder answers the canary drawing with cosine {cosine:.4f} to "
                    f"its recorded embedding; at least {_CANARY_COSINE} is expected"
                )


def read_manifest(path: Path) -> BundleManifest:
    """The manifest alone, checked against itself. Raises BundleNotFound, BundleCorrupt, BundleSchemaUnsupported."""
    file = path / MANIFEST_NAME
    try:
        raw = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleNotFound(f"no bundle at {path}: {MANIFEST_NAME} is not there") from error
    except (ValueError, OSError) as error:
        raise BundleCorrupt(f"{file} cannot be read: {error}") from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleSchemaUnsupported(f"{file} has schema version {version!r}; this release reads {SCHEMA_VERSION}")
    try:
        manifest = BundleManifest.model_validate(raw)
    except ValidationError as error:
        raise BundleCorrupt(f"{file} does not fit the schema: {error}") from error
    wanted = {manifest.sketch.file, manifest.photo.file, CANARY_SKETCH_NAME, CANARY_VECTORS_NAME}
    if missing := wanted - set(manifest.files):
        raise BundleCorrupt(f"{file} lists no {', '.join(sorted(missing))}")
    if names := [name for name in manifest.files if Path(name).name != name or name == MANIFEST_NAME]:
        raise BundleCorrupt(f"{file} lists {names[0]!r}, which is not a plain file name in the bundle")
    if manifest.identity() != manifest.bundle_id:
        raise BundleCorrupt(f"{file} says bundle_id {manifest.bundle_id}; its content has {manifest.identity()}")
    return manifest


def _verified_contents(path: Path, manifest: BundleManifest) -> dict[str, bytes]:
    """Every file's bytes, read once and checked: what was hashed is what is used."""
    contents = {}
    for name, entry in manifest.files.items():
        try:
            data = (path / name).read_bytes()
        except OSError as error:
            raise BundleCorrupt(f"{path / name} cannot be read: {error}") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != entry.sha256:
            raise BundleCorrupt(
                f"{path / name} was changed: sha256 {digest} ({len(data):,} bytes), "
                f"the manifest has {entry.sha256} ({entry.bytes:,} bytes)"
            )
        contents[name] = data
    return contents


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
) -> BundleManifest:
    """Write a bundle at `out`, whole or not at all; a bundle that is there is replaced.

    The models are opened and run on the canary drawing, so a bundle that cannot serve is never written.
    Raises BundleCorrupt when they do not fit the bundle's interface or each other.
    """
    files = {"sketch.onnx": sketch_onnx, "photo.onnx": photo_onnx, MODEL_CARD_NAME: model_card.encode()}
    drawing = _canary_drawing()
    vectors = []
    for onnx, preprocess in ((sketch_onnx, sketch_preprocess), (photo_onnx, photo_preprocess)):
        session = Runtime(device="cpu", threads=1).session(onnx)
        encoder = Encoder(session, preprocess, int(session.get_outputs()[0].shape[-1]))
        vectors.append(encoder.encode(encoder.prepare(drawing)[None])[0])
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
        sketch=EncoderSpec(file="sketch.onnx", preprocess=sketch_preprocess),
        photo=EncoderSpec(file="photo.onnx", preprocess=photo_preprocess),
        files={n: FileEntry(bytes=len(d), sha256=hashlib.sha256(d).hexdigest()) for n, d in sorted(files.items())},
        metrics=dict(metrics or {}),
        provenance=dict(provenance or {}),
    )
    manifest = draft.model_copy(update={"bundle_id": draft.identity()})
    _publish(out, {**files, MANIFEST_NAME: (manifest.model_dump_json(indent=2) + "\n").encode()})
    return manifest


def add_adaptation(path: Path, adaptation: Adaptation) -> BundleManifest:
    """Put `adaptation` into the bundle at `path`, in place of one that is there; `bundle_id` stays, embeddings do.

    Raises AdaptationCorrupt (it was made for another bundle), BundleNotFound, BundleCorrupt, BundleSchemaUnsupported.
    """
    manifest = read_manifest(path)
    adaptation.require_fits(manifest.embedding_dim, manifest.bundle_id)
    contents = {**_verified_contents(path, manifest), ADAPTATION_NAME: adaptation.to_bytes()}
    data = contents[ADAPTATION_NAME]
    entry = FileEntry(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    changed = manifest.model_copy(update={"files": dict(sorted({**manifest.files, ADAPTATION_NAME: entry}.items()))})
    _publish(path, {**contents, MANIFEST_NAME: (changed.model_dump_json(indent=2) + "\n").encode()})
    return changed


def _publish(out: Path, files: Mapping[str, bytes]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        staged.chmod(0o755)
        for name, data in files.items():
            with (staged / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        retired = staged.with_name(staged.name + "-old")
        if out.exists():
            out.rename(retired)
        staged.rename(out)
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


def _npy(array: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
