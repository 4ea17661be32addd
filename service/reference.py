"""The API reference as HTML, from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from service.problems import all_kinds

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color: #1c1c22; background: #fff; }
h2 { margin-top: 3rem; } h3 { margin: 2.5rem 0 .25rem; font-family: ui-monospace, monospace; font-size: 1.05rem; }
pre { background: #f4f4f6; padding: .75rem 1rem; overflow-x: auto; border-radius: .4rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd; } code { font-size: .92em; } .verb { color: #0b57a4; }
:target { background: #fff3c4; }
@media (prefers-color-scheme: dark) { body { background: #17171b; color: #e8e8ee; } pre { background: #24242b; }
td, th { border-color: #3a3a44; } a, .verb { color: #8ab8f5; } :target { background: #4a3f10; } }
""".strip()


def render(document: Mapping[str, Any]) -> str:
    """The whole page."""
    title = f"{document['info']['title']} {document['info']['version']}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}: API</title><link rel="stylesheet" href="/docs/style.css"></head><body><main>',
            f"<h1>{escape(title)}</h1><p>{escape(document['info']['description'])}</p>",
            '<p>For machines: <a href="/openapi.json">openapi.json</a>. To draw: <a href="/">the page</a>.</p>',
            *_operations(document),
            *_problems(),
            "</main></body></html>",
        ]
    )


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'].capitalize())}</h2><p>{escape(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(operation["operationId"])}"><span class="verb">{method.upper()}</span> {escape(path)}</h3>'
    yield f"<p><strong>{escape(operation['summary'])}.</strong> {escape(operation['description'])}</p>"
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
        for parameter in parameters:
            text = parameter.get("description", "") + _range(parameter["schema"])
            name, where = escape(parameter["name"]), parameter["in"]
            yield f"<tr><td><code>{name}</code></td><td>{where}</td><td>{escape(text)}</td></tr>"
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>Body: {escape(body['description'])}</p>"
        yield from _examples("Send", body["content"])
    for status, response in operation["responses"].items():
        if status == "200":
            yield from _examples("Answer", response["content"])
        else:
            yield f"<p><code>{status}</code> {escape(response['description']).replace('`', '')}</p>"


def _range(schema: Mapping[str, Any]) -> str:
    words = {"minimum": "at least", "maximum": "at most", "default": "default"}
    facts = [f"{word} {json.dumps(schema[key])}" for key, word in words.items() if schema.get(key) not in (None, [])]
    return f" ({', '.join(facts)})" if facts else ""


def _examples(verb: str, content: Mapping[str, Any]) -> Iterator[str]:
    for media_type, media in content.items():
        named = media.get("examples", {"": {"value": media["example"]}} if "example" in media else {})
        if not named:
            yield f"<p>{verb} <code>{escape(media_type)}</code></p>"
        for example in named.values():
            value = example["value"]
            text = value if isinstance(value, str) else json.dumps(value, indent=1)
            summary = f": {example['summary']}" if "summary" in example else ""
            yield f"<p>{verb} <code>{escape(media_type)}</code>{escape(summary)}</p><pre>{escape(text)}</pre>"


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2><table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>"
    for kind in all_kinds():
        yield (
            f'<tr id="problem-{kind.code}"><td><code>{kind.code}</code></td><td>{kind.status}</td>'
            f"<td>{escape(kind.title)}. {escape(kind.advice)}</td></tr>"
        )
    yield "</table>"
