"""How a process follows the file of keys: new ones, revoked ones, a damaged file, one that is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.access.errors import AddressExposed, KeysUnreadable
from service.access.exposure import check_exposure, is_loopback
from service.access.key_file import add_key, revoke_key
from service.access.keyring import Keyring
from service.access.keys import NewKey, make_key
from service.errors import KeyInvalid


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def keyring(path: Path, clock: Clock) -> Keyring:
    return Keyring(path, clock)


def added(path: Path, name: str = "ada", expires_at: datetime | None = None) -> NewKey:
    new = make_key(name, ("search",), expires_at=expires_at)
    add_key(path, new.key)
    return new


def test_the_first_key_closes_the_service_within_a_second(path: Path, keyring: Keyring, clock: Clock) -> None:
    assert not keyring.has_keys()
    new = added(path)
    assert not keyring.has_keys()  # it has just looked
    clock.now_s = 1.0
    assert keyring.has_keys()
    assert keyring.principal_of(new.token) == new.key.principal


def test_a_revoked_key_is_denied_within_a_second(path: Path, keyring: Keyring, clock: Clock) -> None:
    new, other = added(path), added(path, "bea")
    assert keyring.principal_of(new.token).name == "ada"
    revoke_key(path, new.key.key_id)
    clock.now_s = 1.0
    with pytest.raises(KeyInvalid, match="revoked"):
        keyring.principal_of(new.token)
    assert keyring.principal_of(other.token).name == "bea"
    revoke_key(path, other.key.key_id)
    clock.now_s = 2.0
    assert keyring.has_keys()  # all are revoked: nobody may, not everybody


def test_a_key_expires_without_a_change_of_the_file(path: Path, keyring: Keyring) -> None:
    now = datetime.now(UTC)
    good, over = added(path, expires_at=now + timedelta(hours=1)), added(path, expires_at=now)
    assert keyring.principal_of(good.token)
    with pytest.raises(KeyInvalid, match=f"{over.key.key_id} is expired"):
        keyring.principal_of(over.token)


def test_only_who_has_the_secret_learns_of_the_key(path: Path, keyring: Keyring) -> None:
    new = added(path, expires_at=datetime.now(UTC))
    stranger = make_key("eve", ("search",))
    mixed = new.token.replace(new.token[-43:], stranger.token[-43:])
    for forged in (mixed, stranger.token, new.token + "x", "", "é", new.key.sha256):
        with pytest.raises(KeyInvalid, match="this key is unknown"):
            keyring.principal_of(forged)


def test_a_file_that_is_gone_denies_all_and_opens_nothing(path: Path, keyring: Keyring, clock: Clock) -> None:
    new = added(path)
    assert keyring.has_keys()
    content = path.read_bytes()
    path.unlink()
    clock.now_s = 1.0
    assert keyring.has_keys()
    with pytest.raises(KeyInvalid):
        keyring.principal_of(new.token)
    path.write_bytes(content)
    clock.now_s = 2.0
    assert keyring.principal_of(new.token).name == "ada"


def test_a_damaged_file_fails_the_start_and_later_changes_nothing(
    path: Path, keyring: Keyring, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    new = added(path)
    content = path.read_bytes()
    path.write_text("{")
    for _ in range(3):
        with pytest.raises(KeysUnreadable):
            keyring.has_keys()
    path.write_bytes(content)
    clock.now_s = 1.0
    assert keyring.has_keys()
    path.write_text("{")
    for clock.now_s in (2.0, 3.0, 4.0):
        assert keyring.principal_of(new.token).name == "ada"
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "localhost."])
def test_loopback_needs_no_key(host: str) -> None:
    assert is_loopback(host)
    check_exposure(host, has_keys=False, is_open=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "localhost.example.org", "127.0.0.1.example.org"])
def test_any_other_address_needs_a_key_or_a_word(host: str) -> None:
    with pytest.raises(AddressExposed, match="INKSEEK_OPEN=true"):
        check_exposure(host, has_keys=False, is_open=False)
    check_exposure(host, has_keys=True, is_open=False)
    check_exposure(host, has_keys=False, is_open=True)
