"""Adapting over HTTP: an adapter changes its category's searches and nothing else; what is wrong is rejected."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from models.adapters import Adaptation, CategoryAdapter
from models.bundle import Bundle, add_adaptation
from service.adaptation import fit as teach_module
from service.app import create_app
from service.config import Settings
from service.http.schemas.adapters import Adapter, Adapters, Profiles
from service.http.schemas.search import Problem, Readiness, SearchAnswer

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]

BOX = "/v1/categories/box/adapters"


@pytest.fixture
def settings(make_settings: Callable[..., Settings], teachable_bundle_dir: Path, tmp_path: Path) -> Settings:
    return make_settings(
        bundle=teachable_bundle_dir,
        online_dir=tmp_path / "online",
        max_pairs=4,
        max_adapters=3,
        max_support_photos=4,
        max_online_photos=5,
        max_upload_bytes=60_000,
        max_support_bytes=300_000,
    )


@pytest.fixture
def pupil(settings: Settings) -> Iterator[TestClient]:
    """A service of its own that can be taught."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def teach(client: TestClient, parts: Parts, path: str = BOX, **query: str) -> dict[str, Any]:
    response = client.post(path, files=parts, params=query)
    assert response.status_code == (200 if query.get("dry_run") else 201), response.text
    answer: dict[str, Any] = response.json()
    Adapter.model_validate(answer)
    return answer


def found(client: TestClient, sketch: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/v1/search", params={"k": 50, **query}, content=sketch)
    assert response.status_code == 200, response.text
    SearchAnswer.model_validate(response.json())
    return {key: value for key, value in response.json().items() if key != "timings_ms"}


def test_a_lesson_goes_active_and_is_undone(pupil: TestClient, lesson: Callable[..., Parts], cross: bytes) -> None:
    untaught = found(pupil, cross, category="box")
    assert (untaught["adapted"], untaught["adapter_id"]) == ("centred", None)
    others: list[dict[str, Any]] = [
        {},
        {"category": "cross"},
        {"category": ["box", "cross"]},
        {"filter": "artist=ada"},
    ]
    elsewhere = [found(pupil, cross, **query) for query in others]

    adapter = teach(pupil, lesson(), force="true")
    assert (adapter["category"], adapter["profile"], adapter["k"], adapter["version"]) == ("box", None, 3, 1)
    assert (adapter["activated"], adapter["state"], adapter["photos_added"]) == (True, "active", [])
    assert {"encode", "fit", "store", "total"} <= set(adapter["timings_ms"])
    listed = Adapters.model_validate(pupil.get(BOX).json())
    assert (listed.active, [one.adapter_id for one in listed.adapters]) == (
        adapter["adapter_id"],
        [adapter["adapter_id"]],
    )
    assert pupil.get(f"{BOX}/{adapter['adapter_id']}").json()["leave_one_out"] == adapter["leave_one_out"]

    taught = found(pupil, cross, category="box")
    assert (taught["adapted"], taught["adapter_id"]) == ("adapter", adapter["adapter_id"])
    assert taught["results"] != untaught["results"]
    assert found(pupil, cross, category="box", adapt="false") == untaught
    # Nothing but this category's own searches changes by a bit.
    assert [found(pupil, cross, **query) for query in others] == elsewhere
    # Further conditions narrow what the adapter has scored.
    narrowed = found(pupil, cross, category="box", filter="artist=ada")
    assert narrowed["adapter_id"] == adapter["adapter_id"]
    assert {hit["photo_id"]: hit["score"] for hit in narrowed["results"]} == {
        hit["photo_id"]: hit["score"] for hit in taught["results"] if hit["metadata"]["artist"] == "ada"
    }
    threshold = taught["results"][2]["score"] - 1e-6  # scores are rounded
    assert found(pupil, cross, category="box", min_score=threshold)["results"] == taught["results"][:3]

    assert pupil.post(f"{BOX}:rollback").json() == {"active": None}
    assert found(pupil, cross, category="box") == untaught
    activated = pupil.post(f"{BOX}/{adapter['adapter_id']}:activate").json()
    assert activated["state"] == "active"
    assert found(pupil, cross, category="box") == taught
    assert pupil.delete(f"{BOX}/{adapter['adapter_id']}").status_code == 204
    assert found(pupil, cross, category="box") == untaught
    assert pupil.get(BOX).json() == {"adapters": [], "active": None}


def test_one_category_is_centred_without_a_lesson(pupil: TestClient, settings: Settings, cross: bytes) -> None:
    """By the definition of the adapter that needs no examples, computed here from the index's vectors."""
    with pupil.app.state.process.serving.borrow() as retriever:  # type: ignore[attr-defined]
        bundle, index = Bundle.load(settings.bundle), retriever.index
        source = Image.open(io.BytesIO(cross)).convert("RGB")
        query = bundle.sketch.encode(bundle.sketch.prepare(source)[None])
        rows = [row for row in range(index.count) if index.photos([row])[0].category == "box"]
        photos = index.vectors_of(np.array(rows))
        adapter = CategoryAdapter.centred(photos)
        scores = adapter.scores(adapter.embed_sketches(query), adapter.embed_photos(photos))[0]
        names = [index.photos([row])[0].photo_id for row in rows]
    expected = sorted(zip(-scores, names, strict=True))
    answer = found(pupil, cross, category="box")["results"]
    assert [hit["photo_id"] for hit in answer] == [name for _, name in expected]
    assert [hit["score"] for hit in answer] == pytest.approx([-score for score, _ in expected], abs=1e-5)


def test_only_what_gets_no_worse_goes_active(
    make_settings: Callable[..., Settings], tiny_bundle_dir: Path, tmp_path: Path, lesson: Callable[..., Parts]
) -> None:
    """An adapter of a single number cannot tell one photo from another: drawings that were found are not any more."""
    reckless = tmp_path / "reckless"
    shutil.copytree(tiny_bundle_dir, reckless)
    untrained = Adaptation.untrained(192, rate=0.0)
    one_number = {**untrained.arrays, "head": np.ones((192, 1), np.float32)}
    add_adaptation(reckless, replace(untrained, arrays=one_number))
    with TestClient(create_app(make_settings(bundle=reckless, online_dir=tmp_path / "online"))) as client:
        report = teach(client, lesson(), dry_run="true")
        assert report["leave_one_out"]["after"]["mrr"] < report["leave_one_out"]["before"]["mrr"]
        assert (report["adapter_id"], report["version"], report["state"], report["activated"]) == (
            None,
            None,
            "idle",
            False,
        )
        assert "would not be activated" in report["reason"]
        assert client.get(BOX).json() == {"adapters": [], "active": None}

        idle = teach(client, lesson())
        assert (idle["activated"], idle["state"]) == (False, "idle")
        assert "not active, because leave-one-out got worse" in idle["reason"]
        assert client.get(BOX).json()["active"] is None
        forced = teach(client, lesson(), force="true")
        assert (forced["activated"], forced["version"]) == (True, 2)
        assert "forced" in forced["reason"]
        assert client.get(BOX).json()["active"] == forced["adapter_id"]
        assert client.post(f"{BOX}/{idle['adapter_id']}:activate").json()["state"] == "active"
        assert client.post(f"{BOX}:rollback").json() == {"active": forced["adapter_id"]}
        fits = [line for line in client.get("/metrics").text.splitlines() if line.startswith("inkseek_fits_total")]
        assert len(fits) == 3 and all(line.endswith(" 1.0") for line in fits)


def test_a_new_category_brings_its_photos(
    pupil: TestClient, drawing: Drawing, encoded: Encode, cross: bytes, gallery_dir: Path
) -> None:
    shelf = "/v1/categories/new%2Fshelf: a/adapters"
    sketches = [("sketch", encoded(drawing("wave form", number))) for number in (0, 3)]
    files = [encoded(drawing("wave form", number), "JPEG", quality=90) for number in (0, 3, 1)]
    photos = [("photo", ("any name", file)) for file in files]
    before = found(pupil, cross, category="box")
    adapter = teach(pupil, [*sketches, *photos], shelf, force="true")
    assert (adapter["category"], len(adapter["photos_added"])) == ("new/shelf: a", 3)

    answer = found(pupil, encoded(drawing("wave form", 3)), category="new/shelf: a")
    assert answer["adapter_id"] == adapter["adapter_id"]
    assert [hit["photo_id"] for hit in answer["results"]][:1] == adapter["photos_added"][1:2]
    assert found(pupil, cross, category="box") == before
    everywhere = found(pupil, encoded(drawing("wave form", 3)))["results"]
    assert {"wave form/3.png", adapter["photos_added"][1]} == {hit["photo_id"] for hit in everywhere[:2]}
    counts = pupil.get("/v1/categories").json()
    assert {"category": "new/shelf: a", "count": 3} in counts["categories"] and counts["total"] == 18
    assert pupil.get("/v1/info").json()["photo_count"] == 18
    hit = answer["results"][0]
    assert pupil.get(hit["image_url"]).content == files[1]
    assert pupil.get(hit["image_url"]).headers["content-type"] == "image/jpeg"
    etag = pupil.get(hit["thumbnail_url"]).headers["etag"]
    assert pupil.get(hit["thumbnail_url"], headers={"if-none-match": etag}).status_code == 304
    assert pupil.get(f"/v1/photos/{hit['photo_id']}").json()["category"] == "new/shelf: a"
    similar = pupil.get(f"/v1/photos/{hit['photo_id']}/similar?k=1").json()["results"]
    assert similar[0]["photo_id"] == "wave form/3.png"

    # The same files again are the same photos; a file that the index has is that photo.
    again = teach(pupil, [*sketches, *photos], shelf)
    assert again["photos_added"] == []
    own = ("photo", (gallery_dir / "box" / "1.png").read_bytes())
    known = teach(pupil, [("sketch", cross), own])
    assert known["photos_added"] == []
    assert pupil.get("/v1/categories").json()["total"] == 18
    too_many = [("photo", encoded(drawing("cross", number), "JPEG")) for number in (0, 1, 2)]
    refused(pupil, 409, "online_photos_limit", [*sketches[:1], *too_many])
    assert pupil.delete(f"{shelf}/{adapter['adapter_id']}?photos=true").status_code == 204
    # The second adapter's examples need two of them.
    assert pupil.get("/v1/categories").json()["total"] == 17


def refused(client: TestClient, status: int, code: str, parts: Parts, path: str = BOX, **query: str) -> Problem:
    """The request is answered with this problem, and nothing is there that was not there before."""
    before = client.get("/v1/categories").json(), [client.get(one).text for one in (BOX, "/v1/profiles")]
    response = client.post(path, files=parts, params=query)
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert (client.get("/v1/categories").json(), [client.get(one).text for one in (BOX, "/v1/profiles")]) == before
    return Problem.model_validate(response.json())


def test_examples_that_teach_nothing_are_refused(
    pupil: TestClient, drawing: Drawing, encoded: Encode, lesson: Callable[..., Parts]
) -> None:
    sketches = [("sketch", encoded(drawing("box", number))) for number in range(5)]
    ids = [("photo_id", (None, f"box/{number}.png")) for number in range(5)]
    photo = ("photo", encoded(drawing("box", 0), "JPEG"))
    same = ("sketch", encoded(drawing("box", 0), "GIF"))  # other bytes, the same drawing

    said = refused(pupil, 422, "unknown_photo", [*sketches[:2], ids[0], ("photo_id", (None, "box/77.png"))])
    assert "example 2" in said.detail and said.errors and said.errors[0].where == "photo_id.1"
    refused(pupil, 422, "photo_elsewhere", [*sketches[:2], ids[0], ("photo_id", (None, "cross/1.png"))])
    said = refused(pupil, 422, "pair_duplicate", [sketches[0], sketches[1], same, ids[0], ids[1], ids[0]])
    assert "examples 1 and 3" in said.detail
    refused(pupil, 422, "pair_contradictory", [sketches[0], same, ids[0], ids[1]])
    refused(pupil, 422, "support_one_photo", [*sketches[:2], ids[0], ids[0]])
    refused(pupil, 422, "category_too_small", [sketches[0], photo], "/v1/categories/lonely/adapters")
    refused(pupil, 413, "too_many_pairs", [*sketches, *ids])
    refused(pupil, 413, "too_many_pairs", [sketches[0], *[photo] * 5])
    for parts in ([*sketches[:2], ids[0]], [sketches[0], *ids[:2]], [ids[0]], [photo]):
        refused(pupil, 422, "support_mismatch", list(parts))
    blank = ("sketch", encoded(Image.new("L", (64, 64), 255)))
    assert "sketch 2" in refused(pupil, 422, "sketch_empty", [sketches[0], blank, *ids[:2]]).detail
    broken = ("photo", encoded(drawing("box", 1), "JPEG")[:900])
    assert "photo 2" in refused(pupil, 422, "image_unreadable", [*sketches[:2], ids[0], broken]).detail
    refused(pupil, 415, "image_unsupported", [sketches[0], ("photo", b"no picture")])
    refused(pupil, 422, "body_invalid", [*lesson(), ("colour", b"red")])
    refused(pupil, 422, "body_invalid", [("strokes", b"{broken"), ids[0]])
    refused(pupil, 422, "parameter_invalid", lesson(), forced="true")
    refused(pupil, 413, "body_too_large", [sketches[0], ("photo", bytes(300_000))])
    for name in ("%20", "a%00b", "x" * 501):
        refused(pupil, 422, "name_invalid", lesson(), f"/v1/categories/{name}/adapters")
    assert pupil.post(BOX, content=b"{}").json()["code"] == "body_invalid"


def test_strokes_and_svg_teach_too(pupil: TestClient) -> None:
    bare = json.dumps([[[20, 20, 200, 200, 20], [20, 236, 236, 20, 20]]]).encode()
    whole = json.dumps({"points": [{"x": 20, "y": 20}, {"x": 90, "y": 200}]}).encode()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" stroke="black"><path d="M1 1 L8 3"/></svg>'
    parts = [("strokes", bare), ("strokes", whole), ("sketch", svg)]
    parts += [("photo_id", f"box/{number}.png".encode()) for number in range(3)]
    assert teach(pupil, [(name, (None, data)) for name, data in parts])["k"] == 3


def test_adapters_that_are_not_there(pupil: TestClient, lesson: Callable[..., Parts]) -> None:
    for method, path, status, code in (
        ("GET", "/v1/categories/bxo/adapters", 422, "unknown_category"),
        ("GET", f"{BOX}/adapter-none", 404, "adapter_not_found"),
        ("DELETE", f"{BOX}/adapter-none", 404, "adapter_not_found"),
        ("POST", f"{BOX}/adapter-none:activate", 404, "adapter_not_found"),
        ("POST", f"{BOX}:rollback", 409, "nothing_to_roll_back"),
        ("GET", "/v1/profiles/nobody/adapters", 422, "unknown_profile"),
        ("POST", "/v1/profiles/nobody/adapters:rollback", 409, "nothing_to_roll_back"),
    ):
        response = pupil.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code), path
    adapter = teach(pupil, lesson())["adapter_id"]
    assert pupil.get(f"/v1/categories/cross/adapters/{adapter}").status_code == 404
    assert pupil.delete(f"/v1/profiles/box/adapters/{adapter}").status_code == 404
    for _ in range(2):
        teach(pupil, lesson())
    refused(pupil, 409, "adapters_limit", lesson())


def test_a_profile_acts_before_the_search(pupil: TestClient, lesson: Callable[..., Parts], cross: bytes) -> None:
    ada = "/v1/profiles/ada/adapters"
    plain, boxes = found(pupil, cross), found(pupil, cross, category="box")
    # She draws each thing a little off.
    sketches, photos = (lesson("box", (1,)), lesson("cross", (2,))), (lesson("box", (0,)), lesson("cross", (1,)))
    mixed = [*(parts[0] for parts in sketches), *(parts[1] for parts in photos)]
    adapter = teach(pupil, mixed, ada, force="true")
    assert (adapter["profile"], adapter["category"], adapter["k"]) == ("ada", None, 2)
    assert Profiles.model_validate(pupil.get("/v1/profiles").json()).model_dump() == {
        "profiles": [{"profile": "ada", "active": adapter["adapter_id"], "adapters": 1}]
    }
    assert (found(pupil, cross), found(pupil, cross, category="box")) == (plain, boxes)

    hers = found(pupil, cross, profile="ada")
    assert (hers["adapted"], hers["adapter_id"], hers["style_adapter_id"]) == ("none", None, adapter["adapter_id"])
    assert hers["results"] != plain["results"]
    both = found(pupil, cross, profile="ada", category="box")
    assert (both["adapted"], both["style_adapter_id"]) == ("centred", adapter["adapter_id"])
    assert both["results"] != boxes["results"]
    assert found(pupil, cross, profile="ada", adapt="false") == plain
    response = pupil.post("/v1/search?profile=adda", content=cross)
    assert (response.status_code, response.json()["code"]) == (422, "unknown_profile")
    assert "close ones are ada" in response.json()["detail"]
    assert pupil.post("/v1/search:batch?profile=adda", files={"sketch": cross}).json()["code"] == "unknown_profile"
    assert pupil.get("/v1/photos/box/1.png/similar?profile=ada").status_code == 422

    assert pupil.post(f"{ada}:rollback").json() == {"active": None}
    without = found(pupil, cross, profile="ada")
    assert (without["style_adapter_id"], without["results"]) == (None, plain["results"])
    refused(pupil, 422, "support_mismatch", [mixed[0], ("photo", b"a file")], ada)


def test_a_bundle_without_adaptation_says_so(
    make_settings: Callable[..., Settings], tmp_path: Path, lesson: Callable[..., Parts], cross: bytes
) -> None:
    with TestClient(create_app(make_settings(online_dir=tmp_path / "online"))) as client:
        assert client.get("/v1/info").json()["adaptation_id"] is None
        for path in (BOX, "/v1/profiles/ada/adapters"):
            refused(client, 409, "adaptation_unavailable", lesson(), path)
        assert client.get(BOX).json() == {"adapters": [], "active": None}
        assert found(client, cross, category="box")["adapted"] == "centred"
    assert not (tmp_path / "online").exists()


def test_what_is_taught_is_counted(pupil: TestClient, lesson: Callable[..., Parts]) -> None:
    teach(pupil, lesson(), force="true")
    pupil.app.state.process.watch.check_online()  # type: ignore[attr-defined]
    assert 'inkseek_adapters_active{scope="category"} 1.0' in pupil.get("/metrics").text
    ready = Readiness.model_validate(pupil.get("/readyz").json())
    assert (ready.adapters_active, ready.adapters_outdated, ready.online_problem) == (1, 0, None)


def test_a_large_category_is_fitted_to_a_sample_and_searched_whole(
    pupil: TestClient, lesson: Callable[..., Parts], drawing: Drawing, encoded: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach_module, "_PHOTOS_TO_FIT_TO", 2)
    monkeypatch.setattr(teach_module, "_NEAREST_TO_FIT_TO", 1)
    adapter = teach(pupil, [*lesson(numbers=(1, 3)), ("photo", encoded(drawing("box", 4), "JPEG"))], force="true")
    for number in range(5):
        answer = found(pupil, encoded(drawing("box", number)), category="box")
        assert (answer["adapter_id"], len(answer["results"])) == (adapter["adapter_id"], 6)
        assert answer["results"][0]["photo_id"] in (f"box/{number}.png", *adapter["photos_added"])
