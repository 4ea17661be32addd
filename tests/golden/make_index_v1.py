"""Writes tests/golden/index_v1: an index of schema version 1. Run once; the result is committed and never made again.

python tests/golden/make_index_v1.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from index_builder.artifact import MetadataField, PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest, RecallReport
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.staging import new_staging
from index_builder.publish import publish
from index_builder.report import Report, Skipped
from index_builder.stores.choice import build_store, store_files
from index_builder.stores.plan import choose_plan
from index_builder.stores.vectors_file import VectorWriter

COUNT, DIM = 24, 8
FIELDS = (
    MetadataField(name="price", type="number"),
    MetadataField(name="artist", type="text"),
    MetadataField(name="sold", type="boolean"),
)


def golden_vectors() -> NDArray[np.float32]:
    """(24, 8) unit rows that need no random generator to be made again."""
    waves = np.cos(np.outer(np.arange(1, COUNT + 1), np.arange(1, DIM + 1) ** 2))
    unit: NDArray[np.float32] = (waves / np.linalg.norm(waves, axis=1, keepdims=True)).astype(np.float32)
    return unit


def main() -> None:
    out = Path(__file__).parent / "index_v1"
    layout.versions_dir(out).mkdir(parents=True)
    staging = new_staging(out)
    vectors = golden_vectors()
    plan = choose_plan(COUNT, DIM, "hnsw")
    with (
        Report(staging / layout.REPORT) as report,
        VectorWriter(staging / layout.VECTORS, DIM) as writer,
        PhotoStoreWriter(staging / layout.PHOTOS, FIELDS) as store,
    ):
        for row, vector in enumerate(vectors):
            photo_id = f"{'chair' if row < 10 else 'shoe'}/{row:02d}.jpg"
            buffer = io.BytesIO()
            Image.new("RGB", (16, 12), (row * 10, 100, 200)).save(buffer, "JPEG")
            metadata = {"price": row * 1.5, "artist": None if row % 3 else "ann", "sold": row % 2 == 0}
            record = PhotoRecord(row, photo_id, photo_id.split("/")[0], photo_id, f"{row:064x}", 16, 12, metadata)
            store.append(record, Thumbnail(buffer.getvalue(), f"{row:016x}"))
            writer.append(vector[None])
        report.skip(Skipped("unreadable", "shoe/broken.jpg", "truncated", "shoe/broken.jpg"))
    build_store(staging, plan, count=COUNT, dim=DIM, threads=1)
    names = (layout.PHOTOS, layout.REPORT, *store_files(plan))
    manifest = IndexManifest(
        created_at="2026-11-20T00:00:00+00:00",
        inkseek_version="0.1.0",
        bundle_id="golden-bundle",
        embedding_dim=DIM,
        count=COUNT,
        gallery=GallerySource(root="/gallery", manifest="manifest.csv"),
        metadata_fields=FIELDS,
        search=plan,
        recall=RecallReport(recall=1.0, k=10, queries="photos", query_count=COUNT),
        build=BuildSummary(seconds=1.0, photos_per_s=24.0, skipped={"unreadable": 1}),
        files={name: layout.hash_file(staging / name) for name in names},
    )
    publish(out, staging, manifest)


if __name__ == "__main__":
    main()
