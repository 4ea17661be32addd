"""Formats that Pillow reads with the help of another package, where that is installed."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache

_PACKAGES = {"HEIF": "pi_heif", "JXL": "pillow_jxl"}
EXTRAS = {"HEIF": "heif", "JXL": "jxl"}
"""The extra of this package that brings each format's decoder."""


@cache
def plugin_formats() -> tuple[str, ...]:
    """The formats whose package is installed; nothing is imported for that."""
    return tuple(format for format, package in _PACKAGES.items() if importlib.util.find_spec(package))


@cache
def register_plugins() -> None:
    """Teach Pillow the installed ones, once per process."""
    for format in plugin_formats():
        # By name, since either may be absent; it is the process that decodes which needs them.
        package = importlib.import_module(_PACKAGES[format])
        if format == "HEIF":
            package.register_heif_opener(thumbnails=False)
