"""QMUL Shoe and Chair as folders: V2 as it unpacks and as forks keep it, V1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.data.datasets import FindingKind, PhotoKey, check_content, open_dataset

Make = Callable[..., Path]


@pytest.fixture
def shoe_and_chair(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    """Chair ids with underscores and hyphens, suffixes of several characters, a photo with long suffixes alone."""
    photos = {
        "ShoeV2/train": ("1031000079", "1050000078"),
        "ShoeV2/test": ("2429245009", "2429245010"),
        "ChairV2/train": ("office_chair-02", "office_chair"),
        "ChairV2/test": ("3_Bentwood",),
    }
    sketches = {
        "ShoeV2/train": ("1031000079_1", "1031000079_10", "1050000078_A2QX3YJXAAHHVV"),
        "ShoeV2/test": ("2429245009_1",),
        "ChairV2/train": ("office_chair-02_1", "office_chair-02_43", "office_chair_1"),
        "ChairV2/test": ("3_Bentwood_12", "3_Bentwood_2"),
    }
    for part, ids in photos.items():
        for name in ids:
            photo(tmp_path / f"{part}B" / f"{name}.png")
    for part, ids in sketches.items():
        for name in ids:
            sketch(tmp_path / f"{part}A" / f"{name}.png", ink="alpha")
    (tmp_path / "ShoeV2" / "trainA" / "._1031000079_1.png").write_bytes(b"archiver's leftovers")
    (tmp_path / "__MACOSX" / "ShoeV2" / "trainA").mkdir(parents=True)
    (tmp_path / "ShoeV2" / "trainA" / ".DS_Store").write_bytes(b"\0")
    return tmp_path


def test_names_split_at_the_last_underscore_whatever_follows(shoe_and_chair: Path) -> None:
    dataset = open_dataset(shoe_and_chair, strict=True)
    assert dataset.format == "qmul-folders"
    drawn = {(r.sketch.name.rpartition("/")[2], r.photo.category, r.photo.photo_id) for r in dataset.records}
    assert drawn == {
        ("1031000079_1.png", "shoe", "1031000079"),
        ("1031000079_10.png", "shoe", "1031000079"),
        ("1050000078_A2QX3YJXAAHHVV.png", "shoe", "1050000078"),
        ("2429245009_1.png", "shoe", "2429245009"),
        ("office_chair-02_1.png", "chair", "office_chair-02"),
        ("office_chair-02_43.png", "chair", "office_chair-02"),
        ("office_chair_1.png", "chair", "office_chair"),
        ("3_Bentwood_12.png", "chair", "3_Bentwood"),
        ("3_Bentwood_2.png", "chair", "3_Bentwood"),
    }


def test_photos_without_sketches_stay_in_the_gallery(shoe_and_chair: Path) -> None:
    dataset = open_dataset(shoe_and_chair / "ShoeV2")
    count = dataset.counts()["test", "shoe"]
    assert (count.sketches, count.drawn_photos, count.photos) == (1, 1, 2)
    assert PhotoKey("shoe", "2429245010") in dataset.split("test").photos
    assert PhotoKey("shoe", "1031000079") not in dataset.split("test").photos


def test_ink_in_the_alpha_channel_is_seen(shoe_and_chair: Path) -> None:
    dataset = check_content(open_dataset(shoe_and_chair))
    assert not dataset.findings
    drawn = np.asarray(dataset.records[0].sketch.image().convert("L"))
    assert 0.02 < (drawn < 64).mean() < 0.2
    assert (drawn > 192).mean() > 0.75


@pytest.mark.parametrize("ink", ["black", "white", "alpha"])
def test_either_polarity_has_ink(tmp_path: Path, photo: Make, sketch: Make, ink: str) -> None:
    photo(tmp_path / "ShoeV2" / "trainB" / "7.png")
    sketch(tmp_path / "ShoeV2" / "trainA" / "7_1.png", ink=ink)
    assert not check_content(open_dataset(tmp_path)).findings


def test_what_does_not_fit_is_reported(shoe_and_chair: Path, photo: Make, sketch: Make) -> None:
    shoes = shoe_and_chair / "ShoeV2"
    sketch(shoes / "trainA" / "nophoto_1.png")
    sketch(shoes / "trainA" / "nounderscore.png")
    sketch(shoes / "trainA" / "2429245009_3.png")  # drawn from a test photo
    photo(shoes / "testB" / "1031000079.png")  # a train photo's id
    photo(shoes / "trainB" / "1050000078.jpg")  # the same id twice
    found = {(f.kind, f.where.removeprefix("ShoeV2/")) for f in open_dataset(shoe_and_chair).flaws}
    assert found == {
        (FindingKind.MISSING_PHOTO, "trainA/nophoto_1.png"),
        (FindingKind.BAD_NAME, "trainA/nounderscore.png"),
        (FindingKind.SPLIT_LEAK, "trainA/2429245009_3.png"),
        (FindingKind.SPLIT_LEAK, "testB/1031000079.png"),
        (FindingKind.DUPLICATE_ID, "trainB/1050000078.png"),
    }


def test_designers_of_clothes_are_people(tmp_path: Path, photo: Make, sketch: Make) -> None:
    photo(tmp_path / "ClothesV1" / "trainB" / "17.png")
    for designer in ("1", "2", "7"):
        sketch(tmp_path / "ClothesV1" / "trainA" / f"17_{designer}.png")
    dataset = open_dataset(tmp_path)
    assert sorted(record.person for record in dataset.records) == ["1", "2", "7"]
    assert dataset.counts()["train", "clothes"].people == 3


@pytest.fixture
def flat(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    for name in ("11", "12", "21", "99"):
        photo(tmp_path / "ShoeV2_photo" / f"{name}.png")
    for name in ("11_1", "11_10", "12_1", "21_1", "21_5"):
        sketch(tmp_path / "ShoeV2_sketch" / f"{name}.png", ink="alpha")
    (tmp_path / "photo_train.txt").write_text("11.png\n12.png\n")
    (tmp_path / "photo_test.txt").write_text("21.png\r\n33.png\r\n")
    (tmp_path / "sketch_train.txt").write_text("11_1.svg\n11_10.svg\n12_1.svg\n")
    (tmp_path / "sketch_test.txt").write_text("21_1.svg\n12_1.svg\n")
    return tmp_path


def test_flat_folders_follow_their_lists(flat: Path) -> None:
    dataset = open_dataset(flat)
    assert dataset.format == "qmul-flat"
    assert [(r.photo.photo_id, r.split) for r in dataset.records] == [
        ("11", "train"),
        ("11", "train"),
        ("12", "train"),
        ("21", "test"),
    ]
    assert PhotoKey("shoe", "99") in dataset.split("test").photos
    assert {(f.kind, f.where) for f in dataset.flaws} == {
        (FindingKind.UNLISTED, "ShoeV2_photo/99.png"),
        (FindingKind.UNLISTED, "ShoeV2_sketch/21_5.png"),
        (FindingKind.MISSING_FILE, "ShoeV2_photo/33"),
        (FindingKind.SPLIT_LEAK, "ShoeV2_sketch/12_1"),
    }


@pytest.fixture
def first_version(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    root = tmp_path / "sbir_cvpr2016"
    for category, ids in (("shoes", ("1", "2", "305")), ("chairs", ("1", "2"))):
        for name in ids:
            split = "test" if name == "305" or (category == "chairs" and name == "2") else "train"
            photo(root / category / split / "images" / f"{name}.jpg")
            sketch(root / category / split / "sketches" / f"{name}.png", ink="alpha")
    sketch(root / "shoes" / "train" / "sketches" / "2_3.png")
    return root


def test_version_one_pairs_by_name(first_version: Path) -> None:
    dataset = open_dataset(first_version, strict=True)
    assert dataset.format == "qmul-v1"
    assert sorted((r.photo.category, r.photo.photo_id, r.split) for r in dataset.records) == [
        ("chair", "1", "train"),
        ("chair", "2", "test"),
        ("shoe", "1", "train"),
        ("shoe", "2", "train"),
        ("shoe", "2", "train"),
        ("shoe", "305", "test"),
    ]


def test_version_one_keeps_photos_apart_that_share_an_id(first_version: Path, photo: Make, sketch: Make) -> None:
    photo(first_version / "shoes" / "test" / "images" / "1.jpg")
    sketch(first_version / "shoes" / "test" / "sketches" / "1.png")
    dataset = open_dataset(first_version, strict=True)
    assert {PhotoKey("shoe", "train/1"), PhotoKey("shoe", "test/1")} <= dataset.photos.keys()
    assert all(dataset.photo_of(r).path.parts[-3] == r.sketch.name.split("/")[1] for r in dataset.records)


def test_version_one_follows_its_annotation(first_version: Path) -> None:
    shoes = first_version / "shoes"
    (shoes / "annotation").mkdir()
    lists = {"train": {"images": ["1.jpg", "2.jpg"], "sketches": ["2.png", "1.png"], "triplets": []}}
    (shoes / "annotation" / "shoes_annotation.json").write_text(json.dumps(lists))
    pairs = {r.sketch.name: r.photo.photo_id for r in open_dataset(shoes).records}
    assert pairs["train/sketches/1.png"] == "2"
    assert pairs["train/sketches/2.png"] == "1"
    assert pairs["train/sketches/2_3.png"] == "2"
    (shoes / "annotation" / "shoes_annotation.json").write_text("[")
    assert [f.kind for f in open_dataset(shoes).flaws] == [FindingKind.UNREADABLE]
