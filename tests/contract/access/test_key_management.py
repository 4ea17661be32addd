"""Keys made, listed and revoked over HTTP: by whom, which, and what is left of their limits."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.access.key_file import add_key, read_keys
from service.access.keys import NewKey, make_key
from service.access.principal import Access
from service.app import create_app
from service.config import Settings
from tests.contract.waiting import until

MakeSettings = Callable[..., Settings]
ALL: tuple[Access, ...] = ("search", "adapt", "write", "admin")


def kept(settings: Settings, *scopes: Access, **more: Any) -> NewKey:
    made = make_key("-".join(scopes), scopes, **more)
    add_key(settings.key_path, made.key)
    return made


def using(token: str) -> dict[str, str]:
    return {"x-api-key": token}


@pytest.fixture
def managed(make_settings: MakeSettings, tmp_path: Path) -> Iterator[tuple[TestClient, Settings, dict[str, NewKey]]]:
    """A service with a key for everything, one for monitoring, one for searching, one of a single gallery."""
    settings = make_settings(online_dir=tmp_path, rate_limit="1000/day", change_limit="100/day")
    keys = {
        "all": kept(settings, *ALL),
        "monitoring": kept(settings, "admin"),
        "searching": kept(settings, "search"),
        "shoes": kept(settings, *ALL, galleries=("shoes",)),
        "passing": kept(settings, *ALL, expires_at=datetime.now(UTC) + timedelta(days=1)),
    }
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client, settings, keys


def test_a_key_is_made_used_listed_and_revoked(
    managed: tuple[TestClient, Settings, dict[str, NewKey]], cross: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client, settings, keys = managed
    mine = using(keys["all"].token)
    wanted: dict[str, Any] = {
        "name": "Ada L.",
        "scopes": ["search"],
        "expires_at": "2100-01-31T00:00:00+01:00",
        "rate_limit": "5/day",
    }
    with caplog.at_level(logging.INFO, "inkseek.service"):
        answer = client.post("/v1/keys", json=wanted, headers=mine)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert (made["name"], made["scopes"], made["state"], made["galleries"]) == ("Ada L.", ["search"], "active", [])
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(wanted["expires_at"])
    assert made["last_used_at"] is None
    secret = made["key"]
    [line] = [record.getMessage() for record in caplog.records if made["key_id"] in record.getMessage()]
    assert keys["all"].key.key_id in line and "Ada L." in line and secret not in caplog.text

    hers = using(secret)
    until(lambda: client.post("/v1/search", content=cross, headers=hers).status_code == 200)
    assert client.post("/v1/search", content=cross, headers=hers).status_code == 200
    listing = client.get("/v1/keys", headers=mine)
    listed = {key["key_id"]: key for key in listing.json()["keys"]}
    assert list(listed) == [key.key_id for key in read_keys(settings.key_path)]
    now = datetime.now(UTC)
    ours = listed[made["key_id"]]
    assert timedelta(0) <= now - datetime.fromisoformat(ours["last_used_at"]) < timedelta(minutes=10)
    assert listed[keys["searching"].key.key_id]["last_used_at"] is None
    windows = {window["policy"]: window for window in ours["limits"]}
    assert (windows["requests"]["quota"], windows["requests"]["remaining"]) == (5, 3)
    assert (windows["changes"]["quota"], windows["changes"]["remaining"]) == (100, 100)
    assert 0 < windows["requests"]["reset_s"] <= 86_400
    # Making a key is a change, and counts as one.
    own = {window["policy"]: window for window in listed[keys["all"].key.key_id]["limits"]}
    assert own["changes"]["remaining"] == 99
    for secret_part in (secret, *(one.token for one in keys.values()), *(one.key.sha256 for one in keys.values())):
        assert secret_part not in listing.text
    assert "sha256" not in listing.text


def test_a_revoked_key_is_denied_and_stays_in_the_list(managed: tuple[TestClient, Settings, dict[str, NewKey]]) -> None:
    client, _, keys = managed
    mine, made = using(keys["all"].token), keys["searching"].key
    assert client.delete(f"/v1/keys/{made.key_id}", headers=mine).status_code == 204
    hers = using(keys["searching"].token)
    until(lambda: client.get("/v1/info", headers=hers).status_code == 401)
    assert "revoked" in client.get("/v1/info", headers=hers).json()["detail"]
    [after] = [key for key in client.get("/v1/keys", headers=mine).json()["keys"] if key["key_id"] == made.key_id]
    assert after["state"] == "revoked" and after["revoked_at"]
    assert client.delete(f"/v1/keys/{made.key_id}", headers=mine).status_code == 204
    unknown = client.delete("/v1/keys/0123456789ab", headers=mine)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "key_not_found")


@pytest.mark.parametrize("who", ["searching", None])
def test_other_scopes_are_denied(managed: tuple[TestClient, Settings, dict[str, NewKey]], who: str | None) -> None:
    client, settings, keys = managed
    headers = using(keys[who].token) if who else {}
    denied = (403, "access_denied") if who else (401, "key_required")
    before = settings.key_path.read_bytes()
    for answer in (
        client.get("/v1/keys", headers=headers),
        client.post("/v1/keys", json={"name": "eve", "scopes": ["search"]}, headers=headers),
        client.delete(f"/v1/keys/{keys['all'].key.key_id}", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == denied
    assert settings.key_path.read_bytes() == before


def test_nobody_grants_or_revokes_more_than_they_have(managed: tuple[TestClient, Settings, dict[str, NewKey]]) -> None:
    client, settings, keys = managed
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    before = settings.key_path.read_bytes()
    excess: list[tuple[str, dict[str, Any], str]] = [
        ("monitoring", {"name": "eve", "scopes": ["admin", "search"]}, "'search' is missing"),
        ("shoes", {"name": "eve", "scopes": ["search"]}, "shoes"),
        ("shoes", {"name": "eve", "scopes": ["search"], "galleries": ["shoes", "bags"]}, "shoes"),
        ("passing", {"name": "eve", "scopes": ["search"]}, "expires"),
        ("passing", {"name": "eve", "scopes": ["search"], "expires_at": later}, "expires"),
    ]
    for who, wanted, said in excess:
        answer = client.post("/v1/keys", json=wanted, headers=using(keys[who].token))
        assert (answer.status_code, answer.json()["code"]) == (403, "access_denied"), who
        assert said in answer.json()["detail"]
    answer = client.delete(f"/v1/keys/{keys['searching'].key.key_id}", headers=using(keys["monitoring"].token))
    assert (answer.status_code, "'search' is missing" in answer.text) == (403, True)
    # A key of one gallery does not learn that there are others.
    answer = client.delete(f"/v1/keys/{keys['all'].key.key_id}", headers=using(keys["shoes"].token))
    assert (answer.status_code, answer.json()["code"]) == (404, "key_not_found")
    assert settings.key_path.read_bytes() == before
    seen = client.get("/v1/keys", headers=using(keys["shoes"].token)).json()["keys"]
    assert [key["key_id"] for key in seen] == [keys["shoes"].key.key_id]

    sooner = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for who, wanted in (
        ("monitoring", {"name": "other prometheus", "scopes": ["admin"]}),
        ("shoes", {"name": "bea", "scopes": ["search"], "galleries": ["shoes"]}),
        ("passing", {"name": "cy", "scopes": ["search", "search"], "expires_at": sooner}),
    ):
        answer = client.post("/v1/keys", json=wanted, headers=using(keys[who].token))
        assert answer.status_code == 201, answer.text
    assert read_keys(settings.key_path)[-1].scopes == ("search",)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "name"),
        ({"name": "ada"}, "scopes"),
        ({"name": "ada", "scopes": []}, "scopes"),
        ({"name": "ada", "scopes": ["root"]}, "scopes.0"),
        ({"name": " ", "scopes": ["search"]}, "name"),
        ({"name": "a" * 201, "scopes": ["search"]}, "name"),
        ({"name": "ada", "scopes": ["search"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "ada", "scopes": ["search"], "expires_at": "2100-01-01T00:00:00"}, "expires_at"),
        ({"name": "ada", "scopes": ["search"], "rate_limit": "often"}, "rate_limit"),
        ({"name": "ada", "scopes": ["search"], "sha256": "0" * 64}, "sha256"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_what_describes_no_key_is_rejected_with_its_faults(
    managed: tuple[TestClient, Settings, dict[str, NewKey]], body: Any, where: str
) -> None:
    client, settings, keys = managed
    before = settings.key_path.read_bytes()
    content = b"{" if body is None else json.dumps(body).encode()
    answer = client.post("/v1/keys", content=content, headers=using(keys["all"].token))
    assert (answer.status_code, answer.json()["code"]) == (422, "body_invalid"), answer.text
    assert any(fault["where"].startswith(where) for fault in answer.json()["errors"]), answer.text
    assert settings.key_path.read_bytes() == before


def test_the_first_key_is_not_made_over_the_network(client: TestClient) -> None:
    assert client.get("/v1/keys").json() == {"keys": []}
    answer = client.post("/v1/keys", json={"name": "eve", "scopes": ["admin"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "access_denied")
    assert "inkseek keys create" in answer.json()["detail"]
    assert client.delete("/v1/keys/0123456789ab").status_code == 403


def test_nor_by_those_who_are_anonymous(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path, anonymous_scopes="search,admin")
    made = kept(settings, "search")
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/keys").status_code == 200
        assert client.post("/v1/keys", json={"name": "eve", "scopes": ["search"]}).status_code == 403
        assert client.delete(f"/v1/keys/{made.key.key_id}").status_code == 403


def test_a_read_only_service_lists_them_and_changes_none(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path, read_only=True)
    made = kept(settings, *ALL)
    with TestClient(create_app(settings)) as client:
        mine = using(made.token)
        assert [key["name"] for key in client.get("/v1/keys", headers=mine).json()["keys"]] == [made.key.name]
        for answer in (
            client.post("/v1/keys", json={"name": "eve", "scopes": ["search"]}, headers=mine),
            client.delete(f"/v1/keys/{made.key.key_id}", headers=mine),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "read_only")


def test_a_file_of_keys_that_cannot_be_changed(make_settings: MakeSettings, tmp_path: Path) -> None:
    """As a mounted secret is one: its folder takes no file, for root neither, since it is a link to nowhere."""
    folder = tmp_path / "secret"
    folder.mkdir()
    settings = make_settings(online_dir=tmp_path / "online", keys_file=folder / "keys.json")
    made = kept(settings, *ALL)
    lock = folder / ".keys.json.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        mine = using(made.token)
        [listed] = client.get("/v1/keys", headers=mine).json()["keys"]
        assert listed["last_used_at"] is None  # there is no online folder that could have it
        answer = client.post("/v1/keys", json={"name": "ada", "scopes": ["search"]}, headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (503, "online_unwritable"), answer.text
