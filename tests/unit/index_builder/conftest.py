"""Galleries of tiny photos, and indexes over vectors that a test passes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from index_builder.artifact import GalleryIndex, MetadataField, PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.staging import new_staging
from index_builder.publish import publish
from index_builder.stores.choice import MilvusServer, build_store, store_files
from index_builder.stores.plan import KindChoice, choose_plan
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors

WriteIndex = Callable[..., GalleryIndex]


def draw_jpeg(seed: int = 0, size: tuple[int, int] = (48, 40)) -> bytes:
    """A little picture that differs with its seed."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(seed)
    x, y = rng.integers(2, min(size) // 2, 2)
    draw.ellipse((x, y, x + min(size) // 2, y + min(size) // 3), fill=tuple(int(v) for v in rng.integers(0, 200, 3)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(name="draw_jpeg", scope="session")
def draw_jpeg_fixture() -> Callable[..., bytes]:
    return draw_jpeg


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos in two folders: shoe/0.jpg ... chair/5.jpg."""
    root = tmp_path / "photos"
    for seed in range(6):
        path = root / ("shoe" if seed < 4 else "chair") / f"{seed}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw_jpeg(seed))
    return root


@pytest.fixture
def write_index(tmp_path: Path) -> Iterator[WriteIndex]:
    """Publish an index over the unit rows; ids, categories and metadata are made up unless passed."""
    opened: list[GalleryIndex] = []

    def write(
        vectors: Vectors,
        *,
        out: Path = tmp_path / "index",
        kind: KindChoice = "flat",
        categories: Sequence[str] | None = None,
        fields: Sequence[MetadataField] = (),
        metadata: Sequence[dict[str, Any]] | None = None,
        bundle_id: str = "tiny",
    ) -> GalleryIndex:
        layout.versions_dir(out).mkdir(parents=True, exist_ok=True)
        staging = new_staging(out)
        plan = choose_plan(len(vectors), vectors.shape[1], kind)
        with (
            VectorWriter(staging / layout.VECTORS, vectors.shape[1]) as writer,
            PhotoStoreWriter(staging / layout.PHOTOS, fields) as store,
        ):
            for row, vector in enumerate(vectors):
                category = categories[row] if categories else "thing"
                record = PhotoRecord(
                    row=row,
                    photo_id=f"{row:06d}.jpg",
                    category=category,
                    path=f"{row:06d}.jpg",
                    sha256=f"{row:064x}",
                    width=10,
                    height=20,
                    metadata=metadata[row] if metadata else {},
                )
                store.append(record, Thumbnail(b"jpeg", "etag"))
                writer.append(vector[None])
        build_store(staging, plan, count=len(vectors), dim=vectors.shape[1], threads=1)
        names = [layout.PHOTOS, *store_files(plan)]
        manifest = IndexManifest(
            created_at="2026-01-01T00:00:00+00:00",
            inkseek_version="0",
            bundle_id=bundle_id,
            embedding_dim=vectors.shape[1],
            count=len(vectors),
            gallery=GallerySource(root=str(tmp_path)),
            metadata_fields=tuple(fields),
            search=plan,
            build=BuildSummary(seconds=0.0, photos_per_s=0.0),
            files={name: layout.hash_file(staging / name) for name in names},
        )
        index = GalleryIndex.load(out, version=publish(out, staging, manifest))
        opened.append(index)
        return index

    yield write
    for index in opened:
        index.close()


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> MilvusServer:
    """A milvus-lite in this process; collections of other tests are in it, too."""
    return MilvusServer(str(tmp_path_factory.mktemp("milvus") / "milvus.db"), timeout_s=60.0)
