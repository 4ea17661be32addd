"""What all schemas share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """A JSON object of an answer."""

    # Not "forbid": a client meets services that are newer than it is.
    model_config = ConfigDict(extra="ignore", frozen=True)
