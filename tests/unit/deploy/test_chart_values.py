"""The chart's values: documented one by one, described by their schema, with the settings that the service has."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from docs.tables import CHART_OWN, CHART_SCHEMA, chart_schema
from service.config import Settings

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy" / "helm" / "inkseek"
SCHEMA: dict[str, Any] = json.loads(CHART_SCHEMA.read_text(encoding="utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))


def test_the_chart_has_the_release_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["name"], chart["appVersion"]) == (project["name"], project["version"])


def test_the_schema_names_the_settings_of_the_service() -> None:
    text = CHART_SCHEMA.read_text(encoding="utf-8")
    assert chart_schema(text) == text, "run `make docs`"
    assert Settings.model_fields.keys() >= CHART_OWN


def test_the_defaults_fit_their_schema() -> None:
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"queue_sise": 3}},
        {"settings": {"port": 80}},
        {"replicas": 2},
        {"service": {"image": {"digest": "sha256:1"}}},
        {"gallery": {"url": "ftp://a/b"}},
        {"index": {"accessModes": []}},
    ],
)
def test_the_schema_rejects_what_the_chart_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_every_default_is_in_the_schema() -> None:
    assert set(paths(VALUES)) - {"settings"} == set(schema_paths(SCHEMA)) - {"settings", "global"}


def test_every_value_is_documented_above_or_with_its_neighbour() -> None:
    """A comment stands above each value, or above one that it follows without an empty line at the same depth."""
    undocumented = []
    documented: dict[int, bool] = {}
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        depth = len(line) - len(line.lstrip())
        documented = {deep: known for deep, known in documented.items() if deep <= depth and line.strip()}
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            documented[depth] = True
        elif re.match(r"\s*\w+:\s*\S", line) and not documented.get(depth):
            undocumented.append(line.strip())
    assert undocumented == []


def paths(value: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, below in value.items():
        yield above + name
        if isinstance(below, dict) and above + name != "settings" and not free(above + name):
            yield from paths(below, f"{above}{name}.")


def schema_paths(schema: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, below in schema.get("properties", {}).items():
        yield above + name
        yield from schema_paths(below, f"{above}{name}.")


def free(path: str) -> bool:
    """Whether the schema leaves open what the value holds: labels, resources, probes."""
    schema = SCHEMA
    for name in path.split("."):
        schema = schema["properties"][name]
    return "properties" not in schema
