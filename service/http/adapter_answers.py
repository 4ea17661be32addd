"""Heads as the JSON that head_schemas.py describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.store.adapters import leave_one_out_document, now
from service.store.records import HeadRecord, NewHead


def head_answer(head: HeadRecord) -> dict[str, Any]:
    """As head_schemas.Head."""
    return {
        "head_id": head.head_id,
        "version": head.version,
        "category": head.target.name if head.target.scope == "category" else None,
        "profile": head.target.name if head.target.scope == "profile" else None,
        "k": head.k,
        "method": head.method,
        "margin": head.margin,
        "leave_one_out": dict(head.leave_one_out),
        "went_live": head.went_live,
        "reason": head.reason,
        "state": head.state,
        "photos_added": list(head.photos_added),
        "bundle_id": head.bundle_id,
        "adaptation_id": head.adaptation_id,
        "created_at": head.created_at,
        "timings_ms": {stage: round(milliseconds, 3) for stage, milliseconds in head.timings_ms.items()},
    }


def dry_run_answer(new: NewHead) -> dict[str, Any]:
    """As head_schemas.Head, of a head that is not stored."""
    record = HeadRecord(
        head_id="",
        target=new.target,
        version=0,
        bundle_id=new.bundle_id,
        adaptation_id=new.adaptation_id,
        method=new.method,
        k=len(new.support),
        margin=new.margin,
        leave_one_out=leave_one_out_document(new),
        went_live=False,
        reason=f"dry run, {'would go live' if new.goes_live else 'would not go live'}: {new.reason}",
        created_at=now(),
        photos_added=(),
        timings_ms=new.timings_ms,
        state="idle",
    )
    return {**head_answer(record), "head_id": None, "version": None}


def heads_answer(heads: Sequence[HeadRecord]) -> dict[str, Any]:
    """As head_schemas.Heads."""
    return {"heads": [head_answer(head) for head in heads], "live": _live(heads)}


def profiles_answer(heads: Sequence[HeadRecord]) -> dict[str, Any]:
    """As head_schemas.Profiles."""
    names = sorted({head.target.name for head in heads if head.target.scope == "profile"})
    profiles = []
    for name in names:
        own = [head for head in heads if head.target == ("profile", name)]
        profiles.append({"profile": name, "live": _live(own), "heads": len(own)})
    return {"profiles": profiles}


def _live(heads: Sequence[HeadRecord]) -> str | None:
    return next((head.head_id for head in heads if head.state == "live"), None)
