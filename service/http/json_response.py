"""JSON responses from plain dicts: they are made by the thousand, and validating our own answers would cost more."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from index_builder.artifact import PhotoRecord
from service.http.schemas.answers import about_json, search_json
from service.http.schemas.base import PhotoUrls, present
from service.search.results import RankedPhoto, SearchResult

_MOST_PIECES = 8_192  # of some 400 bytes, with their records


def json_bytes(document: Any) -> bytes:
    """JSON in UTF-8; a metadata number that JSON cannot express becomes null."""
    return to_json(document, inf_nan_mode="null")


def json_response(document: Any, status: int = 200) -> Response:
    """The whole response; `document` may be JSON already, as bytes from a worker thread."""
    content = document if isinstance(document, bytes) else json_bytes(document)
    return Response(content, status, media_type="application/json")


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The JSON of one photo before its score, and behind what differs from answer to answer."""

    photo: PhotoRecord
    suffixed_ids: Collection[str]
    head: bytes
    tail: bytes


class AnswerWriter:
    """Writes searches' answers as `search_json` has them, photos from pieces that are kept. From any thread."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._kept: dict[tuple[str, str], _Pieces] = {}

    def written(self, result: SearchResult, urls: PhotoUrls) -> bytes:
        """A SearchAnswer in UTF-8."""
        photos = result.photos
        if photos and photos[0].duplicates is not None:  # of all photos, or of none
            return json_bytes(search_json(result, urls))
        about = to_json(about_json(result), inf_nan_mode="null")
        return b'{"results":[%b],%b' % (b",".join([self._photo(ranked, urls) for ranked in photos]), about[1:])

    def _photo(self, ranked: RankedPhoto, urls: PhotoUrls) -> bytes:
        photo = ranked.photo
        key = urls.base_path, photo.photo_id
        pieces = self._kept.get(key)
        # A photo may be described anew, and one of another gallery may have the same id.
        if (
            pieces is None
            or pieces.suffixed_ids is not urls.suffixed_ids
            or (pieces.photo is not photo and pieces.photo != photo)
        ):
            if len(self._kept) >= _MOST_PIECES:
                self._kept.clear()
            pieces = self._kept[key] = _pieces(photo, urls)
        confidence = ranked.confidence and round(ranked.confidence, 4)
        score = repr(round(ranked.score, 6)) if math.isfinite(ranked.score) else "null"
        likely = "null" if confidence is None or not math.isfinite(confidence) else repr(confidence)
        mirrored = "true" if ranked.mirrored else "false"
        own = f'{score},"confidence":{likely},"rank":{ranked.rank},"mirrored":{mirrored}'
        return b"%b%b%b" % (pieces.head, own.encode(), pieces.tail)


def _pieces(photo: PhotoRecord, urls: PhotoUrls) -> _Pieces:
    head = json_bytes({"photo_id": photo.photo_id, "category": photo.category})
    tail = json_bytes({**urls.of(photo.photo_id), "metadata": present(photo.metadata)})
    return _Pieces(photo, urls.suffixed_ids, head[:-1] + b',"score":', b"," + tail[1:])
