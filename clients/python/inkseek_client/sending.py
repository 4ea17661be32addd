"""Calls sent with httpx, with retries: the only module that knows the network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypedDict, TypeVar

import anyio.to_thread
import httpx
from pydantic import ValidationError

from inkseek_client.call import Call
from inkseek_client.errors import InkseekClientError, TimedOut, UnexpectedAnswer, Unreachable
from inkseek_client.problems import error_of_answer
from inkseek_client.retries import Retries, retry_after_s

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_RETRIES = Retries()
# No connection was made: the service cannot have seen the request.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Connection(TypedDict):
    base_url: str
    headers: dict[str, str]
    timeout: float


class Sender:
    """Sends calls, and waits between attempts in the thread that called."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        gallery: str | None = None,
        timeout_s: float = 30.0,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connections are made with the first call.

        `url`: of the service, with the path below which a proxy has it. `key`: an API key. `gallery`: its name; None:
        the default one. `timeout_s`: longest wait for a connection and for the next byte. `transport`: for proxies,
        certificates and tests.
        """
        self._http = httpx.Client(transport=transport, **_connection(url, key, timeout_s))
        self._gallery = gallery
        self._retries = retries

    def close(self) -> None:
        """Close the connections, also those of clients that `in_gallery` made."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        """The call's answer. Raises InkseekClientError."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(call)
            except InkseekClientError as error:
                wait_s = _wait_s(self._retries, call, error, attempt)
                if wait_s is None:
                    raise
            time.sleep(wait_s)

    def _once(self, call: Call[T]) -> T:
        try:
            response = self._http.request(call.method, call.path_in(self._gallery), **_request(call))
        except httpx.RequestError as error:
            raise _unreachable(error, self._http.base_url) from error
        return _answer(call, response)


class AsyncSender:
    """As Sender, for asyncio: waits give way to other tasks, files are read in a worker thread."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        gallery: str | None = None,
        timeout_s: float = 30.0,
        retries: Retries = DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """As Sender has it."""
        self._http = httpx.AsyncClient(transport=transport, **_connection(url, key, timeout_s))
        self._gallery = gallery
        self._retries = retries

    async def aclose(self) -> None:
        """Close the connections, also those of clients that `in_gallery` made."""
        await self._http.aclose()

    async def _send(self, call: Call[T]) -> T:
        """The call's answer. Raises InkseekClientError."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._once(call)
            except InkseekClientError as error:
                wait_s = _wait_s(self._retries, call, error, attempt)
                if wait_s is None:
                    raise
            await asyncio.sleep(wait_s)

    async def _made(self, make: Callable[[], T]) -> T:
        """What `make` returns, from a worker thread: it reads files. Raises OSError."""
        return await anyio.to_thread.run_sync(make)

    async def _once(self, call: Call[T]) -> T:
        try:
            response = await self._http.request(call.method, call.path_in(self._gallery), **_request(call))
        except httpx.RequestError as error:
            raise _unreachable(error, self._http.base_url) from error
        return _answer(call, response)


def _connection(url: str, key: str | None, timeout_s: float) -> _Connection:
    headers = {"User-Agent": "inkseek-client"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return {"base_url": url.rstrip("/"), "headers": headers, "timeout": timeout_s}


def _request(call: Call[Any]) -> dict[str, Any]:
    request: dict[str, Any] = {"params": list(call.params)}
    if call.form:
        request["files"] = list(call.form)
    if call.content is not None:
        request |= {"content": call.content, "headers": {"Content-Type": call.content_type}}
    return request


def _answer(call: Call[T], response: httpx.Response) -> T:
    if response.status_code >= 400:
        after_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        raise error_of_answer(response.status_code, response.content, after_s)
    if not response.is_success:
        raise UnexpectedAnswer(f"HTTP {response.status_code} from {call.method} {call.path}")
    try:
        return call.read(response.content)
    except (ValidationError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(f"{call.method} {call.path} was answered with something else: {error}") from error


def _unreachable(error: httpx.RequestError, base_url: httpx.URL) -> Unreachable:
    kind = TimedOut if isinstance(error, httpx.TimeoutException) else Unreachable
    return kind(f"{base_url}: {error or type(error).__name__}")


def _wait_s(retries: Retries, call: Call[Any], error: InkseekClientError, attempt: int) -> float | None:
    never_sent = isinstance(error.__cause__, _NEVER_SENT)
    return retries.wait_s(error, attempt, idempotent=call.idempotent, never_sent=never_sent)
