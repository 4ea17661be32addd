"""The options that `build`, `update` and `compact` share, and the request that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from index_builder.build import DECODE_BYTES, BuildRequest
from index_builder.cli import options as opt
from index_builder.stores.plan import DEFAULT_NEEDS, Needs
from models.bundle import ImageLimits, Runtime


@dataclass(frozen=True)
class VersionOptions:
    """How a version is searched, what gates it, and how many versions are kept."""

    bundle: opt.BundleOption = None
    kind: opt.Kind = "auto"
    target_recall: opt.TargetRecall = DEFAULT_NEEDS.recall
    search_megabytes: opt.SearchMegabytes = None
    store: opt.Store = None
    milvus_uri: opt.MilvusUri = None
    milvus_token: opt.MilvusToken = None
    sketches: opt.Sketches = None
    min_recall: opt.MinRecall = None
    keep: opt.Keep = 3

    def request(self, photos: str | Path, out: Path) -> BuildRequest:
        """The request for a version in `out` of the photos there."""
        return BuildRequest(
            photos=photos,
            out=out,
            bundle=self.bundle,
            kind=self.kind,
            needs=Needs(
                self.target_recall,
                None if self.search_megabytes is None else int(self.search_megabytes * 2**20),
            ),
            store=self.store,
            milvus=opt.milvus_server(self.milvus_uri, self.milvus_token),
            sketches=self.sketches,
            min_recall=self.min_recall,
            keep=self.keep,
        )


@dataclass(frozen=True)
class EmbeddingOptions:
    """Which photos are read, and how they are embedded."""

    max_megapixels: opt.MaxMegapixels = 50
    max_megabytes: opt.MaxMegabytes = 64
    decode_megabytes: opt.DecodeMegabytes = DECODE_BYTES / 2**20
    workers: opt.Workers = None
    batch: opt.Batch = None
    require_gpu: opt.RequireGpu = False
    exclude: opt.Exclude = None
    follow_links: opt.FollowLinks = False
    resume: opt.Resume = False
    engine: opt.EngineOption = "local"

    @property
    def limits(self) -> ImageLimits:
        """Bytes and pixels that a photo may have."""
        return ImageLimits(max_bytes=int(self.max_megabytes * 2**20), max_pixels=int(self.max_megapixels * 1e6))

    def applied(self, request: BuildRequest) -> BuildRequest:
        """The request with these options; what `exclude` and `follow_links` leave open is as the request has it."""
        return replace(
            request,
            limits=self.limits,
            decode_bytes=int(self.decode_megabytes * 2**20),
            runtime=Runtime(threads=1, require_gpu=self.require_gpu),
            workers=self.workers,
            batch=self.batch,
            exclude=tuple(self.exclude or request.exclude),
            follow_links=self.follow_links or request.follow_links,
            resume=self.resume,
            engine=self.engine,
        )
