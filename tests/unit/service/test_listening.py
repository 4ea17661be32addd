"""Sockets: both families of addresses, brackets, names, several hosts on one port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from service.config import Settings
from service.errors import AddressUnusable
from service.listening import listen, page_address

with_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")


@contextmanager
def listening(*hosts: str, port: int = 0) -> Iterator[list[socket.socket]]:
    with ExitStack() as opened:
        yield [opened.enter_context(listener) for listener in listen(hosts, port)]


def reaches(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=20):
            return True
    except OSError:
        return False


@with_ipv6
def test_two_colons_are_every_interface_in_both_families() -> None:
    with listening("::") as (listener,):
        port = listener.getsockname()[1]
        assert reaches("127.0.0.1", port)
        assert reaches("::1", port)


@with_ipv6
def test_loopback_of_one_family_is_not_reached_by_the_other() -> None:
    with listening("::1") as (listener,):
        port = listener.getsockname()[1]
        assert reaches("::1", port)
        assert not reaches("127.0.0.1", port)


@with_ipv6
def test_several_hosts_share_one_port() -> None:
    with listening("127.0.0.1", "::1") as (first, second):
        port = first.getsockname()[1]
        assert second.getsockname()[1] == port
        assert reaches("127.0.0.1", port) and reaches("::1", port)


def test_a_name_is_every_address_of_it_that_the_machine_has() -> None:
    with listening("localhost") as listeners:
        port = listeners[0].getsockname()[1]
        assert {listener.getsockname()[1] for listener in listeners} == {port}
        assert reaches("localhost", port)


def test_a_taken_port_and_an_address_of_another_machine_are_named() -> None:
    with listening("127.0.0.1") as (listener,):
        port = listener.getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"127.0.0.1 port {port}: Address already in use"):
            listen(["127.0.0.1"], port)
        # What was opened before the one that fails is closed again.
        with pytest.raises(AddressUnusable):
            listen(["127.0.0.2", "127.0.0.1"], port)
        with listening("127.0.0.2", port=port):
            pass
    with pytest.raises(AddressUnusable, match=r"192\.0\.2\.1"):
        listen(["192.0.2.1"], 0)
    with pytest.raises(AddressUnusable, match=r"no-such-host\.invalid"):
        listen(["no-such-host.invalid"], 0)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("[::1]", ("::1",)),
        ("::", ("::",)),
        ("[::]", ("::",)),
        ("127.0.0.1, [::1]", ("127.0.0.1", "::1")),
        ("0.0.0.0", ("0.0.0.0",)),
    ],
)
def test_brackets_and_lists_of_hosts(text: str, hosts: tuple[str, ...], tmp_path: Path) -> None:
    assert Settings(index=tmp_path, host=text).host == hosts


def test_the_page_s_address_has_brackets_where_it_needs_them() -> None:
    assert page_address("::1", 8000) == "http://[::1]:8000/"
    assert page_address("::", 8000) == "http://localhost:8000/"
