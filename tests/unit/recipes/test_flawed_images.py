"""Broken images are named all at once before the first step, those of validation too, or left out on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from models.data.datasets import DatasetFlawed
from models.evaluation.splits import ValidationSplit, load_galleries
from models.training.pairs.run import PairRun, Resources
from models.training.pairs.validation_images import VALIDATION_NAME, usable_galleries
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.teacher import train_teacher

Experiment = Callable[..., XModalConfig]
SPLITS = (ValidationSplit("outlines", "outlines", "val"),)


def galleries(data: Path, cache: Path, lines: list[str] | None = None, *, skip: bool = False) -> Sequence[object]:
    log = (lambda line: None) if lines is None else lines.append
    return usable_galleries(load_galleries(data, SPLITS), cache, log, skip_flawed=skip)["outlines"]


def test_a_run_ends_before_its_first_step_and_says_every_image(
    experiment: Experiment, outlines_dir: Path, tmp_path: Path
) -> None:
    photo, sketch = outlines_dir / "outlines/photos/discs/1.png", outlines_dir / "outlines/sketches/boxes/5/2.png"
    resources = Resources(outlines_dir, device="cpu")
    run = PairRun(experiment(), resources, tmp_path / "run")
    for broken in (sketch, photo):
        broken.write_bytes(b"no image")
        with pytest.raises(DatasetFlawed, match="1 image cannot be used") as caught:
            train_teacher(run)
        assert broken.relative_to(outlines_dir / "outlines").as_posix() in str(caught.value)
        assert not (tmp_path / "run" / "checkpoint.pt").exists()
        sketch.write_bytes((outlines_dir / "outlines/sketches/boxes/5/1.png").read_bytes())
    skipping = Resources(outlines_dir, device="cpu", skip_flawed=True)
    train_teacher(PairRun(experiment(), skipping, tmp_path / "run"))
    assert (tmp_path / "run" / "teacher.pt").is_file()


def test_a_validation_photo_goes_with_its_sketches_and_comes_back_mended(outlines_dir: Path, tmp_path: Path) -> None:
    photo = outlines_dir / "outlines/photos/discs/5.png"
    whole = photo.read_bytes()
    before = galleries(outlines_dir, tmp_path)
    photo.write_bytes(whole[:30])
    (tmp_path / VALIDATION_NAME).unlink()
    with pytest.raises(DatasetFlawed, match=r"^validation: 1 image cannot be used: .*photos/discs/5\.png"):
        galleries(outlines_dir, tmp_path)
    lines: list[str] = []
    boxes, discs = load_galleries(outlines_dir, SPLITS)["outlines"]
    left = usable_galleries({"outlines": (boxes, discs)}, tmp_path, lines.append, skip_flawed=True)["outlines"]
    assert left[0] == boxes
    assert [len(left[1].photos), len(left[1].queries)] == [len(discs.photos) - 1, len(discs.queries) - 2]
    assert lines == ["left out of the validation splits, since they cannot be used: 1"]
    photo.write_bytes(whole)
    assert galleries(outlines_dir, tmp_path) == before


def test_what_was_decodable_is_not_decoded_again(outlines_dir: Path, tmp_path: Path) -> None:
    first = galleries(outlines_dir, tmp_path)
    (outlines_dir / "outlines/photos/discs/5.png").write_bytes(b"is not looked at")
    assert galleries(outlines_dir, tmp_path) == first
