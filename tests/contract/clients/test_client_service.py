"""The Python client over HTTP with a real service: searches, pages, folders, changes, jobs, adapters, keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inkseek_client import (
    AsyncClient,
    Client,
    Conflict,
    CursorStale,
    Delete,
    Denied,
    Describe,
    KeyRejected,
    NotFound,
    Profile,
    RequestInvalid,
    SketchInvalid,
    TooLarge,
    Upload,
)
from service.access.key_file import add_key
from service.access.keys import make_key
from service.config import Settings
from tests.contract.clients.conftest import serving

Drawing = Callable[[str, int], Image.Image]
PHOTOS = [f"{category}/{number}.png" for category in ("box", "cross", "wave form") for number in range(5)]


@pytest.fixture
def sketches(tmp_path: Path, drawing: Drawing) -> Path:
    """Five drawings in two folders, one file that is none, and one that is empty."""
    folder = tmp_path / "sketches"
    for category, numbers in (("box", (0, 2)), ("cross", (1, 2, 4))):
        (folder / category).mkdir(parents=True)
        for number in numbers:
            drawing(category, number).save(folder / category / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (64, 64), "white").save(folder / "empty.png")
    (folder / "notes.txt").write_text("not a sketch")
    return folder


def test_search_takes_files_bytes_and_strokes(url: str, sketches: Path, cross: bytes) -> None:
    with Client(url) as client:
        path = sketches / "cross" / "2.png"
        for sketch in (path, str(path), path.read_bytes(), cross):
            answer = client.search(sketch, k=5)
            assert (len(answer.results), answer.results[0].photo_id) == (5, "cross/2.png")
            assert [hit.rank for hit in answer.results] == [1, 2, 3, 4, 5]
        strokes = [[[20, 90, 160, 236], [20, 90, 160, 236]], [[236, 160, 90, 20], [20, 90, 160, 236]]]
        assert {hit.category for hit in client.search(strokes, k=3, category=["cross", "box"]).results} <= {
            "cross",
            "box",
        }
        assert client.preview(path).startswith(b"\x89PNG")


def test_iterations_follow_every_page(url: str, cross: bytes) -> None:
    with Client(url) as client:
        hits = list(client.iter_search(cross, page=4))
        assert [hit.rank for hit in hits] == list(range(1, 16))
        assert [hit.photo_id for hit in hits] == [hit.photo_id for hit in client.search(cross, k=15).results]
        assert sorted(photo.photo_id or "" for photo in client.iter_photos(page=4)) == PHOTOS
        alike = [hit.photo_id for hit in client.iter_similar("cross/2.png", page=3, category="cross")]
        assert sorted(alike) == [f"cross/{number}.png" for number in (0, 1, 3, 4)]


def test_a_page_after_a_change_is_stale(url: str, cross: bytes) -> None:
    with Client(url) as client:
        hits = client.iter_search(cross, page=2)
        next(hits)
        client.delete_photo("box/0.png")
        with pytest.raises(CursorStale):
            list(hits)


def test_a_folder_is_answered_file_by_file(url: str, sketches: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with Client(url) as client:
        found = list(client.search_folder(sketches, k=1, progress=lambda done, total: seen.append((done, total))))
    assert [str(one.path.relative_to(sketches)) for one in found] == [
        "box/0.png", "box/2.png", "broken.png", "cross/1.png", "cross/2.png", "cross/4.png", "empty.png",
    ]  # fmt: skip
    assert seen == [(3, 7), (6, 7), (7, 7)]  # max_batch_items is 3
    for one in found:
        if one.path.stem in ("broken", "empty"):
            with pytest.raises(SketchInvalid):
                _ = one.answer
        else:
            assert one.answer.results[0].photo_id == str(one.path.relative_to(sketches))


def test_a_batch_over_the_limit_is_too_large(url: str, cross: bytes) -> None:
    with Client(url) as client, pytest.raises(TooLarge) as caught:
        client.search_batch([cross] * 4)
    assert caught.value.code == "batch_too_large"


def test_a_category_and_a_profile_are_adapted_and_rolled_back(url: str, sketches: Path, drawing: Drawing) -> None:
    pairs = [(sketches / "box" / "0.png", "box/0.png"), (sketches / "box" / "2.png", "box/2.png")]
    with Client(url) as client:
        dry = client.adapt("box", pairs, dry_run=True)
        assert (dry.adapter_id, dry.k, client.adapters("box").adapters) == (None, 2, ())
        first = client.adapt("box", pairs, force=True)
        assert first.adapter_id is not None
        assert (first.category, client.adapters("box").active) == ("box", first.adapter_id)
        assert client.search(pairs[0][0], category="box").adapter_id == first.adapter_id
        assert client.adapter("box", first.adapter_id).reason == first.reason
        assert client.rollback_adapter("box") is None
        with pytest.raises(Conflict):
            client.rollback_adapter("box")
        assert client.activate_adapter("box", first.adapter_id).state == "active"
        client.delete_adapter("box", first.adapter_id)
        with pytest.raises(NotFound):
            client.adapter("box", first.adapter_id)
        style = client.adapt(Profile("ada"), pairs, force=True)
        assert (style.profile, [one.profile for one in client.profiles().profiles]) == ("ada", ["ada"])
        # A path is a file to upload, a str an id.
        new = client.adapt("new/kind", [(pairs[0][0], pairs[0][0]), (pairs[1][0], pairs[1][0])], force=True)
        assert new.category == "new/kind"
        assert "new/kind" in [one.category for one in client.categories().categories]


def test_photos_are_stored_described_and_deleted(url: str, sketches: Path) -> None:
    path = sketches / "cross" / "1.png"
    with Client(url) as client:
        photo = client.put_photo("fresh/ä 1.png", path, metadata={"artist": "ada"})
        assert (photo.category, photo.metadata["artist"]) == ("fresh", "ada")
        assert client.describe_photo(photo.photo_id, category="", metadata={"price": 5, "artist": None}).metadata == {
            "price": 5
        }
        assert client.photo(photo.photo_id).category == ""
        assert client.thumbnail(photo.photo_id).startswith(b"\xff\xd8")
        assert client.image("cross/1.png").startswith(b"\x89PNG")
        client.delete_photo(photo.photo_id)
        with pytest.raises(NotFound):
            client.photo(photo.photo_id)


def test_changes_in_bulk_are_a_job_that_is_waited_for(url: str, sketches: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with Client(url) as client:
        job = client.change_photos(
            [
                Upload("fresh/1.png", sketches / "box" / "0.png", metadata={"artist": "ada"}),
                Describe("box/1.png", category="fresh"),
                Delete("box/3.png"),
                Delete("box/none.png"),
            ]
        )
        ended = client.wait_for(job, poll_s=0.05, timeout_s=120.0, progress=lambda *counts: seen.append(counts))
        assert (ended.state, ended.done, ended.failed, seen[-1]) == ("done", 4, 1, (4, 4))
        assert [(one.position, one.code) for one in ended.problems] == [(3, "photo_not_found")]
        assert {photo.photo_id for photo in client.iter_photos(category="fresh")} == {"fresh/1.png", "box/1.png"}
        assert client.jobs().jobs[0].job_id == client.job(job.job_id).job_id == job.job_id
        with pytest.raises(Conflict):
            client.cancel_job(job.job_id)
        assert client.versions().changes_pending == 3


def test_a_rebuild_is_a_job(url: str) -> None:
    with Client(url) as client:
        assert (
            client.wait_for(client.rebuild_index(photos=False).job_id, poll_s=0.05, timeout_s=120.0).kind == "rebuild"
        )


def test_a_deep_adapter_is_a_job(url: str, sketches: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    pairs = [(sketches / "cross" / f"{number}.png", f"cross/{number}.png") for number in (1, 2)]
    with Client(url) as client:
        job = client.adapt_deep("cross", pairs, dry_run=True)
        ended = client.wait_for(job, poll_s=0.05, timeout_s=120.0, progress=lambda *counts: seen.append(counts))
    assert (ended.kind, ended.state, seen[-1]) == ("adapt", "done", (3, 3))
    assert ended.detail.startswith("nothing was stored: ")


def test_feedback_is_kept_listed_and_deleted(url: str, cross: bytes) -> None:
    with Client(url) as client:
        kept = client.add_feedback(cross, "cross/2.png")
        assert [one.feedback_id for one in client.feedback("cross").feedback] == [kept.feedback_id]
        client.delete_feedback(kept.feedback_id)
        client.add_feedback(cross, "cross/2.png")
        client.clear_feedback("cross")
        assert client.feedback().feedback == ()


def test_problems_are_typed(url: str, tmp_path: Path) -> None:
    with Client(url) as client:
        with pytest.raises(RequestInvalid) as caught:
            client.search(json.dumps({"strokes": "x"}).encode(), k=500)
        assert caught.value.faults
        assert caught.value.problem.request_id
        with pytest.raises(NotFound):
            client.in_gallery("nowhere").categories()
        with pytest.raises(FileNotFoundError):
            client.search(tmp_path / "nothing.png")


def test_a_key_is_sent_and_says_what_it_may_do(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path / "online")
    new = make_key("reader", ("search",))
    add_key(settings.key_path, new.key)
    with serving(settings) as url:
        with Client(url) as client, pytest.raises(KeyRejected):
            client.info()
        with Client(url, key=new.token) as client:
            assert client.info().access == ("search",)
            assert client.ready().status == "ready"
            with pytest.raises(Denied):
                client.delete_photo("box/0.png")
            with pytest.raises(Denied):
                client.metrics()


def test_the_asynchronous_client_does_the_same(url: str, sketches: Path) -> None:
    async def use() -> None:
        async with AsyncClient(url) as client:
            path = sketches / "cross" / "2.png"
            answers = await asyncio.gather(*(client.search(path, k=2) for _ in range(4)))
            assert {answer.results[0].photo_id for answer in answers} == {"cross/2.png"}
            assert [hit.rank async for hit in client.iter_search(path, page=6)] == list(range(1, 16))
            found = [one async for one in client.search_folder(sketches, k=1)]
            assert len(found) == 7
            ids = [photo.photo_id async for photo in client.iter_photos(page=7)]
            assert sorted(name or "" for name in ids) == PHOTOS
            assert len([hit async for hit in client.iter_similar("box/0.png", page=5)]) == 14
            await client.put_photo("fresh/1.png", path)
            job = await client.change_photos([Delete("fresh/1.png")])
            assert (await client.wait_for(job, poll_s=0.05, timeout_s=120.0)).done == 1
            pairs = [(path, "cross/2.png"), (sketches / "cross" / "1.png", "cross/1.png")]
            fitted = await client.adapt("cross", pairs, force=True)
            assert (await client.adapters("cross")).active == fitted.adapter_id
            assert await client.rollback_adapter("cross") is None
            await client.add_feedback(path, "cross/2.png")
            assert len((await client.feedback()).feedback) == 1
            assert "inkseek" in await client.metrics()

    asyncio.run(use())
