"""Writes tests/golden/index_v3: an index of schema version 3, which has segments. Run once, as v1's was.

python tests/golden/make_index_v3.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from index_builder.artifact import MetadataField, PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest, SegmentEntry
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.staging import new_segment, new_staging
from index_builder.publish import publish
from index_builder.report import Report
from index_builder.segments.assemble import named_segments, write_rows
from index_builder.segments.seal import seal
from index_builder.stores.choice import build_store
from index_builder.stores.plan import KindChoice, choose_plan
from index_builder.stores.vectors_file import VectorWriter

COUNT, DIM = 12, 8
FIELDS = (MetadataField(name="price", type="number"),)


def segment(out: Path, numbers: list[int], kind: KindChoice) -> SegmentEntry:
    staging = new_segment(out)
    plan = choose_plan(len(numbers), DIM, kind)
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12), (10, 100, 200)).save(buffer, "JPEG")
    with (
        VectorWriter(staging / layout.VECTORS, DIM) as writer,
        PhotoStoreWriter(staging / layout.PHOTOS, FIELDS) as store,
    ):
        for row, number in enumerate(numbers):
            photo_id = f"{'chair' if number < 5 else 'shoe'}/{number:02d}.jpg"
            record = PhotoRecord(
                row, photo_id, photo_id.split("/")[0], photo_id, f"{number:064x}", 16, 12, {"price": float(number)}
            )
            store.append(record, Thumbnail(buffer.getvalue(), f"{number:016x}"))
            wave = np.cos((number + 1) * np.arange(1, DIM + 1) ** 2)
            writer.append((wave / np.linalg.norm(wave)).astype(np.float32)[None])
    build_store(staging, plan, count=len(numbers), dim=DIM, threads=1)
    return seal(staging, bundle_id="golden-bundle", dim=DIM, count=len(numbers), fields=FIELDS, search=plan)


def main() -> None:
    out = Path(__file__).parent / "index_v3"
    layout.versions_dir(out).mkdir(parents=True)
    staging = new_staging(out)
    with Report(staging / layout.REPORT):
        pass
    # Photos 0, 2, … were built; 1, 3, … were added; one of each segment, 4 and 5, is deleted.
    entries = [segment(out, [0, 2, 4, 6, 8, 10], "hnsw"), segment(out, [1, 3, 5, 7, 9, 11], "flat")]
    live = [(number % 2, number // 2) for number in range(COUNT) if number not in (4, 5)]
    segments, places = named_segments(entries, np.array(live, np.int32))
    names = (layout.REPORT, *write_rows(staging, segments, places))
    manifest = IndexManifest(
        created_at="2026-11-26T00:00:00+00:00",
        inkseek_version="0.2.0",
        bundle_id="golden-bundle",
        embedding_dim=DIM,
        count=len(live),
        gallery=GallerySource(root="/gallery", exclude=("*.tmp",)),
        metadata_fields=FIELDS,
        search=segments[0].search,
        build=BuildSummary(seconds=1.0, photos_per_s=6.0, embedded=6, reused=4, stages_s={"decode": 0.5}),
        segments=segments,
        files={name: layout.hash_file(staging / name) for name in names},
    )
    publish(out, staging, manifest)


if __name__ == "__main__":
    main()
