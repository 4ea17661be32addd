"""What is being served."""

from __future__ import annotations

from typing import Any, Literal

from inkseek_client.schemas.base import Schema

Access = Literal["search", "adapt", "write", "admin"]


class MetadataFieldInfo(Schema):
    """A metadata field that filters may name."""

    name: str
    type: str


class Limits(Schema):
    """What a request may hold: bytes, pixels, items."""

    max_upload_bytes: int
    max_image_pixels: int
    max_strokes: int
    max_points: int
    max_batch_items: int
    max_k: int
    max_support_bytes: int
    max_pairs: int
    max_support_photos: int
    max_adapters: int
    max_change_items: int
    max_change_bytes: int


class Info(Schema):
    """Bundle, index, limits, and in `access` what the request's key may do."""

    service: Literal["inkseek"]
    version: str
    gallery: str
    galleries_open: tuple[str, ...]
    bundle_id: str
    bundle_name: str
    bundle_metrics: dict[str, Any]
    index_version: str
    index_published_version: str | None = None
    index_update_problem: str | None = None
    index_created_at: str
    index_kind: str
    index_recall: float | None
    originals: Literal["present", "partial", "missing", "unreadable"] = "present"
    photo_count: int
    embedding_dim: int
    sketch_size_px: int
    providers: tuple[str, ...]
    search_device: str = "cpu"
    search_device_problem: str | None = None
    threads: int
    metadata_fields: tuple[MetadataFieldInfo, ...]
    adaptation_id: str | None
    adaptation_method: str | None = None
    read_only: bool
    access: tuple[Access, ...]
    feedback: bool = False
    limits: Limits


class Readiness(Schema):
    """That a known sketch is answered right, and what is in service."""

    status: Literal["ready"]
    bundle_id: str
    index_version: str
    index_published_version: str | None = None
    index_created_at: str
    checked_s_ago: float
    index_update_problem: str | None = None
    adapters_active: int = 0
    adapters_outdated: int = 0
    online_problem: str | None = None
    galleries_open: int = 1
    galleries_failed: int = 0
    galleries_memory_bytes: int = 0
