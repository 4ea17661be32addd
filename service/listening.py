"""Sockets for the addresses that the service listens on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from service.errors import AddressUnusable

_BACKLOG = 2048
_EVERY_INTERFACE = {"": "localhost", "0.0.0.0": "localhost", "::": "localhost"}


def listen(hosts: Iterable[str], port: int) -> list[socket.socket]:
    """A socket for each address of each host, all with one port; port 0 takes one that is free for the first.

    `::` is every interface in both families, where the system has IPv6. Of a name, such as `localhost`, every address
    counts that this machine has. Raises AddressUnusable.
    """
    with ExitStack() as opened:
        listeners: list[socket.socket] = []
        for host in hosts:
            for listener in _of_host(host, port):
                opened.enter_context(listener)
                listeners.append(listener)
                port = port or listener.getsockname()[1]
        opened.pop_all()
        return listeners


def page_address(host: str, port: int) -> str:
    """The URL of the page for a browser on this machine; an IPv6 address in brackets."""
    shown = _EVERY_INTERFACE.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"


def _of_host(host: str, port: int) -> list[socket.socket]:
    addresses = _addresses(host, port)
    listeners: list[socket.socket] = []
    try:
        for family, address in addresses:
            try:
                listeners.append(_bound(family, address, port or (listeners[0].getsockname()[1] if listeners else 0)))
            except OSError as error:
                # A name may stand for an address that this machine does not have, `::1` without IPv6 for one.
                absent = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
                if not absent or ((family, address) == addresses[-1] and not listeners):
                    raise AddressUnusable(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    if host == "::" and not socket.has_dualstack_ipv6():
        return [(socket.AF_INET, "0.0.0.0")]
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise AddressUnusable(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    both = family == socket.AF_INET6 and address == "::"
    listener = socket.create_server((address, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    listener.set_inheritable(True)
    return listener
