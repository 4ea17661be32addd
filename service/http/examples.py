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
    "adapted": "none",
    "adapter_id": None,
    "style_adapter_id": None,
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
    "adaptation_id": "adaptive-4b1f09a2c77d",
    "adaptation_method": "adaptive",
    "limits": {
        "max_upload_bytes": 10485760,
        "max_image_pixels": 16000000,
        "max_strokes": 2000,
        "max_points": 50000,
        "max_batch_items": 32,
        "max_k": 200,
        "max_support_bytes": 50331648,
        "max_pairs": 64,
        "max_support_photos": 128,
        "max_adapters": 32,
    },
}
READY: dict[str, Any] = {
    "status": "ready",
    "bundle_id": _BUNDLE,
    "index_version": _VERSION,
    "checked_s_ago": 3.2,
    "index_update_problem": None,
    "adapters_active": 1,
    "adapters_outdated": 0,
    "online_problem": None,
}
ADAPTER: dict[str, Any] = {
    "adapter_id": "adapter-5f0c2d9a71be",
    "version": 2,
    "category": "clothing",
    "profile": None,
    "k": 5,
    "method": "adaptive",
    "margin": 0.31,
    "leave_one_out": {
        "before": {"acc_at_1": 0.4, "mean_rank": 2.8, "mrr": 0.58},
        "after": {"acc_at_1": 0.6, "mean_rank": 1.8, "mrr": 0.74},
    },
    "activated": True,
    "reason": "leave-one-out did not get worse: mean of 1 / rank 0.580 before and 0.740 after "
    "(standard error 0.110), first place 40% before and 60% after",
    "state": "active",
    "photos_added": [],
    "bundle_id": _BUNDLE,
    "adaptation_id": "adaptive-4b1f09a2c77d",
    "created_at": "2026-11-20T13:05:41Z",
    "timings_ms": {"encode": 61.2, "fit": 12.7, "store": 6.1, "total": 81.4},
}
DRY_RUN: dict[str, Any] = {
    **ADAPTER,
    "adapter_id": None,
    "version": None,
    "activated": False,
    "state": "idle",
    "reason": f"dry run, would be activated: {ADAPTER['reason']}",
    "timings_ms": {"encode": 61.2, "fit": 12.7, "total": 74.9},
}
ADAPTERS: dict[str, Any] = {"adapters": [ADAPTER], "active": ADAPTER["adapter_id"]}
STYLE_ADAPTER: dict[str, Any] = {
    **ADAPTER,
    "adapter_id": "adapter-c3a09e1177d2",
    "version": 1,
    "category": None,
    "profile": "ada",
    "margin": None,
}
STYLE_ADAPTERS: dict[str, Any] = {"adapters": [STYLE_ADAPTER], "active": STYLE_ADAPTER["adapter_id"]}
PROFILES: dict[str, Any] = {"profiles": [{"profile": "ada", "active": STYLE_ADAPTER["adapter_id"], "adapters": 1}]}
ACTIVE_ADAPTER: dict[str, Any] = {"active": ADAPTER["adapter_id"]}
