"""The gates before a bundle: each says what was measured and what is required, and lets the rest through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.data.datasets import open_dataset
from models.evaluation.protocol import BothFigures, CategoryGallery, Figures, category_galleries
from models.export.gates import AccuracyTooLow, GateNotPassed, chance_level, require_accuracy
from models.export.parity import Parity, ParityBroken, compare, pooled


@pytest.fixture
def galleries(shapes_dir: Path) -> tuple[CategoryGallery, ...]:
    """Two galleries of six photos with two queries each."""
    return category_galleries(open_dataset(shapes_dir), "val")


def figures(centred: list[int], plain: list[int] | None = None) -> BothFigures:
    of = (Figures.of_ranks(np.array(ranks), photos=12, categories=2) for ranks in (plain or centred, centred))
    return BothFigures(*of)


def test_chance_is_the_mean_over_queries_of_a_random_draw(galleries: tuple[CategoryGallery, ...]) -> None:
    first, second = galleries
    uneven = (first, CategoryGallery(second.category, second.photos[:2], second.queries[:1]))
    expected = [1 / len(gallery.photos) for gallery in uneven for _ in gallery.queries]
    assert chance_level(uneven) == pytest.approx(sum(expected) / len(expected))
    assert chance_level(galleries) == pytest.approx(1 / 6)


def test_chance_level_alone_does_not_pass(galleries: tuple[CategoryGallery, ...]) -> None:
    require_accuracy({"val": figures([1, 6, 6, 6])}, {"val": galleries}, None)
    with pytest.raises(AccuracyTooLow, match=r"acc@1 on val is 0.0 %; required: more than 16.7 %") as caught:
        require_accuracy({"val": figures([2, 6, 6, 6])}, {"val": galleries}, None)
    assert (caught.value.measured, caught.value.required) == (0.0, 0.1667)


def test_a_minimum_is_asked_of_every_split_and_of_mean_centred_scores(galleries: tuple[CategoryGallery, ...]) -> None:
    good, poor = figures([1, 1, 1, 2]), figures([2, 2, 1, 1], plain=[1, 1, 1, 1])
    both = {"good": galleries, "poor": galleries}
    require_accuracy({"good": good, "poor": poor}, both, 0.5)
    with pytest.raises(AccuracyTooLow, match=r"acc@1 on poor is 50\.0 %; required: 60\.0 %"):
        require_accuracy({"good": good, "poor": poor}, both, 0.6)
    require_accuracy({"good": figures([6, 6, 6, 6])}, both, 0.0)


def test_galleries_of_one_photo_do_not_block(galleries: tuple[CategoryGallery, ...]) -> None:
    alone = tuple(CategoryGallery(each.category, each.photos[3:4], each.queries) for each in galleries)
    require_accuracy({"val": figures([1, 1, 1, 1])}, {"val": alone}, None)


def naive_parity(first: np.ndarray, second: np.ndarray, k: int, tolerance: float) -> tuple[int, int]:
    """Changed positions of the top lists of two (Q, G) score matrices, and those that rounding explains."""
    changed = explained = 0
    for row, other in zip(first, second, strict=True):
        before = sorted(range(len(row)), key=lambda column: (-row[column], column))[:k]
        after = sorted(range(len(other)), key=lambda column: (-other[column], column))[:k]
        for one, two in zip(before, after, strict=True):
            changed += one != two
            explained += one != two and abs(row[one] - row[two]) <= tolerance
    return changed, explained


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.3])
def test_parity_is_that_of_a_loop_over_positions(noise: float) -> None:
    random = np.random.default_rng(0)
    sketches, photos = random.normal(size=(9, 4)), random.normal(size=(15, 4))
    moved = sketches + noise * random.normal(size=sketches.shape)
    found = compare(
        (sketches.astype(np.float32), photos.astype(np.float32)),
        (moved.astype(np.float32), photos.astype(np.float32)),
        k=5,
        tolerance=1e-3,
    )
    changed, explained = naive_parity(sketches @ photos.T, moved @ photos.T, 5, 1e-3)
    assert (found.rank_changes, found.rank_swaps_within_tolerance) == (changed, explained)
    assert found.max_difference == pytest.approx(np.abs(moved - sketches).max(), rel=1e-3, abs=1e-6)
    assert (found.images, found.queries) == (24, 9)


def test_several_galleries_count_as_one() -> None:
    parts = [Parity(5, 1e-6, 2, 3, 1), Parity(7, 1e-7, 4, 1, 1)]
    assert pooled(parts) == Parity(12, 1e-6, 6, 4, 2)


def test_a_broken_parity_is_a_gate_with_its_figures() -> None:
    with pytest.raises(GateNotPassed) as caught:
        Parity(5, 1e-3, 2, 0, 0).require(1e-5)
    assert isinstance(caught.value, ParityBroken)
    assert (caught.value.measured, caught.value.required) == (1e-3, 1e-5)
    with pytest.raises(ParityBroken, match="2 positions of the top lists changed in 4 queries"):
        Parity(5, 0.0, 4, 2, 1).require(1e-5)
