"""Adapters as the JSON that schemas.adapters.py describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.store.adapters import leave_one_out_document, now
from service.store.records import AdapterRecord, NewAdapter


def adapter_answer(adapter: AdapterRecord) -> dict[str, Any]:
    """As schemas.adapters.Adapter."""
    return {
        "adapter_id": adapter.adapter_id,
        "version": adapter.version,
        "category": adapter.target.name if adapter.target.scope == "category" else None,
        "profile": adapter.target.name if adapter.target.scope == "profile" else None,
        "k": adapter.k,
        "method": adapter.method,
        "margin": adapter.margin,
        "leave_one_out": dict(adapter.leave_one_out),
        "activated": adapter.activated,
        "reason": adapter.reason,
        "state": adapter.state,
        "photos_added": list(adapter.photos_added),
        "bundle_id": adapter.bundle_id,
        "adaptation_id": adapter.adaptation_id,
        "created_at": adapter.created_at,
        "timings_ms": {stage: round(milliseconds, 3) for stage, milliseconds in adapter.timings_ms.items()},
    }


def dry_run_answer(new: NewAdapter) -> dict[str, Any]:
    """As schemas.adapters.Adapter, of an adapter that is not stored."""
    record = AdapterRecord(
        adapter_id="",
        target=new.target,
        version=0,
        bundle_id=new.bundle_id,
        adaptation_id=new.adaptation_id,
        method=new.method,
        k=len(new.support),
        margin=new.margin,
        leave_one_out=leave_one_out_document(new),
        activated=False,
        reason=f"dry run, {'would be activated' if new.activate else 'would not be activated'}: {new.reason}",
        created_at=now(),
        photos_added=(),
        timings_ms=new.timings_ms,
        state="idle",
    )
    return {**adapter_answer(record), "adapter_id": None, "version": None}


def adapters_answer(adapters: Sequence[AdapterRecord]) -> dict[str, Any]:
    """As schemas.adapters.Adapters."""
    return {"adapters": [adapter_answer(adapter) for adapter in adapters], "active": _active(adapters)}


def profiles_answer(adapters: Sequence[AdapterRecord]) -> dict[str, Any]:
    """As adapter_schemas.Profiles."""
    names = sorted({adapter.target.name for adapter in adapters if adapter.target.scope == "profile"})
    profiles = []
    for name in names:
        own = [adapter for adapter in adapters if adapter.target == ("profile", name)]
        profiles.append({"profile": name, "active": _active(own), "adapters": len(own)})
    return {"profiles": profiles}


def _active(adapters: Sequence[AdapterRecord]) -> str | None:
    return next((adapter.adapter_id for adapter in adapters if adapter.state == "active"), None)
