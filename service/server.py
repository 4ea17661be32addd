"""Runs the application on a socket: one process, or several behind one socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from service.access.exposure import check_exposure
from service.access.keyring import Keyring
from service.app import create_app
from service.config import Settings, settings_environment
from service.errors import AddressUnusable
from service.runtime.logs import configure_logging
from service.runtime.metrics import MULTIPROCESS_VARIABLE
from service.runtime.serving import load_bundle, load_retriever

_BACKLOG = 2048
_KEEP_ALIVE_S = 30  # people draw slower than uvicorn's 5 s
_SHUTDOWN_S = 10  # what is being answered may be finished
_WORKER_SILENCE_S = (
    60  # a worker that imports and loads on a busy machine does not answer; 5 s kill it, again and again
)

_OPTIONS: dict[str, Any] = {
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "ws": "none",
    "backlog": _BACKLOG,
    "timeout_keep_alive": _KEEP_ALIVE_S,
    "timeout_graceful_shutdown": _SHUTDOWN_S,
}

Announce = Callable[[str], None]


def run(settings: Settings, announce: Announce) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called with the page's address once sketches are answered.

    Raises AddressExposed, AddressUnusable, KeysUnreadable, BundleError, IndexArtifactError before anything is served.
    """
    check_exposure(settings.host, has_keys=Keyring(settings.key_path).has_keys(), is_open=settings.open)
    with _listen(settings.host, settings.port) as listener:
        address = page_address(settings.host, listener.getsockname()[1])
        if settings.workers == 1:
            configure_logging(settings.log_level, settings.log_format)
            _run_here(settings, listener, lambda: announce(address))
        else:
            load_retriever(settings, load_bundle(settings)).close()  # fail here, not in every worker again
            announce(address)
            _run_workers(settings, listener)


def _run_here(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    app = create_app(settings)
    config = uvicorn.Config(app, lifespan="off", **_OPTIONS)
    server = uvicorn.Server(config)

    async def serve() -> None:
        # The lifespan is entered here and not by uvicorn, so that its errors arrive as they are.
        async with app.router.lifespan_context(app):
            ready()
            await server.serve(sockets=[listener])

    # For a signal while the index is still being loaded, and because uvicorn raises the one that stopped it again: the
    # lifespan still has things to close.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())


def _run_workers(settings: Settings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        "service.app:create_app_from_environment",
        factory=True,
        workers=settings.workers,
        timeout_worker_healthcheck=_WORKER_SILENCE_S,
        **_OPTIONS,
    )
    with tempfile.TemporaryDirectory(prefix="inkseek-metrics-") as shared:
        os.environ.update(settings_environment(settings))
        os.environ.setdefault(MULTIPROCESS_VARIABLE, shared)
        configure_logging(settings.log_level, settings.log_format)
        Multiprocess(config, sockets=[listener]).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise AddressUnusable(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    listener.set_inheritable(True)
    return listener


def page_address(host: str, port: int) -> str:
    """The URL of the page for a browser on this machine; an IPv6 address in brackets."""
    shown = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
