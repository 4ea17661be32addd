"""`quotas.json` in a gallery's index directory: limits of its own on what its online store keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.errors import QuotasInvalid

FILE = "quotas.json"


class Quotas(BaseModel):
    """Each one takes the place of the setting of the same name; None leaves that as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_adapters: Annotated[int, Field(ge=1, le=10_000)] | None = None
    max_online_photos: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    max_online_targets: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_online_bytes: Annotated[int, Field(ge=2**20, le=2**50)] | None = None

    def changes(self) -> dict[str, int]:
        """The settings that differ."""
        return self.model_dump(exclude_none=True)


def quotas_of(folder: Path) -> Quotas:
    """The quotas of the gallery in `folder`; without a file, none of its own. Raises QuotasInvalid."""
    path = folder / FILE
    try:
        return Quotas.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Quotas()
    except (OSError, ValidationError) as error:
        raise QuotasInvalid(f"{path} does not hold quotas: {error}") from error
