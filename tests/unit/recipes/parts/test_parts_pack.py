"""A pack brings what it was made of, within its bytes, and trains like the data sets do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.images.packed import PACK_NAME, PackInvalid, PackTooLarge, is_pack, read_pack
from models.training.engine.config import ConfigInvalid
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


@pytest.fixture
def everything(job: PackJob, parts: Parts) -> PackJob:
    """A pack of a last run, which learns from the validation split and its kinds too, for the choosing run as well."""
    last = parts(half_weights=True, also=["val"], kinds={"learn_val": True})
    return replace(job, run=replace(job.run, config=last), also_for=(parts(),))


def test_a_run_that_takes_a_part_of_a_pack_learns_from_what_it_would_without_it(
    everything: PackJob, parts: Parts, tmp_path: Path
) -> None:
    write_training_pack(everything)
    own = Resources(everything.run.resources.data, device="cpu", cache=tmp_path / "own")
    expected = Material.open(PairRun(parts(), own, tmp_path / "own_run"), lambda line: None)
    packed = Resources(everything.run.out, device="cpu", cache=tmp_path / "unpacked")
    whole, part = (
        Material.open(PairRun(config, packed, tmp_path / "run"), lambda line: None)
        for config in (everything.run.config, parts())
    )
    assert part.images.contents == expected.images.contents != whole.images.contents
    assert part.table.kinds == expected.table.kinds
    for found, wanted in zip(part.images.pools, expected.images.pools, strict=True):
        assert (found.name, found.weight) == (wanted.name, wanted.weight)
        np.testing.assert_array_equal([len(rows) for rows in found.sketches], [len(rows) for rows in wanted.sketches])
        rows = [[row for each in pool.sketches for row in each] for pool in (found, wanted)]
        inks = [material.images.sketches[row] < 144 for material, row in zip((part, expected), rows, strict=True)]
        np.testing.assert_array_equal(inks[0], inks[1])
        photos = [m.images.photos[list(pool.photos)].astype(int) for m, pool in ((part, found), (expected, wanted))]
        assert np.abs(photos[0] - photos[1]).sum() < 6 * max(1, photos[0].size)  # WebP
    for name in ("photos", "sketches"):
        known = [sorted(k for k in getattr(m.table, name) if k) for m in (part, expected)]
        assert known[0] == known[1]
    assert len(part.learned_photos) < len(whole.learned_photos) == len(whole.images.photos)


def test_an_experiment_that_a_pack_was_not_made_for_is_told(everything: PackJob, parts: Parts, tmp_path: Path) -> None:
    write_training_pack(replace(everything, also_for=()))
    packed = Resources(everything.run.out, device="cpu", cache=tmp_path / "unpacked")
    with pytest.raises(PackInvalid, match="not packed for an experiment of these sets"):
        Material.open(PairRun(parts(), packed, tmp_path / "run"), lambda line: None)


def test_experiments_that_do_not_share_their_images_are_not_packed_together(everything: PackJob, parts: Parts) -> None:
    with pytest.raises(ConfigInvalid, match="cache_px differs"):
        write_training_pack(replace(everything, also_for=(parts(cache_px=40),)))
    last = everything.run.config
    with pytest.raises(ConfigInvalid, match=r"images of an experiment are not in the pack of the first, such as outl"):
        write_training_pack(replace(everything, run=replace(everything.run, config=parts()), also_for=(last,)))
    assert not is_pack(everything.run.out)


def test_teachers_are_asked_about_drawn_photos_where_the_experiment_says_so(job: PackJob) -> None:
    material = Material.open(job.run, lambda line: None)
    by_people, shown = material.taught_rows(("own",))
    all_sketches, all_photos = material.taught_rows(("own",), drawings=True)
    drawn = {row for pool in material.images.pools if pool.weight > 0 for rows in pool.synthetic for row in rows}
    assert drawn
    assert set(all_sketches) == set(by_people) | drawn
    assert set(all_photos) >= set(shown)


def test_images_that_a_run_maps_stay_when_another_run_prepares_others_in_the_same_cache(
    job: PackJob, parts: Parts, tmp_path: Path
) -> None:
    write_training_pack(job)
    larger = replace(job, run=replace(job.run, config=parts(cache_px=40), out=tmp_path / "larger"))
    decoded = Material.open(job.run, lambda line: None).images
    unpacked, _, _ = read_pack(job.run.out, tmp_path / "unpacked", lambda line: None)
    before = [images.photos.copy() for images in (decoded, unpacked)]
    write_training_pack(larger)  # it decodes into the cache of the first
    others = [
        read_pack(larger.run.out, tmp_path / "unpacked", lambda line: None)[0],
        Material.open(larger.run, print).images,
    ]
    for images, photos in zip((decoded, unpacked), before, strict=True):
        np.testing.assert_array_equal(images.photos, photos)
    assert {images.photos.shape[-1] for images in others} == {40}


def test_unpacked_images_with_drawings_serve_who_needs_none(job: PackJob, tmp_path: Path) -> None:
    write_training_pack(job)
    for drawn, stamp in ((False, " not drawn"), (True, ""), (False, "")):
        read_pack(job.run.out, tmp_path / "unpacked", lambda line: None, drawn=drawn)
        assert (tmp_path / "unpacked" / "fingerprint.txt").read_text()[64:] == stamp
