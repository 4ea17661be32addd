"""Where the galleries of a service lie, and which of its settings bound what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.config import Settings
from service.gallery_folders import DEFAULT_GALLERY
from service.runtime.galleries.opening import settings_of_gallery
from service.runtime.galleries.quotas import FILE as QUOTAS_FILE


@dataclass(frozen=True)
class GalleryPlace:
    """The folders of one gallery, which need not be there yet."""

    index: Path
    online: Path

    @property
    def quotas(self) -> Path:
        """Its own limits on what its online store keeps."""
        return self.index / QUOTAS_FILE


@dataclass(frozen=True)
class Places:
    """Where a service keeps what a backup holds."""

    settings: Settings

    @property
    def keys(self) -> Path:
        """The file of API keys."""
        return self.settings.key_path

    def names(self) -> list[str]:
        """Every gallery there is, the default one first. Reads the disk."""
        return [DEFAULT_GALLERY, *(name for name in self.settings.gallery_folders.names() if name != DEFAULT_GALLERY)]

    def gallery(self, name: str) -> GalleryPlace | None:
        """The folders of a gallery, there or to be made; None where the settings have no place for it."""
        if name == DEFAULT_GALLERY:
            return GalleryPlace(self.settings.index, self.settings.online_folder)
        folders = self.settings.gallery_folders
        folder = folders.root / name if folders.root else folders.named.get(name)
        if folder is None:
            return None
        own = settings_of_gallery(self.settings, name, folder)
        return GalleryPlace(own.index, own.online_folder)

    def limits(self) -> dict[str, str | int | None]:
        """The settings that bound what is kept and taken, by name."""
        values = self.settings.model_dump(mode="json")
        return {name: values[name] for name in values if name.startswith("max_") or name.endswith("_limit")}
