"""What one process serves: bundle and index, swapped atomically, closed when the last request with them is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from index_builder.artifact import (
    CheckedFiles,
    GalleryIndex,
    SearchDevice,
    ServableVersion,
    StoreUnavailable,
    servable_version,
)
from index_builder.artifact.layout import version_dir
from index_builder.artifact.verification import read_manifest
from models.bundle import Bundle, cpu_quota
from models.images import IsolatedDecoder
from models.sandbox import ProcessLimits
from service.config import Settings
from service.errors import GalleryUnavailable, NotReady
from service.search.retriever import Retriever
from service.sketches.decode import SketchDecoder
from service.store.online_store import OnlineStore
from service.store.records import SealedChanges, StoreLimits

_CANARY_ROWS = 3
# Hashing so much takes a tenth of a second, so a damaged small index still fails the start; a larger one is served
# meanwhile, from memory maps, and its hashes are compared in the background.
_CHECKED_AT_START_BYTES = 96 * 2**20
_DECODE_CPU_S = 0.9  # a phone's photo in HEIC takes 0.6 s
_DECODE_WAIT_S = 1.0
_DECODE_SLACK_BYTES = 48 * 2**20  # the file itself, and the pixels on their way back
_CANARY_SCORE = 0.999  # the cosine of a stored unit vector with itself


def load_bundle(settings: Settings) -> Bundle:
    """The configured bundle, every file checked against its manifest. Raises BundleError."""
    return Bundle.load(settings.bundle, settings.runtime)


def sketch_decoder(settings: Settings) -> SketchDecoder:
    """What decodes the sketches and uploaded photos of one process; its child processes start when they are needed."""
    isolated = IsolatedDecoder(
        ProcessLimits(_DECODE_CPU_S, settings.max_decode_bytes + _DECODE_SLACK_BYTES),
        processes=max(1, cpu_quota() // settings.processes),
        wait_s=_DECODE_WAIT_S,
    )
    return SketchDecoder(replace(settings.image_limits, isolated=isolated), settings.stroke_limits)


def load_retriever(
    settings: Settings,
    bundle: Bundle,
    version: str | None = None,
    decoder: SketchDecoder | None = None,
    checked: CheckedFiles | None = None,
    *,
    check_files: bool = True,
    device: SearchDevice | None = None,
) -> Retriever:
    """Open the index version that `bundle` can serve (or the named one) and check it against known answers.

    Retrievers of one process share its `decoder`, whose child processes are limited together; None: one of its own.
    `checked`: files that were hashed before. Without `check_files`, hashes of a large index are left to
    `GalleryIndex.compare_hashes`. `device`: where vectors are searched; retrievers share it. None: the CPU.

    Raises IndexArtifactError (an index of another bundle is one), StoreUnavailable, BundleCorrupt, OnlineCorrupt,
    NotReady.
    """
    if version is None:
        version = version_for(settings.index, bundle).version
    manifest = read_manifest(version_dir(settings.index, version))
    if manifest.collection is not None and settings.milvus is None:
        raise StoreUnavailable(
            f"index version {version} has its vectors in Milvus, in {manifest.collection}: INKSEEK_MILVUS_URI says "
            "where that answers"
        )
    index = GalleryIndex.load(
        settings.index,
        version=version,
        bundle_id=bundle.bundle_id,
        gallery_root=settings.gallery_root,
        check_files=check_files or manifest.total_bytes <= _CHECKED_AT_START_BYTES,
        checked=checked,
        milvus=settings.milvus,
        device=device or SearchDevice(),
    )
    _ = index.suffixed_ids  # read here: no request shall wait for it
    store = OnlineStore(
        settings.online_folder,
        bundle.bundle_id,
        bundle.manifest.adapted_dim,
        StoreLimits(settings.max_online_targets, settings.max_online_bytes),
        SealedChanges(mark.store_id, mark.change) if (mark := index.manifest.online) else None,
    )
    retriever = Retriever(bundle, index, decoder or sketch_decoder(settings), store)
    try:
        check_canary(retriever)
        store.check()
    # BaseException: an interrupted start closes its files, too.
    except BaseException:
        retriever.close()
        raise
    return retriever


def version_for(index: Path, bundle: Bundle) -> ServableVersion:
    """The published version of an index, or the last one that `bundle` can serve while another one's is published.

    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported; BundleMismatch when that bundle made no version.
    """
    # Where one bundle lies, others lie beside it.
    return servable_version(index, bundle.bundle_id, sorted(bundle.path.parent.glob("*/")))


@contextmanager
def open_retriever(settings: Settings) -> Iterator[Retriever]:
    """Bundle, index and online store for one command; closed with the block. Raises as `load_retriever`."""
    retriever = load_retriever(settings, load_bundle(settings))
    try:
        yield retriever
    finally:
        retriever.close()
        retriever.decoder.close()


def check_canary(retriever: Retriever) -> None:
    """Query what the answer is known to: the bundle its canary drawing, the index its own vectors.

    Raises BundleCorrupt when an encoder does not answer as it did when the bundle was written, NotReady when a stored
    vector does not find its own row (or one as good), or a photo cannot be looked up.
    """
    retriever.bundle.check_canary()
    index = retriever.index
    for row in np.linspace(0, index.count - 1, min(_CANARY_ROWS, index.count)).astype(int).tolist():
        hits = index.search(np.asarray(index.vector(row))[None], 1)[0]
        # Not the row itself: photos that look the same have the same vector, and the lower row wins.
        # `not >=` instead of `<`: a score that is NaN has to fail as well.
        if not hits or not hits[0].score >= _CANARY_SCORE:
            raise NotReady(f"index {index.version} does not find the photo of row {row} by its own vector")
        if not index.photos([hits[0].row]):
            raise NotReady(f"index {index.version} cannot look up the photo of row {row}")


@dataclass
class _Lease:
    """A retriever and how many jobs use it."""

    retriever: Retriever
    jobs: int = 0
    retired: bool = False


@dataclass
class Serving:
    """The retriever in service. Threads borrow it for one job; a swap waits for nobody and interrupts nobody."""

    _lease: _Lease
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, retriever: Retriever) -> Serving:
        """Serve `retriever`; it is closed when it is swapped out or with `close`."""
        return cls(_Lease(retriever))

    @property
    def version(self) -> str:
        """Name of the index version in service."""
        return self._lease.retriever.index.version

    @property
    def bundle(self) -> Bundle:
        """The bundle in service; it stays the same while the process lives."""
        return self._lease.retriever.bundle

    @property
    def store(self) -> OnlineStore:
        """The online store beside the index in service; closed with that, it opens its database again where asked."""
        return self._lease.retriever.store

    @property
    def decoder(self) -> SketchDecoder:
        """What decodes sketches; it stays the same while the process lives."""
        return self._lease.retriever.decoder

    @property
    def is_at_hand(self) -> bool:
        """Whether a search reads memory alone: see `Retriever`."""
        return self._lease.retriever.is_at_hand

    @property
    def device(self) -> SearchDevice:
        """Where vectors are searched; it stays the same while the process lives."""
        return self._lease.retriever.index.device

    def borrow(self) -> Borrowed:
        """The retriever in service, which stays open until the block is left. Raises GalleryUnavailable once closed."""
        return Borrowed(self)

    def swap(self, retriever: Retriever) -> None:
        """Serve `retriever` from now on; the old index is closed when nobody uses it any more."""
        self._retire(_Lease(retriever))

    def close(self) -> None:
        """Close the index once nobody uses it; borrow nothing afterwards."""
        self._retire(self._lease)

    def _retire(self, successor: _Lease) -> None:
        with self._lock:
            old, self._lease = self._lease, successor
            old.retired = True
            idle = old.jobs == 0
        if idle:
            old.retriever.close()


class Borrowed:
    """A context: see `Serving.borrow`. Entered with each request, so it is no generator."""

    __slots__ = ("_lease", "_serving")

    def __init__(self, serving: Serving) -> None:
        """Nothing is borrowed before it is entered."""
        self._serving = serving

    def __enter__(self) -> Retriever:
        """Borrow it."""
        with self._serving._lock:
            lease = self._lease = self._serving._lease
            if lease.retired:  # a job that began after its request was given up
                raise GalleryUnavailable("the gallery is closed")
            lease.jobs += 1
        return lease.retriever

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        lease = self._lease
        with self._serving._lock:
            lease.jobs -= 1
            finished = lease.retired and lease.jobs == 0
        # Outside the lock, as in `_retire`: nobody who borrows has to wait until files are closed.
        if finished:
            lease.retriever.close()
