"""What a bundle takes over from the one that it was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models.bundle import Bundle, BundleManifest, add_adaptation


def inherit_adaptation(parent: Bundle, out: Path, manifest: BundleManifest) -> BundleManifest:
    """Give the bundle in `out` its parent's adaptation, since their layouts are the same but for rounding."""
    if parent.adaptation is None:
        return manifest
    # An adaptation that serves any bundle has an empty id, and keeps it.
    adapted = replace(parent.adaptation, bundle_id=parent.adaptation.bundle_id and manifest.bundle_id)
    return add_adaptation(out, adapted)
