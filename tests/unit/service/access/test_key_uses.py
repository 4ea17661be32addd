"""When a key was last used: noted once a minute, by any process, and never in the way of a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.access.key_uses import KeyUses

KEY = "5f0c2d9a71be"


def test_uses_are_shared_and_noted_once_a_minute(tmp_path: Path) -> None:
    now = 100.0
    uses = KeyUses(tmp_path / "keys_used", lambda: now)
    assert uses.last_used_at(KEY) is None
    uses.note(KEY)
    noted = KeyUses(tmp_path / "keys_used").last_used_at(KEY)
    assert noted is not None and abs(datetime.now(UTC) - noted) < timedelta(minutes=10)
    file = tmp_path / "keys_used" / KEY
    file.unlink()
    now += 59
    uses.note(KEY)
    assert not file.exists()
    now += 1
    uses.note(KEY)
    assert file.exists()


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "keys_used").write_text("no folder")
    for folder in (tmp_path / "keys_used", tmp_path / "missing" / "keys_used"):
        uses = KeyUses(folder)
        uses.note(KEY)
        assert uses.last_used_at(KEY) is None
