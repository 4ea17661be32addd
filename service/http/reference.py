"""The API reference as HTML, from the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from service.http.problem_kinds import all_kinds

# Served as a file of its own: the content security policy allows no inline styles.
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #1c1c22; background: #fff; }
h2 { margin-top: 3rem; } h3 { margin: 2.5rem 0 .25rem; font-family: ui-monospace, monospace; font-size: 1.05rem; }
pre { background: #f4f4f6; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
border-radius: .4rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd; } code { font-size: .92em; } .verb { color: #0b57a4; }
:target { background: #fff3c4; }
@media (prefers-color-scheme: dark) { body { background: #17171b; color: #e8e8ee; } pre { background: #24242b; }
td, th { border-color: #3a3a44; } a, .verb { color: #8ab8f5; } :target { background: #4a3f10; } }
""".strip()

_IN_GALLERY = "/v1/galleries/{gallery}/"


def render(document: Mapping[str, Any], base_url: str) -> str:
    """The whole page; `base_url` is how the reader reached it, for commands to copy."""
    title = f"{document['info']['title']} {document['info']['version']}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}: API</title><link rel="stylesheet" href="docs/style.css">',
            '<link rel="icon" href="page/images/logo.svg" type="image/svg+xml"></head><body><main>',
            f"<h1>{escape(title)}</h1><p>{_prose(document['info']['description'])}</p>",
            '<p>For machines: <a href="openapi.json">openapi.json</a>. To draw: <a href="./">the page</a>.</p>',
            *_operations(document, base_url.rstrip("/")),
            *_problems(),
            "</main></body></html>",
        ]
    )


def _operations(document: Mapping[str, Any], base_url: str) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'].capitalize())}</h2><p>{escape(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            if path.startswith(_IN_GALLERY):  # stands with the short route, which answers the same
                continue
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(base_url, path, method, operation)
                    if (in_gallery := path.replace("/v1/", _IN_GALLERY, 1)) in document["paths"]:
                        yield f"<p>Of another gallery: <code>{escape(in_gallery)}</code></p>"


def _operation(base_url: str, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(operation["operationId"])}"><span class="verb">{method.upper()}</span> {escape(path)}</h3>'
    yield f"<p><strong>{escape(operation['summary'])}.</strong> {_prose(operation['description'])}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
        for parameter in parameters:
            text = _prose(parameter.get("description", "") + _range(parameter["schema"]))
            yield f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td><td>{text}</td></tr>"
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>{_prose(body['description'])}</p>"
        yield from _bodies(base_url + path, body["content"])
    yield "<p>Answers</p>"
    for status, response in operation["responses"].items():
        yield f"<p><code>{status}</code> {_prose(response['description'])}</p>"
        if example := response.get("content", {}).get("application/json", {}).get("example"):
            yield f"<pre>{escape(json.dumps(example, indent=1))}</pre>"


def _range(schema: Mapping[str, Any]) -> str:
    words = {"minimum": "at least", "maximum": "at most", "default": "default"}
    facts = [f"{word} {json.dumps(schema[key])}" for key, word in words.items() if schema.get(key) not in (None, [])]
    return f" ({', '.join(facts)})" if facts else ""


def _bodies(url: str, content: Mapping[str, Any]) -> Iterator[str]:
    """Each form of a request body as a command to try it with."""
    for media_type, media in content.items():
        if media_type == "application/json":
            named = media.get("examples", {"": {"value": media.get("example")}})
            for example in named.values():
                about = escape(example.get("summary", "JSON"))
                command = f"curl --json '{json.dumps(example['value'])}' {url}"
                yield f"<p>{about}</p><pre>{escape(command)}</pre>"
        elif media_type == "multipart/form-data":
            yield f"<p>A form</p><pre>{escape(f'curl -F sketch=@drawing.png {url}')}</pre>"
    if images := [media_type for media_type in content if media_type.startswith("image/")]:
        yield f"<p>The image itself: {escape(', '.join(images))}</p>"
        yield f"<pre>{escape(f'curl --data-binary @drawing.png {url}')}</pre>"


def _prose(text: str) -> str:
    """Escaped, with `code` set as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2><table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>"
    for kind in all_kinds():
        yield (
            f'<tr id="problem-{kind.code}"><td><code>{kind.code}</code></td><td>{kind.status}</td>'
            f"<td>{escape(kind.title)}. {escape(kind.advice)}</td></tr>"
        )
    yield "</table>"
