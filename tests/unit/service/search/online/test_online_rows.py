"""Rows of what changed online, against a dictionary that is changed alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.search.online.rows import OnlineRows, counted
from service.store.records import OnlinePhoto

DIM = 5


def photo(photo_id: str, number: int) -> OnlinePhoto:
    vector = np.random.default_rng(number).standard_normal(DIM).astype(np.float32)
    return OnlinePhoto(photo_id, "even" if number % 2 == 0 else "odd", "", 1, 1, vector, change=number)


STEPS = st.lists(st.tuples(st.sets(st.integers(0, 9), max_size=4), st.sets(st.integers(0, 9), max_size=4)), max_size=60)


@given(steps=STEPS)
def test_rows_are_what_was_changed(steps: list[tuple[set[int], set[int]]]) -> None:
    rows, known, number = OnlineRows.empty(DIM), dict[str, OnlinePhoto](), 0
    earlier = []
    for added, removed in steps:
        photos = []
        for one in sorted(added):
            number += 1
            photos.append(photo(f"p{one}", number))
        rows = rows.changed(photos, [f"p{one}" for one in removed])
        for one in removed | added:
            known.pop(f"p{one}", None)
        known |= {one.photo_id: one for one in photos}
        earlier.append((rows, tuple(known.values())))
    query = np.random.default_rng(0).standard_normal(DIM).astype(np.float32)
    for state, expected in earlier:  # what came later changes nothing of what was before
        assert state.photos == expected
        # Each product alone: none depends on which others are computed along with it.
        vectors = [one.vector for one in expected if one.vector is not None]
        scores = state.products(query)
        np.testing.assert_allclose(scores, [float(query @ vector) for vector in vectors], atol=1e-5)
        assert [state.photo(slot).category for slot in state.in_categories(["odd"]).tolist()] == [
            one.category for one in expected if one.category == "odd"
        ]
        _, slots = state.best(query, 3)
        order = sorted(range(len(vectors)), key=lambda n: (-scores[n], n))[:3]
        assert [state.photo(slot) for slot in slots.tolist()] == [expected[n] for n in order]
    if earlier:
        newest, expected = earlier[-1]
        slots_of = [newest.slot_of(one.photo_id) for one in expected]
        assert slots_of == newest.live.tolist() and newest.slot_of("another") is None


def test_dead_slots_do_not_pile_up() -> None:
    rows = OnlineRows.empty(DIM)
    for number in range(1_000):
        rows = rows.changed([photo(f"p{number % 7}", number)])
    assert len(rows.live) == 7 and rows.slots < 200 and rows.epoch > 0
    assert [one.change for one in rows.photos] == list(range(993, 1_000))


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_counts(came: list[str], went: list[str]) -> None:
    counts = counted({"a": 5, "b": 1}, came, went)
    for name, before in (("a", 5), ("b", 1), ("c", 0)):
        assert counts.get(name, 0) == max(before + came.count(name) - went.count(name), 0)
