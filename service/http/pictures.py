"""A photo's pictures: its thumbnail, and its original, opened before anything is answered."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from fastapi import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from index_builder.artifact import StoredOriginal
from service.http.serving import process_of, serving_of
from service.originals.opened import OpenedOriginal
from service.originals.position import file_without_position, without_position

SUBSTITUTE_HEADER = "X-Inkseek-Thumbnail"
"""Why a thumbnail is answered in place of the original: that is `missing`, `unreadable`, or of a `format` that browsers
do not show."""

# A photo keeps its id when the gallery is built anew, so its picture may change; the ETag then does.
_MAX_AGE_S = 300
_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_WEBP = "image/webp"
_MAX_STORED_BYTES = 64 * 2**20  # what builds read of a photo by default; it is held in memory
_HEAD_BYTES = 16
DISPLAYABLE = sorted([*(media_type for _, media_type in _SIGNATURES), _WEBP])
"""The media types of originals that are answered: those that browsers show."""

_log = logging.getLogger("inkseek.service")


class _OriginalResponse(FileResponse):
    """Sends an opened original and closes it: with ranges, and true to its length or cut off."""

    def __init__(self, original: OpenedOriginal, photo_id: str, media_type: str) -> None:
        # With a stat it has its ETag at once, of this very file, whatever takes its name meanwhile.
        super().__init__(original.path, media_type=media_type, stat_result=original.stat)
        self._original = original
        self._photo_id = photo_id

    def close(self) -> None:
        """Where something else is answered."""
        self._original.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left: int | None = None

        async def send_exactly(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                left = next((int(value) for name, value in message["headers"] if name == b"content-length"), None)
            elif left is not None:
                message = {**message, "body": message["body"][:left]}  # it may have become longer
                left -= len(message["body"])
                if left and not message.get("more_body"):
                    # Not sent: the server cuts an answer that does not end, so nobody takes it for the whole file.
                    _log.warning("the file of %s became shorter while it was sent", self._photo_id)
                    return
            await send(message)

        try:
            await super().__call__(scope, receive, send_exactly)
        finally:
            self._original.close()


def thumbnail_of(request: Request, photo_id: str, if_none_match: str, substitute: str | None = None) -> Response:
    """The thumbnail, or 304. `substitute`: why it stands for the original. Raises PhotoNotFound."""
    with serving_of(request) as retriever:
        jpeg, etag, _ = retriever.gallery().view.thumbnail(photo_id)
    response = Response(jpeg, media_type="image/jpeg", headers={"ETag": f'"{etag.strip(chr(34))}"'})
    response = _cached(request, response, if_none_match)
    if substitute:
        response.headers[SUBSTITUTE_HEADER] = substitute
    return response


def image_of(request: Request, photo_id: str, if_none_match: str) -> Response:
    """The original without its position, where it can be read and shown; else the thumbnail. Raises PhotoNotFound."""
    with serving_of(request) as retriever:
        original = retriever.gallery().view.original(photo_id)
    if original is None:
        return thumbnail_of(request, photo_id, if_none_match, "missing")
    if isinstance(original, bytes):
        return _uploaded(request, photo_id, original, if_none_match)
    if isinstance(original, StoredOriginal):
        return _stored(request, photo_id, original, if_none_match)
    try:
        response = _opened(original, photo_id)
    except OSError as error:
        _log.warning("the file of %s cannot be read: %s", photo_id, error.strerror or error)
        reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        return thumbnail_of(request, photo_id, if_none_match, reason)
    if response is None:
        return thumbnail_of(request, photo_id, if_none_match, "format")
    answer = _cached(request, response, if_none_match)
    if answer is not response and isinstance(response, _OriginalResponse):
        response.close()
    return answer


def _opened(path: Path, photo_id: str) -> Response | None:
    """None where browsers do not show it. Raises OSError: the status line must not be out before the file is open."""
    original = OpenedOriginal(path)
    try:
        # Its content says what it is, as when it was indexed: a file may have any name.
        media_type = _media_type(original[:_HEAD_BYTES])
        cleaned = file_without_position(original) if media_type else None
    except BaseException:
        original.close()
        raise
    if media_type is None:
        original.close()
        return None
    response = _OriginalResponse(original, photo_id, media_type)
    if cleaned is None:
        return response
    original.close()
    # Copies with the position may lie in caches under the tag of the file itself.
    tag = response.headers["ETag"].strip('"') + "-x"
    return Response(cleaned, media_type=media_type, headers={"ETag": f'"{tag}"'})


def _stored(request: Request, photo_id: str, original: StoredOriginal, if_none_match: str) -> Response:
    """From an object store or a tar: a redirect where the settings say so and there is a URL, else its bytes."""
    expires_s = process_of(request).settings.originals_redirect_s
    try:
        if expires_s and (url := original.signed_url(expires_s)):
            # The URL is a key to this object: no cache may keep it for longer than it is good for.
            return RedirectResponse(url, headers={"Cache-Control": f"private, max-age={expires_s // 2}"})
        image = original.read(_MAX_STORED_BYTES)
    except OSError as error:
        _log.warning("the original of %s cannot be read: %s", photo_id, error)
        reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        return thumbnail_of(request, photo_id, if_none_match, reason)
    return _uploaded(request, photo_id, image, if_none_match)


def _uploaded(request: Request, photo_id: str, image: bytes, if_none_match: str) -> Response:
    media_type = _media_type(image)
    if media_type is None:
        return thumbnail_of(request, photo_id, if_none_match, "format")
    etag = hashlib.sha256(image).hexdigest()[:16]
    response = Response(without_position(image), media_type=media_type, headers={"ETag": f'"{etag}-x"'})
    return _cached(request, response, if_none_match)


def _media_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":  # its size stands between
        return _WEBP
    return next((media_type for start, media_type in _SIGNATURES if head.startswith(start)), None)


def _cached(request: Request, response: Response, if_none_match: str) -> Response:
    """`response`, or 304. A shared cache keeps it only where photos are public: it asks nobody for a key."""
    public = process_of(request).settings.public_photos
    caching = {"Cache-Control": f"{'public' if public else 'private'}, max-age={_MAX_AGE_S}"}
    response.headers.update(caching)
    # If-None-Match compares weakly (RFC 9110, section 13.1.2): a weak tag of the same value is good enough.
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if response.headers["ETag"] not in known and "*" not in known:
        return response
    return Response(status_code=304, headers={"ETag": response.headers["ETag"], **caching})
