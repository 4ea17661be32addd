"""The HTTP API as a page, made from the OpenAPI document of the service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_IN_GALLERY = "/v1/galleries/{gallery}/"


def operations_page(document: Mapping[str, Any]) -> str:
    """Every operation by tag: what it does, its parameters, its bodies with an example, its answers."""
    lines = [
        "# Operations",
        "",
        "This page is made from the service's OpenAPI document, which a running service has at `/openapi.json`",
        "and which [lies here as well](openapi.json). [The API in prose](api.md) says how the parts belong together.",
        f"What stands below `/v1/` stands below `{_IN_GALLERY}` too, for a service of several galleries.",
        "",
    ]
    for tag in document["tags"]:
        lines += [f"## {tag['name'].capitalize()}", "", tag["description"], ""]
        for path, methods in document["paths"].items():
            if path.startswith(_IN_GALLERY):
                continue
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    lines += _operation(method, path, operation)
    return "\n".join(lines)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {operation['summary']}"
    yield ""
    yield f"`{method.upper()} {path}`"
    yield f"{{: .operation .{method} }}"
    yield ""
    yield operation["description"]
    yield ""
    if parameters := operation.get("parameters"):
        yield from ("| parameter | in | meaning |", "|---|---|---|")
        for parameter in parameters:
            meaning = _one_line(parameter.get("description", ""))
            default = parameter["schema"].get("default")
            shown = "" if default is None else f" Default: `{json.dumps(default)}`."
            yield f"| `{parameter['name']}` | {parameter['in']} | {meaning}{shown} |"
        yield ""
    if body := operation.get("requestBody"):
        yield f"**Body.** {body['description']}"
        yield ""
        yield from _examples(body["content"], "Request")
    yield from ("| status | answer |", "|---|---|")
    for status, response in operation["responses"].items():
        yield f"| {status} | {_one_line(response['description'])} |"
    yield ""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from _examples(response.get("content", {}), f"Answer {status}")


def _examples(content: Mapping[str, Any], title: str) -> Iterator[str]:
    media = content.get("application/json", {})
    named = media.get("examples") or ({"": {"value": media["example"]}} if "example" in media else {})
    for example in named.values():
        label = f"{title}: {example['summary']}" if "summary" in example else title
        yield f'??? example "{label.rstrip(".")}"'
        yield "    ```json"
        yield from (f"    {line}" for line in json.dumps(example["value"], indent=2, ensure_ascii=False).splitlines())
        yield from ("    ```", "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
