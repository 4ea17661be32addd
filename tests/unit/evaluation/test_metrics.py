from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.data.datasets import open_dataset
from models.evaluation.hog import hog
from models.evaluation.metrics import accuracy_at, mean_average_precision, mean_rank
from models.evaluation.protocol import category_galleries, measure_both
from models.evaluation.splits import ValidationSplit
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.ranking import ranks_of
from models.studies.untrained import untrained_figures


def test_figures_against_sorting_by_hand() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(40, 15))
    targets = random.integers(0, 15, size=40)
    found = ranks_of(scores, targets)
    by_hand = [sorted(range(15), key=lambda g: -row[g]).index(t) + 1 for row, t in zip(scores, targets, strict=True)]
    assert found.tolist() == by_hand
    assert accuracy_at(found, 5) == pytest.approx(sum(rank <= 5 for rank in by_hand) / 40)
    assert mean_average_precision(found) == pytest.approx(sum(1 / rank for rank in by_hand) / 40)
    assert mean_rank(found) == pytest.approx(sum(by_hand) / 40)


def test_gallery_is_the_category_with_its_distractors(shapes_dir: Path) -> None:
    galleries = category_galleries(open_dataset(shapes_dir), "val")
    assert [(g.category, len(g.photos), len(g.queries)) for g in galleries] == [("boxes", 6, 2), ("discs", 6, 2)]
    assert [g.photos[t].key.photo_id for g in galleries for t in g.targets()] == ["3"] * 4


def test_gallery_keeps_to_the_split_where_photos_have_one(shapes_dir: Path) -> None:
    (shapes_dir / "photos.csv").unlink()
    galleries = category_galleries(open_dataset(shapes_dir), "val")
    assert [len(g.photos) for g in galleries] == [1, 1]


def test_measure_averages_over_sketches_not_categories(shapes_dir: Path) -> None:
    galleries = category_galleries(open_dataset(shapes_dir), "train")
    one_hot = np.eye(8, dtype=np.float32)
    right = measure_both(
        galleries,
        lambda pairs: one_hot[[int(pair.photo.photo_id) for pair in pairs]],
        lambda photos: one_hot[[int(photo.key.photo_id) for photo in photos]],
    )
    for figures in (right.plain, right.centred):
        assert (figures.queries, figures.photos, figures.categories) == (12, 12, 2)
        assert figures.acc_at_1 == figures.mean_average_precision == figures.mean_rank == 1.0

    def alike(items: Sequence[object]) -> NDArray[np.float32]:
        return np.ones((len(items), 4), np.float32)

    blind = measure_both(galleries, alike, alike)
    for figures in (blind.plain, blind.centred):
        assert figures.acc_at_1 == 0.0
        assert figures.mean_rank == 6.0


def test_hog_finds_the_direction_of_an_edge() -> None:
    stripes = np.tile(np.repeat([0.0, 255.0], 8), 4).astype(np.float32)
    upright, lying = np.tile(stripes, (64, 1)), np.tile(stripes, (64, 1)).T.copy()
    assert np.linalg.norm(hog(upright)) == pytest.approx(1.0, abs=1e-5)
    assert hog(upright) @ hog(255 - upright) == pytest.approx(1.0, abs=1e-5)  # polarity does not matter
    assert hog(upright) @ hog(lying) < 0.1
    assert not hog(np.zeros((64, 64), dtype=np.float32)).any()


def test_untrained_features_are_standardised_by_training_images(shapes_dir: Path) -> None:
    torch.manual_seed(0)
    students = GridStudents(GridStudentConfig(size_px=32, widths=(8, 8, 8), grid=2, channels=4))
    figures = untrained_figures(students, shapes_dir.parent, [ValidationSplit("val", "shapes", "val")])
    for measured in (figures["val"].plain, figures["val"].centred):
        assert (measured.queries, measured.photos) == (4, 12)
        assert 0 < measured.mean_average_precision <= 1
