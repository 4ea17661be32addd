"""What a browser can be made to send by a page of another site, and by one that rebinds its own name to this address.

Who has no key to steal, on loopback or in a private network, is protected by these two checks alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import InkseekError
from service.errors import CrossSite, HostUnknown
from service.http.problems import problem_response

_READING = {"GET", "HEAD", "OPTIONS"}
_SAME_SITE = {b"same-origin", b"none"}  # none: typed into the address bar, or a bookmark
_ANY = "*"
_LONGEST_HOST = 300  # bytes, with a port


class BrowserRules:
    """Rejects requests for a `Host` that is not the service's, and requests that pages of other sites send with POST.

    The second check is that of Go's `http.CrossOriginProtection`: `Sec-Fetch-Site`, which no script can forge, and for
    browsers that send none, or over plain HTTP, `Origin` against `Host`. Programs send neither and pass.
    """

    def __init__(self, allowed_hosts: Collection[str], origins: Collection[str], needs_key: Callable[[], bool]) -> None:
        """`allowed_hosts`: names without a port; `*` for any. `origins`: whose pages may send what they like.

        `needs_key`: whether requests need a key. A page that rebinds its name has none, so that any host will do where
        no names are given.
        """
        self._any_host = _ANY in allowed_hosts
        self._needs_key = needs_key
        self._hosts = {host.lower().rstrip(".") for host in allowed_hosts}
        self._seen = lru_cache(maxsize=256)(self._is_ours)  # parsing an address takes longer than all the rest
        self._any_origin = _ANY in origins
        self._origins = {origin.lower() for origin in origins}

    def check(self, scope: Scope) -> None:
        """Raises HostUnknown, CrossSite."""
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name == b"host" and found.get(name, value) != value:
                raise HostUnknown("the request names two hosts")
            found[name] = value
        sent = found.get(b"host", b"")
        # HTTP/1.0 knows no Host; no browser leaves it out.
        if sent and not self._any_host and not self._is_known(sent) and (self._hosts or not self._needs_key()):
            raise HostUnknown(f"{_name_of(_text(sent))[:100]!r} is not a name of this service")
        if scope["method"] not in _READING:
            self._check_site(found, _text(sent))

    def _is_known(self, host: bytes) -> bool:
        # No name is longer; what is kept must not grow with what is sent.
        return self._seen(host) if len(host) <= _LONGEST_HOST else self._is_ours(host)

    def _is_ours(self, host: bytes) -> bool:
        """Rebinding needs a name with a dot, which somebody can own: addresses, `localhost`, `service` are safe."""
        name = _name_of(_text(host))
        return "." not in name or name in self._hosts or name.endswith(".localhost") or _is_address(name)

    def _check_site(self, headers: dict[bytes, bytes], host: str) -> None:
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin", b"").decode("latin-1").lower()
        if site in _SAME_SITE or (site is None and not origin):
            return
        if origin and (self._any_origin or origin in self._origins):
            return
        if site is None and origin != "null" and urlsplit(origin).netloc == host:
            return
        raise CrossSite("a page of another site sent this request" + (f": {origin[:100]}" if origin else ""))


class BrowserGuard:
    """Lets pass what its rules admit."""

    def __init__(self, app: ASGIApp, rules: BrowserRules) -> None:
        """`app` answers the others."""
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is no HTTP request passes."""
        if scope["type"] == "http":
            try:
                self._rules.check(scope)
            except InkseekError as error:
                await problem_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _text(host: bytes) -> str:
    return host.decode("latin-1").lower()


def _name_of(host: str) -> str:
    """A `Host` without its port: `[::1]:8000`, `localhost:8000`, `example.org.`; what is no port stays."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() and not host.endswith("]") else host).strip("[]").rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
