"""Requests of clients against the OpenAPI document, which also answers them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx

NOT_CALLED = {("get", "/livez")}
SUFFIXED = {"/v1/photos/{photo_id}/thumbnail", "/v1/photos/{photo_id}/image", "/v1/photos/{photo_id}/similar"}
"""Asked for with `view` of the photo's own path, which holds for every id."""
OF_NO_GALLERY = ("/readyz", "/metrics", "/v1/galleries", "/v1/keys", "/v1/keys/{key_id}")


def routes_of(document: dict[str, Any]) -> Iterator[tuple[str, str, re.Pattern[str], dict[str, Any]]]:
    """Method, path and operation, the most specific path first."""
    for path in sorted(document["paths"], key=lambda path: (path.count("{"), -len(path))):
        # Ids and categories may have slashes, which quoting leaves.
        pattern = re.sub(r"\\{(photo_id|category)\\}", "[^:]+", re.escape(path))
        for method, spec in document["paths"][path].items():
            yield method, path, re.compile(re.sub(r"\\{\w+\\}", "[^/:]+", pattern)), spec


class Documented:
    """Answers every request with the example that the document has for its route, and checks the request itself."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.routes = list(routes_of(document))
        self.called: list[tuple[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method, path, spec = next(
            (method, path, spec)
            for method, path, pattern, spec in self.routes
            if method == request.method.lower() and pattern.fullmatch(request.url.path)
        )
        self.called.append((method, path))
        documented = {parameter["name"] for parameter in spec.get("parameters", [])}
        assert set(request.url.params) <= documented, path
        self._check_body(request, spec)
        is_queued = request.url.params.get("depth") == "deep"
        status, answer = next(
            (code, one) for code, one in spec["responses"].items() if (code == "202" if is_queued else code < "300")
        )
        content = answer.get("content", {})
        if (view := request.url.params.get("view", "record")) != "record":
            shown = next(spec for _, path, _, spec in self.routes if path.endswith(f"/{view}"))
            content = shown["responses"]["200"]["content"]
        example = content.get("application/json", {}).get("example")
        if example is not None:
            return httpx.Response(int(status), json=example)
        if not content:
            return httpx.Response(int(status))
        return httpx.Response(int(status), content=b"a file", headers={"Content-Type": next(iter(content))})

    def _check_body(self, request: httpx.Request, spec: dict[str, Any]) -> None:
        accepted = spec.get("requestBody", {}).get("content", {})
        sent = request.read()
        if not accepted:
            assert not sent
            return
        kind = request.headers["Content-Type"].partition(";")[0]
        assert kind in accepted or (kind == "application/octet-stream" and "image/png" in accepted)
        if kind == "multipart/form-data":
            schema = accepted[kind]["schema"]
            fields = set(re.findall(rb'Content-Disposition: form-data; name="(\w+)', sent))
            named = {field.decode() for field in fields if not field.startswith(b"file")}
            assert named
            assert named <= schema["properties"].keys()
