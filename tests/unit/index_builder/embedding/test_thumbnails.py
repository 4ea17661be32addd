"""Thumbnails: scaled where the photo is larger, the photo's own picture where it is a small plain JPEG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import THUMBNAIL_PX, GalleryIndex, make_thumbnail
from index_builder.build import BuildRequest, build_index


def photo(size: tuple[int, int] = (200, 120)) -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 255, (6, 10, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def decoded(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def test_a_small_plain_jpeg_is_not_encoded_again() -> None:
    file = encoded(photo(), quality=80, comment=b"where it was taken")
    small = make_thumbnail(decoded(file), file)
    np.testing.assert_array_equal(decoded(small.jpeg), decoded(file))
    assert b"taken" not in small.jpeg
    assert small.perceptual_hash == make_thumbnail(decoded(file)).perceptual_hash


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"quality": 100, "subsampling": 0, "size": (256, 256)}], ids=["scans", "bytes"]
)
def test_what_is_not_plain_or_large_is_encoded(options: dict[str, Any]) -> None:
    size = options.pop("size", (200, 120))
    noise = np.random.default_rng(2).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = encoded(Image.fromarray(noise), **options)
    assert make_thumbnail(decoded(file), file) == make_thumbnail(decoded(file))


def test_a_file_of_another_size_than_its_pixels_is_encoded() -> None:
    file = encoded(photo((512, 512)))
    opened = Image.open(io.BytesIO(file))
    opened.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
    small = opened.convert("RGB")
    assert small.size == (THUMBNAIL_PX, THUMBNAIL_PX)
    assert decoded(make_thumbnail(small, file).jpeg).size == small.size


def test_a_build_takes_them_from_its_files(tmp_path: Path, tiny_bundle_dir: Path) -> None:
    (tmp_path / "photos").mkdir()
    file = encoded(photo(), quality=80)
    (tmp_path / "photos" / "small.jpg").write_bytes(file)
    photo((400, 300)).save(tmp_path / "photos" / "large.jpg")
    build_index(BuildRequest(tmp_path / "photos", tmp_path / "index", bundle=tiny_bundle_dir, kind="flat"))
    index = GalleryIndex.load(tmp_path / "index")
    np.testing.assert_array_equal(decoded(index.thumbnail("small.jpg").jpeg), decoded(file))
    assert decoded(index.thumbnail("large.jpg").jpeg).size == (THUMBNAIL_PX, 192)
    index.close()
