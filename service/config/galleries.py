"""Galleries beside the default one."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from service.gallery_folders import GalleryFolders


class GallerySettings(BaseModel):
    """Where further galleries lie, and what those that are open may cost."""

    galleries: str = Field(
        default="",
        description="Further galleries under `/v1/galleries/NAME`: a folder whose subfolders are index directories, or "
        "`NAME=DIRECTORY,NAME=DIRECTORY`. Without `INKSEEK_INDEX` the one named `default` is the default gallery.",
    )
    galleries_memory_bytes: int = Field(
        default=2**30,
        ge=0,
        description="Memory that open galleries may take in one process, estimated from the sizes of their files; for "
        "one more, those that were used least recently close. The default gallery does not count.",
    )
    galleries_idle_s: float = Field(
        default=900.0, gt=0, description="Seconds without a request after which a gallery closes."
    )
    gallery_labels: int = Field(
        default=50, ge=0, le=1_000, description="Galleries with a label of their own in metrics; the rest are `other`."
    )

    @field_validator("galleries", mode="before")
    @classmethod
    def _check_galleries(cls, value: object) -> object:
        text = str(value) if isinstance(value, Path) else value
        if isinstance(text, str):
            GalleryFolders.parse(text)
        return text

    @property
    def gallery_folders(self) -> GalleryFolders:
        """Where the galleries beside the default one lie."""
        return GalleryFolders.parse(self.galleries)
