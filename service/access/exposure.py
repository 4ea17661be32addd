"""Whether a service that asks for no key may listen on an address."""

from __future__ import annotations

import ipaddress

from service.access.errors import AddressExposed


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`: an address, or a name; a name other than localhost is no proof."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def check_exposure(host: str, *, has_keys: bool, is_open: bool) -> None:
    """Raises AddressExposed when others than this machine could reach a service that asks nobody for a key."""
    if not (has_keys or is_open or is_loopback(host)):
        raise AddressExposed(
            f"others can reach {host}, and there is no API key: whoever finds the port could search, adapt and upload. "
            "Make one (inkseek keys create NAME), or set INKSEEK_OPEN=true to serve everybody"
        )
