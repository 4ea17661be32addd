"""Teaching over HTTP: a head changes its category's searches and nothing else; what is wrong is said, and undone."""

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
from service.http.schemas.adapters import Head, Heads, Profiles
from service.http.schemas.search import Problem, Readiness, SearchAnswer

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]

BOX = "/v1/categories/box/heads"


@pytest.fixture
def settings(make_settings: Callable[..., Settings], teachable_bundle_dir: Path, tmp_path: Path) -> Settings:
    return make_settings(
        bundle=teachable_bundle_dir,
        online_dir=tmp_path / "online",
        max_pairs=4,
        max_heads=3,
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
    Head.model_validate(answer)
    return answer


def found(client: TestClient, sketch: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/v1/search", params={"k": 50, **query}, content=sketch)
    assert response.status_code == 200, response.text
    SearchAnswer.model_validate(response.json())
    return {key: value for key, value in response.json().items() if key != "timings_ms"}


def test_a_lesson_goes_live_and_is_undone(pupil: TestClient, lesson: Callable[..., Parts], cross: bytes) -> None:
    untaught = found(pupil, cross, category="box")
    assert (untaught["adapted"], untaught["head_id"]) == ("centred", None)
    others: list[dict[str, Any]] = [
        {},
        {"category": "cross"},
        {"category": ["box", "cross"]},
        {"filter": "artist=ada"},
    ]
    elsewhere = [found(pupil, cross, **query) for query in others]

    head = teach(pupil, lesson(), force="true")
    assert (head["category"], head["profile"], head["k"], head["version"]) == ("box", None, 3, 1)
    assert (head["went_live"], head["state"], head["photos_added"]) == (True, "live", [])
    assert {"encode", "fit", "store", "total"} <= set(head["timings_ms"])
    listed = Heads.model_validate(pupil.get(BOX).json())
    assert (listed.live, [one.head_id for one in listed.heads]) == (head["head_id"], [head["head_id"]])
    assert pupil.get(f"{BOX}/{head['head_id']}").json()["leave_one_out"] == head["leave_one_out"]

    taught = found(pupil, cross, category="box")
    assert (taught["adapted"], taught["head_id"]) == ("head", head["head_id"])
    assert taught["results"] != untaught["results"]
    assert found(pupil, cross, category="box", adapt="false") == untaught
    # Nothing but this category's own searches changes by a bit.
    assert [found(pupil, cross, **query) for query in others] == elsewhere
    # Further conditions narrow what the head has scored.
    narrowed = found(pupil, cross, category="box", filter="artist=ada")
    assert narrowed["head_id"] == head["head_id"]
    assert {hit["photo_id"]: hit["score"] for hit in narrowed["results"]} == {
        hit["photo_id"]: hit["score"] for hit in taught["results"] if hit["metadata"]["artist"] == "ada"
    }
    threshold = taught["results"][2]["score"] - 1e-6  # scores are rounded
    assert found(pupil, cross, category="box", min_score=threshold)["results"] == taught["results"][:3]

    assert pupil.post(f"{BOX}:rollback").json() == {"live": None}
    assert found(pupil, cross, category="box") == untaught
    activated = pupil.post(f"{BOX}/{head['head_id']}:activate").json()
    assert activated["state"] == "live"
    assert found(pupil, cross, category="box") == taught
    assert pupil.delete(f"{BOX}/{head['head_id']}").status_code == 204
    assert found(pupil, cross, category="box") == untaught
    assert pupil.get(BOX).json() == {"heads": [], "live": None}


def test_one_category_is_centred_without_a_lesson(pupil: TestClient, settings: Settings, cross: bytes) -> None:
    """By the definition of the head that needs no examples, computed here from the index's vectors."""
    with pupil.app.state.process.serving.borrow() as retriever:  # type: ignore[attr-defined]
        bundle, index = Bundle.load(settings.bundle), retriever.index
        source = Image.open(io.BytesIO(cross)).convert("RGB")
        query = bundle.sketch.encode(bundle.sketch.prepare(source)[None])
        rows = [row for row in range(index.count) if index.photos([row])[0].category == "box"]
        photos = np.asarray(index.vectors)[rows]
        head = CategoryAdapter.centred(photos)
        scores = head.scores(head.embed_sketches(query), head.embed(photos))[0]
        names = [index.photos([row])[0].photo_id for row in rows]
    expected = sorted(zip(-scores, names, strict=True))
    answer = found(pupil, cross, category="box")["results"]
    assert [hit["photo_id"] for hit in answer] == [name for _, name in expected]
    assert [hit["score"] for hit in answer] == pytest.approx([-score for score, _ in expected], abs=1e-5)


def test_only_what_gets_no_worse_goes_live(
    make_settings: Callable[..., Settings], tiny_bundle_dir: Path, tmp_path: Path, lesson: Callable[..., Parts]
) -> None:
    """A head of a single number cannot tell one photo from another: drawings that were found are not any more."""
    reckless = tmp_path / "reckless"
    shutil.copytree(tiny_bundle_dir, reckless)
    untrained = Adaptation.untrained(192, rate=0.0)
    one_number = {**untrained.arrays, "head": np.ones((192, 1), np.float32)}
    add_adaptation(reckless, replace(untrained, arrays=one_number))
    with TestClient(create_app(make_settings(bundle=reckless, online_dir=tmp_path / "online"))) as client:
        report = teach(client, lesson(), dry_run="true")
        assert report["leave_one_out"]["after"]["mrr"] < report["leave_one_out"]["before"]["mrr"]
        assert (report["head_id"], report["version"], report["state"], report["went_live"]) == (
            None,
            None,
            "idle",
            False,
        )
        assert "would not go live" in report["reason"]
        assert client.get(BOX).json() == {"heads": [], "live": None}

        idle = teach(client, lesson())
        assert (idle["went_live"], idle["state"]) == (False, "idle")
        assert "not live, because leave-one-out got worse" in idle["reason"]
        assert client.get(BOX).json()["live"] is None
        forced = teach(client, lesson(), force="true")
        assert (forced["went_live"], forced["version"]) == (True, 2)
        assert "forced" in forced["reason"]
        assert client.get(BOX).json()["live"] == forced["head_id"]
        assert client.post(f"{BOX}/{idle['head_id']}:activate").json()["state"] == "live"
        assert client.post(f"{BOX}:rollback").json() == {"live": forced["head_id"]}
        fits = [line for line in client.get("/metrics").text.splitlines() if line.startswith("inkseek_fits_total")]
        assert len(fits) == 3 and all(line.endswith(" 1.0") for line in fits)


def test_a_new_category_brings_its_photos(
    pupil: TestClient, drawing: Drawing, encoded: Encode, cross: bytes, gallery_dir: Path
) -> None:
    shelf = "/v1/categories/new%2Fshelf: a/heads"
    sketches = [("sketch", encoded(drawing("wave form", number))) for number in (0, 3)]
    files = [encoded(drawing("wave form", number), "JPEG", quality=90) for number in (0, 3, 1)]
    photos = [("photo", ("any name", file)) for file in files]
    before = found(pupil, cross, category="box")
    head = teach(pupil, [*sketches, *photos], shelf, force="true")
    assert (head["category"], len(head["photos_added"])) == ("new/shelf: a", 3)

    answer = found(pupil, encoded(drawing("wave form", 3)), category="new/shelf: a")
    assert answer["head_id"] == head["head_id"]
    assert [hit["photo_id"] for hit in answer["results"]][:1] == head["photos_added"][1:2]
    assert found(pupil, cross, category="box") == before
    everywhere = found(pupil, encoded(drawing("wave form", 3)))["results"]
    assert {"wave form/3.png", head["photos_added"][1]} == {hit["photo_id"] for hit in everywhere[:2]}
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
    assert pupil.delete(f"{shelf}/{head['head_id']}?photos=true").status_code == 204
    # The second head's examples need two of them.
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
    refused(pupil, 422, "category_too_small", [sketches[0], photo], "/v1/categories/lonely/heads")
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
        refused(pupil, 422, "name_invalid", lesson(), f"/v1/categories/{name}/heads")
    assert pupil.post(BOX, content=b"{}").json()["code"] == "body_invalid"


def test_strokes_and_svg_teach_too(pupil: TestClient) -> None:
    bare = json.dumps([[[20, 20, 200, 200, 20], [20, 236, 236, 20, 20]]]).encode()
    whole = json.dumps({"points": [{"x": 20, "y": 20}, {"x": 90, "y": 200}]}).encode()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" stroke="black"><path d="M1 1 L8 3"/></svg>'
    parts = [("strokes", bare), ("strokes", whole), ("sketch", svg)]
    parts += [("photo_id", f"box/{number}.png".encode()) for number in range(3)]
    assert teach(pupil, [(name, (None, data)) for name, data in parts])["k"] == 3


def test_heads_that_are_not_there(pupil: TestClient, lesson: Callable[..., Parts]) -> None:
    for method, path, status, code in (
        ("GET", "/v1/categories/bxo/heads", 422, "unknown_category"),
        ("GET", f"{BOX}/head-none", 404, "head_not_found"),
        ("DELETE", f"{BOX}/head-none", 404, "head_not_found"),
        ("POST", f"{BOX}/head-none:activate", 404, "head_not_found"),
        ("POST", f"{BOX}:rollback", 409, "nothing_to_roll_back"),
        ("GET", "/v1/profiles/nobody/heads", 422, "unknown_profile"),
        ("POST", "/v1/profiles/nobody/heads:rollback", 409, "nothing_to_roll_back"),
    ):
        response = pupil.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code), path
    head = teach(pupil, lesson())["head_id"]
    assert pupil.get(f"/v1/categories/cross/heads/{head}").status_code == 404
    assert pupil.delete(f"/v1/profiles/box/heads/{head}").status_code == 404
    for _ in range(2):
        teach(pupil, lesson())
    refused(pupil, 409, "heads_limit", lesson())


def test_a_profile_acts_before_the_search(pupil: TestClient, lesson: Callable[..., Parts], cross: bytes) -> None:
    ada = "/v1/profiles/ada/heads"
    plain, boxes = found(pupil, cross), found(pupil, cross, category="box")
    # She draws each thing a little off.
    sketches, photos = (lesson("box", (1,)), lesson("cross", (2,))), (lesson("box", (0,)), lesson("cross", (1,)))
    mixed = [*(parts[0] for parts in sketches), *(parts[1] for parts in photos)]
    head = teach(pupil, mixed, ada, force="true")
    assert (head["profile"], head["category"], head["k"]) == ("ada", None, 2)
    assert Profiles.model_validate(pupil.get("/v1/profiles").json()).model_dump() == {
        "profiles": [{"profile": "ada", "live": head["head_id"], "heads": 1}]
    }
    assert (found(pupil, cross), found(pupil, cross, category="box")) == (plain, boxes)

    hers = found(pupil, cross, profile="ada")
    assert (hers["adapted"], hers["head_id"], hers["profile_head_id"]) == ("none", None, head["head_id"])
    assert hers["results"] != plain["results"]
    both = found(pupil, cross, profile="ada", category="box")
    assert (both["adapted"], both["profile_head_id"]) == ("centred", head["head_id"])
    assert both["results"] != boxes["results"]
    assert found(pupil, cross, profile="ada", adapt="false") == plain
    response = pupil.post("/v1/search?profile=adda", content=cross)
    assert (response.status_code, response.json()["code"]) == (422, "unknown_profile")
    assert "close ones are ada" in response.json()["detail"]
    assert pupil.post("/v1/search:batch?profile=adda", files={"sketch": cross}).json()["code"] == "unknown_profile"
    assert pupil.get("/v1/photos/box/1.png/similar?profile=ada").status_code == 422

    assert pupil.post(f"{ada}:rollback").json() == {"live": None}
    without = found(pupil, cross, profile="ada")
    assert (without["profile_head_id"], without["results"]) == (None, plain["results"])
    refused(pupil, 422, "support_mismatch", [mixed[0], ("photo", b"a file")], ada)


def test_a_bundle_without_adaptation_says_so(
    make_settings: Callable[..., Settings], tmp_path: Path, lesson: Callable[..., Parts], cross: bytes
) -> None:
    with TestClient(create_app(make_settings(online_dir=tmp_path / "online"))) as client:
        assert client.get("/v1/info").json()["adaptation_id"] is None
        for path in (BOX, "/v1/profiles/ada/heads"):
            refused(client, 409, "adaptation_unavailable", lesson(), path)
        assert client.get(BOX).json() == {"heads": [], "live": None}
        assert found(client, cross, category="box")["adapted"] == "centred"
    assert not (tmp_path / "online").exists()


def test_what_is_taught_is_counted(pupil: TestClient, lesson: Callable[..., Parts]) -> None:
    teach(pupil, lesson(), force="true")
    pupil.app.state.process.watch.check_online()  # type: ignore[attr-defined]
    assert 'inkseek_heads_live{scope="category"} 1.0' in pupil.get("/metrics").text
    ready = Readiness.model_validate(pupil.get("/readyz").json())
    assert (ready.heads_live, ready.heads_outdated, ready.online_problem) == (1, 0, None)


def test_a_large_category_is_fitted_to_a_sample_and_searched_whole(
    pupil: TestClient, lesson: Callable[..., Parts], drawing: Drawing, encoded: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach_module, "_PHOTOS_TO_FIT_TO", 2)
    monkeypatch.setattr(teach_module, "_NEAREST_TO_FIT_TO", 1)
    head = teach(pupil, [*lesson(numbers=(1, 3)), ("photo", encoded(drawing("box", 4), "JPEG"))], force="true")
    for number in range(5):
        answer = found(pupil, encoded(drawing("box", number)), category="box")
        assert (answer["head_id"], len(answer["results"])) == (head["head_id"], 6)
        assert answer["results"][0]["photo_id"] in (f"box/{number}.png", *head["photos_added"])
