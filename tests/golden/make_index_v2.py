"""Writes tests/golden/index_v2: an index of schema version 2, which knows how categories face. Run once, as v1's was.

python tests/golden/make_index_v2.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from index_builder.artifact import PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, Facing, GallerySource, IndexManifest
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.staging import new_staging
from index_builder.publish import publish
from index_builder.report import Report
from index_builder.stores.choice import build_store, store_files
from index_builder.stores.plan import choose_plan
from index_builder.stores.vectors_file import VectorWriter

COUNT, DIM = 6, 8


def main() -> None:
    out = Path(__file__).parent / "index_v2"
    layout.versions_dir(out).mkdir(parents=True)
    staging = new_staging(out)
    plan = choose_plan(COUNT, DIM, "flat")
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (10, 100, 200)).save(buffer, "JPEG")
    with (
        Report(staging / layout.REPORT),
        VectorWriter(staging / layout.VECTORS, DIM) as writer,
        PhotoStoreWriter(staging / layout.PHOTOS, ()) as store,
    ):
        for row in range(COUNT):
            photo_id = f"{'chair' if row < 2 else 'shoe'}/{row}.jpg"
            record = PhotoRecord(row, photo_id, photo_id.split("/")[0], photo_id, f"{row:064x}", 16, 12, {})
            store.append(record, Thumbnail(buffer.getvalue(), f"{row:016x}"))
            writer.append(np.eye(DIM, dtype=np.float32)[row][None])
    build_store(staging, plan, count=COUNT, dim=DIM, threads=1)
    names = (layout.PHOTOS, layout.REPORT, *store_files(plan))
    manifest = IndexManifest(
        created_at="2026-11-26T00:00:00+00:00",
        inkseek_version="0.2.0",
        bundle_id="golden-bundle",
        embedding_dim=DIM,
        count=COUNT,
        gallery=GallerySource(root="/gallery"),
        search=plan,
        facing={
            "chair": Facing(one_way=False, asymmetry=0.0125),
            "shoe": Facing(one_way=True, asymmetry=0.241),
        },
        build=BuildSummary(seconds=1.0, photos_per_s=6.0),
        files={name: layout.hash_file(staging / name) for name in names},
    )
    publish(out, staging, manifest)


if __name__ == "__main__":
    main()
