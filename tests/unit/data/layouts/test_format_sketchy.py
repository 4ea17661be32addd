"""The Sketchy Database's layout and its traps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.data.datasets import FindingKind, LayoutIncomplete, PhotoKey, ReadOptions, open_dataset

STRETCHED, CROPPED = "tx_000000000000", "tx_000100000000"


@pytest.fixture
def sketchy(tmp_path: Path, photo: Callable[[Path], Path], sketch: Callable[..., Path]) -> Path:
    """Two categories in two renderings; ids that begin alike, numbers above 9, lists with spaces and Windows ends."""
    root = tmp_path / "Sketchy"
    names = {
        "hot-air_balloon": {"n02782093_50": ("1", "10", "12"), "n02782093_507": ("1", "2"), "n02782093_9": ()},
        "zebra": {"n02391049_1": ("1",), "n02391049_2": ("1", "3")},
    }
    for rendering in (STRETCHED, CROPPED):
        for category, photos in names.items():
            for photo_id, numbers in photos.items():
                photo(root / "256x256" / "photo" / rendering / category / f"{photo_id}.jpg")
                for number in numbers:
                    sketch(root / "256x256" / "sketch" / rendering / category / f"{photo_id}-{number}.png")
    info = root / "info-06-04" / "info"
    info.mkdir(parents=True)
    (info / "testset.txt").write_bytes(b"hot-air balloon/n02782093_507.jpg\r\nzebra/n02391049_2.jpg\r\n\r\n")
    (info / "invalid-error.txt").write_text("n02782093_50-10\n")
    (info / "invalid-ambiguous.txt").write_text("")
    (info / "invalid-pose.txt").write_text("n02391049_2-3\n")
    (info / "invalid-context.txt").write_text("n02391049_2-3\nn02391049_2-1\n")
    return root


def test_sketches_go_to_their_photo_and_photos_without_sketches_stay(sketchy: Path) -> None:
    dataset = open_dataset(sketchy, options=ReadOptions(keep_marked=True))
    assert dataset.format == "sketchy"
    pairs = {(record.sketch.name.rpartition("/")[2], record.photo.photo_id) for record in dataset.records}
    assert pairs == {
        ("n02782093_50-1.png", "n02782093_50"),
        ("n02782093_50-10.png", "n02782093_50"),
        ("n02782093_50-12.png", "n02782093_50"),
        ("n02782093_507-1.png", "n02782093_507"),
        ("n02782093_507-2.png", "n02782093_507"),
        ("n02391049_1-1.png", "n02391049_1"),
        ("n02391049_2-1.png", "n02391049_2"),
        ("n02391049_2-3.png", "n02391049_2"),
    }
    assert PhotoKey("hot-air_balloon", "n02782093_9") in dataset.photos
    assert len(dataset.photos) == 5


def test_the_official_test_photos_are_the_test_split(sketchy: Path) -> None:
    dataset = open_dataset(sketchy)
    tested = {key.photo_id for key, photo in dataset.photos.items() if photo.split == "test"}
    assert tested == {"n02782093_507", "n02391049_2"}
    assert {record.photo.photo_id for record in dataset.split("test").records} == {"n02782093_507"}
    assert dataset.splits == ("train", "test")


def test_all_invalid_lists_count_and_are_reported(sketchy: Path) -> None:
    dataset = open_dataset(sketchy, strict=True)  # marks are no flaws
    left_out = {f.where.rpartition("/")[2]: f.detail for f in dataset.findings}
    assert left_out.keys() == {"n02782093_50-10.png", "n02391049_2-1.png", "n02391049_2-3.png"}
    assert "invalid-context, invalid-pose" in left_out["n02391049_2-3.png"]
    assert {f.kind for f in dataset.findings} == {FindingKind.MARKED}
    kept = open_dataset(sketchy, options=ReadOptions(keep_marked=True))
    assert len(kept.records) == len(dataset.records) + 3
    assert sum(bool(record.marks) for record in kept.records) == 3


def test_the_rendering_may_be_chosen_for_each_side(sketchy: Path) -> None:
    def renderings(options: ReadOptions) -> tuple[str, str]:
        dataset = open_dataset(sketchy, options=options)
        record = dataset.records[0]
        return dataset.photo_of(record).path.parts[-3], record.sketch.name.split("/")[2]

    assert renderings(ReadOptions()) == (STRETCHED, STRETCHED)
    assert renderings(ReadOptions(rendering=CROPPED)) == (CROPPED, CROPPED)
    assert renderings(ReadOptions(rendering=CROPPED, sketch_rendering=STRETCHED)) == (CROPPED, STRETCHED)
    with pytest.raises(LayoutIncomplete, match="has no rendering 'tx_1'; it has tx_000000000000, tx_000100000000"):
        open_dataset(sketchy, options=ReadOptions(rendering="tx_1"))


def test_without_the_info_archive_there_is_one_split_and_a_finding(sketchy: Path) -> None:
    for table in (sketchy / "info-06-04" / "info").iterdir():
        table.unlink()
    dataset = open_dataset(sketchy)
    assert dataset.splits == ("all",)
    assert [finding.kind for finding in dataset.findings] == [FindingKind.MISSING_FILE]


def test_missing_partners_and_odd_names_are_reported(sketchy: Path, sketch: Callable[..., Path]) -> None:
    folder = sketchy / "256x256" / "sketch" / STRETCHED / "zebra"
    sketch(folder / "n02391049_777-1.png")
    sketch(folder / "noname.png")
    (sketchy / "256x256" / "photo" / STRETCHED / "zebra" / "n02391049_2.jpg").unlink()
    dataset = open_dataset(sketchy)
    found = {(f.kind, f.where.rpartition("/")[2]) for f in dataset.flaws}
    assert found == {
        (FindingKind.MISSING_PHOTO, "n02391049_777-1.png"),
        (FindingKind.BAD_NAME, "noname.png"),
        (FindingKind.MISSING_FILE, "n02391049_2"),  # named by testset.txt
        (FindingKind.MISSING_PHOTO, "n02391049_2-1.png"),
        (FindingKind.MISSING_PHOTO, "n02391049_2-3.png"),
    }
