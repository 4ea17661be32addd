"""What a network that has seen photographs alone says of the training photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.data.images.training_images import TrainingImages
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.training.engine.processes import Process
from models.training.recipes.parts import kept_teachers
from models.training.recipes.parts.config import PhotoTeacherConfig


@pytest.fixture(autouse=True)
def _random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the published ones, which are not fetched."""
    monkeypatch.setattr(kept_teachers, "fetch", lambda pinned, cache: {})
    monkeypatch.setattr(EfficientNetLite, "load_published", lambda self, state: None)


def answers(photos: NDArray[np.uint8], learned: list[int], cache: Path) -> NDArray[np.float16]:
    torch.manual_seed(0)
    images = TrainingImages(photos, np.empty((0, 32, 32), np.uint8), ())
    rows = np.array(learned)
    return kept_teachers.keep_photo_teacher(PhotoTeacherConfig(size_px=32), images, rows, cache, cache, Process())


def test_photos_that_a_run_does_not_learn_from_leave_the_answers_about_the_others_as_they_are(tmp_path: Path) -> None:
    photos = np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32), np.uint8)
    other = photos.copy()
    other[4] = 255 - other[4]
    learned, everything = [0, 1, 2, 3], [0, 1, 2, 3, 4]
    before, after = answers(photos, learned, tmp_path / "a"), answers(other, learned, tmp_path / "b")
    np.testing.assert_array_equal(before[:4], after[:4])
    np.testing.assert_allclose(np.linalg.norm(before.astype(float), axis=1), 1, atol=2e-3)
    # Asked once: another run with the same cache reads what was said, and standardises it by its own photos.
    by_all = answers(photos, everything, tmp_path / "a")
    assert np.abs(by_all[:4].astype(float) - before[:4]).max() > 1e-3
    assert len(list((tmp_path / "a").glob("pooled_*.npy"))) == 1
