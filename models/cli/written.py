"""What the commands that make bundles have in common: the packages they need, and what they say at the end."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from models.bundle import BundleManifest
from models.console import fail, print_json, stdout
from models.errors import InkseekError


class TrainingExtraMissing(InkseekError):
    """The command needs packages that serving does not."""


def require_extra(as_json: bool) -> None:
    """End the command where torch or onnx is missing."""
    if not all(importlib.util.find_spec(package) for package in ("onnx", "torch")):
        advice = "pip install --editable '.[train]' in a checkout"
        fail(TrainingExtraMissing(f"this needs torch and onnx, which serving does not: {advice}"), as_json=as_json)


def report_written(manifest: BundleManifest, out: Path, as_json: bool) -> None:
    """Say that a bundle lies there now."""
    size = sum(entry.bytes for entry in manifest.files.values())
    if as_json:
        print_json({"bundle_id": manifest.bundle_id, "out": str(out), "bytes": size, "metrics": manifest.metrics})
    else:
        line = f"{manifest.bundle_id} written to {out}, {size / 1e6:.1f} MB"
        stdout().print(line, markup=False, highlight=False, soft_wrap=True)
