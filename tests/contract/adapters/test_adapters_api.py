"""Adapting over HTTP: an adapter changes its category's searches and nothing else."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from models.adapters import CategoryAdapter
from models.bundle import Bundle
from service.adaptation.encoding import encode_photo, encode_sketch
from service.adaptation.examples import Examples
from service.adaptation.fit import FitSample, fit
from service.app import create_app
from service.config import Settings
from service.http.schemas.adaptation.adapters import Adapters, Profiles
from service.http.schemas.operation import Readiness
from service.store.records import AdapterTarget
from tests.contract.adapters.asking import BOX, adapt, rejected, searched

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]


def test_an_adaptation_is_activated_and_is_undone(
    adaptable: TestClient, support_form: Callable[..., Parts], cross: bytes
) -> None:
    zero_shot = searched(adaptable, cross, category="box")
    assert (zero_shot["adapted"], zero_shot["adapter_id"]) == ("centred", None)
    others: list[dict[str, Any]] = [
        {},
        {"category": "cross"},
        {"category": ["box", "cross"]},
        {"filter": "artist=ada"},
    ]
    elsewhere = [searched(adaptable, cross, **query) for query in others]

    adapter = adapt(adaptable, support_form(), force="true")
    assert (adapter["category"], adapter["profile"], adapter["k"], adapter["version"]) == ("box", None, 3, 1)
    assert (adapter["activated"], adapter["state"], adapter["photos_added"]) == (True, "active", [])
    assert {"encode", "fit", "store", "total"} <= set(adapter["timings_ms"])
    listed = Adapters.model_validate(adaptable.get(BOX).json())
    assert (listed.active, [one.adapter_id for one in listed.adapters]) == (
        adapter["adapter_id"],
        [adapter["adapter_id"]],
    )
    assert adaptable.get(f"{BOX}/{adapter['adapter_id']}").json()["leave_one_out"] == adapter["leave_one_out"]

    adapted = searched(adaptable, cross, category="box")
    assert (adapted["adapted"], adapted["adapter_id"]) == ("adapter", adapter["adapter_id"])
    assert adapted["results"] != zero_shot["results"]
    assert searched(adaptable, cross, category="box", adapt="false") == zero_shot
    # Nothing but this category's own searches changes by a bit.
    assert [searched(adaptable, cross, **query) for query in others] == elsewhere
    # Further conditions narrow what the adapter has scored.
    narrowed = searched(adaptable, cross, category="box", filter="artist=ada")
    assert narrowed["adapter_id"] == adapter["adapter_id"]
    assert {hit["photo_id"]: hit["score"] for hit in narrowed["results"]} == {
        hit["photo_id"]: hit["score"] for hit in adapted["results"] if hit["metadata"]["artist"] == "ada"
    }
    threshold = adapted["results"][2]["score"] - 1e-6  # scores are rounded
    assert searched(adaptable, cross, category="box", min_score=threshold)["results"] == adapted["results"][:3]

    assert adaptable.post(f"{BOX}:rollback").json() == {"active": None}
    assert searched(adaptable, cross, category="box") == zero_shot
    activated = adaptable.post(f"{BOX}/{adapter['adapter_id']}:activate").json()
    assert activated["state"] == "active"
    assert searched(adaptable, cross, category="box") == adapted
    assert adaptable.delete(f"{BOX}/{adapter['adapter_id']}").status_code == 204
    assert searched(adaptable, cross, category="box") == zero_shot
    assert adaptable.get(BOX).json() == {"adapters": [], "active": None}


def test_one_category_is_centred_without_an_adaptation(adaptable: TestClient, settings: Settings, cross: bytes) -> None:
    """By the definition of the adapter that needs no examples, computed here from the index's vectors."""
    with adaptable.app.state.process.serving.borrow() as retriever:  # type: ignore[attr-defined]
        bundle, index = Bundle.load(settings.bundle), retriever.index
        source = Image.open(io.BytesIO(cross)).convert("RGB")
        query = bundle.sketch.encode(bundle.sketch.prepare(source)[None])
        rows = [row for row in range(index.count) if index.photos([row])[0].category == "box"]
        photos = index.vectors_of(np.array(rows))
        adapter = CategoryAdapter.centred(photos)
        scores = adapter.scores(adapter.embed_sketches(query), adapter.embed_photos(photos))[0]
        names = [index.photos([row])[0].photo_id for row in rows]
    expected = sorted(zip(-scores, names, strict=True))
    answer = searched(adaptable, cross, category="box")["results"]
    assert [hit["photo_id"] for hit in answer] == [name for _, name in expected]
    assert [hit["score"] for hit in answer] == pytest.approx([-score for score, _ in expected], abs=1e-5)


def test_a_new_category_brings_its_photos(
    adaptable: TestClient, drawing: Drawing, encoded: Encode, cross: bytes, gallery_dir: Path
) -> None:
    shelf = "/v1/categories/new%2Fshelf: a/adapters"
    sketches = [("sketch", encoded(drawing("wave form", number))) for number in (0, 3)]
    files = [encoded(drawing("wave form", number), "JPEG", quality=90) for number in (0, 3, 1)]
    photos = [("photo", ("any name", file)) for file in files]
    before = searched(adaptable, cross, category="box")
    adapter = adapt(adaptable, [*sketches, *photos], shelf, force="true")
    assert (adapter["category"], len(adapter["photos_added"])) == ("new/shelf: a", 3)

    answer = searched(adaptable, encoded(drawing("wave form", 3)), category="new/shelf: a")
    assert answer["adapter_id"] == adapter["adapter_id"]
    assert [hit["photo_id"] for hit in answer["results"]][:1] == adapter["photos_added"][1:2]
    assert searched(adaptable, cross, category="box") == before
    everywhere = searched(adaptable, encoded(drawing("wave form", 3)))["results"]
    assert {"wave form/3.png", adapter["photos_added"][1]} == {hit["photo_id"] for hit in everywhere[:2]}
    counts = adaptable.get("/v1/categories").json()
    assert ("new/shelf: a", 3) in [(it["category"], it["count"]) for it in counts["categories"]] and counts[
        "total"
    ] == 18
    assert adaptable.get("/v1/info").json()["photo_count"] == 18
    hit = answer["results"][0]
    assert adaptable.get(hit["image_url"]).content == files[1]
    assert adaptable.get(hit["image_url"]).headers["content-type"] == "image/jpeg"
    etag = adaptable.get(hit["thumbnail_url"]).headers["etag"]
    assert adaptable.get(hit["thumbnail_url"], headers={"if-none-match": etag}).status_code == 304
    assert adaptable.get(f"/v1/photos/{hit['photo_id']}").json()["category"] == "new/shelf: a"
    similar = adaptable.get(f"/v1/photos/{hit['photo_id']}/similar?k=1").json()["results"]
    assert similar[0]["photo_id"] == "wave form/3.png"

    # The same files again are the same photos; a file that the index has is that photo.
    again = adapt(adaptable, [*sketches, *photos], shelf)
    assert again["photos_added"] == []
    own = ("photo", (gallery_dir / "box" / "1.png").read_bytes())
    known = adapt(adaptable, [("sketch", cross), own])
    assert known["photos_added"] == []
    assert adaptable.get("/v1/categories").json()["total"] == 18
    too_many = [("photo", encoded(drawing("cross", number), "JPEG")) for number in (0, 1, 2)]
    rejected(adaptable, 409, "online_photos_limit", [*sketches[:1], *too_many])
    assert adaptable.delete(f"{shelf}/{adapter['adapter_id']}?photos=true").status_code == 204
    # The second adapter's examples need two of them.
    assert adaptable.get("/v1/categories").json()["total"] == 17


def test_strokes_and_svg_are_examples_too(adaptable: TestClient) -> None:
    bare = json.dumps([[[20, 20, 200, 200, 20], [20, 236, 236, 20, 20]]]).encode()
    whole = json.dumps({"points": [{"x": 20, "y": 20}, {"x": 90, "y": 200}]}).encode()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" stroke="black"><path d="M1 1 L8 3"/></svg>'
    parts = [("strokes", bare), ("strokes", whole), ("sketch", svg)]
    parts += [("photo_id", f"box/{number}.png".encode()) for number in range(3)]
    assert adapt(adaptable, [(name, (None, data)) for name, data in parts])["k"] == 3


def test_a_profile_acts_before_the_search(
    adaptable: TestClient, support_form: Callable[..., Parts], cross: bytes
) -> None:
    ada = "/v1/profiles/ada/adapters"
    plain, boxes = searched(adaptable, cross), searched(adaptable, cross, category="box")
    # She draws each thing a little off.
    sketches, photos = (
        (support_form("box", (1,)), support_form("cross", (2,))),
        (support_form("box", (0,)), support_form("cross", (1,))),
    )
    mixed = [*(parts[0] for parts in sketches), *(parts[1] for parts in photos)]
    adapter = adapt(adaptable, mixed, ada, force="true")
    assert (adapter["profile"], adapter["category"], adapter["k"]) == ("ada", None, 2)
    assert Profiles.model_validate(adaptable.get("/v1/profiles").json()).model_dump() == {
        "profiles": [{"profile": "ada", "active": adapter["adapter_id"], "adapters": 1}]
    }
    assert (searched(adaptable, cross), searched(adaptable, cross, category="box")) == (plain, boxes)

    hers = searched(adaptable, cross, profile="ada")
    assert (hers["adapted"], hers["adapter_id"], hers["style_adapter_id"]) == ("none", None, adapter["adapter_id"])
    assert hers["results"] != plain["results"]
    both = searched(adaptable, cross, profile="ada", category="box")
    assert (both["adapted"], both["style_adapter_id"]) == ("centred", adapter["adapter_id"])
    assert both["results"] != boxes["results"]
    assert searched(adaptable, cross, profile="ada", adapt="false") == plain
    response = adaptable.post("/v1/search?profile=adda", content=cross)
    assert (response.status_code, response.json()["code"]) == (422, "unknown_profile")
    assert "close ones are ada" in response.json()["detail"]
    assert adaptable.post("/v1/search:batch?profile=adda", files={"sketch": cross}).json()["code"] == "unknown_profile"
    assert adaptable.get("/v1/photos/box/1.png/similar?profile=ada").status_code == 422

    assert adaptable.post(f"{ada}:rollback").json() == {"active": None}
    without = searched(adaptable, cross, profile="ada")
    assert (without["style_adapter_id"], without["results"]) == (None, plain["results"])
    rejected(adaptable, 422, "support_mismatch", [mixed[0], ("photo", b"a file")], ada)


def test_adapters_are_counted(adaptable: TestClient, support_form: Callable[..., Parts]) -> None:
    adapt(adaptable, support_form(), force="true")
    adaptable.app.state.process.monitor.online.check()  # type: ignore[attr-defined]
    assert 'inkseek_adapters_active{scope="category"} 1.0' in adaptable.get("/metrics").text
    ready = Readiness.model_validate(adaptable.get("/readyz").json())
    assert (ready.adapters_active, ready.adapters_outdated, ready.online_problem) == (1, 0, None)


def test_a_large_category_is_fitted_to_a_sample_and_searched_whole(
    adaptable: TestClient, support_form: Callable[..., Parts], drawing: Drawing, encoded: Encode
) -> None:
    target, photo = AdapterTarget("category", "box"), encoded(drawing("box", 4), "JPEG")
    sketches = [data for name, data in support_form(numbers=(1, 3)) if name == "sketch"]
    examples = Examples(tuple(sketches), ("box/1.png", "box/3.png", photo))
    with adaptable.app.state.process.serving.borrow() as retriever:  # type: ignore[attr-defined]
        drawn = [encode_sketch(retriever, data, number, target) for number, data in enumerate(sketches)]
        uploads = {2: encode_photo(retriever, "box", photo, 2)}
        sample = FitSample(photos=2, nearest=1)
        new = fit(retriever, target, examples, drawn, uploads, force=True, sample=sample)
        adapter = retriever.store.add(new, 9, 9)
    for number in range(5):
        answer = searched(adaptable, encoded(drawing("box", number)), category="box")
        assert (answer["adapter_id"], len(answer["results"])) == (adapter.adapter_id, 6)
        assert answer["results"][0]["photo_id"] in (f"box/{number}.png", *adapter.photos_added)


@pytest.mark.parametrize("base", ["/v1", "/v1/galleries/default"])
def test_an_adaptation_says_where_its_adapter_is(
    settings: Settings, support_form: Callable[..., Parts], base: str
) -> None:
    with TestClient(create_app(settings.model_copy(update={"root_path": "/inkseek"}))) as client:
        form = support_form()
        made = client.post(f"{base}/profiles/Zoë B/adapters?force=true", files=form)
        assert made.status_code == 201
        assert made.headers["location"].startswith(f"/inkseek{base}/profiles/Zo%C3%AB%20B/adapters/")
        assert client.get(made.headers["location"]).json()["adapter_id"] == made.json()["adapter_id"]
        dry_run = client.post(f"{base}/categories/box/adapters?dry_run=true", files=form)
        assert dry_run.status_code == 200
        assert "location" not in dry_run.headers  # nothing was made
