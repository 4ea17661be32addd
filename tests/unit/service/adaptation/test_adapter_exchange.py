"""Adapters as files: what another service of the same bundle imports is the original; nothing else is imported."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.adapters import CategoryAdapter, ExpectedGain, LeaveOneOut, Ranks, StyleAdapter
from service.adaptation.exchange import exported, imported
from service.errors import AdapterFileInvalid, AdaptersLimit, AdapterStale
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, SupportPair

E = 6
BOX = AdapterTarget("category", "box")
FIGURES = LeaveOneOut(Ranks(0.5, 2.0, 0.6), Ranks(0.75, 1.5, 0.8), 0.1, ExpectedGain(0.03, 0.05))


def new(target: AdapterTarget = BOX, bundle_id: str = "one") -> NewAdapter:
    random = np.random.default_rng(1)
    mean, map_ = (random.normal(size=shape).astype(np.float32) for shape in ((E,), (E, E)))
    adapter = (
        CategoryAdapter(mean, map_, 0.7, 0.1, mean * 2) if target.scope == "category" else StyleAdapter.shifting(mean)
    )
    support = (SupportPair(b"a drawing", mean, "box/1.png"), SupportPair(b"another", mean * 3, "box/2.png"))
    return NewAdapter(target, bundle_id, "learned-1", "bayes", None, FIGURES, adapter, True, "it pays", support)


def store(folder: Path, bundle_id: str = "one") -> OnlineStore:
    return OnlineStore(folder, bundle_id, E)


@pytest.mark.parametrize("target", [BOX, AdapterTarget("profile", "ada")])
def test_an_import_is_the_same_adapter_and_idle(tmp_path: Path, target: AdapterTarget) -> None:
    here, there = store(tmp_path / "here"), store(tmp_path / "there")
    original = here.add(new(target), 9, 0)
    copy = imported(there, exported(here, target, original.adapter_id), E, 9)
    assert (copy.target, copy.state, copy.k, copy.leave_one_out) == (target, "idle", 2, original.leave_one_out)
    assert copy.adapter_id != original.adapter_id
    one, other = here.adapter(original.adapter_id), there.adapter(copy.adapter_id)
    assert one is not None and other is not None
    rows = np.random.default_rng(2).normal(size=(4, E)).astype(np.float32)
    np.testing.assert_array_equal(one.embed_sketches(rows), other.embed_sketches(rows))
    pairs = here.support_of(original.adapter_id), there.support_of(copy.adapter_id)
    assert [(pair.sketch, pair.photo_id, pair.vector.tolist()) for pair in pairs[0]] == [
        (pair.sketch, pair.photo_id, pair.vector.tolist()) for pair in pairs[1]
    ]
    active = imported(there, exported(here, target, original.adapter_id), E, 9, activate=True)
    assert (active.state, active.version) == ("active", 2)
    here.close()
    there.close()


def test_another_bundles_adapter_stays_outside(tmp_path: Path) -> None:
    here, there = store(tmp_path / "here"), store(tmp_path / "there", "two")
    data = exported(here, BOX, here.add(new(), 9, 0).adapter_id)
    with pytest.raises(AdapterStale, match="fitted for bundle one"):
        imported(there, data, E, 9)
    with pytest.raises(AdaptersLimit):
        imported(here, data, E, 1)
    assert there.list_adapters() == []
    here.close()
    there.close()


def changed(data: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_what_is_no_exported_adapter_is_rejected(tmp_path: Path) -> None:
    here = store(tmp_path)
    data = exported(here, BOX, here.add(new(), 9, 0).adapter_id)
    header = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("adapter.json"))
    broken = [
        b"nothing",
        data[: len(data) // 2],
        changed(data, lambda files: files.pop("adapter.npz")),
        changed(data, lambda files: files.update({"adapter.npz": b"numbers"})),
        changed(data, lambda files: files.pop("sketches/1")),
        changed(data, lambda files: files.update({"adapter.json": json.dumps({**header, "format": 2}).encode()})),
        changed(data, lambda files: files.update({"adapter.json": json.dumps({**header, "name": " "}).encode()})),
    ]
    for each in broken:
        with pytest.raises(AdapterFileInvalid):
            imported(here, each, E, 9)
    with pytest.raises(AdapterFileInvalid, match="not an adapter for 7 numbers"):
        imported(here, data, 7, 9)
    assert len(here.list_adapters()) == 1
    here.close()
