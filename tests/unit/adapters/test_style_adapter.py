"""Style adapters: the residual of a person's sketches by its definition, and leave-one-out over their photos."""

from __future__ import annotations

import numpy as np
import pytest

from models.adapters import Adapter, StyleAdapter, joined
from models.adapters.style import StyleRule, fit_style, owners_of, surroundings
from models.arrays import Vectors

E = 20


def unit(count: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, E))
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def rule(**changes: float) -> StyleRule:
    values = {"strength": 0.8, "photos_trusted": 3.0, "share": 0.5, **changes}
    return StyleRule(np.linspace(-0.1, 0.1, E).astype(np.float32), **values)


def test_the_neutral_adapter_changes_nothing() -> None:
    adapter: Adapter = StyleAdapter.neutral(E)
    sketches, photos = unit(3, 0), unit(4, 1)
    np.testing.assert_allclose(adapter.embed_sketches(sketches), sketches, atol=1e-6)
    assert adapter.embed_photos(photos) is photos
    np.testing.assert_allclose(adapter.scores(sketches, photos), sketches @ photos.T, atol=1e-6)


def test_sketches_move_by_a_low_rank_map_and_a_shift() -> None:
    random = np.random.default_rng(2)
    down, up, shift = (random.normal(size=shape).astype(np.float32) for shape in ((E, 3), (3, E), (E,)))
    adapter = StyleAdapter(down, up, shift)
    for sketch, found in zip(unit(4, 3), adapter.embed_sketches(unit(4, 3)), strict=True):
        moved = sketch + sketch @ down @ up + shift
        np.testing.assert_allclose(found, moved / np.linalg.norm(moved), atol=1e-5)
    assert adapter.embed_sketches(unit(4, 3)).dtype == np.float32


def test_surroundings_are_the_mean_of_the_five_nearest() -> None:
    gallery = unit(30, 4)
    for photo, found in zip(gallery[:6], surroundings(gallery[:6], gallery), strict=True):
        nearest = sorted(range(30), key=lambda row: -float(photo @ gallery[row]))[:5]
        np.testing.assert_allclose(found, sum(gallery[row] for row in nearest) / 5, atol=1e-6)
    few = gallery[:3]
    np.testing.assert_allclose(surroundings(few, few), np.repeat(few.mean(axis=0)[None], 3, axis=0), atol=1e-6)


def test_equal_rows_are_one_photo() -> None:
    photos = unit(3, 5)[[2, 0, 2, 1, 0]]
    owners = owners_of(photos)
    assert len(set(owners.tolist())) == 3
    for i in range(5):
        for j in range(5):
            assert (owners[i] == owners[j]) == bool((photos[i] == photos[j]).all())


@pytest.mark.parametrize("photos", [1, 2, 6])
def test_the_style_is_the_mean_residual_each_photo_counted_once(photos: int) -> None:
    owners = np.array([0] * 4 + list(range(photos)))  # photo 0 was drawn five times
    sketches, around, given = unit(len(owners), 6), unit(len(owners), 7), rule()
    per_photo = []
    for photo in range(photos):
        residuals = [
            sketches[row] - 0.5 * around[row] - given.expected_offset
            for row in range(len(owners))
            if owners[row] == photo
        ]
        per_photo.append(sum(residuals) / len(residuals))
    expected = -(0.8 * photos / (photos + 3.0)) * sum(per_photo) / photos
    np.testing.assert_allclose(given.adapter(sketches, around, owners).shift, expected, atol=1e-6)


def test_without_sketches_the_rule_gives_the_neutral_adapter() -> None:
    nothing = np.zeros((0, E), np.float32)
    adapter = rule().adapter(nothing, nothing, np.zeros(0, np.int64))
    np.testing.assert_array_equal(adapter.shift, np.zeros(E))
    np.testing.assert_allclose(adapter.embed_sketches(unit(2, 8)), unit(2, 8), atol=1e-6)


def person(photos: Vectors, offset: Vectors, seed: int, noise: float = 0.05) -> Vectors:
    """Sketches of one hand: each photo, moved by what is this person's, and chance."""
    moved = photos + offset + noise * np.random.default_rng(seed).normal(size=photos.shape)
    scaled: Vectors = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def test_leave_one_out_fits_to_the_other_photos_and_searches_the_distractors_too() -> None:
    photos, distractors = unit(5, 9), unit(40, 10)
    sketches = person(photos, 0.9 * unit(1, 11), 12)
    given = rule(strength=1.0, photos_trusted=0.0)
    fitted = fit_style(sketches, photos, distractors, given)
    gallery = np.concatenate([photos, distractors])
    around = surroundings(photos, gallery)
    before: list[int] = []
    after: list[int] = []
    for row in range(5):
        kept = [other for other in range(5) if other != row]
        adapter = given.adapter(sketches[kept], around[kept], np.array(kept))
        for queries, ranks in ((sketches, before), (adapter.embed_sketches(sketches), after)):
            scores = queries[row] @ gallery.T
            ranks.append(1 + sum(float(score) >= float(scores[row]) for n, score in enumerate(scores) if n != row))
    assert fitted.leave_one_out.before.mean_rank == pytest.approx(np.mean(before))
    assert fitted.leave_one_out.after.mean_rank == pytest.approx(np.mean(after))
    np.testing.assert_allclose(fitted.adapter.shift, given.adapter(sketches, around, np.arange(5)).shift, atol=1e-6)
    assert fitted.margin is None


def test_a_shared_offset_is_removed_from_sketches_that_were_not_shown() -> None:
    photos = unit(40, 13)
    sketches = person(photos, 1.2 * unit(1, 14), 15)
    given = StyleRule(np.zeros(E, np.float32), strength=1.0, photos_trusted=1.0, share=1.0)
    fitted = fit_style(sketches[:10], photos[:10], photos[10:], given)
    shown = fitted.adapter.embed_sketches(sketches[10:])
    own = np.arange(10, 40)
    assert ((shown @ photos.T).argmax(axis=1) == own).mean() > ((sketches[10:] @ photos.T).argmax(axis=1) == own).mean()
    assert fitted.passes_gate


def test_several_sketches_of_one_photo_are_left_out_together() -> None:
    photos = unit(3, 16)[[0, 0, 0, 1, 2]]
    sketches = person(photos, 0.5 * unit(1, 17), 18)
    fitted = fit_style(sketches, photos, np.zeros((0, E), np.float32), rule())
    assert fitted.leave_one_out.before.mean_rank <= 3  # three photos in all
    one = fit_style(sketches[:2], photos[:2], unit(4, 19), rule())
    assert one.leave_one_out.after == one.leave_one_out.before  # fitted to nothing, the neutral adapter


def drawn_rows(seed: int, count: int) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, 6)).astype(np.float32)


@pytest.mark.parametrize("counts", [(1, 1), (3, 5), (10, 2), (2, 3, 4)])
def test_joined_shifts_are_the_fit_to_all_examples(counts: tuple[int, ...]) -> None:
    one = StyleRule(drawn_rows(0, 1)[0] / 9, strength=0.7, photos_trusted=4.0, share=0.5)
    sketches, around = (
        [drawn_rows(10 + n, count) for n, count in enumerate(counts)],
        [drawn_rows(20 + n, c) for n, c in enumerate(counts)],
    )
    each = [one.adapter(s, a, np.arange(len(s))) for s, a in zip(sketches, around, strict=True)]
    whole = one.adapter(np.concatenate(sketches), np.concatenate(around), np.arange(sum(counts)))
    np.testing.assert_allclose(joined(each, counts, one.photos_trusted).shift, whole.shift, atol=1e-6)


def test_a_style_of_many_photos_outweighs_one_of_few() -> None:
    left, right = StyleAdapter.shifting(np.zeros(3, np.float32)), StyleAdapter.shifting(np.ones(3, np.float32))
    few, many = (joined([left, right], (8, count), 4.0).shift[0] for count in (1, 8))
    assert 0 < few < many
