from __future__ import annotations

from pathlib import Path

import pytest

from models.data.datasets.pairs import (
    ColumnMissing,
    FileMissing,
    ManifestMissing,
    PairsContradictory,
    PairSet,
    PhotoKey,
    SplitMissing,
    load_photos,
)
from models.data.images.training_images import trainable_photos


def test_every_sketch_is_a_pair_and_photos_without_sketches_stay(shapes_dir: Path) -> None:
    pairs = PairSet.load(shapes_dir)
    assert len(pairs.pairs) == 16
    assert len(pairs.photos) == 12
    assert PhotoKey("discs", "5") in pairs.photos
    assert {pair.photo.photo_id for pair in pairs.split("val")} == {"3"}
    assert len(load_photos(shapes_dir)) == 12


def test_trainable_photos_leave_out_what_another_split_asks_for(shapes_dir: Path) -> None:
    ids = {photo.key.photo_id for photo in trainable_photos(PairSet.load(shapes_dir), "train")}
    assert ids == {"0", "1", "2", "4", "5"}


def test_photos_without_a_table_carry_their_sketches_split(shapes_dir: Path) -> None:
    (shapes_dir / "photos.csv").unlink()
    pairs = PairSet.load(shapes_dir)
    assert pairs.photos[PhotoKey("boxes", "3")].split == "val"
    assert PhotoKey("boxes", "5") not in pairs.photos


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing, match=r"manifest\.csv is not there"):
        PairSet.load(tmp_path)


def test_missing_column_is_named(shapes_dir: Path) -> None:
    table = shapes_dir / "manifest.csv"
    table.write_text(table.read_text().replace("split", "part", 1))
    with pytest.raises(ColumnMissing, match="'split'"):
        PairSet.load(shapes_dir)


def test_missing_image_is_named(shapes_dir: Path) -> None:
    (shapes_dir / "sketches/boxes/0/1.png").unlink()
    with pytest.raises(FileMissing, match="1 images are not there"):
        PairSet.load(shapes_dir)


def test_one_identity_for_two_photos(shapes_dir: Path) -> None:
    with (shapes_dir / "photos.csv").open("a") as file:
        file.write("photos/boxes/1.png,boxes,0\n")
    with pytest.raises(PairsContradictory, match=r"both 0\.png and 1\.png"):
        PairSet.load(shapes_dir)


def test_sketch_of_an_unlisted_photo(shapes_dir: Path) -> None:
    table = shapes_dir / "photos.csv"
    table.write_text("\n".join(line for line in table.read_text().splitlines() if "boxes/0.png" not in line) + "\n")
    with pytest.raises(PairsContradictory, match="not listed"):
        PairSet.load(shapes_dir)


def test_unknown_split_names_those_there(shapes_dir: Path) -> None:
    with pytest.raises(SplitMissing, match="it has train, val"):
        PairSet.load(shapes_dir).split("test")
