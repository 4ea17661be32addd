"""Feedback as JSON, and the parameters of its requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from service.adaptation.targets import NAME_CHARACTERS
from service.http.schemas.base import EXAMPLE_PHOTO_ID, Schema
from service.store.feedback.pairs import FeedbackRecord


class Feedback(Schema):
    """A sketch and the photo that it was meant to find; `category`: the photo's, whose adapter it may be fitted to."""

    feedback_id: str
    category: str
    photo_id: str
    created_at: str


class FeedbackList(Schema):
    """Pairs, the newest first."""

    feedback: list[Feedback]


class FeedbackParams(Schema):
    """What the sketch was meant to find."""

    photo_id: Annotated[str, Field(min_length=1, max_length=2_000, description="The right photo's id.")]


class FeedbackScope(Schema):
    """Which pairs are meant."""

    category: Annotated[str | None, Field(max_length=NAME_CHARACTERS, description="Of this category; empty: all.")] = (
        None
    )


FEEDBACK_EXAMPLE: dict[str, Any] = {
    "feedback_id": "feedback-5f0c2d9a71be",
    "category": "clothing",
    "photo_id": EXAMPLE_PHOTO_ID,
    "created_at": "2026-11-20T13:05:41Z",
}


def feedback_json(record: FeedbackRecord) -> dict[str, Any]:
    """A record as Feedback."""
    return {
        "feedback_id": record.feedback_id,
        "category": record.category,
        "photo_id": record.photo_id,
        "created_at": record.created_at,
    }
