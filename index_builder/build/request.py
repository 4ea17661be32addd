"""The request and the result of a build, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from index_builder.artifact.manifest import IndexManifest
from index_builder.stores.choice import MilvusServer
from index_builder.stores.plan import DEFAULT_NEEDS, DEFAULT_SETTINGS, KindChoice, Needs, StoreSettings
from models.bundle import ImageLimits, Runtime

Stage: TypeAlias = Literal[
    "sketches", "gallery", "reuse", "photos", "merge", "index", "milvus", "duplicates", "recall", "facing", "publish"
]

StoreChoice: TypeAlias = Literal["files", "milvus"]
"""Where the vectors of a version are searched."""

Engine: TypeAlias = Literal["local", "ray"]
"""What embeds the photos: this machine, or a Ray cluster."""

Progress: TypeAlias = Callable[[Stage, int, int | None], None]
"""Called with a stage, how much of it is done, and its total (None: unknown)."""

_DEFAULT_LIMITS = ImageLimits(max_bytes=64 * 2**20)
DECODE_BYTES = 768 * 2**20
"""Memory of all photos that are decoded at once: with encoders and index beside it, a build stays below 2 GiB."""
MAX_DELETED = 0.2
"""Share of the published photos that may leave in one update: more are likelier a mount that failed than a decision."""
_DEFAULT_RUNTIME = Runtime(threads=1)


@dataclass(frozen=True)
class BuildRequest:
    """What to build. `photos`: a folder or a manifest; `bundle`: a name or a directory (None: the shipped one).

    `sketches`: queries to measure recall with (None: drawings of photos); below `min_recall` nothing is published.
    `needs`: recall that the search is tuned for, and memory that it may take, by which `kind` "auto" chooses.
    `decode_bytes`: memory of all photos that are decoded at once; one that needs more alone is listed as too large.
    `workers` and `batch` None: chosen for the device. `keep`: versions left after a build, at least the new one.
    `exclude`, `follow_links`: see `sources.choice.open_source`. `resume`: take over what an interrupted build of the
    same photos has finished, in partitions of `partition_photos`. `engine`: what embeds the photos. `max_deleted`:
    share of the published photos that an update may lose. `store` None: where the vectors of the published version are
    searched, else files. `milvus`: where it answers.
    """

    photos: str | Path
    out: Path
    bundle: str | Path | None = None
    kind: KindChoice = "auto"
    settings: StoreSettings = DEFAULT_SETTINGS
    needs: Needs = DEFAULT_NEEDS
    store: StoreChoice | None = None
    milvus: MilvusServer | None = None
    sketches: Path | None = None
    min_recall: float | None = None
    keep: int = 3
    limits: ImageLimits = _DEFAULT_LIMITS
    decode_bytes: int = DECODE_BYTES
    runtime: Runtime = _DEFAULT_RUNTIME
    workers: int | None = None
    batch: int | None = None
    exclude: tuple[str, ...] = ()
    follow_links: bool = False
    resume: bool = False
    engine: Engine = "local"
    max_deleted: float = MAX_DELETED
    partition_photos: int = 2_048  # some seconds of one core: what a killed build loses at most


@dataclass(frozen=True)
class BuildResult:
    """The published version. `removed`: older versions that were pruned.

    `unchanged`: the version was published before, and there was nothing to change.
    """

    version: str
    manifest: IndexManifest
    removed: tuple[str, ...]
    unchanged: bool = False
