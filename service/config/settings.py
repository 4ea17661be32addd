"""All settings in one frozen value, read from `INKSEEK_*` variables and options of `inkseek serve`, checked at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from service.config.access import AccessSettings, OriginSettings
from service.config.artefacts import ArtefactSettings
from service.config.galleries import GallerySettings
from service.config.index import IndexSettings
from service.config.observation import ObservationSettings
from service.config.process import ProcessSettings
from service.config.requests import RequestSettings
from service.environment import ENV_PREFIX, reject_unknown_variables, written_by_platform
from service.gallery_folders import GalleryFolders


class _OwnVariables(EnvSettingsSource):
    """The environment without what Kubernetes writes for a Service of our name."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = super()._load_env_vars()
        return {name: value for name, value in found.items() if not written_by_platform(name, value or "")}


class Settings(
    # The documentation lists them from the last to the first: pydantic collects fields from the root of a class on.
    ObservationSettings,
    OriginSettings,
    GallerySettings,
    AccessSettings,
    IndexSettings,
    RequestSettings,
    ProcessSettings,
    ArtefactSettings,
    BaseSettings,
):
    """Everything about a running service that is in neither bundle nor index. Frozen; read it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options go before variables; there is no other source."""
        return init_settings, _OwnVariables(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _default_gallery(cls, values: dict[str, Any]) -> dict[str, Any]:
        # A wrong value is left for the field's own check.
        if not values.get("index") and isinstance(text := values.get("galleries"), str):
            with suppress(ValueError):
                folder = GalleryFolders.parse(text).default
                return values if folder is None else {**values, "index": folder}
        return values

    @property
    def key_path(self) -> Path:
        """The file of API keys: `keys_file`, or `keys.json` beside the online store."""
        return self.keys_file or self.online_folder / "keys.json"


def load_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from `INKSEEK_*` variables, `overrides` (not None) going before them.

    Raises UnknownSetting for an `INKSEEK_*` variable that is no setting, pydantic's ValidationError for a bad value.
    """
    # `extra="forbid"` does not see them: pydantic-settings looks up the fields' variables and no others.
    reject_unknown_variables(os.environ if environment is None else environment, Settings.model_fields)
    given = {name: value for name, value in overrides.items() if value is not None}
    return Settings(**given)  # type: ignore[arg-type]  # pydantic checks them


def settings_table() -> str:
    """The configuration table of the documentation, in Markdown."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default in (None, ()) or isinstance(field.default, SecretStr):
            default = "empty"
        elif isinstance(field.default, tuple):
            default = f"`{','.join(field.default)}`"
        else:
            default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
