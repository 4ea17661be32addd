"""Every row of a batch says the kind that it is labelled with; recomputed from the rows, one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from models.data.sampling.kind_batches import KindBatches, KindRows

_RANDOM = np.random.default_rng(0)
# 40 kinds. 0-23 doodled with photos, 24-29 doodled without, 30-39 sketched by others with photos.
Rows = list[tuple[str, tuple[int, ...]]]
SKETCHES: Rows = [("doodles", (int(k),)) for k in _RANDOM.integers(0, 30, 300)]
SKETCHES += [("doodles", (k,)) for k in range(30)] + [("pacs", (k,)) for k in (3, 30)]
SKETCHES += [("pairs", (k, (k + 1) % 10 + 30)) for k in range(30, 40)]
SKETCHES += [("", ())] * 5
PHOTOS: Rows = [("pairs", (k,)) for k in (*range(24), *range(30, 40))]
PHOTOS += [("photos", (k, k + 1)) for k in range(0, 20, 2)]
PHOTOS += [("photos", ())] * 3
ROWS = KindRows.of(SKETCHES, PHOTOS, {"doodles"})
BATCHES = KindBatches(ROWS, kinds=20, drawings=2, seed=1)


def test_rows_have_the_kinds_that_they_are_given_as() -> None:
    for step in range(40):
        batch = BATCHES.batch(step)
        for row, kind in zip(batch.sketches, batch.sketch_kinds, strict=True):
            assert kind in SKETCHES[row][1]
        for row, kind in zip(batch.photos, batch.photo_kinds, strict=True):
            assert kind in PHOTOS[row][1]


def test_each_kind_comes_once_with_its_drawings_and_a_photo_where_it_has_one() -> None:
    with_photos = {kind for _, kinds in PHOTOS for kind in kinds}
    for step in range(40):
        batch = BATCHES.batch(step)
        drawn = Counter(batch.sketch_kinds.tolist())
        assert set(drawn.values()) == {2}
        assert Counter(batch.photo_kinds.tolist()) == Counter(kind for kind in drawn if kind in with_photos)
        groups = Counter("seen" if kind < 24 else "drawn" if kind < 30 else "other" for kind in drawn)
        assert groups == {"seen": 12, "drawn": 2, "other": 6}


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    again = replace(BATCHES, rows=KindRows.of(SKETCHES, PHOTOS, {"doodles"}))
    for ours, theirs in zip(vars(BATCHES.batch(5)).values(), vars(again.batch(5)).values(), strict=True):
        assert ours.tolist() == theirs.tolist()
    assert BATCHES.batch(6).sketches.tolist() != BATCHES.batch(5).sketches.tolist()
    assert replace(BATCHES, seed=2).batch(5).sketches.tolist() != BATCHES.batch(5).sketches.tolist()


def test_doodles_are_preferred_and_new_kinds_come_twice_as_often() -> None:
    twice = replace(BATCHES, twice=frozenset({0, 1}), kinds=8)
    drawn: Counter[str] = Counter()
    seen: Counter[int] = Counter()
    for step in range(400):
        batch = twice.batch(step)
        seen.update(batch.sketch_kinds.tolist())
        drawn.update(SKETCHES[row][0] for row in batch.sketches[batch.sketch_kinds == 3])
    others = np.mean([seen[kind] for kind in range(2, 24)])
    assert 1.5 < (seen[0] + seen[1]) / 2 / others < 2.3
    assert 3 < drawn["doodles"] / drawn["pacs"] < 14


def test_few_kinds_give_what_there_is() -> None:
    small = KindRows.of([("doodles", (0,)), ("doodles", (1,))], [("photos", (0,))], {"doodles"})
    batch = KindBatches(small, kinds=20, drawings=3, seed=0).batch(0)
    assert Counter(batch.sketch_kinds.tolist()) == {0: 3, 1: 3}
    assert batch.photos.tolist() == [0]
    none = KindBatches(small, kinds=0, drawings=3, seed=0).batch(0)
    assert len(none.sketches) == len(none.photos) == 0
