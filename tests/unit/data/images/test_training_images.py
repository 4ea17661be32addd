"""What is trained on is what `inkseek data inspect` shows: the same records, decoded as the service decodes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from models.bundle import AS_DRAWN, Preprocess, SketchNormalisation, normalise_sketch
from models.data.datasets import DatasetFlawed, FindingKind, LayoutIncomplete, PhotoKey, SplitMissing, open_dataset
from models.data.images.training_images import TrainingImages, prepare_images
from models.data.images.training_sets import SetConfig, trainable_photos

Make = Callable[..., Path]
HEADER = "sketch_path,photo_path,category,photo_id,split"


@pytest.fixture
def cups(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    """`cups`: photos 0 to 2 with two sketches each (0, 1 train, 2 val), photo 3 without, no photo has a split."""
    root = tmp_path / "cups"
    rows, photos = [HEADER], ["photo_path,category,photo_id"]
    for number in range(4):
        photo(root / f"photos/{number}.png")
        photos.append(f"photos/{number}.png,cup,{number}")
        for version in (1, 2) if number < 3 else ():
            sketch(root / f"sketches/{number}_{version}.png")
            split = "val" if number == 2 else "train"
            rows.append(f"sketches/{number}_{version}.png,photos/{number}.png,cup,{number},{split}")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    (root / "photos.csv").write_text("\n".join(photos) + "\n")
    return root


def mark_invalid(root: Path, *sketches: str) -> None:
    """Add the column `valid` to the manifest, 0 for these sketches."""
    header, *rows = (root / "manifest.csv").read_text().splitlines()
    marked = [f"{row},{0 if row.split(',')[0] in sketches else 1}" for row in rows]
    (root / "manifest.csv").write_text("\n".join([f"{header},valid", *marked]) + "\n")


def prepare(root: Path, cache: str = "cache", **config: object) -> tuple[TrainingImages, list[str]]:
    lines: list[str] = []
    chosen = SetConfig.model_validate({"folder": root.name, "pool": "own", "synthetic": False, **config})
    return prepare_images(root.parent, [chosen], 32, root.parent / cache, lines.append), lines


def test_a_sketch_that_is_marked_invalid_is_not_trained_on(cups: Path) -> None:
    """Inspection and training once had a reader each, and training ignored the column `valid`."""
    mark_invalid(cups, "sketches/0_1.png")
    dataset = open_dataset(cups)
    assert [(f.kind, f.where) for f in dataset.findings] == [(FindingKind.MARKED, "sketches/0_1.png")]
    images, lines = prepare(cups)
    assert len(images.sketches) == len(dataset.records_of("train")) == 3
    assert lines == ["cups: 2 photos, 3 sketches; findings: 1 marked"]


def test_a_photo_whose_sketches_are_all_invalid_is_no_pair(cups: Path) -> None:
    mark_invalid(cups, "sketches/0_1.png", "sketches/0_2.png")
    images, _ = prepare(cups)
    assert (len(images.photos), len(images.sketches)) == (1, 2)


def test_rows_are_the_images_as_the_encoders_see_them(cups: Path) -> None:
    images, lines = prepare(cups)
    dataset = open_dataset(cups)
    assert lines == ["cups: 2 photos, 4 sketches"]
    drawn = dataset.records_of("train")
    for row, record in zip(images.sketches, drawn, strict=True):
        seen = normalise_sketch(record.sketch.image(), SketchNormalisation(), AS_DRAWN).convert("L").resize((32, 32))
        assert np.abs(row.astype(int) - np.asarray(seen).astype(int)).mean() < 12  # the resampling filter differs
    plain = Preprocess(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))
    for number in (0, 1):
        view = np.asarray(plain.view(plain.decode(dataset.photos[PhotoKey("cup", str(number))].path).image))
        assert (images.photos[number] == view.transpose(2, 0, 1)).all()
    (pool,) = images.pools
    assert pool.photos == (0, 1)
    assert pool.sketches == ((0, 1), (2, 3))


def test_sketches_stay_where_the_data_set_has_them(cups: Path) -> None:
    """A search would frame this one: what is learned from are its place and its width, which belong to the photo's."""
    page = Image.new("L", (256, 256), 255)
    page.paste(0, (10, 180, 70, 240))
    page.paste(255, (16, 186, 64, 234))
    page.save(cups / "sketches/0_1.png")
    images, _ = prepare(cups)
    preprocess = Preprocess(size_px=32, mean=(0, 0, 0), std=(1, 1, 1), sketch=SketchNormalisation())
    np.testing.assert_array_equal(
        images.sketches[0], np.asarray(page.resize((32, 32), Image.Resampling.BILINEAR, reducing_gap=3.0))
    )
    assert (images.sketches[0] != np.asarray(preprocess.view(page))).any()


def test_a_missing_sketch_is_left_out_and_reported(cups: Path) -> None:
    (cups / "sketches/1_2.png").unlink()
    images, lines = prepare(cups)
    assert len(images.sketches) == 3
    assert lines == ["cups: 2 photos, 3 sketches; findings: 1 missing_file"]


def test_without_synthetic_drawings_only_drawn_photos_are_trained_on(cups: Path) -> None:
    images, _ = prepare(cups, synthetic=True)
    assert len(images.photos) == 3  # photo 3 has no sketch and gets drawings
    assert len(images.sketches) == 4 + 3 * 3
    (pool,) = images.pools
    assert pool.sketches == ((0, 1), (2, 3), ())
    assert pool.synthetic == ((4, 5, 6), (7, 8, 9), (10, 11, 12))


def test_an_excluded_photo_takes_its_sketches_along(cups: Path) -> None:
    images, _ = prepare(cups, exclude=["0"])
    assert (len(images.photos), len(images.sketches)) == (1, 2)


def test_splits_by_person_share_their_photos(cups: Path) -> None:
    images, _ = prepare(cups, split="val", split_by_person=True, synthetic=True)
    assert len(images.photos) == 4
    assert images.pools[0].sketches == ((), (), (0, 1), ())


def test_a_photo_that_two_splits_draw_is_trained_on_by_neither(cups: Path, sketch: Make) -> None:
    sketch(cups / "sketches/0_9.png")
    with (cups / "manifest.csv").open("a") as table:
        table.write("sketches/0_9.png,photos/0.png,cup,0,val\n")
    assert [photo.key.photo_id for photo in trainable_photos(open_dataset(cups), "train")] == ["1", "3"]
    images, _ = prepare(cups)
    assert (len(images.photos), len(images.sketches)) == (1, 2)
    assert images.pools[0].sketches == ((0, 1),)


def test_photos_without_a_table_carry_their_sketches_split(cups: Path) -> None:
    (cups / "photos.csv").unlink()
    dataset = open_dataset(cups)
    assert {key.photo_id: photo.split for key, photo in dataset.photos.items()} == {
        "0": "train",
        "1": "train",
        "2": "val",
    }
    assert [photo.key.photo_id for photo in trainable_photos(dataset, "train")] == ["0", "1"]


def test_a_folder_of_photos_alone_gives_drawings_alone(cups: Path) -> None:
    (cups / "manifest.csv").unlink()
    images, lines = prepare(cups, split="", synthetic=True)
    assert lines == ["cups: 4 photos, 0 sketches"]
    assert (len(images.photos), len(images.sketches)) == (4, 12)
    with pytest.raises(SplitMissing, match="no sketches of a split 'train'; it has no sketches"):
        prepare(cups)


def test_a_folder_that_holds_nothing_is_rejected(cups: Path) -> None:
    for table in ("manifest.csv", "photos.csv"):
        text = (cups / table).read_text().splitlines()[0]
        (cups / table).write_text(text + "\n")
    with pytest.raises(LayoutIncomplete, match="holds no photo"):
        prepare(cups)


def test_arrays_are_reused_until_what_they_hold_changes(cups: Path) -> None:
    prepare(cups)
    array = cups.parent / "cache" / "sketches.npy"
    written = array.stat().st_mtime_ns
    prepare(cups)
    assert array.stat().st_mtime_ns == written
    mark_invalid(cups, "sketches/0_1.png")
    images, _ = prepare(cups)
    assert array.stat().st_mtime_ns > written
    assert len(images.sketches) == 3


def test_images_are_decoded_once_and_rows_belong_together(shapes_dir: Path, tmp_path: Path) -> None:
    sets = [SetConfig(folder="shapes", pool="shapes")]
    lines: list[str] = []
    first = prepare_images(shapes_dir.parent, sets, 48, tmp_path / "cache", lines.append)
    assert lines == ["shapes: 10 photos, 12 sketches"]
    stamp = (tmp_path / "cache" / "photos.npy").stat().st_mtime_ns
    second = prepare_images(shapes_dir.parent, sets, 48, tmp_path / "cache", lines.append)
    assert (tmp_path / "cache" / "photos.npy").stat().st_mtime_ns == stamp
    assert first.pools == second.pools
    assert (first.sketches == second.sketches).all()
    for pool in second.pools:
        assert len(pool.photos) == 5
        for photo, drawn, made in zip(pool.photos, pool.sketches, pool.synthetic, strict=True):
            shape = second.photos[photo].min(axis=0) < 230
            for row in (*drawn, *made):
                outline = second.sketches[row] < 128
                assert outline.any()
                # The outline lies on the shape's border: it reaches no further than two pixels from the shape.
                near = torch.nn.functional.max_pool2d(torch.from_numpy(shape).float()[None], 5, 1, 2)[0] > 0
                assert near[torch.from_numpy(outline)].float().mean() > 0.95


def test_sets_of_one_pool_are_mixed_and_keep_their_equal_ids_apart(cups: Path) -> None:
    other = cups.parent / "other"
    shutil.copytree(cups, other)
    sets = [
        SetConfig(folder="cups", pool="own", synthetic=False, weights={"cup": 3.0}),
        SetConfig(folder="other", pool="own", synthetic=False, weight=9.0),
        SetConfig(folder="other", pool="apart", synthetic=False, weight=9.0),
    ]
    images = prepare_images(cups.parent, sets, 32, cups.parent / "cache", lambda _: None)
    assert [(pool.name, pool.photos, pool.weight) for pool in images.pools] == [
        ("own/cup", (0, 1, 2, 3), 3.0),  # the weight of the set that comes first
        ("apart/cup", (4, 5), 9.0),
    ]
    assert images.pools[0].sketches == ((0, 1), (2, 3), (4, 5), (6, 7))
    assert images.pools[1].sketches == ((8, 9), (10, 11))
    assert np.array_equal(images.photos[:2], images.photos[2:4])


def test_rows_become_batches_of_numbers_from_0_to_1(cups: Path) -> None:
    images, _ = prepare(cups)
    rows = np.array([3, 0]), np.array([1, 0])
    sketches, photos = images.tensors(*rows)
    assert (sketches.shape, sketches.dtype) == ((2, 1, 32, 32), torch.float32)
    assert (photos.shape, photos.dtype) == ((2, 3, 32, 32), torch.float32)
    assert torch.equal((sketches * 255).round().byte()[:, 0], torch.from_numpy(np.array(images.sketches[rows[0]])))
    assert torch.equal((photos * 255).round().byte(), torch.from_numpy(np.array(images.photos[rows[1]])))


def test_what_is_not_known_to_be_whole_is_decoded_again(cups: Path) -> None:
    first, _ = prepare(cups)
    whole = np.array(first.sketches)
    cache = cups.parent / "cache"
    (cache / "fingerprint.txt").unlink()  # it is written last
    np.lib.format.open_memmap(cache / "sketches.npy", mode="r+")[:] = 0
    again, _ = prepare(cups)
    assert np.array_equal(again.sketches, whole)


def test_an_interrupted_preparation_resumes_with_the_set_that_it_was_at(cups: Path) -> None:
    other = cups.parent / "other"
    shutil.copytree(cups, other)
    sets = [SetConfig(folder=folder, pool="own", drawings=1) for folder in ("cups", "other")]
    cache = cups.parent / "cache"

    def interrupted(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match="cups: 3 photos"):
        prepare_images(cups.parent, sets, 32, cache, interrupted)
    (cups / "photos/0.png").write_bytes(b"is not read again")
    lines: list[str] = []
    resumed = prepare_images(cups.parent, sets, 32, cache, lines.append)
    assert lines == ["cups: 3 photos, 4 sketches", "other: 3 photos, 4 sketches"]
    assert np.array_equal(resumed.photos[:3], resumed.photos[3:])
    assert np.array_equal(resumed.sketches[:7], resumed.sketches[7:])
    assert not (cache / "decoding.json").exists()


def test_all_unusable_images_are_named_at_once(cups: Path) -> None:
    for name in ("sketches/1_1.png", "photos/0.png"):
        (cups / name).write_bytes(b"no image")
    Image.new("L", (64, 64), 255).save(cups / "sketches/0_2.png")
    with pytest.raises(DatasetFlawed, match=r"^3 images cannot be used: ") as caught:
        prepare(cups)
    for said in ("cups/sketches/1_1.png: not an image", "cups/photos/0.png: not an image", "--skip-flawed"):
        assert said in str(caught.value)
    assert "cups/sketches/0_2.png: the sketch is empty" in str(caught.value)
    listed = json.loads((cups.parent / "cache" / "unusable.json").read_text())
    assert [each["image"] for each in listed] == ["cups/sketches/0_2.png", "cups/sketches/1_1.png", "cups/photos/0.png"]


def test_unusable_images_are_left_out_on_request(cups: Path) -> None:
    for name in ("sketches/1_1.png", "photos/0.png"):
        (cups / name).write_bytes(b"no image")
    sets = [SetConfig(folder="cups", pool="own", synthetic=False)]
    lines: list[str] = []
    images = prepare_images(cups.parent, sets, 32, cups.parent / "cache", lines.append, skip_flawed=True)
    assert lines[-1].startswith("left out, since they cannot be used: 2 images")
    (pool,) = images.pools
    assert (pool.photos, pool.sketches) == ((1,), ((3,),))
    assert [(each.kind, each.row) for each in images.unusable] == [("sketch", 2), ("photo", 0)]


def test_a_mended_image_is_used_without_decoding_the_others_again(cups: Path, sketch: Make, photo: Make) -> None:
    names = ("sketches/1_1.png", "photos/0.png")
    whole, _ = prepare(cups, "whole", synthetic=True)
    kept = {name: (cups / name).read_bytes() for name in names}
    for name in names:
        (cups / name).write_bytes(b"no image")
    with pytest.raises(DatasetFlawed, match="2 images"):
        prepare(cups, synthetic=True)
    (cups / names[0]).write_bytes(kept[names[0]])
    with pytest.raises(DatasetFlawed, match=r"^1 image cannot be used: cups/photos/0\.png"):
        prepare(cups, synthetic=True)
    (cups / names[1]).write_bytes(kept[names[1]])
    (cups / "photos/1.png").write_bytes(b"is not read again")
    mended, _ = prepare(cups, synthetic=True)
    assert mended.unusable == ()
    assert mended.pools == whole.pools
    for array in ("photos", "sketches"):
        assert np.array_equal(getattr(mended, array), getattr(whole, array))


def test_a_config_is_written_the_same_in_every_process() -> None:
    config = SetConfig(folder="a", pool="b", exclude=frozenset({"9", "10", "a"}))
    assert config.model_dump()["exclude"] == ["10", "9", "a"]
    assert SetConfig.model_validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError):
        SetConfig.model_validate({"folder": "a", "pool": "b", "sythetic": False})
