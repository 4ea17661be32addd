"""An index brought up to date with a gallery, for commands that serve it at once."""

from __future__ import annotations

from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.bundle_versions import bundle_of
from index_builder.artifact.errors import IndexCorrupt, IndexNotFound
from index_builder.build import BuildRequest, build_index, update_index
from index_builder.cli import display
from models.bundle import read_manifest
from models.console import log


def bring_up_to_date(photos: Path, out: Path, bundle: Path | None) -> None:
    """Embed what has changed since the bundle's version in `out`; where that publishes none, every photo.

    Raises BundleError, BuildError, IndexArtifactError.
    """
    # All photos may leave, since another release of a gallery may have others.
    request = BuildRequest(photos, out, bundle=bundle, max_deleted=1.0, resume=True)
    known = _published_bundle(out) == read_manifest(bundle).bundle_id
    if not known:
        log(f"indexing {photos} into {out}; the next start finds it there")
    with display.progress() as progress:
        (update_index if known else build_index)(request, progress)


def _published_bundle(out: Path) -> str | None:
    try:
        return bundle_of(out, layout.current_version(out))
    except (IndexNotFound, IndexCorrupt):
        return None
