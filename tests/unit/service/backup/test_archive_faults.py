"""Archives that are cut short, changed, made up or of a later release: each is rejected, and nothing is touched."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index_builder.artifact import layout
from models.errors import InkseekError
from service.backup.create import BackupRequest, create
from service.backup.errors import (
    ArchiveCorrupt,
    ArchiveCutShort,
    ArchiveSchemaUnsupported,
    ArchiveUnreadable,
    ArchiveUnsafe,
    BackupError,
)
from service.backup.places import Places
from service.backup.restore import RestoreRequest, restore
from service.backup.verify import verify
from tests.unit.service.backup.conftest import places_in

Members = list[tuple[tarfile.TarInfo, bytes]]


def read_members(archive: Path) -> Members:
    with tarfile.open(archive) as tar:
        found = []
        for header in tar:
            file = tar.extractfile(header)
            assert file is not None
            found.append((header, file.read()))
        return found


def write_members(path: Path, members: Members) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for header, data in members:
            header.size = len(data) if header.isreg() else 0
            tar.addfile(header, io.BytesIO(data))


def described(members: Members, change: Callable[[dict[str, Any]], None]) -> Members:
    """The archive with another backup.json, and the digest that belongs to it."""
    document = json.loads(members[0][1])
    change(document)
    data = json.dumps(document).encode()
    digest = f"{hashlib.sha256(data).hexdigest()}  backup.json\n".encode()
    return [(members[0][0], data), (members[1][0], digest), *members[2:]]


def both_reject(path: Path, target: Places, error: type[InkseekError], match: str) -> None:
    """`verify` and `restore` do, and the target stays empty."""
    with pytest.raises(error, match=match):
        verify(path)
    with pytest.raises(error, match=match):
        restore(path, target, RestoreRequest())
    folder = target.settings.index.parent
    left = [file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"] if folder.exists() else []
    assert left == []


@pytest.fixture
def target(tmp_path: Path, source: Places) -> Places:
    return places_in(tmp_path / "target", source.settings.bundle)


def test_cut_short_anywhere(archive: Path, target: Places, tmp_path: Path) -> None:
    data = archive.read_bytes()
    end = len(data.rstrip(b"\0"))  # tar pads its end with zeros, without which all is there
    cut = tmp_path / "cut.tar"
    for share in (0.0, 0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999):
        cut.write_bytes(data[: int(end * share)])
        with pytest.raises(BackupError) as caught:
            verify(cut)
        assert isinstance(caught.value, ArchiveUnreadable if share <= 0.0001 else (ArchiveCutShort, ArchiveUnreadable))
    both_reject(cut, target, ArchiveCutShort, "cut short")


def test_a_changed_byte_anywhere(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    changed = tmp_path / "changed.tar"
    for number, (header, data) in enumerate(members):
        for place in {0, len(data) // 2, len(data) - 1} if data else ():
            other = bytearray(data)
            other[place] ^= 0x20
            write_members(changed, [*members[:number], (header, bytes(other)), *members[number + 1 :]])
            with pytest.raises(BackupError) as caught:
                verify(changed)
            if number > 1:
                assert isinstance(caught.value, ArchiveCorrupt) and header.name in str(caught.value)
    both_reject(changed, target, ArchiveCorrupt, "sha256")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "galleries/../keys.json", "galleries/shop/segments/../../x", "x\0y"]
)
def test_names_that_lead_out(archive: Path, target: Places, tmp_path: Path, name: str) -> None:
    members = read_members(archive)
    data = b"root::0:0"
    extra = (tarfile.TarInfo(name), data)
    entry = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    path = tmp_path / "unsafe.tar"
    if "\0" not in name:
        write_members(path, [*members, extra])
        both_reject(path, target, ArchiveUnsafe, "no file of a backup")
    write_members(path, [*described(members, lambda document: document["members"].update({name: entry})), extra])
    both_reject(path, target, ArchiveUnsafe, "no file of a backup")


def test_a_link_is_no_member(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    link = tarfile.TarInfo(members[-1][0].name)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = tmp_path / "link.tar"
    write_members(path, [*members[:-1], (link, b"")])
    both_reject(path, target, ArchiveUnsafe, "no plain file")


def test_a_sparse_file_that_claims_a_disk_full_of_zeros_is_no_member(
    archive: Path, target: Places, tmp_path: Path
) -> None:
    members = read_members(archive)
    huge, name = 2**60, members[-1][0].name
    entry = {"bytes": huge, "sha256": "0" * 64}
    sparse = tarfile.TarInfo(name)
    sparse.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(huge), "GNU.sparse.map": "0,4",
    }  # fmt: skip
    path = tmp_path / "sparse.tar"
    write_members(
        path, [*described(members[:-1], lambda document: document["members"].update({name: entry})), (sparse, b"tiny")]
    )
    with tarfile.open(path) as tar:
        assert tar.getmembers()[-1].issparse()
    both_reject(path, target, ArchiveUnsafe, "no plain file")


def test_a_member_of_another_size_is_not_written(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    path = tmp_path / "longer.tar"
    write_members(path, [*members[:-1], (members[-1][0], members[-1][1] + b" ")])
    both_reject(path, target, ArchiveCorrupt, "keys.json: expected [0-9]+ bytes, got")


def test_members_that_are_not_listed_or_not_there(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    path = tmp_path / "other.tar"
    extra = tarfile.TarInfo("galleries/shop/segments/0123456789abcdef/vectors.npy")
    write_members(path, [*members, (extra, b"more")])
    both_reject(path, target, ArchiveCorrupt, "does not list")
    write_members(path, [*members[:3], *members[4:]])
    both_reject(path, target, ArchiveCorrupt, "where it lists")
    write_members(path, members[:-1])
    both_reject(path, target, ArchiveCutShort, members[-1][0].name)


def test_a_later_release_wrote_it(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    path = tmp_path / "later.tar"

    def later(document: dict[str, Any]) -> None:
        document |= {"schema_version": 2, "something": "new"}

    write_members(path, described(members, later))
    both_reject(path, target, ArchiveSchemaUnsupported, "version 2; this release reads version 1: use the release")


def test_an_online_store_of_a_later_release_is_found_without_unpacking_it(
    archive: Path, target: Places, tmp_path: Path
) -> None:
    members = read_members(archive)
    path, name = tmp_path / "later.tar", "galleries/shop/online.sqlite"
    (number,) = [number for number, (header, _) in enumerate(members) if header.name == name]
    store = bytearray(members[number][1])
    store[60:64] = (99).to_bytes(4, "big")

    def claimed(document: dict[str, Any]) -> None:
        document["members"][name]["sha256"] = hashlib.sha256(store).hexdigest()
        document["galleries"]["shop"]["online_schema"] = 99

    members[number] = (members[number][0], bytes(store))
    write_members(path, described(members, claimed))
    both_reject(path, target, ArchiveSchemaUnsupported, "shop has schema version 99; this release reads version 1")


def test_a_version_without_one_of_its_files_is_incomplete(archive: Path, target: Places, tmp_path: Path) -> None:
    members = read_members(archive)
    path = tmp_path / "incomplete.tar"
    (left_out,) = [header.name for header, _ in members if "default" in header.name and "vectors" in header.name]

    def without(document: dict[str, Any]) -> None:
        del document["members"][left_out]

    kept = [(header, data) for header, data in members if header.name != left_out]
    write_members(path, described(kept, without))
    both_reject(path, target, ArchiveCorrupt, "gallery default needs another segments/")


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"\0" * 10_240])
def test_what_is_no_archive(target: Places, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.tar"
    path.write_bytes(content)
    both_reject(path, target, ArchiveUnreadable, "no backup")
    both_reject(tmp_path / "absent.tar", target, ArchiveUnreadable, "No such file")


def test_a_tar_of_something_else(target: Places, tmp_path: Path) -> None:
    path = tmp_path / "other.tar"
    write_members(path, [(tarfile.TarInfo("photo.jpg"), b"a photo")])
    both_reject(path, target, ArchiveUnreadable, "no backup of Inkseek: backup.json is not where it has to be")


def test_a_damaged_index_is_found_while_it_is_archived(source: Places, tmp_path: Path) -> None:
    index = source.settings.index
    vectors = next(index.glob("segments/*/vectors.npy"))
    whole = vectors.read_bytes()
    for damaged, what in ((whole[:-1] + bytes([whole[-1] ^ 1]), "sha256 of"), (whole[:-10], "bytes, got")):
        vectors.write_bytes(damaged)
        with pytest.raises(ArchiveCorrupt, match=what):
            create(tmp_path / "damaged.tar", source, BackupRequest())
        assert not (tmp_path / "damaged.tar").exists() and list(tmp_path.glob(".*")) == []
    shutil.rmtree(layout.version_dir(index, layout.current_version(index)))
    with pytest.raises(InkseekError, match="no version"):
        create(tmp_path / "damaged.tar", source, BackupRequest())
