"""Jobs as values: what they are, how far they are, and what their items become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from service.store.records import NewPhoto, PhotoPatch

JobKind: TypeAlias = Literal["photos", "rebuild", "adapt"]
JobState: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]

WAITING: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """Why an item of a job changed nothing: the problem's `code`, and what it says."""

    position: int
    photo_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job. `done` of `total` steps (None: unknown) of its `stage`, `failed` of them; `detail`: of its result.

    `problems`: of the first items that failed, where they were asked for. `key_id`: of the API key that it was queued
    with, empty where there was none.
    """

    job_id: str
    kind: JobKind
    state: JobState
    stage: str
    done: int
    total: int | None
    failed: int
    detail: str
    created_by: str
    created_at: str
    updated_at: str
    key_id: str = ""
    problems: tuple[ItemProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class JobItem:
    """One change of a job as it waits: JSON, and the photo's file where it brings one."""

    position: int
    item: str
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """A photo to be deleted."""

    photo_id: str


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What an item is to become. `indexed`: whether the index in service has a photo of that id."""

    position: int
    change: NewPhoto | PhotoPatch | Deletion
    indexed: bool

    @property
    def photo_id(self) -> str:
        """Of the photo that is changed."""
        return self.change.photo.photo_id if isinstance(self.change, NewPhoto) else self.change.photo_id
