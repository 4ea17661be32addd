"""Messages between a pool and its children: a JSON header and a body of bytes, each preceded by its length."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("<II")
# A JPEG of 64 MiB in, or 2048 x 2048 pixels of four bytes out; more is no message of ours.
_MAX_BYTES = 2**30
_SMALL_BYTES = 2**16  # copied in one write rather than written in two


def send(channel: socket.socket, header: dict[str, Any], body: bytes) -> None:
    """Write one message. Raises OSError (TimeoutError within the channel's timeout)."""
    text = json.dumps(header).encode()
    start = _LENGTHS.pack(len(text), len(body)) + text
    if len(body) < _SMALL_BYTES:
        channel.sendall(start + body)
    else:
        channel.sendall(start)
        channel.sendall(body)


def receive(channel: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Read one message. Raises EOFError where the other side is gone, OSError, ValueError for what is no message."""
    header_bytes, body_bytes = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size))
    if header_bytes + body_bytes > _MAX_BYTES:
        raise ValueError(f"a message of {header_bytes + body_bytes:,} bytes")
    header = json.loads(_exactly(channel, header_bytes))
    return header, _exactly(channel, body_bytes)


def _exactly(channel: socket.socket, count: int) -> bytes:
    buffer = bytearray(count)
    view, filled = memoryview(buffer), 0
    while filled < count:
        read = channel.recv_into(view[filled:])
        if read == 0:
            raise EOFError("the other side is gone")
        filled += read
    return bytes(buffer)
