"""API keys over HTTP: who is let in with which, what a scope opens, and how soon a change takes effect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from httpx2 import Response
from starlette.testclient import TestClient
from typer.testing import CliRunner

from inkseek import app as inkseek
from service.access.errors import KeysUnreadable
from service.access.key_file import add_key, revoke_key
from service.access.keys import NewKey, make_key
from service.access.principal import Access
from service.app import create_app
from service.config import Settings
from service.http.schemas.problem import Problem
from tests.contract.waiting import until

MakeSettings = Callable[..., Settings]
ADAPTERS = "/v1/categories/box/adapters"


def kept(settings: Settings, *scopes: Access, **more: Any) -> NewKey:
    new = make_key("-".join(scopes) or "nothing", scopes, **more)
    add_key(settings.key_path, new.key)
    return new


@pytest.fixture(scope="module")
def locked(
    make_settings: MakeSettings, adaptable_bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, Settings]]:
    """A service that can adapt and has a key already, so that it asks for one."""
    settings = make_settings(bundle=adaptable_bundle_dir, online_dir=tmp_path_factory.mktemp("online"))
    kept(settings, "search")
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client, settings


def fresh(client: TestClient, settings: Settings, *scopes: Access, **more: Any) -> NewKey:
    """A new key, waited for as an operator would: within a second and a bit every process knows it."""
    new = kept(settings, *scopes, **more)
    bearer = {"authorization": f"Bearer {new.token}"}
    until(lambda: "unknown" not in client.get("/livez", headers=bearer).text)
    return new


def code_of(response: Response) -> str:
    return Problem.model_validate(response.json()).code


def test_without_a_key_the_page_loads_and_nothing_else(locked: tuple[TestClient, Settings], cross: bytes) -> None:
    client, _ = locked
    for path in ("/", "/page/js/main.js", "/docs", "/openapi.json", "/livez", "/readyz"):
        assert client.get(path).status_code == 200, path
    for path in ("/v1/info", "/v1/categories", "/v1/photos/box/1.png/image", "/v1/profiles", "/metrics", ADAPTERS):
        response = client.get(path)
        assert (response.status_code, code_of(response)) == (401, "key_required"), path
        assert response.headers["www-authenticate"] == 'Bearer realm="Inkseek"'
    assert code_of(client.post("/v1/search", content=cross)) == "key_required"


def test_either_header_carries_the_key(locked: tuple[TestClient, Settings], cross: bytes) -> None:
    client, settings = locked
    token = fresh(client, settings, "search").token
    for headers in (
        {"authorization": f"Bearer {token}"},
        {"authorization": f"bearer   {token} "},
        {"x-api-key": token},
        {"authorization": f"Bearer {token}", "x-api-key": token},
        {"authorization": "Basic YWRhOmFkYQ==", "x-api-key": token},
    ):
        response = client.post("/v1/search", content=cross, headers=headers)
        assert response.status_code == 200, (headers, response.text)
        assert response.json()["results"][0]["photo_id"] == "cross/2.png"


def test_what_is_no_key_of_ours_is_rejected_everywhere(locked: tuple[TestClient, Settings]) -> None:
    client, settings = locked
    good, stranger = fresh(client, settings, "search"), make_key("eve", get_args(Access))
    swapped = good.token[:-43] + stranger.token[-43:]
    forged = [
        [("authorization", f"Bearer {stranger.token}")],
        [("authorization", f"Bearer {swapped}")],
        [("authorization", f"Bearer {good.token}x")],
        [("authorization", "Bearer ")],
        [("x-api-key", good.key.sha256)],
        [("x-api-key", good.key.key_id)],
        [("x-api-key", "ü" * 50)],
        [("x-api-key", "a" * 9_000)],
        [("authorization", f"Bearer {good.token}"), ("x-api-key", stranger.token)],
        [("x-api-key", good.token), ("x-api-key", stranger.token)],
    ]
    for headers in forged:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        for path in ("/v1/info", "/livez", "/"):
            response = client.get(path, headers=sent)
            assert (response.status_code, code_of(response)) == (401, "key_invalid"), (headers, path)
            assert 'error="invalid_token"' in response.headers["www-authenticate"]
            assert good.token not in response.text and stranger.token not in response.text
    # Another scheme is a proxy's, and a key in the address would end up in logs.
    for response in (
        client.get("/v1/info", headers={"authorization": f"Basic {good.token}"}),
        client.get("/v1/info", params={"api_key": good.token}),
        client.get("/v1/info", headers={"cookie": f"key={good.token}"}),
    ):
        assert (response.status_code, code_of(response)) == (401, "key_required")


def test_an_expired_and_a_revoked_key(locked: tuple[TestClient, Settings]) -> None:
    client, settings = locked
    over = fresh(client, settings, "search", expires_at=datetime.now(UTC))
    response = client.get("/v1/info", headers={"x-api-key": over.token})
    assert (response.status_code, code_of(response)) == (401, "key_invalid")
    assert "expired" in response.json()["detail"]
    lost = fresh(client, settings, "search")
    assert client.get("/v1/info", headers={"x-api-key": lost.token}).status_code == 200
    revoke_key(settings.key_path, lost.key.key_id)
    until(lambda: client.get("/v1/info", headers={"x-api-key": lost.token}).status_code != 200)
    assert "revoked" in client.get("/v1/info", headers={"x-api-key": lost.token}).json()["detail"]


def test_a_scope_opens_its_own_routes_alone(
    locked: tuple[TestClient, Settings], support_form: Callable[..., Any], encoded: Callable[..., bytes], drawing: Any
) -> None:
    client, settings = locked
    keys = {scope: {"x-api-key": fresh(client, settings, scope).token} for scope in get_args(Access)}
    opened = {"search": "/v1/info", "adapt": ADAPTERS, "admin": "/metrics"}
    for scope, headers in keys.items():
        for needed, path in opened.items():
            response = client.get(path, headers=headers)
            assert response.status_code == (200 if scope == needed else 403), (scope, path)
            if scope != needed:
                assert code_of(response) == "access_denied" and repr(needed) in response.json()["detail"]
    info = client.get("/v1/info", headers=keys["search"]).json()
    assert (info["access"], info["read_only"]) == (["search"], False)

    form = support_form()
    assert code_of(client.post(ADAPTERS, files=form, headers=keys["search"])) == "access_denied"
    fitted = client.post(ADAPTERS, files=form, headers=keys["adapt"])
    assert fitted.status_code == 201, fitted.text
    with_upload = [*form, ("photo", encoded(drawing("box", 1).rotate(90)))]
    denied = client.post(ADAPTERS, files=with_upload, headers=keys["adapt"])
    assert (denied.status_code, code_of(denied)) == (403, "access_denied") and "'write'" in denied.json()["detail"]
    both = {"x-api-key": fresh(client, settings, "adapt", "write").token}
    stored = client.post(ADAPTERS, files=with_upload, headers=both)
    assert stored.status_code == 201 and len(stored.json()["photos_added"]) == 1, stored.text
    address = f"{ADAPTERS}/{stored.json()['adapter_id']}"
    assert code_of(client.delete(address, params={"photos": True}, headers=keys["adapt"])) == "access_denied"
    assert client.delete(address, params={"photos": True}, headers=both).status_code == 204


def test_anonymous_scopes_are_for_requests_without_a_key(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path, anonymous_scopes="search")
    adapting = kept(settings, "adapt")
    with TestClient(create_app(settings)) as client:
        assert client.get("/v1/info").json()["access"] == ["search"]
        assert code_of(client.get(ADAPTERS)) == "key_required"
        assert client.get(ADAPTERS, headers={"x-api-key": adapting.token}).status_code == 200
        assert code_of(client.get("/v1/info", headers={"x-api-key": adapting.token})) == "access_denied"
        # A key that is not good is no anonymous request.
        assert client.get("/v1/info", headers={"x-api-key": adapting.token + "x"}).status_code == 401


def test_a_read_only_service_searches_and_changes_nothing(
    make_settings: MakeSettings, adaptable_bundle_dir: Path, tmp_path: Path, cross: bytes, support_form: Any
) -> None:
    settings = make_settings(bundle=adaptable_bundle_dir, online_dir=tmp_path, read_only=True)
    with TestClient(create_app(settings)) as client:
        assert client.post("/v1/search", content=cross).status_code == 200
        assert client.post("/v1/preview", content=cross).status_code == 200
        assert client.get(ADAPTERS).status_code == 200
        info = client.get("/v1/info").json()
        assert (info["read_only"], info["access"]) == (True, ["search"])
        for response in (
            client.post(ADAPTERS, files=support_form()),
            client.post(ADAPTERS, files=support_form(), params={"dry_run": True}),
            client.post(f"{ADAPTERS}:rollback"),
            client.post(f"{ADAPTERS}/adapter-1:activate"),
            client.delete(f"{ADAPTERS}/adapter-1"),
            client.post("/v1/profiles/ada/adapters", files=support_form()),
        ):
            assert (response.status_code, code_of(response)) == (403, "read_only")
        assert client.get(ADAPTERS).json()["adapters"] == []
        assert not (tmp_path / "online.sqlite").exists()


def test_a_service_without_keys_looks_at_none(client: TestClient) -> None:
    for headers in ({"authorization": "Bearer of-a-proxy"}, {"x-api-key": "anything"}):
        assert client.get("/v1/info", headers=headers).status_code == 200


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(inkseek, ["keys", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_commands(tmp_path: Path) -> None:
    where = ["--index", str(tmp_path)]
    code, token, said = run("create", "ada", "--scope", "search", "--scope", "adapt", "--expires", "90d", *where)
    assert code == 0 and token.count("\n") == 1 and "this once" in said
    assert token.strip() not in said
    code, document, _ = run("create", "bea", "--gallery", "shoes", "--expires", "2100-01-31", "--json", *where)
    made = json.loads(document)
    assert (made["scopes"], made["galleries"], made["expires_at"]) == (["search"], ["shoes"], "2100-01-31T00:00:00Z")
    code, document, _ = run("list", "--json", *where)
    listed = json.loads(document)["keys"]
    assert [(key["name"], key["state"]) for key in listed] == [("ada", "active"), ("bea", "active")]
    assert made["key"] not in document and "sha256" not in document
    days = datetime.fromisoformat(listed[0]["expires_at"]) - datetime.fromisoformat(listed[0]["created_at"])
    assert 89.9 < days.total_seconds() / 86_400 < 90.1
    assert run("revoke", made["key_id"], *where)[0] == 0
    code, table, _ = run("list", *where)
    assert "revoked" in table and "shoes" in table and "ada" in table
    revoked = json.loads(run("revoke", made["key_id"], "--json", *where)[1])
    assert revoked["state"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["create", "ada", "--scope", "root"], 2, "search, adapt, write, admin"),
        (["create", "ada", "--expires", "soon"], 2, "90d"),
        (["create", "ada", "--expires", "2020-01-01"], 2, "is over"),
        (["revoke", "0123456789ab"], 1, "KeyNotFound"),
    ],
)
def test_the_commands_say_what_is_wrong(arguments: list[str], exit_code: int, said: str, tmp_path: Path) -> None:
    code, out, err = run(*arguments, "--index", str(tmp_path))
    assert code == exit_code and said in " ".join((out + err).split())
    assert not (tmp_path / "online" / "keys.json").exists()


def test_a_damaged_key_file_ends_the_commands_and_the_start(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path)
    settings.key_path.write_text("{}")
    for arguments in (["list"], ["create", "ada"], ["revoke", "x"]):
        code, out, err = run(*arguments, "--index", str(settings.index), "--online-dir", str(tmp_path))
        assert code == 1 and "KeysUnreadable" in out + err
        assert json.loads(run(*arguments, "--index", "x", "--online-dir", str(tmp_path), "--json")[1])["error"]
    with pytest.raises(KeysUnreadable), TestClient(create_app(settings)):
        pass
