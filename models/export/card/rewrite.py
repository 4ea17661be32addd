"""A bundle's card written anew, from its manifest and files that are given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.bundle import BundleManifest, change_card, read_manifest
from models.export.card.model_card import model_card, read_text, renewed
from models.export.card.tables import EvaluationUnfit


def rewrite_card(bundle: Path, intro: Path | None, evaluations: Sequence[Path]) -> BundleManifest:
    """Replace the card of the bundle at `bundle`; `intro` is text, `evaluations` are JSON documents of this bundle.

    Raises CardUnreadable, EvaluationUnfit, BundleError, OSError.
    """
    manifest = read_manifest(bundle)
    documents = [_document(file) for file in evaluations]
    changed = renewed(manifest, None if intro is None else read_text(intro), documents)
    return change_card(bundle, changed, model_card(changed))


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationUnfit(f"{file} is no JSON document: {error}") from error
    if not isinstance(document, dict):
        raise EvaluationUnfit(f"{file} is no document of `inkseek evaluate --json`")
    return document
