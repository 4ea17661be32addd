"""Keys, exported adapters and documents that earlier releases wrote are read as they were meant, for ever."""

from __future__ import annotations

import base64
import io
import json
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact.manifest import parse_manifest
from index_builder.artifact.segments.online_changes import CHANGES, read_changes
from models.adapters import CategoryAdapter
from service.access.key_file import add_key, read_keys
from service.access.keyring import Keyring
from service.access.keys import make_key
from service.adaptation.exchange import imported
from service.backup.contents import parse_contents
from service.runtime.galleries.quotas import quotas_of
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

GOLDEN = Path(__file__).parent
DOCUMENTS = GOLDEN / "documents"
TOKEN = "inkseek_0123456789ab_" + "x" * 43  # of the first golden key
SHOE = AdapterTarget("category", "shoe")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / "keys_v1.json", tmp_path / "keys.json"))


def test_keys_of_schema_version_1_are_read(keys: Path) -> None:
    ada, ben = read_keys(keys)
    assert (ada.name, ada.scopes, ada.galleries) == ("ada", ("search", "adapt"), ("shop",))
    assert (ada.rate_limit, ada.change_limit) == ("10/second; 2000/day", "20/hour")
    assert ada.expires_at == datetime(2031, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert (ben.galleries, ben.rate_limit, ben.expires_at) == ((), None, None)
    assert ben.state(datetime(2026, 2, 1, tzinfo=UTC)) == "revoked"
    principal = Keyring(keys).principal_of(TOKEN)
    assert principal.name == "ada" and sorted(principal.access) == ["adapt", "search"]


def test_keys_of_schema_version_1_stay_as_they_are_when_one_is_added(keys: Path) -> None:
    before = read_keys(keys)
    added = make_key("eve", ("search",)).key
    add_key(keys, added)
    assert read_keys(keys) == (*before, added)


def golden_adapter() -> bytes:
    return base64.b64decode((GOLDEN / "adapter_v1.zip.b64").read_bytes())


def test_an_adapter_file_of_format_1_is_imported(tmp_path: Path) -> None:
    store = OnlineStore(tmp_path, "golden-bundle", 4)
    record = imported(store, golden_adapter(), 4, 10, activate=True)
    assert (record.target, record.state, record.method, record.margin) == (SHOE, "active", "adaptive", 0.25)
    assert record.leave_one_out["before"] == {"acc_at_1": 0.5, "mean_rank": 2.0, "mrr": 0.75}
    adapter = store.adapter(record.adapter_id)
    assert isinstance(adapter, CategoryAdapter) and adapter.map is not None
    np.testing.assert_array_equal(adapter.map, (1 + np.arange(12, dtype=np.float32) / 4).reshape(4, 3))
    assert [(pair.sketch, pair.photo_id) for pair in store.support_of(record.adapter_id)] == [
        (b'{"strokes": [[[1, 2], [3, 4]]]}', "shoe/1.jpg"),
        (b"a sketch's file", "online/0123456789abcdef0123"),
    ]
    store.close()


def test_an_adapter_file_is_still_written_in_that_form() -> None:
    with zipfile.ZipFile(io.BytesIO(golden_adapter())) as archive:
        assert archive.namelist() == [
            "adapter.json",
            "adapter.npz",
            "sketches/0",
            "vectors/0",
            "sketches/1",
            "vectors/1",
        ]
        assert json.loads(archive.read("adapter.json"))["format"] == 1


def test_manifests_of_schema_version_3_with_all_that_they_may_say() -> None:
    online = parse_manifest((DOCUMENTS / "index_v3_online.json").read_bytes())
    assert online.online is not None and online.recall is not None and online.cost is not None
    assert (online.online.store_id, online.online.change, online.online.photos) == ("0123456789abcdef", 41, 2)
    assert (online.recall.recall, online.cost.ms_p95, online.collection) == (0.975, 0.75, None)
    milvus = parse_manifest((DOCUMENTS / "index_v3_milvus.json").read_bytes())
    assert (milvus.collection, milvus.search.kind, milvus.online) == ("inkseek_0123456789ab_000007", "milvus", None)
    assert [segment.live for segment in milvus.segments] == [5, 5]


@pytest.mark.parametrize("name", ["index_v3_online", "index_v3_milvus"])
def test_a_manifest_that_is_written_again_says_the_same(name: str) -> None:
    manifest = parse_manifest((DOCUMENTS / f"{name}.json").read_bytes())
    assert parse_manifest(manifest.to_bytes()) == manifest


def test_changes_of_schema_version_1(tmp_path: Path) -> None:
    shutil.copy(DOCUMENTS / "changes_v1.json", tmp_path / CHANGES)
    changes = read_changes(tmp_path)
    assert (changes.since, changes.mark.change, changes.count, changes.deleted) == (17, 41, 2, ("shoe/04.jpg",))


def test_a_backup_of_schema_version_1() -> None:
    contents = parse_contents((DOCUMENTS / "backup_v1.json").read_bytes())
    part = contents.galleries["default"].index
    assert part is not None and part.published == part.versions[1] == "000002-0123456789ab"
    assert (contents.keys, contents.limits["change_limit"], contents.galleries["shop"].index) == (2, "20/hour", None)
    assert list(contents.members)[-1] == "keys.json"


def test_quotas(tmp_path: Path) -> None:
    shutil.copy(DOCUMENTS / "quotas.json", tmp_path / "quotas.json")
    assert quotas_of(tmp_path).changes() == {"max_adapters": 5, "max_online_photos": 100}
