"""Whose request a proxy passes on: the client's address, scheme and path, from headers of trusted proxies alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.networks import Network
from service.access.root_path import joined_prefix
from service.http.root_path import FORWARDED_PREFIX

_FORWARDED_FOR = b"x-forwarded-for"
_FORWARDED_PROTO = b"x-forwarded-proto"
_FORWARDED_PREFIX = b"x-forwarded-prefix"
_SCHEMES = {b"http": "http", b"https": "https"}


class TrustedProxies:
    """Puts the client in the place of the proxy. Anybody can send these headers: those of others are not read."""

    def __init__(self, app: ASGIApp, networks: Collection[Network]) -> None:
        """`networks`: of the proxies."""
        self._app = app
        self._forwarded = Forwarded(networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            self._forwarded.believe(scope)
        await self._app(scope, receive, send)


class Forwarded:
    """What the proxies of some networks say of whom they pass on."""

    def __init__(self, networks: Collection[Network]) -> None:
        """`networks`: of the proxies."""
        self._networks = tuple(networks)
        self._is_trusted = lru_cache(maxsize=1024)(self._looked_up)

    def believe(self, scope: Scope) -> None:
        """Put the client in the place of the proxy, where the request comes from one."""
        if scope.get("client") and self._is_trusted(scope["client"][0]):
            self._believe(scope)

    def _believe(self, scope: Scope) -> None:
        forwarded: list[bytes] = []
        prefixes: list[str] = []
        for name, value in scope["headers"]:
            if name == _FORWARDED_FOR:
                forwarded.append(value)
            elif name == _FORWARDED_PREFIX:
                prefixes.append(value.decode("latin-1"))
            elif name == _FORWARDED_PROTO and value.strip().lower() in _SCHEMES:
                scope["scheme"] = _SCHEMES[value.strip().lower()]
        scope[FORWARDED_PREFIX] = joined_prefix(prefixes)
        if not forwarded:
            return
        for address in _from_the_right(b",".join(forwarded)):
            # Each proxy adds whom it got the request from: the first that is no proxy is the client, and what stands
            # before it is what the client claims.
            scope["client"] = (address, 0)
            if not self._is_trusted(address):
                return

    def _looked_up(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _from_the_right(forwarded: bytes) -> Iterator[str]:
    """The addresses of the header, the newest first, as far as they are addresses."""
    for part in reversed(forwarded.split(b",")):
        text = part.strip().decode("latin-1").strip("[]")
        try:
            yield str(ipaddress.ip_address(text))
        except ValueError:
            return
