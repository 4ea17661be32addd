from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from models.bundle import (
    Bundle,
    BundleSchemaUnsupported,
    Runtime,
    ScoreCalibration,
    SearchCalibration,
    add_calibration,
    likeness,
    read_manifest,
)

CATEGORY = SearchCalibration(temperature=0.1, reference=-7.0, agreement=2.0, offset=-1.0, threshold=0.25)


def test_confidences_are_the_formula() -> None:
    scores = np.linspace(0.8, 0.2, 13).astype(np.float32)
    mean = sum(scores[:10].tolist()) / 10  # of the ten best, though there are more
    expected = [1 / (1 + math.exp(-(score / 0.1 - 7 * mean + 2 * 0.3 - 1))) for score in scores.tolist()]
    found = CATEGORY.confidences(scores, 0.3)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (np.diff(found) < 0).all()


def test_few_scores_and_none() -> None:
    (only,) = CATEGORY.confidences(np.array([0.5], np.float32))
    assert only == pytest.approx(1 / (1 + math.exp(-(5 - 3.5 - 1))))
    assert CATEGORY.confidences(np.empty(0, np.float32)).shape == (0,)
    extreme = CATEGORY.model_copy(update={"temperature": 1e-6}).confidences(np.array([1.0, -1.0], np.float32))
    assert extreme.tolist() == [1.0, 0.0]  # and no overflow


def test_the_threshold_is_what_still_matches() -> None:
    assert CATEGORY.matches(0.25)
    assert not CATEGORY.matches(0.2499)


def test_likeness_is_the_mean_cosine_with_the_others() -> None:
    random = np.random.default_rng(0)
    photos = random.standard_normal((5, 7)).astype(np.float32)
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    assert likeness(photos) == pytest.approx(np.mean([float(photos[0] @ other) for other in photos[1:]]), abs=1e-6)
    assert likeness(photos[:1]) == 0.0


@pytest.mark.parametrize("wrong", [{"temperature": 0}, {"temperature": -1}, {"threshold": 1.1}, {"offset": math.nan}])
def test_numbers_that_mean_nothing_are_rejected(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SearchCalibration(**{**CATEGORY.model_dump(), **wrong})


def test_a_bundle_keeps_its_identity_with_a_calibration(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    path = shutil.copytree(tiny_bundle_dir, tmp_path / "tiny")
    calibration = ScoreCalibration(category=CATEGORY, provenance={"fitted_on": "tiny"})
    written = add_calibration(path, calibration)
    bundle = Bundle.load(path, Runtime(device="cpu"))
    assert bundle.calibration == calibration == written.calibration
    assert bundle.bundle_id == read_manifest(tiny_bundle_dir).bundle_id
    bundle.check_canary()


def test_a_bundle_of_an_older_schema_has_none_until_it_gets_one(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    path = shutil.copytree(tiny_bundle_dir, tmp_path / "older")
    document = json.loads((path / "manifest.json").read_text())
    del document["calibration"]
    document["schema_version"] = 2
    (path / "manifest.json").write_text(json.dumps(document))
    assert Bundle.load(path, Runtime(device="cpu")).calibration is None
    # A reader of version 2 would not know the field: the version says so.
    assert add_calibration(path, ScoreCalibration(category=CATEGORY)).schema_version == 4
    assert read_manifest(path).schema_version == 4


def test_a_later_schema_is_not_guessed(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    path = shutil.copytree(tiny_bundle_dir, tmp_path / "later")
    document = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**document, "schema_version": 5}))
    with pytest.raises(BundleSchemaUnsupported, match="schema version 5; this release reads version 1 to 4"):
        read_manifest(path)
