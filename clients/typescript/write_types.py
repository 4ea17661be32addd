"""Writes src/openapi.ts from the service's OpenAPI document with openapi-typescript (`make client-types`).

A test compares the file with what this makes of the current document.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from service.app import create_app
from service.config import load_settings

FOLDER = Path(__file__).resolve().parent
TYPES = FOLDER / "src" / "openapi.ts"
GENERATOR = FOLDER / "node_modules" / ".bin" / "openapi-typescript"
_OF_GALLERY = "/v1/galleries/{gallery}/"


def reduced(document: dict[str, Any]) -> dict[str, Any]:
    """What the client's types are made of: a fifth of the whole.

    Routes below a gallery's name repeat the others; all problems are one schema, and examples have no types.
    """
    paths = {path: item for path, item in document["paths"].items() if not path.startswith(_OF_GALLERY)}
    successes = {
        path: {
            method: spec | {"responses": {code: one for code, one in spec["responses"].items() if code < "300"}}
            for method, spec in item.items()
        }
        for path, item in paths.items()
    }
    without_examples: dict[str, Any] = _without_examples(document | {"paths": successes})
    return without_examples


def generated(document: dict[str, Any]) -> str:
    """The types of a document. Raises CalledProcessError, FileNotFoundError where the generator is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "openapi.ts"
        source.write_text(json.dumps(reduced(document)), encoding="utf-8")
        # A default is what the service assumes of a request; of an answer it says nothing.
        options = ["--output", str(target), "--default-non-nullable", "false"]
        subprocess.run([str(GENERATOR), str(source), *options], check=True, capture_output=True, cwd=folder)
        return target.read_text(encoding="utf-8")


def _without_examples(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_examples(one) for one in node]
    if not isinstance(node, dict):
        return node
    # A property may be named so as well; its schema is an object with a type.
    kept = {name: one for name, one in node.items() if name not in ("example", "examples") or _is_schema(one)}
    return {name: _without_examples(one) for name, one in kept.items()}


def _is_schema(node: Any) -> bool:
    return isinstance(node, dict) and ("$ref" in node or isinstance(node.get("type"), str))


if __name__ == "__main__":
    TYPES.write_text(generated(create_app(load_settings({}, index=Path("nowhere"))).openapi()), encoding="utf-8")
