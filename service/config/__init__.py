"""Settings of the service: environment variables `INKSEEK_*` and `inkseek serve` options, checked once at start."""

from service.config.settings import Settings, load_settings, settings_table

__all__ = ["Settings", "load_settings", "settings_table"]
