"""Changes sealed into a segment: the same answers before and after, through updates, rollbacks and later changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from index_builder.artifact import GalleryIndex, MilvusServer
from index_builder.artifact.errors import IndexCorrupt
from index_builder.build import BuildRequest, compact_index, seal_index, update_index
from index_builder.errors import ChangesUnfit
from index_builder.publish import rollback
from service.changes.sealing import hand_over
from service.runtime.process import Process
from tests.contract.changes.conftest import IN_EACH_STORE
from tests.contract.changes.drawings import found, put, star

Serve = Callable[..., TestClient]

pytestmark = IN_EACH_STORE


@pytest.fixture
def sealed(own_index: Path, tiny_bundle_dir: Path, gallery_dir: Path, server: MilvusServer | None) -> BuildRequest:
    return BuildRequest(photos=gallery_dir / "photos.csv", out=own_index, bundle=tiny_bundle_dir, milvus=server)


def handed_over(client: TestClient, folder: Path) -> bool:
    process: Process = client.app.state.process  # type: ignore[attr-defined]
    with process.serving.borrow() as retriever:
        return hand_over(retriever, folder) is not None


def everything(client: TestClient) -> list[object]:
    """All that is answered of the gallery, without what names the index's version."""
    photos = client.get("/v1/photos?limit=100").json()["photos"]
    answers = [found(client, star(number), k=50) for number in (1, 7, 12)]
    narrowed = [found(client, star(1), k=50, filter="price>=5"), found(client, star(1), k=50, category="stars")]
    pictures = [client.get(photo["image_url"]).content for photo in photos]
    small = [client.get(photo["thumbnail_url"]).content for photo in photos]
    by_id = sorted(
        zip([photo["photo_id"] for photo in photos], photos, pictures, small, strict=True), key=lambda one: one[0]
    )
    return [by_id, answers, narrowed, client.get("/v1/categories").json()]


def change(client: TestClient) -> None:
    for number in range(6):
        put(client, f"stars/{number}", star(number))
    put(client, "cross/0.png", star(12), category="stars")
    client.delete("/v1/photos/box/2.png")
    client.delete("/v1/photos/stars/3")
    client.patch("/v1/photos/box/1.png", json={"category": "stars", "metadata": {"price": 77}})
    client.patch("/v1/photos/stars/1", json={"metadata": {"artist": "cleo", "price": 9}})


def test_answers_are_the_same_through_every_kind_of_version(
    serve: Serve, own_index: Path, sealed: BuildRequest, tmp_path: Path
) -> None:
    client = serve(index=own_index)
    change(client)
    expected = everything(client)
    assert handed_over(client, tmp_path / "changes")
    result = seal_index(sealed, tmp_path / "changes")
    assert result.manifest.online is not None and result.manifest.online.photos == 6
    assert result.manifest.build.embedded == 0
    index = GalleryIndex.load(own_index)
    assert index.problems() == []
    index.close()

    def again() -> TestClient:
        return serve(index=own_index)

    after = again()
    process: Process = after.app.state.process  # type: ignore[attr-defined]
    with process.serving.borrow() as retriever:
        assert retriever.store.state().photos == () and not len(retriever.gallery().view.uploaded)
    assert everything(after) == expected
    assert not handed_over(after, tmp_path / "nothing")
    assert seal_index(sealed, tmp_path / "changes").unchanged

    compact_index(sealed)
    assert everything(again()) == expected
    rollback(own_index, result.version, sealed.milvus)
    assert everything(again()) == expected
    update_index(sealed)  # lists the folder, which knows nothing of changes
    assert everything(again()) == expected
    third = again()
    assert handed_over(third, tmp_path / "later")
    seal_index(sealed, tmp_path / "later")
    assert everything(again()) == expected


def test_changes_behind_a_seal_lie_over_it(
    serve: Serve, own_index: Path, sealed: BuildRequest, tmp_path: Path, sketch_of: Callable[[str], bytes]
) -> None:
    client = serve(index=own_index)
    change(client)
    assert handed_over(client, tmp_path / "changes")
    put(client, "stars/0", star(30))  # after the changes were handed over, before they are published
    client.delete("/v1/photos/stars/4")
    put(client, "box/2.png", star(31), category="box")
    expected = everything(client)
    seal_index(sealed, tmp_path / "changes")
    after = serve(index=own_index)
    assert everything(after) == expected
    assert found(after, star(30))[0] == "stars/0" and found(after, star(31))[0] == "box/2.png"
    after.delete("/v1/photos/stars/5")
    assert "stars/5" not in found(after, star(5), k=50)
    assert handed_over(after, tmp_path / "second")
    seal_index(sealed, tmp_path / "second")
    last = serve(index=own_index)
    assert not {"stars/3", "stars/4", "stars/5"} & set(found(last, star(5), k=50))
    assert found(last, star(30))[0] == "stars/0"


def test_what_does_not_follow_on_the_published_version_is_rejected(
    serve: Serve, own_index: Path, sealed: BuildRequest, tmp_path: Path
) -> None:
    client = serve(index=own_index)
    put(client, "stars/0", star(0))
    assert handed_over(client, tmp_path / "one")
    seal_index(sealed, tmp_path / "one")
    second = serve(index=own_index)
    put(second, "stars/1", star(1))
    assert handed_over(second, tmp_path / "two")
    update_index(sealed)
    with pytest.raises(ChangesUnfit, match="handed over again"):
        seal_index(sealed, tmp_path / "two")
    (tmp_path / "two" / "changes.json").write_text("{")
    with pytest.raises(IndexCorrupt, match=r"changes\.json"):
        seal_index(sealed, tmp_path / "two")
    assert found(serve(index=own_index), star(1))[0] == "stars/1"


def test_a_fresh_store_knows_what_was_sealed(
    serve: Serve, own_index: Path, sealed: BuildRequest, tmp_path: Path
) -> None:
    client = serve(index=own_index)
    put(client, "stars/0", star(0))
    assert handed_over(client, tmp_path / "changes")
    seal_index(sealed, tmp_path / "changes")
    other = serve(index=own_index, online_dir=tmp_path / "another")
    assert found(other, star(0))[0] == "stars/0"
    put(other, "stars/1", star(1))
    other.delete("/v1/photos/stars/0")
    assert found(other, star(0))[0] == "stars/1"
    assert other.get("/v1/photos/stars/1/image").content == star(1)
