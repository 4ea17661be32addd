"""Which version of an index a bundle can serve, while versions of several bundles lie side by side.

OUT/current             name of the published version
OUT/current_of/<id>     name of the version of bundle <id> that was published last, while another's is published

So a service whose bundle is not that of the published version starts with what it served before, and an upgrade to
another bundle has no moment at which neither the old nor the new service starts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from index_builder.artifact import layout
from index_builder.artifact.errors import BundleMismatch, IndexCorrupt, IndexNotFound, IndexSchemaUnsupported
from index_builder.artifact.verification import read_manifest
from models.atomic_files import write_text
from models.bundle import name_of_bundle

_POINTERS = "current_of"
_BUNDLES_KEPT = 2  # the one that is upgraded to, and the one before


@dataclass(frozen=True)
class ServableVersion:
    """`version` can be served; `published`, made by `published_bundle_id`, is what the index's pointer names."""

    version: str
    published: str
    published_bundle_id: str

    @property
    def is_published(self) -> bool:
        """Whether the bundle serves the published version."""
        return self.version == self.published


def servable_version(out_dir: Path, bundle_id: str, bundles: Collection[Path] = ()) -> ServableVersion:
    """The published version where `bundle_id` made it; else the one of that bundle that was published last.

    `bundles`: directories of bundles, besides those that ship, of which the message may name the right one.

    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported; BundleMismatch when that bundle made no version.
    """
    published = layout.current_version(out_dir)
    made_by = read_manifest(layout.version_dir(out_dir, published)).bundle_id
    if made_by == bundle_id:
        return ServableVersion(published, published, made_by)
    version = _last_of_bundle(out_dir, bundle_id)
    if version is None:
        raise mismatch(out_dir, expected=bundle_id, actual=made_by, bundles=bundles)
    return ServableVersion(version, published, made_by)


def _last_of_bundle(out_dir: Path, bundle_id: str) -> str | None:
    """The version of a bundle that was published last before others'; where no pointer says it, its latest one."""
    versions = [name for name in layout.list_versions(out_dir) if bundle_of(out_dir, name) == bundle_id]
    try:
        pointed = _pointer(out_dir, bundle_id).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):  # written by a release without these pointers, or damaged
        pointed = ""
    if pointed in versions:
        return pointed
    return versions[-1] if versions else None


def bundle_of(out_dir: Path, version: str) -> str | None:
    """The id of the bundle that made a version; None where its manifest cannot be read."""
    try:
        return read_manifest(layout.version_dir(out_dir, version)).bundle_id
    except (IndexNotFound, IndexCorrupt, IndexSchemaUnsupported):
        return None


def point(out_dir: Path, version: str) -> None:
    """Publish `version`, and remember for its bundle the one that was published until now. Raises OSError.

    Each file is replaced atomically: killed in between, the old version is still published.
    """
    outgoing = _published(out_dir)
    if outgoing is not None and (bundle_id := bundle_of(out_dir, outgoing)) is not None:
        (out_dir / _POINTERS).mkdir(exist_ok=True)
        write_text(_pointer(out_dir, bundle_id), outgoing + "\n")
    layout.publish_pointer(out_dir, version)


def kept_for_bundles(out_dir: Path) -> set[str]:
    """What a clean-up leaves: of the two bundles that made the latest versions, the one that was published last."""
    bundles: dict[str, None] = {}
    for version in reversed(layout.list_versions(out_dir)):
        if bundle_id := bundle_of(out_dir, version):
            bundles[bundle_id] = None
    kept = (_servable(out_dir, bundle_id) for bundle_id in list(bundles)[:_BUNDLES_KEPT])
    return {version for version in kept if version}


def mismatch(out_dir: Path, *, expected: str, actual: str, bundles: Collection[Path] = ()) -> BundleMismatch:
    """The error for an index that bundle `actual` made where `expected` is to serve it; it says what to do."""
    name = name_of_bundle(actual, bundles)
    use = f"use that bundle: --bundle {name}" if name else "no bundle of that id is at hand"
    build = f"build a version for the other: inkseek index build --out {out_dir} --bundle BUNDLE"
    return BundleMismatch(f"bundle of index {out_dir}", expected=expected, actual=actual, advice=f"{use}, or {build}")


def _servable(out_dir: Path, bundle_id: str) -> str | None:
    published = _published(out_dir)
    if published is not None and bundle_of(out_dir, published) == bundle_id:
        return published
    return _last_of_bundle(out_dir, bundle_id)


def _pointer(out_dir: Path, bundle_id: str) -> Path:
    return out_dir / _POINTERS / quote(bundle_id, safe="")


def _published(out_dir: Path) -> str | None:
    try:
        return layout.current_version(out_dir)
    except (IndexNotFound, IndexCorrupt):
        return None
