"""Addresses: whom one stands for, and which belong to a network."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_V6_NETWORK_BITS = 64  # what one customer gets: an address of its own for each request


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), _V6_NETWORK_BITS), strict=False))
    return str(found)


def networks_of(texts: Collection[str]) -> tuple[Network, ...]:
    """Addresses and networks as text; `none` is none of them. Raises ValueError."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts if text != "none")
