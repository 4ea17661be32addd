"""Adapters as files, to carry from one service to another that serves the same bundle.

A file is a zip archive: `adapter.json` (all of the record), `adapter.npz` (the numbers), and a sketch with its
embedding for each example. It holds no photo: examples name photos, and uploaded ones stay behind.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.adapters import ExpectedGain, LeaveOneOut, Ranks
from models.schema_versions import is_readable, unreadable
from service.adaptation.targets import adapter_target
from service.errors import AdapterFileInvalid, AdapterStale, NameInvalid, OnlineCorrupt
from service.store.arrays import adapter_bytes, adapter_from_bytes, vector_bytes, vector_from_bytes
from service.store.online_store import OnlineStore
from service.store.records import AdapterRecord, AdapterTarget, NewAdapter, Scope, SupportPair

_RECORD, _NUMBERS = "adapter.json", "adapter.npz"
_FORMAT = 1
_MOST_BYTES = 512 * 2**20  # of one file's contents: a zip archive may claim anything
_UNREADABLE = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    ValidationError,
    RuntimeError,
    zlib.error,
    OnlineCorrupt,
    NameInvalid,
)


class _Figures(BaseModel):
    model_config = ConfigDict(extra="forbid")

    acc_at_1: float
    mean_rank: float
    mrr: float

    def ranks(self) -> Ranks:
        return Ranks(self.acc_at_1, self.mean_rank, self.mrr)


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid")

    gain: float
    deviation: float


class _LeaveOneOut(BaseModel):
    model_config = ConfigDict(extra="forbid")

    before: _Figures
    after: _Figures
    expected: _Expected | None = None

    def figures(self) -> LeaveOneOut:
        expected = None if self.expected is None else ExpectedGain(self.expected.gain, self.expected.deviation)
        return LeaveOneOut(self.before.ranks(), self.after.ranks(), expected=expected)


class _Record(BaseModel):
    """What `adapter.json` holds."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(default=_FORMAT, ge=_FORMAT, le=_FORMAT)
    scope: Scope
    name: str
    bundle_id: str
    adaptation_id: str
    method: str
    margin: float | None
    leave_one_out: _LeaveOneOut
    reason: str
    photo_ids: tuple[str, ...]


def exported(store: OnlineStore, target: AdapterTarget, adapter_id: str) -> bytes:
    """The file of a stored adapter. Raises AdapterNotFound, AdapterStale, OnlineCorrupt."""
    record = store.get_adapter(target, adapter_id)
    adapter = store.adapter(adapter_id)
    if adapter is None or record.state == "stale":
        raise AdapterStale(f"adapter {adapter_id} belongs to bundle {record.bundle_id}, which is not in service")
    support = store.support_of(adapter_id)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_RECORD, json.dumps(_header(record, support), indent=1, ensure_ascii=False))
        archive.writestr(_NUMBERS, adapter_bytes(adapter))
        for number, pair in enumerate(support):
            archive.writestr(f"sketches/{number}", pair.sketch)
            archive.writestr(f"vectors/{number}", vector_bytes(pair.vector))
    return buffer.getvalue()


def imported(
    store: OnlineStore, data: bytes, adapted_dim: int, max_adapters: int, *, activate: bool = False
) -> AdapterRecord:
    """Store the adapter of a file as a new version of its category or profile; it is active only where requested.

    `adapted_dim`: what adapters work on. Raises AdapterFileInvalid, AdapterStale (it is of another bundle),
    AdaptersLimit, OnlineTargetsLimit, OnlineFull, OnlineUnwritable.
    """
    try:
        record, numbers, support = _read(data)
        if record.bundle_id != store.bundle_id:
            raise AdapterStale(f"it was fitted for bundle {record.bundle_id}, and {store.bundle_id} is served")
        target = adapter_target(record.scope, record.name)
        adapter = adapter_from_bytes(numbers, "of the file", adapted_dim)
    except _UNREADABLE as error:
        raise AdapterFileInvalid(f"it is no exported adapter: {error}") from error
    new = NewAdapter(
        target=target,
        bundle_id=record.bundle_id,
        adaptation_id=record.adaptation_id,
        method=record.method,
        margin=record.margin,
        leave_one_out=record.leave_one_out.figures(),
        adapter=adapter,
        activate=activate,
        reason=f"imported: {record.reason}",
        support=support,
    )
    # It brings no photos, so what is stored is the limit.
    return store.add(new, max_adapters, max_photos=len(store.state().photos))


def _header(record: AdapterRecord, support: Sequence[SupportPair]) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "scope": record.target.scope,
        "name": record.target.name,
        "bundle_id": record.bundle_id,
        "adaptation_id": record.adaptation_id,
        "method": record.method,
        "margin": record.margin,
        "leave_one_out": dict(record.leave_one_out),
        "reason": record.reason,
        "photo_ids": [pair.photo_id for pair in support],
    }


def _read(data: bytes) -> tuple[_Record, bytes, tuple[SupportPair, ...]]:
    """Raises what is in `_UNREADABLE`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"its contents are larger than {_MOST_BYTES:,} bytes")
        data = archive.read(_RECORD)
        document = json.loads(data)
        version = document.get("format", _FORMAT) if isinstance(document, dict) else _FORMAT
        if not is_readable(version, (_FORMAT,)):
            raise ValueError(unreadable(_RECORD, version, (_FORMAT,)))
        record = _Record.model_validate_json(data)
        support = tuple(
            SupportPair(archive.read(f"sketches/{n}"), vector_from_bytes(archive.read(f"vectors/{n}")), photo_id)
            for n, photo_id in enumerate(record.photo_ids)
        )
        return record, archive.read(_NUMBERS), support
