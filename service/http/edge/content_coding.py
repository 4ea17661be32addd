"""Bodies that clients compress: gzip and deflate are decoded within the limits of a body, others are named.

What a few bytes can be inflated to is made in small pieces, each of which the body's limits count before the next one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from service.errors import BodyInvalid, EncodingUnsupported
from service.http.problems import ACCEPTED_CODINGS

_PIECE_BYTES = 2**18  # 1 ms of work between two turns of the event loop
_MOST_MEMBERS = 16  # of one file of gzip, each of which costs a decoder
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15


def coding_of(header: bytes) -> str | None:
    """The one coding that a Content-Encoding names; None for a body as it is. Raises EncodingUnsupported."""
    named = [name for part in header.decode("latin-1").lower().split(",") if (name := part.strip())]
    codings = [name.removeprefix("x-") for name in named if name != "identity"]
    if len(codings) > 1 or any(coding not in ACCEPTED_CODINGS for coding in codings):
        raise EncodingUnsupported(
            f"the body's Content-Encoding {', '.join(named)[:80]!r} is not decoded; send it as it is, or as "
            f"{' or '.join(ACCEPTED_CODINGS)}"
        )
    return codings[0] if codings else None


class Decoder:
    """Decodes one body as it arrives."""

    def __init__(self, coding: str) -> None:
        """`coding`: one of `ACCEPTED_CODINGS`."""
        self._coding = coding
        self._inflater: zlib._Decompress | None = None
        self._streams = 0
        self._start = b""  # of a stream, until its format shows

    def decoded(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes of the body stand for, piece by piece. Raises BodyInvalid."""
        full = False  # then there may be more of it, with no byte left that it comes from
        while data or full:
            if self._inflater is None:
                self._start += data
                if len(self._start) < 2:
                    return
                self._inflater, data, self._start = self._next_stream(self._start), self._start, b""
            try:
                piece = self._inflater.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise BodyInvalid(f"the body is not valid {self._coding}: {error}") from error
            full = len(piece) == _PIECE_BYTES
            data = self._inflater.unconsumed_tail
            if self._inflater.eof:
                # Zeros fill up the blocks of a tape; nothing else follows but another stream.
                data, full = self._inflater.unused_data.lstrip(b"\0"), False
                self._inflater = None
            if piece:
                yield piece

    def check_end(self) -> None:
        """To be called when no more arrives. Raises BodyInvalid where something is missing."""
        if self._inflater is not None or self._start.strip(b"\0") or not self._streams:
            raise BodyInvalid(f"the body is truncated: its {self._coding} data does not end")

    def _next_stream(self, start: bytes) -> zlib._Decompress:
        self._streams += 1
        if self._streams > (_MOST_MEMBERS if self._coding == "gzip" else 1):
            raise BodyInvalid(f"the body has more than {self._streams - 1} streams of {self._coding}")
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP_BITS)
        # RFC 9110 means the zlib format; some clients send the bare stream. The first two bytes tell.
        has_header = start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:2], "big") % 31 == 0
        return zlib.decompressobj(_ZLIB_BITS if has_header else _RAW_BITS)
