"""What was found, as the JSON that schemas.py describes. Plain dicts: they are made by the thousand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json

from index_builder.artifact import PhotoRecord
from service.search.retriever import Found

PHOTOS_PATH = "/v1/photos"


def json_bytes(answer: Any) -> bytes:
    """JSON; a metadata number that JSON cannot express becomes null."""
    return to_json(answer, inf_nan_mode="null")


def search_answer(found: Found) -> dict[str, Any]:
    """As schemas.SearchAnswer."""
    return {
        "results": [
            {
                "photo_id": hit.photo.photo_id,
                "category": hit.photo.category,
                "score": round(hit.score, 6),
                "rank": hit.rank,
                **photo_urls(hit.photo.photo_id),
                "metadata": _present(hit.photo.metadata),
            }
            for hit in found.photos
        ],
        "bundle_id": found.bundle_id,
        "index_version": found.index_version,
        "adapted": found.adapted,
        "adapter_id": found.adapter_id,
        "style_adapter_id": found.style_adapter_id,
        "timings_ms": {stage: round(milliseconds, 3) for stage, milliseconds in found.timings_ms.items()},
    }


def photo_answer(photo: PhotoRecord) -> dict[str, Any]:
    """As schemas.Photo."""
    return {
        "photo_id": photo.photo_id,
        "category": photo.category,
        "width": photo.width,
        "height": photo.height,
        "sha256": photo.sha256,
        "metadata": _present(photo.metadata),
        **photo_urls(photo.photo_id),
    }


def photo_urls(photo_id: str) -> dict[str, str]:
    """Where a photo's pictures are; paths, so that they hold behind any proxy's host name."""
    base = f"{PHOTOS_PATH}/{quote(photo_id, safe='/')}"
    return {"thumbnail_url": f"{base}/thumbnail", "image_url": f"{base}/image"}


def _present(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if value is not None}
