"""Example answers for the OpenAPI document. A test holds each against its schema."""

from __future__ import annotations

from typing import Any

_ID = "clothing/running-shoe.jpg"
_URLS = {"thumbnail_url": f"/v1/photos/{_ID}/thumbnail", "image_url": f"/v1/photos/{_ID}/image"}
_METADATA = {"name": "running shoe", "set": "emoji_open"}
_BUNDLE = "inkseek-small-3f2a91c07d4e"
_VERSION = "000003-9b1c66d0e2aa"

SEARCH: dict[str, Any] = {
    "results": [
        {"photo_id": _ID, "category": "clothing", "score": 0.8312, "rank": 1, **_URLS, "metadata": _METADATA},
    ],
    "bundle_id": _BUNDLE,
    "index_version": _VERSION,
    "timings_ms": {"decode": 0.61, "preprocess": 0.72, "encode": 9.8, "search": 0.34, "total": 11.6},
}
SIMILAR: dict[str, Any] = {**SEARCH, "timings_ms": {"search": 0.36, "total": 0.4}}
BATCH: dict[str, Any] = {
    "items": [
        SEARCH,
        {
            "error": {
                "type": "/docs#problem-sketch_empty",
                "title": "The sketch is empty",
                "status": 422,
                "detail": "the sketch is empty: nothing is drawn on it",
                "code": "sketch_empty",
            }
        },
    ]
}
PHOTO: dict[str, Any] = {
    "photo_id": _ID,
    "category": "clothing",
    "width": 512,
    "height": 512,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "metadata": _METADATA,
    **_URLS,
}
CATEGORIES: dict[str, Any] = {"categories": [{"category": "clothing", "count": 41}], "total": 1638}
INFO: dict[str, Any] = {
    "service": "inkseek",
    "version": "0.1.0",
    "bundle_id": _BUNDLE,
    "bundle_name": "inkseek-small",
    "bundle_metrics": {"shoe_val": {"acc@1": 0.46}},
    "index_version": _VERSION,
    "index_created_at": "2026-11-20T11:02:19Z",
    "index_kind": "flat",
    "index_recall": 1.0,
    "photo_count": 1638,
    "embedding_dim": 800,
    "sketch_size_px": 160,
    "providers": ["CPUExecutionProvider"],
    "threads": 2,
    "metadata_fields": [{"name": "name", "type": "text"}],
    "limits": {
        "max_upload_bytes": 10485760,
        "max_image_pixels": 16000000,
        "max_strokes": 2000,
        "max_points": 50000,
        "max_batch_items": 32,
        "max_k": 200,
    },
}
READY: dict[str, Any] = {
    "status": "ready",
    "bundle_id": _BUNDLE,
    "index_version": _VERSION,
    "checked_s_ago": 3.2,
    "index_update_problem": None,
}
