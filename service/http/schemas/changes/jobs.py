"""Jobs and versions as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from service.changes.versions import VersionRecord
from service.http.schemas.base import EXAMPLE_BUNDLE_ID, EXAMPLE_INDEX_VERSION, EXAMPLE_PHOTO_ID, Schema
from service.http.schemas.changes.photos import CATEGORY_SCHEMA, METADATA_SCHEMA
from service.sketches.json_forms import IMAGE_EXAMPLE, IMAGE_PATTERN
from service.store.jobs.records import JobRecord

_PHOTO_ID = {"type": "string", "minLength": 1, "maxLength": 500}
_CHANGE = {
    "title": "An upload, or a change of what is said of a photo",
    "type": "object",
    "required": ["photo_id"],
    "minProperties": 2,
    "properties": {
        "photo_id": _PHOTO_ID,
        "image_base64": {
            "type": "string",
            "minLength": 2,
            "pattern": IMAGE_PATTERN,
            "description": "The photo's file: an upload.",
        },
        "category": CATEGORY_SCHEMA,
        "metadata": METADATA_SCHEMA,
    },
    "additionalProperties": False,
}
_DELETION = {
    "title": "A deletion",
    "type": "object",
    "required": ["photo_id", "delete"],
    "properties": {"photo_id": _PHOTO_ID, "delete": {"type": "boolean", "enum": [True]}},
    "additionalProperties": False,
}
_ITEM = {"anyOf": [_CHANGE, _DELETION]}
_IN_A_FORM = (
    "The JSON array of items, as in the JSON body; `file` of an item names the field that has the photo's file."
)
_ITEMS = {"type": "array", "minItems": 1, "items": _ITEM}
BATCH_EXAMPLE: dict[str, Any] = {
    "items": [
        {"photo_id": "clothing/new.png", "image_base64": IMAGE_EXAMPLE["image_base64"], "category": "clothing"},
        {"photo_id": EXAMPLE_PHOTO_ID, "category": "clothing"},
        {"photo_id": "clothing/old.png", "delete": True},
    ]
}
CHANGES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Uploads, changes of what is said of photos, and deletions, done in their order.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["items"],
                    "properties": {"items": _ITEMS},
                    "additionalProperties": False,
                },
                "example": BATCH_EXAMPLE,
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["items"],
                    "properties": {"items": {"type": "string", "description": _IN_A_FORM}},
                    "additionalProperties": {"type": "string", "format": "binary"},
                }
            },
        },
    }
}


class ItemFailure(Schema):
    """An item of a job that changed nothing, by its position from 0, and why."""

    position: Annotated[int, Field(ge=0)]
    photo_id: str
    code: str
    detail: str


class Job(Schema):
    """A job. `total` is null where it is unknown. `failed` items are among those that are `done`."""

    job_id: str
    kind: Literal["photos", "rebuild", "adapt"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: str
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int | None, Field(ge=0)] = None
    failed: Annotated[int, Field(ge=0)]
    detail: str
    created_by: str
    created_at: str
    updated_at: str
    problems: Annotated[
        tuple[ItemFailure, ...], Field(description="Of the first 100 failed items; in /v1/jobs of none.")
    ] = ()


class Jobs(Schema):
    """Jobs of a gallery, the newest first: those that wait or run, and the last hundred."""

    jobs: list[Job]


class RebuildParams(Schema):
    """What the index is brought up to date with."""

    photos: Annotated[
        bool,
        Field(description="Also compare the gallery's folder or manifest, as `inkseek index update` does."),
    ] = True


class Version(Schema):
    """A version of the gallery's index. `online_changes`: number of the last change that is sealed in it."""

    version: str
    created_at: str
    photos: Annotated[int, Field(ge=1)]
    segments: Annotated[int, Field(ge=1)]
    bytes: Annotated[int, Field(ge=0)]
    bundle_id: str
    published: bool
    in_service: bool
    online_changes: Annotated[int, Field(ge=0)] = 0


class Versions(Schema):
    """The versions that are kept, the newest first, and how many changes lie over the one in service."""

    versions: list[Version]
    changes_pending: Annotated[int, Field(ge=0)]


def job_json(job: JobRecord, code_of: Mapping[str, str]) -> dict[str, Any]:
    """A record as Job. `code_of`: the code of a problem by the name of its error."""
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "stage": job.stage,
        "done": job.done,
        "total": job.total,
        "failed": job.failed,
        "detail": job.detail,
        "created_by": job.created_by,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "problems": [
            {
                "position": problem.position,
                "photo_id": problem.photo_id,
                "code": code_of.get(problem.code, "internal_error"),
                "detail": problem.detail,
            }
            for problem in job.problems
        ],
    }


def versions_json(versions: list[VersionRecord], in_service: str, pending: int) -> dict[str, Any]:
    """Records as Versions."""
    return {
        "versions": [
            {
                "version": one.version,
                "created_at": one.created_at,
                "photos": one.photos,
                "segments": one.segments,
                "bytes": one.bytes,
                "bundle_id": one.bundle_id,
                "published": one.published,
                "in_service": one.version == in_service,
                "online_changes": one.online_changes,
            }
            for one in versions
        ],
        "changes_pending": pending,
    }


JOB_EXAMPLE: dict[str, Any] = {
    "job_id": "job-5f0c2d9a71be",
    "kind": "photos",
    "state": "running",
    "stage": "",
    "done": 320,
    "total": 1000,
    "failed": 1,
    "detail": "",
    "created_by": "anonymous",
    "created_at": "2026-11-20T11:02:19Z",
    "updated_at": "2026-11-20T11:02:23Z",
    "problems": [
        {"position": 17, "photo_id": "clothing/x.png", "code": "image_unreadable", "detail": "the file is cut short"}
    ],
}
DEEP_JOB_EXAMPLE: dict[str, Any] = {
    **JOB_EXAMPLE,
    "kind": "adapt",
    "state": "queued",
    "done": 0,
    "total": None,
    "failed": 0,
    "problems": [],
}
JOBS_EXAMPLE: dict[str, Any] = {"jobs": [JOB_EXAMPLE]}
VERSIONS_EXAMPLE: dict[str, Any] = {
    "versions": [
        {
            "version": EXAMPLE_INDEX_VERSION,
            "created_at": "2026-11-20T11:02:19+00:00",
            "photos": 1638,
            "segments": 2,
            "bytes": 12_582_912,
            "bundle_id": EXAMPLE_BUNDLE_ID,
            "published": True,
            "in_service": True,
            "online_changes": 320,
        }
    ],
    "changes_pending": 12,
}
