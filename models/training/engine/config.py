"""What experiments of any kind share: their error, and how a batch is made up."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from models.errors import InkseekError


class ConfigInvalid(InkseekError):
    """The experiment file cannot be read or asks for something that does not exist."""


class BatchConfig(BaseModel):
    """See `CategoryBatches`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int = 64
    groups: int = 4
    drawn_share: float = 0.6
    synthetic_share: float = 0.1
