"""The profile of a key over HTTP: drawings from two galleries, and searches in all that the key may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings
from tests.contract.waiting import until

OWN, SHOES, CHAIRS = "/v1/profiles/@key/adapters", "/v1/galleries/shoes", "/v1/galleries/chairs"
Header = dict[str, str]


class Service:
    """A service with keys, which makes more of them."""

    def __init__(self, client: TestClient, settings: Settings) -> None:
        self.client, self._settings = client, settings

    def key(self, *galleries: str) -> tuple[Header, str]:
        """A header that searches and adapts, once the service knows the key; and the key's id."""
        new = make_key("person", ("search", "adapt"), galleries=galleries)
        add_key(self._settings.key_path, new.key)
        header, place = {"x-api-key": new.token}, f"/v1/galleries/{galleries[0]}" if galleries else "/v1"
        until(lambda: self.client.get(f"{place}/profiles", headers=header).status_code == 200)
        return header, new.key.key_id

    def searched(self, header: Header, sketch: bytes, place: str = "/v1", **query: Any) -> dict[str, Any]:
        response = self.client.post(f"{place}/search", params={"k": 50, **query}, content=sketch, headers=header)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return {name: answer[name] for name in ("style_adapter_id", "results")}

    def adapted(self, header: Header, parts: list[tuple[str, Any]], place: str = "/v1", **query: str) -> Any:
        path = f"{place}/profiles/@key/adapters"
        return self.client.post(path, files=parts, params={"force": "true", **query}, headers=header)


@pytest.fixture
def service(settings: Callable[..., Settings]) -> Iterator[Service]:
    made = settings()
    add_key(made.key_path, make_key("first", ("admin",)).key)
    with TestClient(create_app(made), raise_server_exceptions=False) as client:
        yield Service(client, made)


@pytest.fixture
def examples(drawing: Callable[[str, int], Image.Image], encoded: Callable[..., bytes]) -> Callable[..., Any]:
    """Parts of a form: drawings of the photos with these ids."""

    def make(*photo_ids: str) -> list[tuple[str, Any]]:
        parts: list[tuple[str, Any]] = []
        for number, photo_id in enumerate(photo_ids):
            sketch = encoded(drawing("cross", number).rotate(15 * number, fillcolor="white"))
            parts += [("sketch", ("s.png", sketch)), ("photo_id", (None, photo_id))]
        return parts

    return make


def test_it_gathers_drawings_of_two_galleries_and_follows_the_key_into_all(
    service: Service, examples: Callable[..., Any], cross: bytes
) -> None:
    header, _ = service.key()
    before = {place: service.searched(header, cross, place) for place in ("/v1", SHOES, CHAIRS)}
    assert all(answer["style_adapter_id"] is None for answer in before.values())

    first = service.adapted(header, examples("box/0.png", "box/2.png"))
    assert first.status_code == 201 and first.json()["state"] == "active", first.text
    second = service.adapted(header, examples("tall/1.png"), SHOES)
    assert second.status_code == 201 and second.json()["k"] == 3, second.text
    adapter_id = second.json()["adapter_id"]
    for place, plain in before.items():
        found = service.searched(header, cross, place)
        assert found["style_adapter_id"] == adapter_id
        assert found["results"] != plain["results"]
        assert service.searched(header, cross, place, profile="@key") == found
        assert service.searched(header, cross, place, adapt="false") == plain
        listed = service.client.get(f"{place}/profiles/@key/adapters", headers=header).json()
        assert [one["adapter_id"] for one in listed["adapters"]] == [adapter_id, first.json()["adapter_id"]]
        profiles = service.client.get(f"{place}/profiles", headers=header).json()["profiles"]
        assert [(one["profile"], one["active"]) for one in profiles] == [("@key", adapter_id)]

    rolled = service.client.post(f"{SHOES}/profiles/@key/adapters:rollback", headers=header)
    assert rolled.json() == {"active": first.json()["adapter_id"]}
    assert service.searched(header, cross, CHAIRS)["style_adapter_id"] == first.json()["adapter_id"]
    for one in (adapter_id, first.json()["adapter_id"]):
        assert service.client.delete(f"{OWN}/{one}", headers=header).status_code == 204
    for place, plain in before.items():
        assert service.searched(header, cross, place) == plain
    assert service.client.get(OWN, headers=header).status_code == 404


def test_nobody_else_sees_or_uses_it(service: Service, examples: Callable[..., Any], cross: bytes) -> None:
    (ada, ada_id), (ben, _) = service.key(), service.key("shoes")
    made = service.adapted(ada, examples("box/0.png", "box/2.png")).json()["adapter_id"]
    assert service.searched(ben, cross, SHOES)["style_adapter_id"] is None
    assert service.client.get(f"{SHOES}/profiles", headers=ben).json() == {"profiles": []}
    assert service.client.get(f"{SHOES}/profiles/@key/adapters/{made}", headers=ben).status_code == 404
    for name in (f"@{ada_id}", "@", "@KEY"):
        answer = service.client.get(f"{SHOES}/profiles/{name}/adapters", headers=ben)
        assert (answer.status_code, answer.json()["code"]) == (422, "name_invalid"), answer.text
        answer = service.client.post("/v1/search", params={"profile": name}, content=cross, headers=ada)
        assert answer.status_code == 422 and answer.json()["code"] == "unknown_profile", answer.text
        assert answer.json()["detail"] == f"there is no profile {name!r}"
    answer = service.client.post(f"{SHOES}/search", params={"profile": "ad"}, content=cross, headers=ben)
    assert answer.json()["code"] == "unknown_profile" and ada_id not in answer.text
    # A key of one gallery adds to its own all the same, and to no other.
    assert service.adapted(ben, examples("tall/0.png"), SHOES).json()["k"] == 1
    assert service.searched(ada, cross)["style_adapter_id"] == made


def test_no_key_no_profile(settings: Callable[..., Settings], examples: Callable[..., Any], cross: bytes) -> None:
    with TestClient(create_app(settings()), raise_server_exceptions=False) as client:
        answer = client.post(OWN, files=examples("box/0.png"))
        assert (answer.status_code, answer.json()["code"]) == (401, "key_required"), answer.text
        assert client.post("/v1/search", params={"profile": "@key"}, content=cross).status_code == 401
        assert client.post("/v1/search", content=cross).json()["style_adapter_id"] is None


def test_the_newest_examples_are_kept_and_the_totals_hold(
    settings: Callable[..., Settings], examples: Callable[..., Any]
) -> None:
    made = settings(max_pairs=3, max_adapters=2)
    add_key(made.key_path, make_key("first", ("admin",)).key)
    with TestClient(create_app(made), raise_server_exceptions=False) as client:
        service = Service(client, made)
        header, _ = service.key()
        assert service.adapted(header, examples("box/0.png", "box/2.png"), dry_run="true").json()["adapter_id"] is None
        assert client.get(OWN, headers=header).status_code == 404
        assert service.adapted(header, examples("box/0.png", "box/2.png")).json()["k"] == 2
        assert service.adapted(header, examples("tall/0.png", "tall/1.png"), SHOES).json()["k"] == 3
        full = service.adapted(header, examples("box/1.png"))
        assert (full.status_code, full.json()["code"]) == (409, "adapters_limit"), full.text
