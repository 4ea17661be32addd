"""A bundle that trims: another identity with the same weights, and one preprocessing for gallery and training."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index
from inkseek import app
from models.adapters import Adaptation
from models.adapters.errors import AdaptationCorrupt
from models.bundle import Bundle, Preprocess, add_adaptation, read_manifest, set_trimming
from models.bundle.ground import trimmed
from models.data.images.training_images import prepare_sets
from models.data.images.training_sets import SetConfig, TrainingSet


def cup(size: int = 160, side: int = 50, at: tuple[int, int] = (20, 80)) -> Image.Image:
    """A striped square with much white around it."""
    image = Image.new("RGB", (size, size), "white")
    for stripe in range(0, side, 10):
        image.paste((30, 90 + stripe, 160), (at[0], at[1] + stripe, at[0] + side, at[1] + stripe + 6))
    return image


@pytest.fixture
def trimming(tiny_bundle_dir: Path, tmp_path: Path) -> Path:
    copied = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))
    set_trimming(copied, trim=True)
    return copied


def test_only_what_photos_are_to_the_encoder_changes(tiny_bundle_dir: Path, trimming: Path) -> None:
    before, bundle = Bundle.load(tiny_bundle_dir), Bundle.load(trimming)
    bundle.check_canary()
    assert bundle.bundle_id != before.bundle_id
    assert bundle.manifest.provenance["weights_of"] == before.bundle_id
    weights = {name: entry for name, entry in before.manifest.files.items() if name.endswith(".onnx")}
    assert weights.items() <= bundle.manifest.files.items()
    photo = cup()
    np.testing.assert_array_equal(bundle.sketch.embed([photo]), before.sketch.embed([photo]))
    np.testing.assert_array_equal(bundle.photo.embed([photo]), before.photo.embed([trimmed(photo)]))
    moved = bundle.photo.embed([cup(), cup(at=(90, 10)), cup(220)])
    assert (moved @ moved[0]).min() > 0.98  # wherever it lies on its ground
    assert float((before.photo.embed([cup()]) @ before.photo.embed([cup(at=(90, 10))]).T).item()) < 0.5


def test_it_is_undone_as_it_was_done(tiny_bundle_dir: Path, trimming: Path) -> None:
    set_trimming(trimming, trim=False)
    assert read_manifest(trimming).bundle_id == read_manifest(tiny_bundle_dir).bundle_id
    np.testing.assert_allclose(
        np.load(trimming / "canary.npy"), np.load(tiny_bundle_dir / "canary.npy"), rtol=0, atol=1e-6
    )


def test_an_adaptation_of_the_identity_before_is_not_taken_along(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))
    untrained = Adaptation.untrained(read_manifest(copied).embedding_dim)
    before = add_adaptation(copied, replace(untrained, bundle_id=read_manifest(copied).bundle_id))
    with pytest.raises(AdaptationCorrupt, match="train it again"):
        set_trimming(copied, trim=True)
    assert read_manifest(copied) == before
    add_adaptation(copied, untrained)
    assert set_trimming(copied, trim=True).photo.preprocess.trim


def test_the_command_switches_it_on_and_off(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))
    done = CliRunner().invoke(app, ["bundle", "trim", str(copied), "--json"])
    assert json.loads(done.stdout) == {"bundle_id": read_manifest(copied).bundle_id, "trim": True}
    assert "trimmed" in CliRunner().invoke(app, ["bundle", "inspect", str(copied)]).stdout
    done = CliRunner().invoke(app, ["bundle", "trim", str(copied), "--off"])
    assert done.stdout.strip() == read_manifest(tiny_bundle_dir).bundle_id
    assert CliRunner().invoke(app, ["bundle", "trim", str(tmp_path / "none")]).exit_code == 1


def test_an_index_holds_trimmed_photos_and_whole_thumbnails(trimming: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    cup().save(tmp_path / "photos" / "cup.png")
    build_index(BuildRequest(tmp_path / "photos", tmp_path / "index", bundle=trimming))
    with closing(GalleryIndex.load(tmp_path / "index")) as index:
        record = index.photo("cup.png")
        assert (record.width, record.height) == (160, 160)
        expected = Bundle.load(trimming).photo.embed([tmp_path / "photos" / "cup.png"])[0]
        np.testing.assert_allclose(index.vector(record.row), expected, atol=1e-6)


def test_training_sees_and_draws_trimmed_photos(tmp_path: Path) -> None:
    root = tmp_path / "cups"
    root.mkdir()
    for number in range(2):
        cup(at=(20 + 60 * number, 80)).save(root / f"{number}.png")
    (root / "photos.csv").write_text("photo_path,category,photo_id\n0.png,cup,0\n1.png,cup,1\n")
    cup().save(root / "drawn.png")
    (root / "manifest.csv").write_text("sketch_path,photo_path,category,photo_id,split\ndrawn.png,0.png,cup,0,train\n")
    config = SetConfig.model_validate({"folder": "cups", "pool": "own", "synthetic": True})
    sets = [TrainingSet.open(tmp_path, config)]
    whole = prepare_sets(sets, 32, tmp_path / "cache", lambda line: None)
    kept = np.array(whole.photos)
    images = prepare_sets(sets, 32, tmp_path / "cache", lambda line: None, trim=True)
    view = Preprocess(size_px=32, mean=(0.0,) * 3, std=(1.0,) * 3, trim=True)
    for number in range(2):
        expected = np.asarray(view.view(view.decode(root / f"{number}.png").image)).transpose(2, 0, 1)
        np.testing.assert_array_equal(images.photos[number], expected)
        assert (kept[number] != images.photos[number]).any()
    ((first, *_), (second, *_)) = images.pools[0].synthetic
    ink = [np.argwhere(images.sketches[row] < 224).mean(axis=0) for row in (first, second)]
    np.testing.assert_allclose(ink[0], ink[1], atol=1.5)  # drawn where the trimmed photos have it
    again = prepare_sets(sets, 32, tmp_path / "cache", lambda line: None)
    np.testing.assert_array_equal(again.photos, kept)  # the cache is known by what it holds
