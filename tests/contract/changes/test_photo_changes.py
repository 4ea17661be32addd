"""Photos uploaded, described anew and deleted over HTTP: found at once, for good, and by every process."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.contract.changes.conftest import IN_EACH_STORE
from tests.contract.changes.drawings import found, put, star

Serve = Callable[..., TestClient]

pytestmark = IN_EACH_STORE


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_an_upload_is_found_by_its_own_drawing_at_once(client: TestClient) -> None:
    response = client.put("/v1/photos/stars/one.png", content=star(1))
    assert (response.status_code, response.headers["location"]) == (201, "/v1/photos/stars/one.png")
    record = response.json()
    assert (record["photo_id"], record["category"], record["metadata"]) == ("stars/one.png", "stars", {})
    assert (record["width"], record["height"]) == (256, 256)
    assert found(client, star(1))[0] == "stars/one.png"
    assert found(client, star(1), category="stars") == ["stars/one.png"]
    assert client.get(record["image_url"]).content == star(1)
    assert client.get(record["thumbnail_url"]).headers["content-type"] == "image/jpeg"
    assert {"category": "stars", "count": 1, "faces_one_way": False} in client.get("/v1/categories").json()[
        "categories"
    ]
    assert client.get("/v1/photos").json()["total"] == client.get("/v1/info").json()["photo_count"] == 16


def test_uploads_leave_places_to_searches(serve: Serve) -> None:
    client = serve(threads=1, queue_size=3)
    app: Any = client.app
    slots = app.state.process.changes
    with slots.admission(), slots.admission():
        full = client.put("/v1/photos/stars/one.png", content=star(1))
        assert code(full) == (429, "queue_full") and "changes" in full.json()["detail"]
        assert code(client.patch("/v1/photos/box/2.png", json={"category": "x"})) == (429, "queue_full")
        assert client.post("/v1/search", content=star(1)).status_code == 200
    put(client, "stars/one.png", star(1))


def test_a_second_upload_takes_the_place_of_the_first(client: TestClient) -> None:
    put(client, "stars/one.png", star(1))
    response = client.put("/v1/photos/stars/one.png", content=star(11), params={"category": "other"})
    assert (response.status_code, response.json()["category"]) == (200, "other")
    assert found(client, star(11))[0] == "stars/one.png"
    assert client.get("/v1/photos/stars/one.png/image").content == star(11)
    assert code(client.post("/v1/search?category=stars", content=star(1))) == (422, "unknown_category")
    assert client.get("/v1/info").json()["photo_count"] == 16


def test_an_upload_takes_the_place_of_an_indexed_photo(client: TestClient, sketch_of: Callable[[str], bytes]) -> None:
    put(client, "cross/0.png", star(3), category="cross")
    assert found(client, star(3))[0] == "cross/0.png"
    assert found(client, sketch_of("cross/0.png"))[0] != "cross/0.png"  # nothing shows what was replaced
    listed = [photo["photo_id"] for photo in client.get("/v1/photos").json()["photos"]]
    assert sorted(listed) == sorted(set(listed)) and len(listed) == 15
    assert client.get("/v1/photos/cross/0.png/image").content == star(3)


@pytest.mark.parametrize("exact", ["true", "false"])
def test_a_deleted_photo_is_nowhere(client: TestClient, sketch_of: Callable[[str], bytes], exact: str) -> None:
    put(client, "stars/one.png", star(1))
    for photo_id, sketch in (("box/2.png", sketch_of("box/2.png")), ("stars/one.png", star(1))):
        assert found(client, sketch, exact=exact)[0] == photo_id
        assert client.delete(f"/v1/photos/{photo_id}").status_code == 204
        assert photo_id not in found(client, sketch, exact=exact, k=200)
        for path in ("", "/image", "/thumbnail", "/similar"):
            assert code(client.get(f"/v1/photos/{photo_id}{path}")) == (404, "photo_not_found")
        assert code(client.delete(f"/v1/photos/{photo_id}")) == (404, "photo_not_found")
        assert code(client.patch(f"/v1/photos/{photo_id}", json={"category": "x"})) == (404, "photo_not_found")
    ids = [photo["photo_id"] for photo in client.get("/v1/photos").json()["photos"]]
    assert len(ids) == 14 and not {"box/2.png", "stars/one.png"} & set(ids)
    assert len(found(client, sketch_of("box/2.png"), category="box", k=10)) == 4
    put(client, "box/2.png", star(2))
    assert found(client, star(2))[0] == "box/2.png"


def test_metadata_is_filtered_by_at_once(client: TestClient, sketch_of: Callable[[str], bytes]) -> None:
    form = {"category": "stars", "metadata": json.dumps({"artist": "cleo", "price": 7})}
    response = client.put("/v1/photos/one", data=form, files={"photo": star(1)})
    assert (response.status_code, response.json()["metadata"]) == (201, {"artist": "cleo", "price": 7})
    assert found(client, star(1), filter="artist=cleo") == ["one"]
    patched = client.patch(
        "/v1/photos/box/1.png", json={"category": "stars", "metadata": {"artist": "cleo", "price": None}}
    )
    assert (patched.status_code, patched.json()["category"]) == (200, "stars")
    assert patched.json()["metadata"] == {"artist": "cleo"}
    assert set(found(client, star(1), filter="artist=cleo")) == {"one", "box/1.png"}
    assert set(found(client, star(1), category="stars")) == {"one", "box/1.png"}
    assert found(client, sketch_of("box/1.png"))[0] == "box/1.png"
    assert "box/1.png" not in found(client, sketch_of("box/1.png"), category="box", k=10)
    assert client.get("/v1/photos/box/1.png/image").status_code == 200  # the file is that of the index
    again = client.patch("/v1/photos/one", json={"metadata": {"price": 9}}).json()
    assert (again["category"], again["metadata"]) == ("stars", {"artist": "cleo", "price": 9})
    second = client.patch("/v1/photos/box/1.png", json={"metadata": {"price": 3}}).json()
    assert (second["category"], second["metadata"]) == ("stars", {"artist": "cleo", "price": 3})


def test_changes_outlive_the_process_and_are_seen_by_others(serve: Serve, sketch_of: Callable[[str], bytes]) -> None:
    one, other = serve(), serve()
    put(one, "stars/one.png", star(1), category="stars")
    assert found(other, star(1))[0] == "stars/one.png"
    other.delete("/v1/photos/cross/1.png")
    assert "cross/1.png" not in found(one, sketch_of("cross/1.png"), k=200)
    one.patch("/v1/photos/box/1.png", json={"metadata": {"artist": "cleo"}})
    one.delete("/v1/photos/stars/one.png")
    put(other, "stars/two.png", star(12))
    for client in (one, other, serve()):
        assert found(client, star(12))[0] == "stars/two.png"
        assert not {"stars/one.png", "cross/1.png"} & set(found(client, star(1), k=200))
        assert found(client, star(1), filter="artist=cleo") == ["box/1.png"]
        assert client.get("/v1/info").json()["photo_count"] == 15


def test_pages_are_the_same_from_every_process(serve: Serve) -> None:
    one = serve()
    for number in range(6):
        put(one, f"stars/{number}", star(number))
    put(one, "stars/0", star(20))
    one.delete("/v1/photos/stars/3")
    other = serve()  # has the same photos in other slots
    whole = found(one, star(1), k=200)
    assert whole == found(other, star(1), k=200)
    ids: list[str] = []
    cursor, clients = None, [one, other]
    while len(ids) < 20:
        params = {"k": "3", "mirror": "false", "frame": "false"} | ({"cursor": cursor} if cursor else {})
        answer = clients[len(ids) // 3 % 2].post("/v1/search", content=star(1), params=params).json()
        ids += [photo["photo_id"] for photo in answer["results"]]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert ids == whole


def test_searches_during_changes_never_fail_nor_show_what_is_deleted(serve: Serve) -> None:
    writer, readers, faults = serve(), [serve(threads=2), serve(threads=1)], []
    done = threading.Event()

    def look(client: TestClient) -> None:
        while not done.is_set():
            before = gone.copy()
            try:
                shown = set(found(client, star(1), k=60))
            except AssertionError as error:
                faults.append(str(error))
                return
            if before & shown:
                faults.append(f"deleted, and answered: {before & shown}")

    gone: set[str] = set()
    threads = [threading.Thread(target=look, args=(client,)) for client in readers]
    for thread in threads:
        thread.start()
    try:
        for number in range(40):
            put(writer, f"stars/{number}", star(number))
            if number % 2:
                assert writer.delete(f"/v1/photos/stars/{number - 1}").status_code == 204
                gone.add(f"stars/{number - 1}")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not faults
    for client in (*readers, writer):
        assert len([one for one in found(client, star(1), k=200) if one.startswith("stars/")]) == 20


@pytest.mark.parametrize(
    ("photo_id", "body", "params", "expected"),
    [
        ("a//b", star(1), {}, "name_invalid"),
        ("a/%2E%2E/b", star(1), {}, "name_invalid"),
        ("online/x", star(1), {}, "name_invalid"),
        ("a/thumbnail", star(1), {}, "name_invalid"),
        ("%20a", star(1), {}, "name_invalid"),
        ("x" * 501, star(1), {}, "name_invalid"),
        ("a", star(1), {"category": "\t"}, "name_invalid"),
        ("a", b"", {}, "body_invalid"),
        ("a", b"no photo", {}, "image_unsupported"),
        ("a", star(1)[:2000], {}, "image_unreadable"),
        ("a", star(1), {"categry": "x"}, "parameter_invalid"),
    ],
)
def test_bad_uploads_end_in_clear_problems(
    client: TestClient, photo_id: str, body: bytes, params: dict[str, str], expected: str
) -> None:
    assert client.put(f"/v1/photos/{photo_id}", content=body, params=params).json()["code"] == expected
    assert client.get("/v1/info").json()["photo_count"] == 15


@pytest.mark.parametrize(
    ("body", "expected", "says"),
    [
        (b"{", "body_invalid", "JSON"),
        (b"[1]", "body_invalid", "object"),
        (b'{"title": 1}', "body_invalid", "title"),
        (b'{"category": 3}', "body_invalid", "text"),
        (b'{"metadata": [1]}', "body_invalid", "object"),
        (b'{"metadata": {"colour": "red"}}', "metadata_invalid", "artist, price"),
        (b'{"metadata": {"price": "cheap"}}', "metadata_invalid", "a number"),
        (b'{"metadata": {"price": true}}', "metadata_invalid", "a number"),
        (b'{"metadata": {"price": 1e999}}', "metadata_invalid", "a number"),
        (b'{"metadata": {"artist": 3}}', "metadata_invalid", "text"),
        (b'{"category": "a\\u0000"}', "name_invalid", "control"),
    ],
)
def test_bad_descriptions_change_nothing(client: TestClient, body: bytes, expected: str, says: str) -> None:
    before = client.get("/v1/photos/box/1.png").json()
    response = client.patch("/v1/photos/box/1.png", content=body)
    assert code(response) == (422, expected) and says in response.json()["detail"]
    assert client.get("/v1/photos/box/1.png").json() == before


def test_limits_hold(serve: Serve) -> None:
    client = serve(max_online_photos=2)
    put(client, "one", star(1))
    put(client, "two", star(2))
    put(client, "two", star(3))  # in place of one that counts already
    assert code(client.put("/v1/photos/three", content=star(4))) == (409, "online_photos_limit")
    assert code(client.get("/v1/photos/three")) == (404, "photo_not_found")
    client.delete("/v1/photos/one")
    put(client, "three", star(4))
    full = serve(max_online_bytes=2**20)
    for number in range(20):
        response = full.put(f"/v1/photos/filler-{number}", content=star(number) + b"\0" * 150_000)
        if response.status_code != 201:
            break
    assert code(response) == (507, "online_full")


def test_a_read_only_service_changes_nothing(serve: Serve) -> None:
    client = serve(read_only=True)
    for response in (
        client.put("/v1/photos/one", content=star(1)),
        client.patch("/v1/photos/box/1.png", json={"category": "x"}),
        client.delete("/v1/photos/box/1.png"),
    ):
        assert code(response) == (403, "read_only")
