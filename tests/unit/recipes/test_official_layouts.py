"""Training reads the official downloads as they unpack: folders, and pickles of strokes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import open_dataset
from models.data.images.training_images import prepare_images
from models.data.images.training_sets import SetConfig
from models.evaluation.splits import ValidationSplit, load_galleries
from models.losses.objective import loss_terms
from models.networks.grid_students import GridStudentConfig
from models.training.engine.config import TrainingPlan
from models.training.engine.run_directory import RunDirectory
from models.training.pairs.config import BatchConfig
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.contrastive.config import ContrastiveConfig
from models.training.recipes.contrastive.train import train_contrastive
from models.training.students.config import StudentTraining
from models.training.weights.students_file import STUDENTS_NAME

PHOTOS = {"train": ("wing_chair", "stool", "bench_2"), "test": ("sofa", "office_chair")}


def strokes(number: int, version: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    corner, side = 40 + 8 * version, 60 + 25 * number
    path = [(corner, corner), (corner + side, corner), (corner + side, corner + side), (corner, corner + side)]
    return np.array([(x, y, 0) for x, y in path], dtype=np.float64)


@pytest.fixture(params=["qmul-folders", "qmul-vector"])
def download(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Chair-V2 in one of its two forms: three photos to train on, two to test on, two sketches of each."""
    root = tmp_path / "data" / "ChairV2"
    keyed = {}
    for split, names in PHOTOS.items():
        for number, name in enumerate(names):
            folders = request.param == "qmul-folders"
            photo = root / (f"{split}B" if folders else "photo") / f"{name}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (50, 50), (50 * number, 90, len(name) * 9)).save(photo)
            for version in (1, 12):
                keyed[f"/{split}/{name}_{version}"] = strokes(number, version)
                if folders:
                    sketch = Image.new("L", (64, 64), 255)
                    sketch.paste(0, (10 + number, version, 40, version + 6 + 8 * number))
                    (root / f"{split}A").mkdir(exist_ok=True)
                    sketch.save(root / f"{split}A" / f"{name}_{version}.png")
    if request.param == "qmul-vector":
        (root / "ChairV2_Coordinate").write_bytes(pickle.dumps(keyed, protocol=2))
    assert open_dataset(root, strict=True).format == request.param
    return root


def test_students_train_on_a_download(download: Path, tmp_path: Path) -> None:
    config = ContrastiveConfig(
        about={},
        cache_px=32,
        pretrained=False,
        student=GridStudentConfig(size_px=32, widths=(4, 8), grid=2, channels=3),
        batch=BatchConfig(pairs=4, groups=1),
        sets=(SetConfig(folder=".", pool="own", synthetic=False),),
        validation=(ValidationSplit("test", ".", "test"),),
        student_training=StudentTraining(plan=TrainingPlan(steps=2), losses=loss_terms(info_nce=1)),
    )
    run = PairRun(config, Resources(download, device="cpu"), tmp_path / "run")
    train_contrastive(run)
    assert (tmp_path / "run" / STUDENTS_NAME).is_file()
    assert {"test@1", "test/centred@1"} <= set(RunDirectory(tmp_path / "run").entries()[-1])
    (gallery,) = run.galleries()["test"]
    assert {photo.key.photo_id for photo in gallery.photos} == set(PHOTOS["test"])
    assert len(gallery.queries) == 4


def test_what_is_trained_on_is_the_split_s_own(download: Path, tmp_path: Path) -> None:
    config = SetConfig(folder=download.name, pool="own", synthetic=False)
    first = prepare_images(download.parent, [config], 48, tmp_path / "cache", lambda _: None)
    assert (len(first.photos), len(first.sketches)) == (3, 6)
    (pool,) = first.pools
    assert [len(rows) for rows in pool.sketches] == [2, 2, 2]
    assert all((row < 200).any() for row in first.sketches)
    again = prepare_images(download.parent, [config], 48, tmp_path / "cache", lambda _: None)
    assert (again.sketches == first.sketches).all()
    assert len(open_dataset(download).photos) == 5


def test_galleries_of_a_download_have_its_sketches(download: Path) -> None:
    galleries = load_galleries(download.parent, [ValidationSplit("test", download.name, "test")])
    (gallery,) = galleries["test"]
    assert len(gallery.queries) == 4
    for query in gallery.queries:
        assert (np.asarray(query.sketch.image()) < 200).any()
