"""A token and what is kept of it; the file of keys, its writers, its faults."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.access.errors import KeyNotFound, KeysUnreadable, KeysUnwritable
from service.access.key_file import add_key, read_keys, revoke_key
from service.access.keys import key_id_of, make_key
from service.access.principal import Access, Principal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "online" / "keys.json"


def test_a_token_is_long_random_and_kept_as_its_hash_alone(path: Path) -> None:
    made = [make_key("ada", ("search",)) for _ in range(50)]
    assert len({key.token for key in made}) == 50
    for new in made:
        secret = new.token.rsplit(new.key.key_id + "_")[1]
        assert len(secret) == 43  # 32 bytes in base64
        assert new.key.sha256 == hashlib.sha256(new.token.encode()).hexdigest()
        assert key_id_of(new.token) == new.key.key_id
        assert new.key.matches(new.token)
    add_key(path, made[0].key)
    assert made[0].token not in path.read_text()


@pytest.mark.parametrize("change", ["", "x", "A", " "])
def test_another_token_does_not_match(change: str) -> None:
    new = make_key("ada", ("search",))
    other = new.token[:-1] + change
    assert other == new.token or not new.key.matches(other)


@pytest.mark.parametrize(
    "text", ["", "inkseek", "inkseek_abc_def", "ink_0123456789ab_" + "a" * 43, "é" * 60, "a" * 9999]
)
def test_what_is_no_token_claims_no_key(text: str) -> None:
    assert key_id_of(text) is None


def test_state_and_principal() -> None:
    now = datetime.now(UTC)
    key = make_key("ada", ("adapt", "search"), expires_at=now, galleries=("shoes",), rate_limit="5/second").key
    assert key.state(now - timedelta(microseconds=1)) == "active"
    assert key.state(now) == "expired"
    assert key.model_copy(update={"revoked_at": now}).state(now - timedelta(days=1)) == "revoked"
    granted: frozenset[Access] = frozenset({"adapt", "search"})
    assert key.principal == Principal("ada", granted, frozenset({"shoes"}), key.key_id, "5/second")
    assert key.principal.may_see("shoes") and not key.principal.may_see("chairs")
    assert make_key("bea", ()).key.principal.may_see("anything")


def test_keys_come_back_as_they_were_kept(path: Path) -> None:
    assert read_keys(path) == ()
    first = make_key("ada", ("search",), expires_at=datetime(2100, 1, 1, tzinfo=UTC)).key
    second = make_key("bea", ("adapt", "write"), galleries=("shoes", "chairs"), change_limit="9/day").key
    add_key(path, first)
    add_key(path, second)
    assert read_keys(path) == (first, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_uid == path.parent.stat().st_uid


def test_a_revoked_key_stays_in_the_list(path: Path) -> None:
    kept, gone = make_key("ada", ("search",)).key, make_key("bea", ("search",)).key
    add_key(path, kept)
    add_key(path, gone)
    revoked = revoke_key(path, gone.key_id)
    assert revoked.revoked_at is not None
    assert read_keys(path) == (kept, revoked)
    assert revoke_key(path, gone.key_id) == revoked  # its time stays
    with pytest.raises(KeyNotFound, match="000000000000"):
        revoke_key(path, "000000000000")


def test_writers_take_turns(path: Path) -> None:
    writers = [threading.Thread(target=add_key, args=(path, make_key(str(n), ("search",)).key)) for n in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {key.name for key in read_keys(path)} == {str(n) for n in range(20)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"schema_version": 2, "keys": []}',
        '{"schema_version": 1, "keys": [{}]}',
        '{"schema_version": 1, "keys": [], "more": 1}',
    ],
)
def test_a_damaged_file_is_rejected_and_not_written_over(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(KeysUnreadable, match=r"keys\.json"):
        read_keys(path)
    with pytest.raises(KeysUnreadable):
        add_key(path, make_key("ada", ("search",)).key)
    assert path.read_text() == text


def test_a_scope_that_does_not_exist_is_rejected(path: Path) -> None:
    add_key(path, make_key("ada", ("search",)).key)
    document = json.loads(path.read_text())
    document["keys"][0]["scopes"] = ["search", "root"]
    path.write_text(json.dumps(document))
    with pytest.raises(KeysUnreadable):
        read_keys(path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysUnwritable):
        add_key(tmp_path / "file" / "keys.json", make_key("ada", ("search",)).key)
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(KeysUnreadable):
        read_keys(tmp_path / "keys.json")


def test_a_writer_that_dies_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_key(path, make_key("ada", ("search",)).key)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeysUnwritable, match="No space left"):
        add_key(path, make_key("bea", ("search",)).key)
    assert path.read_bytes() == before
