"""Drawings made from photos: lines where the photo has edges, the same ones each time, none where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from index_builder.artifact import GalleryIndex
from index_builder.artifact.photos.store import PhotoStore
from index_builder.build import BuildRequest, build_index
from index_builder.quality.drawings import drawn_probe
from models.bundle import Bundle, Runtime
from models.images.line_drawing import drawn


def box() -> Image.Image:
    picture = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(picture).rectangle((50, 50, 149, 149), fill=(40, 90, 60))
    return picture


def test_lines_lie_where_the_edges_are() -> None:
    page = drawn(box(), seed=0)
    assert page is not None and page.size == (256, 256)
    ink = np.asarray(page) == 0
    assert 0.01 < ink.mean() < 0.1
    # 200 px become 224, on a margin of 16: the box spans 72 to 183, moved by 6 px at most and blurred.
    rows, columns = np.nonzero(ink)
    for found in (rows, columns):
        assert 60 <= found.min() <= 84 and 171 <= found.max() <= 195
    assert not ink[96:160, 96:160].any()


def test_a_drawing_is_the_same_each_time_and_bent_otherwise_for_another_seed() -> None:
    pages = [drawn(box(), seed) for seed in (3, 3, 4)]
    assert all(page is not None for page in pages)
    first, again, other = (np.asarray(page) for page in pages)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_has_no_edges_is_not_drawn() -> None:
    assert drawn(Image.new("RGB", (64, 48), "grey"), seed=0) is None
    assert drawn(Image.new("RGB", (1, 300), "grey"), seed=0) is None


def test_the_probe_encodes_as_sketches_what_can_be_drawn(
    tmp_path: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    gallery = tmp_path / "photos"
    gallery.mkdir()
    for seed in range(9):
        (gallery / f"{seed}.jpg").write_bytes(draw_jpeg(seed, (90, 80)))
    Image.new("RGB", (40, 40), "white").save(gallery / "blank.png")
    out = tmp_path / "index"
    manifest = build_index(BuildRequest(gallery, out, bundle=tiny_bundle_dir, kind="hnsw")).manifest
    assert manifest.recall is not None
    assert (manifest.recall.queries, manifest.recall.query_count, manifest.recall.unusable_sketches) == (
        "drawings",
        9,
        1,
    )
    (file,) = out.glob("segments/*/photos.sqlite")
    photos = PhotoStore(file, ())
    encoder = Bundle.load(tiny_bundle_dir, Runtime(threads=1)).sketch
    probe = drawn_probe(photos, encoder)
    assert probe is not None and probe.own_rows is None
    index = GalleryIndex.load(out)
    page = drawn(Image.open(gallery / "4.jpg"), index.photo("4.jpg").row)
    assert page is not None
    # Not to the bit: the probe draws the thumbnail.
    assert float(np.max(probe.queries @ encoder.embed([page])[0])) > 0.95
    index.close()
    photos.close()
