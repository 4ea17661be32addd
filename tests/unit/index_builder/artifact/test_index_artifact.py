"""An index that is damaged, or of another bundle, is rejected with the expected and the actual value."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import (
    BundleMismatch,
    GalleryIndex,
    IndexCorrupt,
    IndexNotFound,
    IndexSchemaUnsupported,
    PhotoNotFound,
    layout,
)
from index_builder.artifact.manifest import manifest_digest
from index_builder.artifact.segments.segment import SEGMENT
from index_builder.build import BuildRequest, build_index


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]) -> Path:
    root = tmp_path_factory.mktemp("published")
    for seed in range(30):
        path = root / "photos" / f"c{seed % 3}" / f"{seed}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_jpeg(seed))
    build_index(BuildRequest(root / "photos", root / "index", bundle=tiny_bundle_dir, kind="hnsw"))
    return root / "index"


@pytest.fixture
def out(published: Path, tmp_path: Path) -> Path:
    """A copy that may be broken."""
    return Path(shutil.copytree(published, tmp_path / "copy"))


def folder_of(out: Path) -> Path:
    return layout.version_dir(out, layout.current_version(out))


def file_of(out: Path, name: str) -> Path:
    """The one file of that name among those that the version and its segment consist of."""
    (path,) = (*layout.segments_dir(out).glob(f"*/{name}"), *folder_of(out).glob(name))
    return path


def rewrite_manifest(out: Path, **changes: object) -> None:
    """A manifest with other content, under a name that vouches for it."""
    folder = folder_of(out)
    document = json.loads((folder / layout.MANIFEST).read_bytes()) | changes
    data = json.dumps(document).encode()
    (folder / layout.MANIFEST).write_bytes(data)
    version = layout.version_name(1, manifest_digest(data))
    folder.rename(folder.with_name(version))
    layout.publish_pointer(out, version)


def test_what_was_written_is_read(published: Path) -> None:
    index = GalleryIndex.load(published)
    assert (index.count, index.embedding_dim, index.version) == (30, 192, layout.current_version(published))
    assert index.categories() == [("c0", 10), ("c1", 10), ("c2", 10)]
    assert index.problems() == []
    record = index.photo("c1/10.jpg")
    assert index.photos([record.row, 0]) == [record, index.photo("c0/0.jpg")]
    assert index.vector(record.row).shape == (192,)
    with pytest.raises(ValueError, match="read-only"):
        index.vector(0)[0] = 1.0
    thumbnail = index.thumbnail("c1/10.jpg")
    assert thumbnail.jpeg.startswith(b"\xff\xd8")
    assert thumbnail.etag != index.thumbnail("c1/13.jpg").etag
    for unknown in ("c1/11.jpg", "", "\udce9"):
        with pytest.raises(PhotoNotFound):
            index.photo(unknown)
        with pytest.raises(PhotoNotFound):
            index.thumbnail(unknown)
    with pytest.raises(PhotoNotFound):
        index.photos([0, 30])
    index.close()


@pytest.mark.parametrize(
    "name", [layout.MANIFEST, SEGMENT, layout.VECTORS, layout.PHOTOS, layout.ANN_INDEX, layout.REPORT]
)
def test_a_changed_byte_is_rejected_wherever_it_is(out: Path, name: str) -> None:
    path = file_of(out, name)
    original = path.read_bytes() or b"\x00"
    for position in sorted({0, len(original) // 2, len(original) - 1}):
        changed = bytearray(original)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises((IndexCorrupt, IndexSchemaUnsupported)):
            GalleryIndex.load(out)


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.VECTORS, layout.PHOTOS, layout.ANN_INDEX])
@pytest.mark.parametrize("kept", [0.0, 0.5, None])
def test_truncated_and_missing_files_are_rejected(out: Path, name: str, kept: float | None) -> None:
    path = file_of(out, name)
    data = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(IndexCorrupt) as caught:
        GalleryIndex.load(out)
    assert name in caught.value.what
    # Also without the hashes, nothing is read that is not there.
    with pytest.raises(IndexCorrupt):
        GalleryIndex.load(out, check_files=False).problems()


@pytest.mark.parametrize("version", [0, 4, "1", None, True])
def test_another_schema_version_is_rejected_before_anything_else(out: Path, version: object) -> None:
    rewrite_manifest(out, schema_version=version, count="nonsense")
    with pytest.raises(IndexSchemaUnsupported) as caught:
        GalleryIndex.load(out)
    assert caught.value.readable == (1, 2, 3)
    assert caught.value.actual == version


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 29},
        {"count": 0},
        {"embedding_dim": 191},
        {"extra": 1},
        {"files": {}},
        {"files": {"../../current": {"bytes": 1, "sha256": "0" * 64}}},
        {"search": {"kind": "magic"}},
        {"segments": []},
        {"segments": [{"name": "../../versions", "count": 30, "live": 30, "bytes": 1, "search": {"kind": "flat"}}]},
        {"segments": [{"name": "0" * 16, "count": 30, "live": 30, "bytes": 1, "search": {"kind": "flat"}}]},
        {"segments": [{"name": "0" * 16, "count": 29, "live": 30, "bytes": 1, "search": {"kind": "flat"}}]},
    ],
)
def test_a_manifest_that_contradicts_its_files_is_rejected(out: Path, changes: dict[str, object]) -> None:
    rewrite_manifest(out, **changes)
    with pytest.raises(IndexCorrupt):
        GalleryIndex.load(out)


def test_another_bundle_is_rejected(published: Path) -> None:
    made_by = GalleryIndex.load(published).bundle_id
    assert GalleryIndex.load(published, bundle_id=made_by).count == 30
    with pytest.raises(BundleMismatch) as caught:
        GalleryIndex.load(published, bundle_id="other")
    assert (caught.value.expected, caught.value.actual) == ("other", made_by)


def test_no_index_no_version_no_pointer(out: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="inkseek index build"):
        GalleryIndex.load(tmp_path / "nowhere")
    for version in ("000009-0123456789ab", "../photos", ""):
        with pytest.raises(IndexNotFound):
            layout.version_dir(out, version)
    (out / "current").write_text("000009-0123456789ab\n")
    with pytest.raises(IndexNotFound):
        GalleryIndex.load(out)
    for junk in (b"", b"../../etc\n", b"\xff\xfe"):
        (out / "current").write_bytes(junk)
        with pytest.raises(IndexCorrupt):
            GalleryIndex.load(out)


def test_vectors_that_are_not_of_unit_length_are_reported(out: Path) -> None:
    path = file_of(out, layout.VECTORS)
    vectors = np.load(path)
    vectors[3] *= 2
    vectors[4] = np.nan
    np.save(path, vectors)
    assert "2 vectors" in GalleryIndex.load(out, check_files=False).problems()[0]


def test_rebuilding_gives_the_same_rows_and_vectors(published: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    photos = published.parent / "photos"
    build_index(BuildRequest(photos, tmp_path / "again", bundle=tiny_bundle_dir, workers=3, batch=7))
    first, second = GalleryIndex.load(published), GalleryIndex.load(tmp_path / "again")
    assert first.photos(list(range(30))) == second.photos(list(range(30)))
    for row in range(30):
        # Another batch size: the same numbers but for rounding.
        np.testing.assert_allclose(first.vector(row), second.vector(row), atol=1e-6)
