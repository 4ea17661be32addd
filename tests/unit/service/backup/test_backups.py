"""An archive of a service's folders, put back elsewhere and over others: everything is as it was."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index_builder.artifact import BuildLocked, BundleMismatch, GalleryIndex, IndexNotFound, layout, locked
from index_builder.build import BuildRequest, build_index
from index_builder.publish import rollback
from service.access.key_file import add_key, read_keys, revoke_key
from service.access.keys import make_key
from service.backup.create import BackupRequest, archive_path, create, remove_older
from service.backup.errors import ArchiveExists, PartMissing, TargetNotEmpty
from service.backup.places import Places
from service.backup.restore import RestoreRequest, restore
from service.backup.verify import verify
from service.store.online_store import OnlineStore
from service.store.records import NewAdapter
from service.store.schema import SCHEMA_VERSION
from tests.unit.service.backup.conftest import places_in
from tests.unit.service.store.adding import add

MakeAdapter = Callable[..., NewAdapter]


def rows(places: Places, name: str) -> list[tuple[str, int]]:
    """Adapters of a gallery's online store, by the database itself."""
    place = places.gallery(name)
    assert place is not None
    with closing(sqlite3.connect(place.online / "online.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute("SELECT adapter_id, length(arrays) FROM adapters ORDER BY number").fetchall()


def files_of(index: Path) -> dict[str, bytes]:
    """Of every version and segment."""
    return {
        str(path.relative_to(index)): path.read_bytes()
        for folder in ("versions", "segments")
        for path in sorted((index / folder).rglob("*"))
        if path.is_file()
    }


def same(first: Places, second: Places, name: str) -> bool:
    one, other = first.gallery(name), second.gallery(name)
    assert one is not None and other is not None
    return (
        files_of(one.index) == files_of(other.index)
        and layout.current_version(one.index) == layout.current_version(other.index)
        and one.quotas.read_bytes() == other.quotas.read_bytes()
        and rows(first, name) == rows(second, name)
    )


def test_all_of_it_is_the_same_elsewhere(archive: Path, source: Places, tmp_path: Path) -> None:
    target = places_in(tmp_path / "target", source.settings.bundle)
    restored = restore(archive, target, RestoreRequest())
    assert restored.galleries == dict.fromkeys(("default", "shop"), ("index", "limits", "online"))
    assert restored.limits == {"max_adapters": (7, 32)}
    assert same(source, target, "default") and same(source, target, "shop")
    assert rows(source, "default") != rows(source, "shop")
    assert read_keys(target.keys) == read_keys(source.keys) and restored.keys == 2
    assert stat.S_IMODE(target.keys.stat().st_mode) == stat.S_IMODE(archive.stat().st_mode) == 0o600
    for name in ("default", "shop"):
        place = target.gallery(name)
        assert place is not None
        index = GalleryIndex.load(place.index)
        assert index.problems() == []
        index.close()
        assert not list(place.online.glob(".restoring-*")) and not list((place.index / "versions").glob(".*"))


def test_an_archive_says_what_it_holds_and_is_an_ordinary_tar(archive: Path, source: Places, tmp_path: Path) -> None:
    contents = verify(archive)
    assert (contents.keys, contents.limits["max_adapters"]) == (2, 7)
    assert contents.galleries["shop"].online_schema == SCHEMA_VERSION
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path / "unpacked", filter="data")
    assert names[:2] == ["backup.json", "backup.json.sha256"] and set(names[2:]) == set(contents.members)
    for name, member in contents.members.items():
        assert (tmp_path / "unpacked" / name).stat().st_size == member.bytes
    for key in read_keys(source.keys):
        assert key.sha256.encode() in (tmp_path / "unpacked" / "keys.json").read_bytes()
    assert list(tmp_path.glob(".*")) == []  # nothing that was made on the way


def test_parts_and_galleries_are_chosen_on_both_sides(source: Places, tmp_path: Path) -> None:
    path = tmp_path / "part.tar"
    contents = create(path, source, BackupRequest(parts=("online", "limits"), galleries=("shop",)))
    assert set(contents.members) == {"galleries/shop/online.sqlite", "galleries/shop/quotas.json"}
    target = places_in(tmp_path / "target", source.settings.bundle)
    assert restore(path, target, RestoreRequest(parts=("limits",))).galleries == {"shop": ("limits",)}
    place = target.gallery("shop")
    assert place is not None and place.quotas.is_file() and not place.online.exists() and not target.keys.exists()
    with pytest.raises(PartMissing, match="no index; it has limits, online"):
        restore(path, target, RestoreRequest(parts=("index",)))
    with pytest.raises(PartMissing, match="no gallery 'default'; it has shop"):
        restore(path, target, RestoreRequest(galleries=("default",)))
    with pytest.raises(PartMissing, match="no gallery 'absent'; there are default, shop"):
        create(path, source, BackupRequest(galleries=("absent",), replace=True))


def test_a_gallery_without_a_place_is_named(archive: Path, source: Places, tmp_path: Path) -> None:
    target = places_in(tmp_path / "target", source.settings.bundle, galleries="")
    with pytest.raises(PartMissing, match="the gallery 'shop', and nothing says where it belongs: give --galleries"):
        restore(archive, target, RestoreRequest())
    assert restore(archive, target, RestoreRequest(galleries=("default",))).galleries.keys() == {"default"}


def test_what_is_there_is_replaced_only_when_that_is_said(
    archive: Path, source: Places, make_adapter: MakeAdapter
) -> None:
    before = rows(source, "default")
    place = source.gallery("default")
    assert place is not None
    store = OnlineStore(place.online, "bundle-a", 6)
    added = add(store, make_adapter(seed=9))
    assert added in store.state().active.values()
    revoke_key(source.keys, read_keys(source.keys)[0].key_id)
    add_key(source.keys, make_key("eve", ("search",)).key)
    place.quotas.write_text("{}")
    with pytest.raises(TargetNotEmpty, match="With --replace the archive takes their place") as caught:
        restore(archive, source, RestoreRequest())
    for path in (place.index, place.online, place.quotas, source.keys):
        assert str(path) in str(caught.value)
    assert len(rows(source, "default")) == 2

    restore(archive, source, RestoreRequest(replace=True))
    assert rows(source, "default") == before
    assert added not in store.state().active.values()  # a store that was open all the time sees it
    assert [(key.name, key.revoked_at) for key in read_keys(source.keys)] == [("ada", None), ("ben", None)]
    assert json.loads(place.quotas.read_text()) == {"max_adapters": 2}
    store.close()


def rebuilt(places: Places, photos: Path) -> str:
    return build_index(
        BuildRequest(photos=photos, out=places.settings.index, bundle=places.settings.bundle, keep=5)
    ).version


def test_an_index_is_published_as_a_new_version_over_a_later_one(
    archive: Path, source: Places, shapes_index: Path
) -> None:
    index = source.settings.index
    first = layout.current_version(index)
    photos = Path(GalleryIndex.load(index).manifest.gallery.root)
    second = rebuilt(source, photos / "box")
    # As after a clean-up that has removed what the archive holds.
    shutil.rmtree(layout.version_dir(index, first))
    third = restore(archive, source, RestoreRequest(parts=("index",), replace=True)).versions["default"]
    assert [layout.version_sequence(version) for version in (first, second, third)] == [1, 2, 3]
    assert layout.version_digest(third) == layout.version_digest(first)
    assert layout.current_version(index) == third and layout.list_versions(index) == [second, third]
    loaded = GalleryIndex.load(index)
    assert (loaded.count, loaded.problems()) == (8, [])
    loaded.close()
    assert rollback(index) == (third, second)  # what was published before is still there


def test_a_version_that_is_still_there_is_published_again_as_it_is(archive: Path, source: Places) -> None:
    index = source.settings.index
    first = layout.current_version(index)
    rebuilt(source, Path(GalleryIndex.load(index).manifest.gallery.root) / "box")
    before = files_of(index)
    assert restore(archive, source, RestoreRequest(parts=("index",), replace=True)).versions["default"] == first
    assert layout.current_version(index) == first and files_of(index) == before


def test_damaged_segments_are_mended(archive: Path, source: Places) -> None:
    index = source.settings.index
    before = files_of(index)
    vectors = next(index.glob("segments/*/vectors.npy"))
    data = bytearray(vectors.read_bytes())
    data[-1] ^= 1
    vectors.write_bytes(data)
    restore(archive, source, RestoreRequest(parts=("index",), replace=True))
    assert {name: data for name, data in files_of(index).items() if ".discarded" not in name} == before
    assert GalleryIndex.load(index).problems() == []


def test_every_version_keeps_its_order_and_its_name_in_an_empty_folder(source: Places, tmp_path: Path) -> None:
    index = source.settings.index
    rebuilt(source, Path(GalleryIndex.load(index).manifest.gallery.root) / "box")
    rollback(index)
    path = tmp_path / "every.tar"
    contents = create(path, source, BackupRequest(parts=("index",), galleries=("default",), every_version=True))
    part = contents.galleries["default"].index
    assert part is not None and part.versions == tuple(layout.list_versions(index)) and len(part.versions) == 2
    target = places_in(tmp_path / "target", source.settings.bundle)
    restore(path, target, RestoreRequest())
    assert files_of(target.settings.index) == files_of(index)
    assert layout.current_version(target.settings.index) == layout.current_version(index) == part.versions[0]


def test_an_index_of_another_bundle_is_left_out(archive: Path, source: Places, tmp_path: Path) -> None:
    target = places_in(tmp_path / "target", source.settings.bundle)
    part = verify(archive).galleries["default"].index
    assert part is not None
    with pytest.raises(BundleMismatch, match=f"expected other-bundle, got {part.bundle_id}; give --bundle"):
        restore(archive, target, RestoreRequest(bundle_id="other-bundle"))
    assert not (tmp_path / "target").exists()
    restore(archive, target, RestoreRequest(parts=("online",), bundle_id="other-bundle"))  # it has adapters of several
    restore(archive, target, RestoreRequest(parts=("index",), bundle_id=part.bundle_id))


def test_no_build_runs_meanwhile(archive: Path, source: Places) -> None:
    before = rows(source, "shop")
    with locked(source.settings.index), pytest.raises(BuildLocked):
        restore(archive, source, RestoreRequest(replace=True))
    assert rows(source, "shop") == before


def test_an_archive_is_not_overwritten_and_a_folder_keeps_the_newest(source: Places, tmp_path: Path) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    made = [archive_path(folder, datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2, 3)]
    for path in made:
        create(path, source, BackupRequest(parts=("keys",)))
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ArchiveExists, match="give another name, or --force"):
        create(made[2], source, BackupRequest(parts=("keys",)))
    create(made[2], source, BackupRequest(parts=("keys",), replace=True))
    assert remove_older(made[2], 2) == made[:1]
    assert sorted(folder.iterdir()) == [*made[1:], folder / "notes.txt"]


def test_what_is_not_there_cannot_be_backed_up(source: Places, tmp_path: Path) -> None:
    empty = places_in(tmp_path / "empty", source.settings.bundle)
    with pytest.raises(IndexNotFound):
        create(tmp_path / "none.tar", empty, BackupRequest())
    with pytest.raises(PartMissing, match="nothing to back up: no online and no keys"):
        create(tmp_path / "none.tar", empty, BackupRequest(parts=("online", "keys")))
    assert not (tmp_path / "none.tar").exists()
