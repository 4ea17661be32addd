"""The form that sends an operation: a control for each parameter, and for the body its examples and files.

It is plain HTML; `static/try_it.js` sends it. Names of controls say where a value goes: `path.`, `query.`, `header.`,
`body.json`, `body.file` (the body itself), `form.` (a part of a form).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from itertools import count
from typing import Any

from service.http.reference.text import resolved

_IMAGES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/svg+xml"
_NUMBERS = {"integer": "1", "number": "any"}


def form(path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any], in_gallery: bool) -> str:
    """The form of an operation, closed until it is wanted. `in_gallery`: it is there for every gallery, too."""
    name = operation["operationId"]
    controls = [*_parameters(name, operation, schemas), *_body(name, operation)]
    sent = f'data-method="{method.upper()}" data-path="{escape(path)}"{" data-in-gallery" if in_gallery else ""}'
    return "".join(
        [
            f'<details class="try"><summary>Try it</summary><form {sent}>',
            *(f'<div class="control">{control}</div>' for control in controls),
            '<button type="submit">Send</button><output hidden></output></form></details>',
        ]
    )


def _parameters(name: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", []):
        schema = resolved(parameter["schema"], schemas)
        label, key = parameter["name"], f"{parameter['in']}.{parameter['name']}"
        yield _control(f"{name}-{key}", key, label, schema, required=parameter.get("required", False))


def _control(id_: str, key: str, label: str, schema: Mapping[str, Any], *, required: bool) -> str:
    attributes = f'id="{escape(id_)}" name="{escape(key)}"{" required" if required else ""}'
    head = f'<label for="{escape(id_)}">{escape(label)}</label>'
    kind = schema.get("type")
    options = ["true", "false"] if kind == "boolean" else schema.get("enum")
    if options:
        listed = "".join(f"<option>{escape(str(option))}</option>" for option in options)
        return f'{head}<select {attributes}><option value="">default</option>{listed}</select>'
    if kind == "array":
        return f'{head}<textarea {attributes} rows="1" data-list placeholder="one per line"></textarea>'
    if kind in _NUMBERS:
        limits = "".join(
            f' {side}="{schema[key]}"' for side, key in (("min", "minimum"), ("max", "maximum")) if key in schema
        )
        placeholder = escape(json.dumps(schema["default"])) if schema.get("default") is not None else ""
        return f'{head}<input {attributes} type="number" step="{_NUMBERS[kind]}"{limits} placeholder="{placeholder}">'
    value = schema.get("examples", [""])[0] if required else ""
    return f'{head}<input {attributes} type="text" value="{escape(str(value))}">'


def _body(name: str, operation: Mapping[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        yield _json(name, content["application/json"])
    if any(media_type.startswith("image/") for media_type in content):
        yield _file(f"{name}-file", "body.file", "or a picture", several=False)
    elif "multipart/form-data" in content:
        yield from _parts(name, content["multipart/form-data"], beside_json="application/json" in content)


def _json(name: str, media: Mapping[str, Any]) -> str:
    examples = media.get("examples") or {"example": {"summary": "Example", "value": media["example"]}}
    first = json.dumps(next(iter(examples.values()))["value"])
    choice = ""
    if len(examples) > 1:
        options = "".join(
            f'<option value="{escape(json.dumps(example["value"]))}">{escape(example["summary"])}</option>'
            for example in examples.values()
        )
        choice = (
            f'<label for="{name}-example">example</label><select id="{name}-example" data-example>{options}</select>'
        )
    area = f'<textarea id="{name}-json" name="body.json" rows="4" spellcheck="false">{escape(first)}</textarea>'
    return f'{choice}<label for="{name}-json">body (JSON)</label>{area}'


def _parts(name: str, media: Mapping[str, Any], *, beside_json: bool) -> Iterator[str]:
    example = {} if beside_json else media["example"]
    numbers = count(1)
    for part, schema in media["schema"]["properties"].items():
        id_, items = f"{name}-part-{next(numbers)}", schema.get("items", schema)
        if items.get("format") == "binary":
            yield _file(id_, f"form.{part}", f"or {part} files" if beside_json else f"{part} (files)", several=True)
        else:
            lines = "\n".join(example.get(part, []))
            area = f'<textarea id="{id_}" name="form.{escape(part)}" rows="2" data-list>{escape(lines)}</textarea>'
            yield f'<label for="{id_}">{escape(part)} (one per line)</label>{area}'


def _file(id_: str, key: str, label: str, *, several: bool) -> str:
    attributes = f'name="{escape(key)}" type="file" accept="{_IMAGES}"{" multiple" if several else ""}'
    return f'<label for="{id_}">{escape(label)}</label><input id="{id_}" {attributes}>'
