"""The whole page: contents beside it, operations by tag, problems by code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from service.http.problem_kinds import all_kinds
from service.http.reference.text import prose, ranges, resolved, shown_json
from service.http.reference.try_it import form

_IN_GALLERY = "/v1/galleries/{gallery}/"

Operation = tuple[str, str, Mapping[str, Any], bool]
"""Path, method, the operation, and whether every gallery has it."""


def render(document: Mapping[str, Any], base_url: str, root_path: str = "") -> str:
    """The whole page; `base_url` is how the reader reached it, for commands to copy; `root_path`, for its script."""
    title = f"{document['info']['title']} {document['info']['version']}"
    by_tag = {tag["name"]: list(_operations_of(document, tag["name"])) for tag in document["tags"]}
    schemas = document.get("components", {}).get("schemas", {})
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<title>{escape(title)}: API</title><link rel="stylesheet" href="docs/style.css">',
            '<link rel="icon" href="page/images/logo.svg" type="image/svg+xml">',
            f'<script type="module" src="docs/try_it.js"></script></head><body data-root="{escape(root_path)}">',
            *_contents(document, by_tag),
            f"<main><h1>{escape(title)}</h1><p>{prose(document['info']['description'])}</p>",
            '<p>For machines: <a href="openapi.json">openapi.json</a>. To draw: <a href="./">the page</a>.</p>',
            *_settings(),
            *_tags(document, by_tag, schemas, base_url.rstrip("/")),
            *_problems(),
            "</main></body></html>",
        ]
    )


def _operations_of(document: Mapping[str, Any], tag: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        if path.startswith(_IN_GALLERY):  # stands with the short route, which answers the same
            continue
        in_gallery = path.replace("/v1/", _IN_GALLERY, 1) in document["paths"]
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield path, method, operation, in_gallery


def _contents(document: Mapping[str, Any], by_tag: Mapping[str, list[Operation]]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><details id="contents" open><summary>Contents</summary>'
    for tag in document["tags"]:
        yield f'<p><a href="#tag-{escape(tag["name"])}">{escape(tag["name"].capitalize())}</a></p><ul>'
        for _, method, operation, _ in by_tag[tag["name"]]:
            link = f'<a href="#{escape(operation["operationId"])}">{escape(operation["summary"])}</a>'
            yield f'<li><span class="verb {method}">{method.upper()}</span> {link}</li>'
        yield "</ul>"
    yield '<p><a href="#problems">Problems</a></p></details></nav>'


def _settings() -> Iterator[str]:
    """What every form sends along."""
    yield '<form id="settings" aria-label="For every request">'
    yield '<div class="control"><label for="api-key">API key</label>'
    yield '<input id="api-key" type="password" autocomplete="off" placeholder="where the service has keys"></div>'
    yield '<div class="control"><label for="gallery">gallery</label>'
    yield '<input id="gallery" type="text" autocomplete="off" placeholder="default"></div></form>'


def _tags(
    document: Mapping[str, Any], by_tag: Mapping[str, list[Operation]], schemas: Mapping[str, Any], base_url: str
) -> Iterator[str]:
    for tag in document["tags"]:
        name = escape(tag["name"])
        yield f'<h2 id="tag-{name}">{name.capitalize()}</h2><p>{escape(tag["description"])}</p>'
        for path, method, operation, in_gallery in by_tag[tag["name"]]:
            yield f'<section id="{escape(operation["operationId"])}">'
            yield f'<h3><span class="verb {method}">{method.upper()}</span> {_breakable(path)}</h3>'
            yield f"<p><strong>{escape(operation['summary'])}.</strong> {prose(operation['description'])}</p>"
            if in_gallery:
                yield f"<p>Of another gallery: <code>{escape(path.replace('/v1/', _IN_GALLERY, 1))}</code></p>"
            yield from _parameters(operation, schemas)
            yield from _request(base_url + path, operation)
            yield form(path, method, operation, schemas, in_gallery)
            yield from _answers(operation)
            yield "</section>"


def _parameters(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    if not (parameters := operation.get("parameters")):
        return
    yield '<div class="wide"><table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>'
    for parameter in parameters:
        schema = resolved(parameter["schema"], schemas)
        text = prose(parameter.get("description", "") + ranges(schema))
        yield f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td><td>{text}</td></tr>"
    yield "</table></div>"


def _request(url: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """Each form of a request body as a command to copy."""
    if not (body := operation.get("requestBody")):
        return
    yield f"<p>{prose(body['description'])}</p><details><summary>Commands</summary>"
    content = body["content"]
    for media_type, media in content.items():
        if media_type == "application/json":
            named = media.get("examples", {"": {"value": media.get("example")}})
            for example in named.values():
                command = f"curl --json '{json.dumps(example['value'])}' {url}"
                yield f"<p>{escape(example.get('summary', 'JSON'))}</p><pre>{escape(command)}</pre>"
        elif media_type == "multipart/form-data":
            yield f"<p>A form</p><pre>{escape(f'curl -F sketch=@drawing.png {url}')}</pre>"
    if images := [media_type for media_type in content if media_type.startswith("image/")]:
        yield f"<p>The image itself: {escape(', '.join(images))}</p>"
        yield f"<pre>{escape(f'curl --data-binary @drawing.png {url}')}</pre>"
    yield "</details>"


def _answers(operation: Mapping[str, Any]) -> Iterator[str]:
    yield "<p>Answers</p>"
    for status, response in operation["responses"].items():
        text = f"<code>{status}</code> {prose(response['description'])}"
        example = response.get("content", {}).get("application/json", {}).get("example")
        if example is None:
            yield f'<p class="answer">{text}</p>'
        else:
            yield f'<details class="answer"><summary>{text}</summary><pre>{shown_json(example)}</pre></details>'


def _breakable(path: str) -> str:
    return escape(path).replace("/", "/<wbr>")


def _problems() -> Iterator[str]:
    yield '<h2 id="problems">Problems</h2><div class="wide"><table>'
    yield "<tr><th>Code</th><th>Status</th><th>Meaning</th></tr>"
    for kind in all_kinds():
        yield (
            f'<tr id="problem-{kind.code}"><td><code>{kind.code}</code></td><td>{kind.status}</td>'
            f"<td>{escape(kind.title)}. {escape(kind.advice)}</td></tr>"
        )
    yield "</table></div>"
