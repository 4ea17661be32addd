"""Rooms, adapters and examples made of small random numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index_builder.artifact import Thumbnail
from models.adapters import CategoryAdapter, LeaveOneOut, Ranks, StyleAdapter
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, OnlinePhoto, SupportPair

DIM = 6
MakeAdapter = Callable[..., NewAdapter]
MakeStore = Callable[..., OnlineStore]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """A process's view of the one online folder."""

    def make(bundle_id: str = "bundle-a", folder: str = "online") -> OnlineStore:
        return OnlineStore(tmp_path / folder, bundle_id, DIM)

    return make


@pytest.fixture
def make_adapter() -> MakeAdapter:
    """An adapter with two examples; its numbers follow from `seed`."""

    def make(
        name: str = "shoe", *, seed: int = 0, active: bool = True, scope: str = "category", bundle_id: str = "bundle-a",
        photos: tuple[NewPhoto, ...] = (),
    ) -> NewAdapter:  # fmt: skip
        rng = np.random.default_rng(seed)

        def numbers(*shape: int) -> NDArray[np.float32]:
            return rng.standard_normal(shape).astype(np.float32)

        category = CategoryAdapter(numbers(DIM), numbers(DIM, 4), 0.5, 0.25)
        ranks = Ranks(0.5, 2.0, 0.75)
        return NewAdapter(
            target=AdapterTarget("category" if scope == "category" else "profile", name),
            bundle_id=bundle_id,
            adaptation_id="adaptation-1",
            method="adaptive",
            margin=0.3,
            leave_one_out=LeaveOneOut(ranks, ranks),
            adapter=category if scope == "category" else StyleAdapter(numbers(DIM, 2), numbers(2, DIM), numbers(DIM)),
            activate=active,
            reason="because",
            support=(
                SupportPair(b"sketch 1", numbers(DIM), "shoe/1.png"),
                SupportPair(b"sketch 2", numbers(DIM), photos[0].photo.photo_id if photos else "shoe/2.png"),
            ),
            photos=photos,
            timings_ms={"fit": 1.5},
        )

    return make


@pytest.fixture
def new_photo() -> Callable[..., NewPhoto]:
    """An upload whose vector follows from its number."""

    def make(number: int, category: str = "shoe") -> NewPhoto:
        vector = np.random.default_rng(number).standard_normal(DIM).astype(np.float32)
        photo = OnlinePhoto(f"online/{number}", category, f"{number:064x}", 30, 20, vector / np.linalg.norm(vector))
        return NewPhoto(photo, Thumbnail(b"small", f"etag{number}"), b"file %d" % number)

    return make
