"""Runs the application on a socket: one process, or several behind one socket."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI

from service.access.exposure import check_exposure
from service.access.keyring import Keyring
from service.app import create_app
from service.config import Settings
from service.http.edge.accepting import Member, Opening, Siblings
from service.http.edge.connections import Connections
from service.http.express.connection import ExpressHttp
from service.listening import listen, page_address
from service.runtime.heap import gather_in_large_pages
from service.runtime.logs import configure_logging
from service.runtime.metrics import MULTIPROCESS_VARIABLE
from service.runtime.process import Process
from service.runtime.process_count import process_count
from service.runtime.serving import load_bundle, load_retriever
from service.runtime.supervisor import Lifeline, Supervisor
from service.tracing.choice import traces_for

_KEEP_ALIVE_S = 30  # people draw slower than uvicorn's 5 s
_SHUTDOWN_S = 10  # what is being answered may be finished
_FILES_BESIDE_CONNECTIONS = 96  # index, database, standard streams, child processes that draw SVG

_MEMORY_FOLDER = "/dev/shm"

_OPTIONS: dict[str, Any] = {
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "ws": "none",
    "backlog": 2048,
    "timeout_keep_alive": _KEEP_ALIVE_S,
    "timeout_graceful_shutdown": _SHUTDOWN_S,
    "lifespan": "off",
    "proxy_headers": False,  # edge/proxies.py believes those of trusted proxies alone
}

Announce = Callable[[str], None]


def run(settings: Settings, announce: Announce) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called with the page's address once sketches are answered.

    Raises AddressExposed, AddressUnusable, KeysUnreadable, TracingUnavailable, BundleError, IndexArtifactError before
    anything is served; WorkersFailed.
    """
    keyring = Keyring(settings.key_path)
    traces_for("", spans=settings.traces, in_log=False)  # what is not installed fails here, not in every worker
    configure_logging(settings.log_level, settings.log_format)
    for host in settings.host:
        check_exposure(host, has_keys=keyring.has_keys(), is_open=settings.open)
    settings = settings.model_copy(update={"workers": _processes(settings, keyring)})
    with ExitStack() as opened:
        listeners = [opened.enter_context(listener) for listener in listen(settings.host, settings.port)]
        address = page_address(settings.host[0], listeners[0].getsockname()[1])
        if settings.processes == 1:
            _serve(settings, listeners, lambda: announce(address))
        else:
            load_retriever(
                settings, load_bundle(settings), check_files=False
            ).close()  # fail here, not in every worker again
            announce(address)
            _run_workers(settings, listeners)


class DrainingServer(uvicorn.Server):
    """After SIGTERM it goes on for a while, not ready any more, so that whoever sends requests goes elsewhere."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_drain: Callable[[], None],
        drain_s: float,
        on_turn: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_drain`: called at SIGTERM; `drain_s`: how long it listens from then on. `on_turn`: ten times a second."""
        super().__init__(config)
        self.lifeline: Lifeline | None = None
        self.member: Member | None = None
        self._opening: Opening | None = None
        self._on_drain, self._on_turn = on_drain, on_turn
        self._drain_s = drain_s
        self._ends_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; as a `member`, beside other processes that listen on the same sockets."""
        if self.member is None or sockets is None:
            await super().startup(sockets)
            return
        await super().startup([])

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = cast(Any, self.config.http_protocol_class)(
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )
            return made

        self._opening = Opening(sockets, self.member, protocol)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, and answer what has come."""
        if self._opening is not None:
            self._opening.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM drains; a second one, or SIGINT, ends at once."""
        if sig != signal.SIGTERM or self._ends_at is not None or not self.started:
            super().handle_exit(sig, frame)
            return
        self._ends_at = time.monotonic() + self._drain_s
        if self.member is not None:
            self.member.announce(takes=False)
        self._on_drain()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to end."""
        self._on_turn()
        if self.member is not None:
            self.member.turn()
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            return True
        if self.lifeline is not None and not self.lifeline.holds():
            return True
        return await super().on_tick(counter)


def _serve(
    settings: Settings,
    listeners: list[socket.socket],
    ready: Callable[[], None],
    lifeline: Lifeline | None = None,
    member: Member | None = None,
) -> None:
    app = create_app(settings)
    connections = Connections(_most_connections(settings.max_connections), refusals=app.state.refusals)
    if member is not None:
        connections.lost = partial(member.change, -1)
    express = app.state.express
    protocol = connections.protocol(partial(ExpressHttp, express) if express else None)
    config = uvicorn.Config(app, http=cast(Any, protocol), **_OPTIONS)

    def drain() -> None:
        connections.draining = True
        _process(app).monitor.health.stopping = True

    def turn() -> None:
        _process(app).metrics.flush()  # another process may be asked for what this one has counted

    server = DrainingServer(config, drain, settings.drain_s, turn)
    server.lifeline, server.member = lifeline, member

    async def serve() -> None:
        # The lifespan is entered here and not by uvicorn, so that its errors arrive as they are.
        async with app.router.lifespan_context(app):
            # What is there by now lives as long as the process: collections, of 59 ms, need not look at it.
            gc.collect()
            gc.freeze()
            gather_in_large_pages()
            ready()
            await server.serve(sockets=listeners)

    # For a signal while the index is still being loaded, and because uvicorn raises the one that stopped it again: the
    # lifespan still has things to close.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())


def _process(app: FastAPI) -> Process:
    return cast(Process, app.state.process)


def _processes(settings: Settings, keyring: Keyring) -> int:
    limited = settings.rate_limit or settings.change_limit or keyring.has_limits()
    return process_count(settings, counts_requests=bool(limited) and settings.rate_limit_redis is None)


def _run_workers(settings: Settings, listeners: list[socket.socket]) -> None:
    with tempfile.TemporaryDirectory(prefix="inkseek-metrics-", dir=_in_memory()) as shared:
        os.environ.setdefault(MULTIPROCESS_VARIABLE, shared)
        siblings = Siblings(settings.processes)
        stop_s = settings.drain_s + _SHUTDOWN_S + settings.request_timeout_s

        def close_own() -> None:
            # First: what came after the workers closed theirs would be accepted by the system, and answered by nobody.
            for listener in listeners:
                listener.close()

        Supervisor(settings.processes, _work, (settings, listeners, siblings), stop_s).run(close_own)


def _in_memory() -> str | None:
    """A folder that is no disk's, and writable where the file system is not; None where there is none."""
    return _MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else None


def _work(
    settings: Settings, listeners: list[socket.socket], siblings: Siblings, number: int, connection: Connection
) -> None:
    """The whole life of a worker process."""
    configure_logging(settings.log_level, settings.log_format)
    _serve(settings, listeners, lambda: None, Lifeline(connection), Member(siblings, number))


def _most_connections(wanted: int) -> int:
    """As many as wanted, if the system allows the process that many open files; its own limit is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _FILES_BESIDE_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(8, min(wanted, soft - _FILES_BESIDE_CONNECTIONS))
