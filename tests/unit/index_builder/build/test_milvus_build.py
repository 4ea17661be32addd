"""Versions in Milvus: built, updated, published, rolled back and pruned, with the answers of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, IndexCorrupt, MilvusServer, PhotoFilter, StoreUnavailable, layout
from index_builder.artifact.collection_check import collection_problems
from index_builder.artifact.originals import OriginalFiles
from index_builder.artifact.segments.opening import open_parts
from index_builder.build import BuildRequest, BuildResult, build_index, compact_index, update_index
from index_builder.errors import MilvusNotNamed, RecallTooLow
from index_builder.publish import rollback
from index_builder.stores.milvus.store import MilvusStore

DrawJpeg = Callable[..., bytes]


@pytest.fixture
def server(tmp_path: Path) -> MilvusServer:
    return MilvusServer(str(tmp_path / "milvus.db"), timeout_s=60.0)


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path, server: MilvusServer) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, store="milvus", milvus=server)


@contextmanager
def loaded(request: BuildRequest, version: str | None = None, *, in_milvus: bool = True) -> Iterator[GalleryIndex]:
    index = GalleryIndex.load(request.out, version=version, milvus=request.milvus if in_milvus else None)
    try:
        yield index
    finally:
        index.close()


def in_server(server: MilvusServer) -> dict[str, set[str]]:
    """Each collection with the segments that it has partitions of."""
    client = server.connect()
    try:
        return {
            name: {part.removeprefix("segment_") for part in client.list_partitions(name) if part != "_default"}
            for name in client.list_collections()
        }
    finally:
        client.close()


def pointed(request: BuildRequest, server: MilvusServer) -> str:
    """What the gallery's alias names, for any client."""
    alias = (request.out / layout.MILVUS).read_text().split('"')[3]
    client = server.connect()
    try:
        return str(client.describe_alias(alias)["collection_name"])
    finally:
        client.close()


def assert_searches_as_files(request: BuildRequest, version: str) -> None:
    """Every photo's own vector is answered alike, plain, filtered and exact, to the bit."""
    with loaded(request, version) as milvus, loaded(request, version, in_milvus=False) as files:
        assert collection_problems(files, milvus) == []
        assert milvus.problems() == []
        every = np.arange(files.count)
        queries = files.vectors_of(every)
        shoes = PhotoFilter(frozenset({"shoe"}))
        for k in (1, 3, files.count + 2):
            assert milvus.search(queries, k) == files.search(queries, k)
            assert milvus.search(queries, k, exact=True) == files.search(queries, k, exact=True)
            assert milvus.search(queries, k, where=shoes) == files.search(queries, k, where=shoes)


def names(result: BuildResult) -> set[str]:
    return {segment.name for segment in result.manifest.segments}


def test_a_build_makes_a_collection_and_points_the_alias_at_it(request_: BuildRequest, server: MilvusServer) -> None:
    result = build_index(request_)
    assert result.manifest.collection is not None
    assert in_server(server) == {result.manifest.collection: names(result)}
    assert pointed(request_, server) == result.manifest.collection
    assert result.manifest.search.factory == "HNSW"
    assert result.manifest.recall is not None
    assert_searches_as_files(request_, result.version)


def test_a_reader_in_milvus_needs_no_file_of_vectors(request_: BuildRequest) -> None:
    result = build_index(request_)
    (segment,) = layout.segments_dir(request_.out).iterdir()
    (segment / layout.VECTORS).unlink()
    with loaded(request_, result.version) as index:
        assert index.search(index.vectors_of(np.arange(3)), 1)[2][0].row == 2
        assert all(path.is_file() for path in index.files)
    with pytest.raises(IndexCorrupt, match="vectors"):
        GalleryIndex.load(request_.out)


def test_an_update_adds_a_partition_to_the_collection(
    request_: BuildRequest, server: MilvusServer, draw_jpeg: DrawJpeg
) -> None:
    first = build_index(request_)
    (Path(request_.photos) / "shoe" / "new.jpg").write_bytes(draw_jpeg(77))
    (Path(request_.photos) / "shoe" / "1.jpg").unlink()
    # Without --store: the published version's.
    second = update_index(replace(request_, store=None, max_deleted=1.0))
    assert second.manifest.collection == first.manifest.collection == pointed(request_, server)
    assert names(first) < names(second)
    assert in_server(server) == {second.manifest.collection: names(second)}
    assert_searches_as_files(request_, second.version)
    assert_searches_as_files(request_, first.version)
    again = update_index(replace(request_, store=None))
    assert again.unchanged


def test_a_rollback_swaps_the_alias_and_each_version_keeps_its_collection(
    request_: BuildRequest, server: MilvusServer
) -> None:
    first, second = build_index(request_), build_index(request_)
    assert second.manifest.collection != first.manifest.collection
    assert pointed(request_, server) == second.manifest.collection
    assert rollback(request_.out, milvus=server) == (second.version, first.version)
    assert pointed(request_, server) == first.manifest.collection
    assert layout.current_version(request_.out) == first.version
    assert rollback(request_.out, second.version, milvus=server)[1] == second.version
    assert pointed(request_, server) == second.manifest.collection
    assert_searches_as_files(request_, first.version)


def test_what_no_version_names_is_deleted(request_: BuildRequest, server: MilvusServer, draw_jpeg: DrawJpeg) -> None:
    request = replace(request_, keep=1)
    build_index(request)
    (Path(request.photos) / "shoe" / "new.jpg").write_bytes(draw_jpeg(77))
    second = update_index(request)
    third = compact_index(request)
    fourth = build_index(request)
    # The version that was published until now stays for its readers.
    assert second.version in fourth.removed
    assert in_server(server) == {
        str(third.manifest.collection): names(third),
        str(fourth.manifest.collection): names(fourth),
    }


def test_a_failed_gate_leaves_nothing_behind(request_: BuildRequest, server: MilvusServer) -> None:
    first = build_index(request_)
    # No search reaches more than 1.
    with pytest.raises(RecallTooLow):
        build_index(replace(request_, min_recall=1.1))
    assert in_server(server) == {first.manifest.collection: names(first)}
    assert layout.current_version(request_.out) == first.version


def test_a_collection_that_is_lost_is_written_anew_by_the_next_update(
    request_: BuildRequest, server: MilvusServer, draw_jpeg: DrawJpeg
) -> None:
    first = build_index(request_)
    client = server.connect()
    for alias in client.list_aliases(first.manifest.collection)["aliases"]:
        client.drop_alias(alias)
    client.drop_collection(first.manifest.collection)
    client.close()
    with pytest.raises(StoreUnavailable, match=str(first.manifest.collection)):
        GalleryIndex.load(request_.out, milvus=server)
    with pytest.raises(IndexCorrupt, match="collection"):
        rollback(request_.out, first.version, milvus=server)
    (Path(request_.photos) / "shoe" / "new.jpg").write_bytes(draw_jpeg(77))
    second = update_index(request_)
    assert second.manifest.build.embedded == 1
    assert_searches_as_files(request_, second.version)


def test_a_gallery_moves_to_milvus_and_back_without_being_embedded_again(request_: BuildRequest) -> None:
    files = build_index(replace(request_, store="files", milvus=None))
    assert b"collection" not in files.manifest.to_bytes()  # releases without Milvus read it
    moved = update_index(request_)
    assert moved.manifest.build.embedded == 0
    assert names(moved) == names(files)
    assert_searches_as_files(request_, moved.version)
    back = update_index(replace(request_, store="files"))
    assert back.manifest.collection is None
    assert back.manifest.is_exact
    assert names(back) == names(files)


def test_without_an_address_nothing_is_built_or_published(request_: BuildRequest) -> None:
    nowhere = replace(request_, store=None, milvus=None)
    with pytest.raises(MilvusNotNamed, match="--milvus-uri"):
        build_index(replace(nowhere, store="milvus"))
    first = build_index(request_)
    for run in (build_index, update_index, compact_index):
        with pytest.raises(MilvusNotNamed):
            run(nowhere)
    with pytest.raises(MilvusNotNamed):
        rollback(request_.out, first.version)


def test_a_damaged_alias_file_is_named(request_: BuildRequest) -> None:
    build_index(request_)
    (request_.out / layout.MILVUS).write_text("[]")
    with pytest.raises(IndexCorrupt, match=r"milvus\.json"):
        build_index(request_)


def test_hidden_rows_take_no_place_in_a_filtered_search_that_milvus_answers(request_: BuildRequest) -> None:
    result = build_index(request_)
    assert request_.milvus is not None
    folder = layout.version_dir(request_.out, result.version)
    store, photos = open_parts(folder, result.manifest, request_.milvus)
    assert isinstance(store, MilvusStore)
    narrow = MilvusStore(
        request_.milvus, request_.milvus.connect(), store.collection, result.manifest.search, fetched_rows=1
    )
    index = GalleryIndex(
        version=result.version,
        manifest=result.manifest,
        originals=OriginalFiles.at(result.manifest.gallery, None),
        store=narrow,
        photos=photos,
    )
    shoes = PhotoFilter(frozenset({"shoe"}))
    with loaded(request_, result.version, in_milvus=False) as files:
        query, rows = files.vectors_of(np.array([2])), files.rows_where(shoes)
        for hidden in (rows[:0], rows[:2], rows[1:], rows):
            for k in (1, 2, 4):
                expected = files.search(query, k, where=shoes, hidden=hidden)
                assert index.search(query, k, where=shoes, hidden=hidden) == expected
                exact = index.search(query, k, where=shoes, hidden=hidden, exact=True)
                assert exact == expected
    index.close()
    store.close()
