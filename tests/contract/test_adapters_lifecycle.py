"""What is adapted survives: other workers, restarts, new indexes, another bundle and back; or it is said why not."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from index_builder.build import BuildRequest, build_index
from inkseek import app as command
from models.adapters import Adaptation
from models.bundle import Bundle, add_adaptation, write_bundle
from service.app import create_app
from service.config import Settings

Parts = list[tuple[str, Any]]
SupportForm = Callable[..., Parts]
Encode = Callable[..., bytes]

BOX = "/v1/categories/box/adapters"


@pytest.fixture
def settings(adaptable_bundle_dir: Path, gallery_dir: Path, tmp_path: Path) -> Settings:
    """An index of its own, whose online store lies in it."""
    gallery = tmp_path / "gallery"
    shutil.copytree(gallery_dir, gallery)
    build_index(BuildRequest(photos=gallery / "photos.csv", out=tmp_path / "index", bundle=adaptable_bundle_dir))
    return Settings(index=tmp_path / "index", bundle=adaptable_bundle_dir, threads=1)


def adapted(client: TestClient, parts: Parts, path: str = BOX) -> str:
    response = client.post(f"{path}?force=true", files=parts)
    assert response.status_code == 201, response.text
    adapter_id: str = response.json()["adapter_id"]
    return adapter_id


def results(client: TestClient, sketch: bytes, **query: Any) -> Any:
    answer = client.post("/v1/search", params={"category": "box", **query}, content=sketch).json()
    return answer["adapter_id"], [(hit["photo_id"], hit["score"]) for hit in answer["results"]]


def test_every_worker_knows_at_once_and_after_a_restart(
    settings: Settings, support_form: SupportForm, cross: bytes
) -> None:
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        zero_shot = results(other, cross)
        first = adapted(one, support_form())
        assert results(other, cross) == results(one, cross) != zero_shot
        second = adapted(other, support_form(numbers=(1, 3)))
        assert results(one, cross)[0] == second
        photos = [("photo", data) for name, data in support_form("wave form", (1, 2)) if name == "sketch"]
        adapted(one, [*support_form("box", (1, 2))[:2], *photos], "/v1/categories/fresh/adapters")
        assert other.get("/v1/categories").json()["total"] == 17
        image = other.post("/v1/search?category=fresh", content=cross).json()["results"][0]["image_url"]
        assert other.get(image).content in [data for _, data in photos]
        assert one.post(f"{BOX}:rollback").json()["active"] == first
        assert results(other, cross)[0] == first
        before = results(one, cross)
    with TestClient(create_app(settings)) as again:
        assert results(again, cross) == before
        assert again.post(f"{BOX}:rollback").json()["active"] is None
        assert results(again, cross) == zero_shot


def test_a_new_index_keeps_adapters(
    settings: Settings, support_form: SupportForm, cross: bytes, tmp_path: Path
) -> None:
    with TestClient(create_app(settings)) as client:
        adapter_id = adapted(client, support_form())
        photo = next(data for name, data in support_form("wave form", (4,)) if name == "sketch")
        adapted(
            client, [*support_form("box", (1,))[:1], ("photo", photo), ("photo", cross)], "/v1/categories/late/adapters"
        )
    # What was uploaded comes into the gallery, and one photo of the examples leaves it.
    (tmp_path / "gallery" / "box" / "0.png").unlink()
    (tmp_path / "gallery" / "late").mkdir()
    (tmp_path / "gallery" / "late" / "now indexed.png").write_bytes(photo)
    (tmp_path / "gallery" / "photos.csv").unlink()
    build_index(BuildRequest(photos=tmp_path / "gallery", out=settings.index, bundle=settings.bundle))
    with TestClient(create_app(settings)) as client:
        assert results(client, cross)[0] == adapter_id
        late = client.post("/v1/search?category=late", content=photo).json()
        assert late["adapted"] == "adapter"
        assert late["results"][0]["photo_id"] == "late/now indexed.png"
        assert len(late["results"]) == 2  # and the upload that is not in the index


@pytest.fixture
def other_bundle(tiny_bundle_dir: Path, tmp_path: Path) -> Path:
    """Another bundle: the same encoders under another name."""
    bundle = Bundle.load(tiny_bundle_dir)
    write_bundle(
        tmp_path / "other",
        name="other",
        sketch_onnx=(tiny_bundle_dir / "sketch.onnx").read_bytes(),
        sketch_preprocess=bundle.sketch.preprocess,
        photo_onnx=(tiny_bundle_dir / "photo.onnx").read_bytes(),
        photo_preprocess=bundle.photo.preprocess,
        model_card="# other\n",
    )
    add_adaptation(tmp_path / "other", Adaptation.untrained(192))
    return tmp_path / "other"


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(command, [*arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_another_bundle_makes_adapters_stale_until_they_are_refitted(
    settings: Settings, support_form: SupportForm, cross: bytes, other_bundle: Path, tmp_path: Path
) -> None:
    with TestClient(create_app(settings)) as client:
        old = adapted(client, support_form())
        photos = [("photo", data) for name, data in support_form("wave form", (1, 2)) if name == "sketch"]
        adapted(client, [*support_form("box", (1, 2))[:2], *photos], "/v1/categories/fresh/adapters")
        adapted(client, support_form("cross"), "/v1/profiles/ada/adapters")
        as_adapted = results(client, cross)
    request = BuildRequest(photos=tmp_path / "gallery" / "photos.csv", out=settings.index, bundle=other_bundle)
    build_index(request)
    changed = settings.model_copy(update={"bundle": other_bundle})
    with TestClient(create_app(changed)) as client:
        assert results(client, cross)[0] is None
        assert client.get("/readyz").json()["adapters_outdated"] == 3
        (adapter,) = client.get(BOX).json()["adapters"]
        assert (adapter["adapter_id"], adapter["state"]) == (old, "stale")
        response = client.post(f"{BOX}/{old}:activate")
        assert (response.status_code, response.json()["code"]) == (409, "adapter_stale")
        assert client.post("/v1/search?category=fresh", content=cross).status_code == 422  # not encoded by this bundle

        options = ["--index", str(settings.index), "--bundle", str(other_bundle)]
        answer = run("adapters", "refit", "--force", *options)
        assert answer["photos_encoded"] == 2
        assert [entry["problem"] for entry in answer["adapters"]] == [None] * 3
        assert run("adapters", "refit", *options) == {"adapters": [], "photos_encoded": 0}

        # The service that runs has seen it.
        assert client.get("/readyz").json()["adapters_outdated"] == 0
        assert (
            client.get(BOX).json()["active"] == results(client, cross)[0] == answer["adapters"][0]["made"]["adapter_id"]
        )
        assert client.post("/v1/search?category=fresh", content=cross).json()["adapted"] == "adapter"
        assert client.post("/v1/search?profile=ada", content=cross).json()["style_adapter_id"] is not None

    # Back to the bundle of before: its own adapters serve as they were left.
    build_index(BuildRequest(photos=request.photos, out=settings.index, bundle=settings.bundle))
    with TestClient(create_app(settings)) as client:
        assert results(client, cross) == as_adapted


def test_refit_says_which_examples_are_gone(
    settings: Settings, support_form: SupportForm, other_bundle: Path, tmp_path: Path
) -> None:
    with TestClient(create_app(settings)) as client:
        adapted(client, support_form())
        adapted(client, support_form("cross", (1,)), "/v1/categories/cross/adapters")
    shutil.rmtree(tmp_path / "gallery" / "cross")
    (tmp_path / "gallery" / "box" / "2.png").unlink()
    (tmp_path / "gallery" / "photos.csv").unlink()
    build_index(BuildRequest(photos=tmp_path / "gallery", out=settings.index, bundle=other_bundle))
    options = ["--index", str(settings.index), "--bundle", str(other_bundle)]
    box, cross = run("adapters", "refit", *options, code=1)["adapters"]
    assert (box["problem"], box["examples_lost"], box["made"]["k"]) == (None, 1, 2)
    assert cross["made"] is None and "none of the photos" in cross["problem"]


def test_the_commands_do_what_the_routes_do(
    settings: Settings, support_form: SupportForm, cross: bytes, tmp_path: Path, encoded: Encode
) -> None:
    options = ["--index", str(settings.index), "--bundle", str(settings.bundle)]
    parts = support_form("box", (0, 2, 4))
    pairs = []
    for number, (_, data) in zip((0, 2, 4), parts[:3], strict=True):
        (tmp_path / f"{number}.png").write_bytes(data)
        pairs += ["--pair", f"{tmp_path / f'{number}.png'}=box/{number}.png"]
    with TestClient(create_app(settings)) as client:
        reported = run("adapters", "fit", "box", *pairs, "--dry-run", *options)
        first = run("adapters", "fit", "box", *pairs, "--force", *options)
        assert reported["leave_one_out"] == first["leave_one_out"]
        table = tmp_path / "pairs.csv"
        table.write_text("sketch,photo\n0.png,box/0.png\n2.png,box/2.png\n")
        second = run("adapters", "fit", "box", "--pairs", str(table), "--force", *options)
        assert results(client, cross)[0] == second["adapter_id"]
        assert [adapter["version"] for adapter in run("adapters", "list", "box", *options)["adapters"]] == [2, 1]
        assert run("adapters", "rollback", "box", *options) == {"active": first["adapter_id"]}
        assert run("adapters", "activate", "box", second["adapter_id"], *options)["state"] == "active"
        run("adapters", "delete", "box", second["adapter_id"], *options)
        assert client.get(BOX).json()["active"] == first["adapter_id"]

        new = run("adapters", "fit", "mine", "--pair", f"{tmp_path / '0.png'}={tmp_path / '2.png'}",
                  "--photo", str(tmp_path / "4.png"), "--force", *options)  # fmt: skip
        assert len(new["photos_added"]) == 2
        person = run("adapters", "fit", "ada", "--profile", *pairs, "--force", *options)
        searched = run("search", str(tmp_path / "0.png"), "--category", "box", "--profile", "ada", *options)
        assert (searched["adapter_id"], searched["style_adapter_id"]) == (first["adapter_id"], person["adapter_id"])
        plain = run("search", str(tmp_path / "0.png"), "--category", "box", "--profile", "ada", "--no-adapt", *options)
        assert (plain["adapted"], plain["style_adapter_id"]) == ("centred", None)

    assert run("adapters", "fit", "box", "--pair", "no sketch", *options, code=1)["error"] == "SupportMismatch"
    assert run("adapters", "rollback", "cross", *options, code=1)["error"] == "NothingToRollBack"
    for arguments in (["list"], ["rollback", "box"]):
        shown = CliRunner().invoke(command, ["adapters", *arguments, *options])
        assert shown.exit_code == 0 and "box" in shown.output


def test_a_store_that_cannot_be_written(
    settings: Settings, support_form: SupportForm, cross: bytes, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    blocked = settings.model_copy(update={"online_dir": tmp_path / "blocked"})
    with TestClient(create_app(blocked)) as client:
        response = client.post(BOX, files=support_form())
        assert (response.status_code, response.json()["code"]) == (503, "online_unwritable")
        assert response.headers["retry-after"]
        assert results(client, cross)[0] is None


def test_an_adaptation_that_nobody_waits_for_any_more_is_not_kept(
    settings: Settings, support_form: SupportForm
) -> None:
    """Answered 503 while it was being fitted: when the fit is done, nothing is stored."""
    app = create_app(settings.model_copy(update={"request_timeout_s": 0.3}))
    release = threading.Event()

    @dataclass(frozen=True)
    class SlowAdaptation(Adaptation):
        def fit_category(self, *examples: Any) -> Any:
            release.wait(10)
            return super().fit_category(*examples)

    with TestClient(app) as client:
        process = app.state.process
        with process.serving.borrow() as retriever:
            slow = SlowAdaptation(**vars(retriever.bundle.adaptation))
            process.serving.swap(replace(retriever, bundle=replace(retriever.bundle, adaptation=slow)))
            response = client.post(f"{BOX}?force=true", files=support_form())
            assert (response.status_code, response.json()["code"]) == (503, "deadline_exceeded")
            release.set()
            process.workers.close()  # waits for the job
            assert retriever.store.list_adapters() == []
    assert not (settings.online_folder / "online.sqlite").exists()
