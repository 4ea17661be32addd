"""Jobs and versions of the index."""

from __future__ import annotations

from typing import Literal

from inkseek_client.schemas.base import Schema


class ItemFailure(Schema):
    """An item of a job that changed nothing, by its position from 0, and why."""

    position: int
    photo_id: str
    code: str
    detail: str


class Job(Schema):
    """A job; `total` is None where it is unknown, and `failed` items are among those that are `done`."""

    job_id: str
    kind: Literal["photos", "rebuild", "adapt"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: str
    done: int
    total: int | None = None
    failed: int
    detail: str
    created_by: str
    created_at: str
    updated_at: str
    problems: tuple[ItemFailure, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing will change about it any more."""
        return self.state not in ("queued", "running")


class Jobs(Schema):
    """Jobs of a gallery, the newest first."""

    jobs: tuple[Job, ...]


class Version(Schema):
    """A version of the index that is kept; `in_service`: the one that searches use."""

    version: str
    created_at: str
    photos: int
    segments: int
    bytes: int
    bundle_id: str
    published: bool
    in_service: bool
    online_changes: int = 0


class Versions(Schema):
    """Versions, the newest first, and how many online changes lie over the one in service."""

    versions: tuple[Version, ...]
    changes_pending: int
