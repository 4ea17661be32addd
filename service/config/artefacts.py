"""Where the bundle, the index, the photos and the online store are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from models.bundle import bundle_path


def _place(value: object) -> object:
    """A folder, or a URL, which a path cannot hold."""
    return Path(value) if isinstance(value, str) and "://" not in value else value


class ArtefactSettings(BaseModel):
    """What is served, and where what changes is kept."""

    index: Path = Field(description="Index directory, as `inkseek index build --out` wrote it.")
    bundle: Path | None = Field(
        default=None,
        description="Model bundle: a shipped one's name, such as `small`, or a directory; empty: the default.",
    )
    gallery_root: Annotated[Path | str | None, BeforeValidator(_place)] = Field(
        default=None,
        description="Folder or URL with the original photos; empty: the one that the index was built from. "
        "Where a photo is not at hand its thumbnail is answered.",
    )
    online_dir: Path | None = Field(
        default=None,
        description="Folder, writable, for what changes while serving (adapters, their examples, uploaded photos); "
        "empty: `online` in the index directory.",
    )

    @field_validator("bundle", mode="before")
    @classmethod
    def _find_bundle(cls, value: object) -> object:
        # A shipped bundle's name becomes its folder here: everything else sees only paths.
        return bundle_path(value) if isinstance(value, str) and value else value

    @property
    def online_folder(self) -> Path:
        """The folder of the online store: `online_dir`, or `online` in the index directory."""
        return self.online_dir or self.index / "online"
