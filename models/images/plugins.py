"""HEIC, which Pillow reads with the help of another package, where that is installed."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache

_PACKAGES = {"HEIF": "pi_heif"}
EXTRAS = {"HEIF": "heif"}
"""The extra of this package that brings each format's decoder."""
UNREAD = {"JXL": "JPEG XL"}
"""Formats that are recognised, so that a message can name them, and that no decoder here reads."""


@cache
def plugin_formats() -> tuple[str, ...]:
    """The formats whose package is installed; nothing is imported for that."""
    return tuple(format for format, package in _PACKAGES.items() if importlib.util.find_spec(package))


@cache
def register_plugins() -> None:
    """Teach Pillow the installed ones, once per process."""
    for format in plugin_formats():
        # By name, since it may be absent; it is the process that decodes which needs it.
        package = importlib.import_module(_PACKAGES[format])
        # One thread: each further one takes a stack of the memory that the process may take.
        package.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
