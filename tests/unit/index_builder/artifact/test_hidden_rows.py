"""Searches without hidden rows, against an exact search of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import left_out
from index_builder.artifact.gallery_index import GalleryIndex
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest
from index_builder.artifact.originals import OriginalFiles
from index_builder.artifact.photos.record import PhotoRecord, Thumbnail
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.segments.opening import open_parts
from index_builder.stores.choice import build_store
from index_builder.stores.plan import SearchPlan
from index_builder.stores.vectors_file import VectorWriter

COUNT, DIM = 400, 8


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_positions_of_what_is_left_out(rows: set[int], hidden: set[int]) -> None:
    some, others = np.array(sorted(rows), np.int64), np.array(sorted(hidden), np.int64)
    assert set(some[left_out(some, others)].tolist()) == rows & hidden


@pytest.mark.parametrize("plan", [SearchPlan(), SearchPlan(kind="hnsw", factory="HNSW16", ef_search=64)])
@pytest.mark.parametrize("hidden_count", [0, 1, 150, 395, 400])
def test_k_are_found_however_many_are_hidden(tmp_path: Path, plan: SearchPlan, hidden_count: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with (
        VectorWriter(tmp_path / "vectors.npy", DIM) as writer,
        PhotoStoreWriter(tmp_path / "photos.sqlite", ()) as photos,
    ):
        writer.append(vectors)
        for row in range(COUNT):
            photos.append(PhotoRecord(row, f"{row:04}", "c", "", "", 1, 1, {}), Thumbnail(b"", ""))
    build_store(tmp_path, plan, count=COUNT, dim=DIM, threads=1)
    manifest = IndexManifest(
        created_at="2026-11-26T00:00:00Z", inkseek_version="0", bundle_id="b", embedding_dim=DIM, count=COUNT,
        gallery=GallerySource(root="."), search=plan, build=BuildSummary(seconds=0, photos_per_s=0), files={},
    )  # fmt: skip
    store, table = open_parts(tmp_path, manifest)
    index = GalleryIndex(
        version="000001-0", manifest=manifest, originals=OriginalFiles(str(tmp_path)), store=store, photos=table
    )
    query = vectors[7]
    # The nearest are hidden, so that an approximate index proposes nothing else at first.
    order = np.lexsort((np.arange(COUNT), -(vectors @ query)))
    hidden = np.sort(order[:hidden_count])
    found = [hit.row for hit in index.search(query[None], 10, hidden=hidden)[0]]
    assert found == order[hidden_count : hidden_count + 10].tolist()
    index.close()
