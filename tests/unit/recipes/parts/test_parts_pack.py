"""A pack brings what it was made of, within its bytes, and trains like the data sets do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.images.packed import PACK_NAME, PackInvalid, PackTooLarge, is_pack, read_pack
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.parts.config import PartsConfig
from models.training.recipes.parts.material import Material
from models.training.recipes.parts.pack import PackJob, write_training_pack
from models.training.recipes.parts.train import train_parts
from models.training.weights.students_file import load_students

Parts = Callable[..., PartsConfig]


@pytest.fixture
def job(parts_data: Path, parts: Parts, tmp_path: Path) -> PackJob:
    resources = Resources(parts_data, device="cpu", cache=tmp_path / "decoded")
    return PackJob(PairRun(parts(half_weights=True), resources, tmp_path / "pack"), 1_000_000)


def test_what_is_unpacked_is_what_was_packed(job: PackJob, tmp_path: Path) -> None:
    packing = write_training_pack(job)
    before = Material.open(job.run, lambda line: None)
    images, table, _ = read_pack(job.run.out, tmp_path / "unpacked", lambda line: None)
    assert (table, images.pools) == (before.table, before.images.pools)
    drawn = np.flatnonzero([bool(name) for name in table.sketch_sets])
    ink = before.images.sketches[drawn] < 144
    np.testing.assert_array_equal(images.sketches[drawn], np.where(ink, 0, 255))
    assert np.abs(images.photos.astype(int) - before.images.photos).mean() < 6  # WebP
    synthetic = np.setdiff1d(np.arange(len(table.sketches)), drawn)
    assert (images.sketches[synthetic].min(axis=(1, 2)) < 200).all()  # drawn again
    assert sum(packing.bytes.values()) <= job.max_bytes
    assert packing.quality == 80


def test_a_pack_that_does_not_fit_or_was_changed_is_refused(job: PackJob, tmp_path: Path) -> None:
    with pytest.raises(PackTooLarge):
        write_training_pack(replace(job, max_bytes=2_000))
    assert not is_pack(job.run.out)
    write_training_pack(job)
    (job.run.out / "photos.bin").write_bytes(b"other")
    with pytest.raises(PackInvalid, match=r"photos\.bin"):
        read_pack(job.run.out, tmp_path / "unpacked", lambda line: None)
    (job.run.out / PACK_NAME).write_text('{"schema_version": 2}')
    with pytest.raises(PackInvalid, match="version 2"):
        read_pack(job.run.out, tmp_path / "unpacked", lambda line: None)


def test_students_learn_from_a_pack_alone_and_resume(job: PackJob, tmp_path: Path) -> None:
    write_training_pack(job)
    resources = Resources(job.run.out, device="cpu", cache=tmp_path / "gpu")
    run = PairRun(job.run.config, resources, tmp_path / "run", stop_after=2)
    train_parts(run)
    train_parts(replace(run, stop_after=None))
    saved = load_students(tmp_path / "run" / "students.pt")[1]
    assert saved.step == 4
    shared = [saved.weights[f"{domain}.trunk.head.conv.weight"].data_ptr() for domain in ("photo", "sketch")]
    assert shared[0] == shared[1]  # what the domains share is in the file once
    assert (
        max(file.stat().st_size for file in (tmp_path / "run").glob("*.pt") if file.stem != "checkpoint") < 16 * 2**20
    )
