"""Which sketches a probe takes, and what it says of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from index_builder.errors import GalleryInvalid
from index_builder.quality.probes import photo_probe, sketch_probe, spread
from index_builder.stores.exact import ExactStore
from models.bundle import Bundle, Encoder, Runtime


@pytest.fixture
def encoder(tiny_bundle_dir: Path) -> Encoder:
    return Bundle.load(tiny_bundle_dir, Runtime(threads=1)).sketch


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[str, int], Path]:
    def draw(name: str, slope: int) -> Path:
        path = tmp_path / "sketches" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("L", (48, 48), 255)
        ImageDraw.Draw(image).line((4, 4 + slope, 44, 44 - slope), fill=0, width=3)
        image.save(path)
        return path

    return draw


@pytest.mark.parametrize("at_most", [1, 2, 7, 10, 100])
@pytest.mark.parametrize("count", [1, 2, 10, 1000])
def test_a_spread_is_distinct_ascending_and_reaches_both_ends(count: int, at_most: int) -> None:
    positions = spread(count, at_most).tolist()
    assert len(positions) == min(count, at_most)
    assert positions == sorted(set(positions))
    assert positions[0] == 0
    if len(positions) > 1:
        assert positions[-1] == count - 1
        gaps = np.diff(positions)
        assert gaps.max() - gaps.min() <= 1


def test_a_folder_is_searched_for_all_but_hidden_files(encoder: Encoder, draw: Callable[[str, int], Path]) -> None:
    paths = [draw("b.png", 3), draw("deep/er/a.png", 9)]
    draw(".hidden.png", 20)
    probe = sketch_probe(paths[0].parent, encoder)
    assert (probe.kind, probe.source, probe.own_rows) == ("sketches", str(paths[0].parent), None)
    np.testing.assert_allclose(probe.queries, encoder.embed(paths), atol=1e-6)


def test_a_manifest_names_each_sketch_once(encoder: Encoder, draw: Callable[[str, int], Path]) -> None:
    paths = [draw("a.png", 3), draw("b.png", 9)]
    manifest = paths[0].parent / "manifest.csv"
    text = "photo_path,sketch_path\nx,b.png\ny,a.png\nz,a.png\nw,\n"
    manifest.write_bytes(b"\xef\xbb\xbf" + text.encode())  # as spreadsheets save it
    probe = sketch_probe(manifest, encoder)
    assert probe.unusable == 0
    np.testing.assert_allclose(probe.queries, encoder.embed(paths), atol=1e-6)


def test_many_sketches_are_thinned(encoder: Encoder, draw: Callable[[str, int], Path]) -> None:
    paths = [draw(f"{number}.png", 4 * number) for number in range(9)]
    probe = sketch_probe(paths[0].parent, encoder, max_queries=3)
    np.testing.assert_allclose(probe.queries, encoder.embed([paths[0], paths[4], paths[8]]), atol=1e-6)


def test_unusable_sketches_are_counted(encoder: Encoder, draw: Callable[[str, int], Path]) -> None:
    folder = draw("a.png", 3).parent
    Image.new("L", (48, 48), 255).save(folder / "blank.png")
    (folder / "notes.txt").write_text("no sketch")
    probe = sketch_probe(folder, encoder)
    assert (len(probe.queries), probe.unusable) == (1, 2)


@pytest.mark.parametrize(
    "content", [b"", b"sketch_path\n", b"photo_path\na.jpg\n", b"\xff\xfe\x00", b"sketch_path\nnothing.png\n"]
)
def test_a_manifest_without_a_usable_sketch_is_invalid(encoder: Encoder, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(GalleryInvalid, match=r"manifest\.csv"):
        sketch_probe(tmp_path / "manifest.csv", encoder)


def test_a_folder_that_is_empty_or_missing_is_invalid(encoder: Encoder, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(GalleryInvalid, match=str(folder)):
            sketch_probe(folder, encoder)


def test_photos_stand_in_for_sketches() -> None:
    vectors = np.eye(6, dtype=np.float32)
    probe = photo_probe(ExactStore(vectors), max_queries=3)
    assert probe.own_rows is not None
    assert probe.own_rows.tolist() == spread(6, 3).tolist()
    assert probe.queries.tolist() == vectors[probe.own_rows].tolist()
    assert (probe.kind, probe.source, probe.unusable) == ("photos", None, 0)
