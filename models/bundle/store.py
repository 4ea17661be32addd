"""Finding and reading a bundle directory, every byte checked; `models.bundle.writing` is its counterpart.

A bundle is found by name, when it is one of those under models/bundles that ship with the package, or by path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import ValidationError

from models.adapters.errors import AdaptationCorrupt
from models.adapters.state import Adaptation
from models.arrays import Vectors
from models.bundle.calibration import ScoreCalibration
from models.bundle.encoder import Encoder
from models.bundle.errors import BundleCorrupt, BundleError, BundleNotFound, BundleSchemaUnsupported
from models.bundle.manifest import (
    ADAPTATION_NAME,
    CANARY_SKETCH_NAME,
    CANARY_VECTORS_NAME,
    MANIFEST_NAME,
    READABLE_VERSIONS,
    BundleManifest,
)
from models.bundle.parts import EmbeddingParts
from models.bundle.runtime import Runtime
from models.schema_versions import is_readable, unreadable

DEFAULT_BUNDLE = "default"
"""Name of the bundle that is used where none is chosen."""

_SHIPPED = Path(__file__).resolve().parents[1] / "bundles"

_CANARY_COSINE = 0.99  # providers and precisions differ in the fourth digit; another model is far below


@dataclass(frozen=True)
class Bundle:
    """A verified pair of encoders. `Bundle.load("small")` gives one that is ready to use.

    `adaptation`: what meta-training learned about fitting category and style adapters to a few examples, None in
    bundles that were written without.
    """

    path: Path
    manifest: BundleManifest
    sketch: Encoder
    photo: Encoder
    adaptation: Adaptation | None = None

    @classmethod
    def load(cls, name_or_path: str | Path | None = None, runtime: Runtime | None = None) -> Bundle:
        """Open a bundle, every byte checked; see `bundle_path` for how it is found.

        Raises BundleNotFound, BundleCorrupt, BundleSchemaUnsupported, RuntimeUnavailable.
        """
        path = bundle_path(name_or_path)
        runtime = runtime or Runtime()
        manifest = read_manifest(path)
        contents = verified_contents(path, manifest)
        encoders = []
        for spec in (manifest.sketch, manifest.photo):
            onnx, name = contents[spec.file], str(path / spec.file)
            lone = runtime.lone_session(onnx, name) if spec is manifest.sketch else None
            session = runtime.session(onnx, name)
            encoders.append(Encoder(session, spec.preprocess, manifest.embedding_dim, lone))
        adaptation = None
        if (stored := contents.get(ADAPTATION_NAME)) is not None:
            try:
                adaptation = Adaptation.from_bytes(stored, str(path / ADAPTATION_NAME))
                adaptation.require_fits(manifest.adapted_dim, manifest.bundle_id)
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
    def parts(self) -> EmbeddingParts | None:
        """How an embedding is divided; None where it is one piece."""
        return self.manifest.parts

    @property
    def calibration(self) -> ScoreCalibration | None:
        """What scores mean; None where that was not measured."""
        return self.manifest.calibration

    @property
    def providers(self) -> tuple[str, ...]:
        """Execution providers in use, the preferred one first."""
        return self.sketch.providers

    @cached_property
    def _canary(self) -> tuple[tuple[Vectors, Vectors], Vectors]:
        with Image.open(self.path / CANARY_SKETCH_NAME) as drawing:
            image = drawing.convert("RGB")
        expected: Vectors = np.load(self.path / CANARY_VECTORS_NAME, allow_pickle=False)
        # Not one array: photos may be seen larger than sketches.
        return (self.sketch.prepare(image), self.photo.prepare(image)), expected

    @property
    def known_embedding(self) -> Vectors:
        """(E,) what the sketch encoder answered the canary drawing when the bundle was written."""
        vector: Vectors = self._canary[1][0]
        return vector

    def check_canary(self) -> None:
        """Encode a known drawing with both encoders and compare with what they answered when the bundle was written.

        Raises BundleCorrupt when an encoder no longer gives its own answer (dead device, wrong kernel, not finite).
        """
        inputs, expected = self._canary
        for encoder, batch, vector in zip((self.sketch, self.photo), inputs, expected, strict=True):
            cosine = float(encoder.encode(batch[None])[0] @ vector)
            # Not `<`: a cosine that is NaN compares false either way, and must count as wrong.
            if not cosine >= _CANARY_COSINE:
                raise BundleCorrupt(
                    f"the {encoder.preprocess.modality} encoder answers the canary drawing with cosine {cosine:.4f} to "
                    f"its recorded embedding; at least {_CANARY_COSINE} is expected"
                )


def shipped_bundles() -> tuple[str, ...]:
    """Names of the bundles that ship with the package, in alphabetical order."""
    return tuple(sorted(manifest.parent.name for manifest in _SHIPPED.glob(f"*/{MANIFEST_NAME}")))


def bundle_path(name_or_path: str | Path | None = None) -> Path:
    """Where a bundle lies: text that names a shipped one is that one (None: the default one), other text is a path.

    A name wins over a directory of the same name in the working directory, which is `./small` then; a `Path` is never
    a name. Nothing is read: whether there is a bundle shows when it is opened. A typer option takes names and paths by
    `parser=bundle_path`.
    """
    if isinstance(name_or_path, Path):
        return name_or_path
    text = name_or_path or DEFAULT_BUNDLE
    return _SHIPPED / text if text in shipped_bundles() else Path(text)


def name_of_bundle(bundle_id: str, folders: Iterable[Path] = ()) -> str | None:
    """What to give as `--bundle` for the bundle with that id: the name of a shipped one, or one of `folders`.

    None where it is not at hand. Manifests alone are read; those that cannot be are passed over.
    """
    candidates: list[str | Path] = [*shipped_bundles(), *folders]
    for candidate in candidates:
        try:
            if read_manifest(candidate).bundle_id == bundle_id:
                return str(candidate)
        except BundleError:
            continue
    return None


def read_manifest(name_or_path: str | Path | None = None) -> BundleManifest:
    """The manifest alone, checked against itself; see `bundle_path` for how the bundle is found.

    Raises BundleNotFound, BundleCorrupt, BundleSchemaUnsupported.
    """
    path = bundle_path(name_or_path)
    file = path / MANIFEST_NAME
    try:
        raw = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        shipped = ", ".join(shipped_bundles())
        trained = path.suffix == ".pt" or (path / "students.pt").is_file()
        advice = " (`inkseek bundle build` makes one of a students.pt)" if trained else ""
        raise BundleNotFound(
            f"no bundle at {path}: {MANIFEST_NAME} is missing{advice}; bundles found by their name are {shipped}"
        ) from error
    except (ValueError, OSError) as error:
        raise BundleCorrupt(f"{file} cannot be read: {error}") from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if not is_readable(version, READABLE_VERSIONS):
        raise BundleSchemaUnsupported(unreadable(str(file), version, READABLE_VERSIONS))
    try:
        manifest = BundleManifest.model_validate(raw)
    except ValidationError as error:
        raise BundleCorrupt(f"{file} does not fit the schema: {error}") from error
    required = {manifest.sketch.file, manifest.photo.file, CANARY_SKETCH_NAME, CANARY_VECTORS_NAME}
    if missing := required - set(manifest.files):
        raise BundleCorrupt(f"{file} lists no {', '.join(sorted(missing))}")
    # The names come from a file that anyone may have written: one with a folder in it could lead out of the bundle.
    if names := [name for name in manifest.files if Path(name).name != name or name == MANIFEST_NAME]:
        raise BundleCorrupt(f"{file} lists {names[0]!r}, which is not a plain file name in the bundle")
    if manifest.identity() != manifest.bundle_id:
        raise BundleCorrupt(f"{file} says bundle_id {manifest.bundle_id}; its content has {manifest.identity()}")
    return manifest


def verified_contents(path: Path, manifest: BundleManifest) -> dict[str, bytes]:
    """File name -> bytes of every file in the manifest, read once and checked: what was hashed is what is used.

    Raises BundleCorrupt.
    """
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
