from __future__ import annotations

from dataclasses import replace

import pytest

from models.data.sampling.category_batches import CategoryBatches, CategoryPool

SHOES = CategoryPool(
    name="shoe",
    weight=1.0,
    photos=tuple(range(100, 140)),
    sketches=tuple((n, n + 500) if n < 10 else () for n in range(40)),
    synthetic=tuple((1000 + n,) for n in range(40)),
)
CUPS = CategoryPool("cup", 1.0, (200, 201), ((60,), (61, 62)), ((), ()))
BATCHES = CategoryBatches((SHOES, CUPS), batch_size=16, groups=2, drawn_share=0.5, synthetic_share=0.2, seed=3)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    again = CategoryBatches((SHOES, CUPS), 16, 2, 0.5, 0.2, seed=3)
    assert BATCHES.batch(7).photos.tolist() == again.batch(7).photos.tolist()
    assert BATCHES.batch(7).sketches.tolist() == again.batch(7).sketches.tolist()
    assert BATCHES.batch(8).photos.tolist() != BATCHES.batch(7).photos.tolist()
    assert replace(BATCHES, seed=4).batch(7).photos.tolist() != BATCHES.batch(7).photos.tolist()


def test_rows_are_pairs_and_no_photo_comes_twice() -> None:
    owner = {
        row: photo
        for pool in (SHOES, CUPS)
        for photo, drawn, made in zip(pool.photos, pool.sketches, pool.synthetic, strict=True)
        for row in (*drawn, *made)
    }
    for step in range(50):
        batch = BATCHES.batch(step)
        assert len(set(batch.photos.tolist())) == len(batch.photos) <= 16
        assert [owner[row] for row in batch.sketches.tolist()] == batch.photos.tolist()


def test_people_s_sketches_get_their_share_and_photos_without_any_the_rest() -> None:
    alone = CategoryBatches((SHOES,), 16, 2, 0.5, 0.0, seed=0)
    for step in range(20):
        batch = alone.batch(step)
        assert sum(row < 1000 for row in batch.sketches) == 8
        assert len(batch.photos) == 16


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_small_category_gives_what_it_has(share: float) -> None:
    batch = CategoryBatches((CUPS,), 16, 1, share, 0.0, seed=0).batch(0)
    assert sorted(batch.photos.tolist()) == [200, 201]


def test_weights_decide_how_often_a_category_comes() -> None:
    never = CategoryBatches((SHOES, replace(CUPS, weight=0.0)), 16, 2, 0.5, 0.2, seed=0)
    assert all((never.batch(step).photos < 200).all() for step in range(30))
