"""The bundle's manifest: what is in the directory, how to feed it, how good it is, where it came from."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.bundle.calibration import ScoreCalibration
from models.bundle.parts import EmbeddingParts
from models.bundle.preprocess import Preprocess

SCHEMA_VERSION = 4
READABLE_VERSIONS = (1, 2, 3, 4)  # 1 knew no parts, 2 no calibration, 3 no trimming

MANIFEST_NAME = "manifest.json"
MODEL_CARD_NAME = "MODEL_CARD.md"
CANARY_SKETCH_NAME = "canary.png"
CANARY_VECTORS_NAME = "canary.npy"
ADAPTATION_NAME = "adaptation.npz"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Frozen):
    """One file of the bundle: its size in bytes and its sha256."""

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class EncoderSpec(_Frozen):
    """One ONNX encoder: `image` (B, 3, size_px, size_px) float32 -> `embedding` (B, E) float32, rows of length 1."""

    file: str
    preprocess: Preprocess


class BundleManifest(_Frozen):
    """Everything that a reader of the bundle may rely on.

    `parts`: how an embedding is divided; None where it is one piece, which then serves every search.
    `calibration`: what scores mean; None where that was not measured, and answers have no confidence. `metrics`:
    measured figures by split. `provenance`: data, recipe, revision. None of these is part of the identity.
    """

    schema_version: int = SCHEMA_VERSION
    bundle_id: str
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    created_at: datetime
    embedding_dim: int = Field(ge=1)
    parts: EmbeddingParts | None = None
    calibration: ScoreCalibration | None = None
    sketch: EncoderSpec
    photo: EncoderSpec
    files: dict[str, FileEntry]
    metrics: dict[str, Any] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_fill_the_embedding(self) -> BundleManifest:
        if self.parts is not None and self.parts.layout_dim + self.parts.kind_dim != self.embedding_dim:
            raise ValueError(f"the parts {self.parts} do not make up {self.embedding_dim} numbers")
        return self

    @property
    def adapted_dim(self) -> int:
        """Length of what adapters work on: the layout part, or the whole embedding where it has no parts."""
        return self.embedding_dim if self.parts is None else self.parts.layout_dim

    def identity(self) -> str:
        """The `bundle_id` of this content, name and digest: equal exactly when embeddings are.

        Weights, preprocessing and dimension count; model card, adaptation, calibration, figures and dates do not.
        """
        content = {
            "embedding_dim": self.embedding_dim,
            "encoders": {
                modality: {
                    "sha256": self.files[spec.file].sha256,
                    "preprocess": spec.preprocess.identity(),
                }
                for modality, spec in (("sketch", self.sketch), ("photo", self.photo))
            },
        }
        # Sorted keys: one content has to be one text, in whatever order its fields are declared.
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:12]}"
