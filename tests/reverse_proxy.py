"""A small HTTP proxy that serves another service below a path, as nginx or Traefik would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

_OF_ONE_CONNECTION = {b"connection", b"keep-alive", b"transfer-encoding"}


@dataclass
class ReverseProxy:
    """ASGI: passes what is below `prefix` on to `upstream`, without the prefix if it `strips`; all else is 404.

    `upstream` is a URL, or an ASGI application, which takes `client` for the proxy's address. `headers` are added.
    """

    upstream: str | ASGIApp
    prefix: str
    strips: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    client: tuple[str, int] = ("127.0.0.1", 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and not isinstance(self.upstream, str):
            await self.upstream(scope, receive, send)  # a client of the proxy starts the application behind it
            return
        assert scope["type"] == "http"
        raw: bytes = scope["raw_path"].split(b"?")[0]  # escapes stay as they are
        prefix = self.prefix.encode()
        if raw != prefix and not raw.startswith(prefix + b"/"):
            await self._answer(404, [], b"the proxy has nothing here", send)
            return
        target = (raw.removeprefix(prefix) or b"/") if self.strips else raw
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        kept = [(name, value) for name, value in scope["headers"] if name not in _OF_ONE_CONNECTION]
        added = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        async with self._client() as client:
            request = client.build_request(
                scope["method"], client.base_url, headers=[*kept, *added], content=bytes(body)
            )
            request.url = client.base_url.copy_with(raw_path=target)
            answer = await client.send(request, stream=True)
            content = b"".join([part async for part in answer.aiter_raw()])
        headers = [(name.lower(), value) for name, value in answer.headers.raw]
        await self._answer(
            answer.status_code, [pair for pair in headers if pair[0] not in _OF_ONE_CONNECTION], content, send
        )

    def _client(self) -> httpx.AsyncClient:
        if isinstance(self.upstream, str):
            # Nothing to verify over plain HTTP: reading the system's certificates takes longer than the request.
            return httpx.AsyncClient(base_url=self.upstream, timeout=30, verify=False)
        transport = httpx.ASGITransport(self.upstream, client=self.client)
        return httpx.AsyncClient(base_url="http://127.0.0.1", transport=transport)

    @staticmethod
    async def _answer(status: int, headers: list[tuple[bytes, bytes]], body: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
