"""Index and uploads as one gallery, against a naive search of both; without uploads the index's own answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import (
    CategoryNotFound,
    FilterInvalid,
    GalleryIndex,
    PhotoFilter,
    PhotoNotFound,
    Thumbnail,
    parse_condition,
)
from index_builder.build import BuildRequest, build_index
from models.arrays import Vectors
from service.search.gallery_view import GalleryView
from service.store.online_store import OnlineStore
from service.store.records import OnlinePhoto
from service.store.state.photo_changes import PhotoChanges

MakeView = Callable[..., GalleryView]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> GalleryIndex:
    """Twelve photos of noise in two categories, with a number each."""
    root = tmp_path_factory.mktemp("gallery")
    rng = np.random.default_rng(0)
    lines = ["photo_path,category,size"]
    for n in range(12):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(root / f"{n:02d}.png")
        lines.append(f"{n:02d}.png,{'even' if n % 2 == 0 else 'odd'},{n}")
    (root / "photos.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path_factory.mktemp("index")
    build_index(BuildRequest(photos=root / "photos.csv", out=out, bundle=tiny_bundle_dir))
    return GalleryIndex.load(out)


def unit_rows(index: GalleryIndex, count: int, seed: int) -> Vectors:
    rows = (
        index.vectors_of(np.arange(count))
        + np.random.default_rng(seed).standard_normal((count, index.embedding_dim)) / 30
    )
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture
def make_view(index: GalleryIndex, tmp_path: Path) -> MakeView:
    def make(*categories: str) -> GalleryView:
        vectors = unit_rows(index, len(categories), 1)
        photos = tuple(
            OnlinePhoto(f"online/{n}", category, f"{n:064x}", 8, 9, vectors[n]) for n, category in enumerate(categories)
        )
        return GalleryView.of(
            index,
            OnlineStore(tmp_path, index.bundle_id, index.embedding_dim),
            PhotoChanges().followed_by(photos, (), {}, 0),
        )

    return make


def naive(view: GalleryView, query: Vectors, k: int, matches: Callable[[int], bool]) -> list[int]:
    indexed = view.index.vectors_of(np.arange(view.index.count))
    every = np.concatenate([indexed, [photo.vector for photo in view.uploaded]])
    scores = every.astype(np.float64) @ query
    return sorted((row for row in range(len(every)) if matches(row)), key=lambda row: (-scores[row], row))[:k]


def where(*categories: str, conditions: tuple[str, ...] = ()) -> PhotoFilter:
    return PhotoFilter(frozenset(categories), tuple(map(parse_condition, conditions)))


def test_without_uploads_nothing_changes(index: GalleryIndex, make_view: MakeView) -> None:
    view = make_view()
    for query in unit_rows(index, 6, 2):
        for narrowed in (None, where("odd"), where("odd", "even", conditions=("size>3",))):
            found = view.search(query, 5, narrowed, exact=False, min_score=None)
            assert found == index.search(query[None], 5, where=narrowed)[0]
    assert list(view.categories().items()) == index.categories()


def test_uploads_are_searched_beside_the_index(index: GalleryIndex, make_view: MakeView) -> None:
    view = make_view("odd", "new", "odd", "even", "new")
    assert view.categories() == {"even": 7, "new": 2, "odd": 8}
    assert view.count == 17
    category_of = ["even" if n % 2 == 0 else "odd" for n in range(12)] + [photo.category for photo in view.uploaded]
    for query in unit_rows(index, 6, 3):
        for narrowed in (None, where("odd"), where("new"), where("new", "even")):
            names = narrowed.categories if narrowed else set(category_of)
            expected = naive(view, query, 6, lambda row, names=names: category_of[row] in names)  # type: ignore[misc]
            hits = view.search(query, 6, narrowed, exact=False, min_score=None)
            assert [hit.row for hit in hits] == expected
            if narrowed:
                assert set(expected) <= set(view.rows_where(narrowed).tolist())
            # The index's own photos keep their score to the bit.
            alone = {hit.row: hit.score for hit in index.search(query[None], 12)[0]}
            assert all(alone[hit.row] == hit.score for hit in hits if hit.row < 12)
            threshold = hits[1].score
            kept = view.search(query, 6, narrowed, exact=True, min_score=threshold)
            assert kept == hits[: len(kept)] and len(kept) >= 2


def test_an_upload_is_filtered_like_a_photo_without_metadata(make_view: MakeView) -> None:
    view = make_view("odd", "new")
    for condition, uploads in (
        ("size>3", []),
        ("size=3", []),
        ("size!=3", [12, 13]),
        ("size=", [12, 13]),
        ("size!=", []),
    ):
        rows = view.rows_where(where(conditions=(condition,))).tolist()
        assert [row for row in rows if row >= 12] == uploads, condition
        assert [row for row in rows if row < 12] == view.index.rows_where(where(conditions=(condition,))).tolist()
    assert view.rows_where(where("new", conditions=("size!=3",))).tolist() == [13]
    with pytest.raises(FilterInvalid):
        view.rows_where(where("new", conditions=("colour=red",)))
    with pytest.raises(CategoryNotFound):
        view.rows_where(where("new", "none"))


def test_an_upload_is_filtered_by_what_is_known_of_it(make_view: MakeView) -> None:
    view = make_view("odd", "new")
    uploads = {12: "odd", 13: "new"}
    for condition, matches in (
        ("category!=odd", {13}),
        ("category in (new, even)", {13}),
        ("width=8", {12, 13}),
        ("width>8 OR category=new", {13}),
        ("photo_id^=online/", {12, 13}),
        ("photo_id=online/0", {12}),
    ):
        rows = set(view.rows_where(where(conditions=(condition,))).tolist())
        assert rows & uploads.keys() == matches


def test_rows_and_records(index: GalleryIndex, make_view: MakeView) -> None:
    view = make_view("odd", "new")
    assert [photo.photo_id for photo in view.photos([13, 2, 12])] == ["online/1", "02.png", "online/0"]
    assert (view.row("online/1"), view.row("03.png")) == (13, 3)
    record = view.photo("online/1")
    assert (record.category, record.width, record.height, dict(record.metadata)) == ("new", 8, 9, {})
    every = np.concatenate([index.vectors_of(np.arange(index.count)), [photo.vector for photo in view.uploaded]])
    for rows in ([1, 2, 3], [0, 5, 12], [13], [3, 12, 13]):
        wanted = np.array(rows)
        assert view.vectors(wanted).tobytes() == every[rows].tobytes()
        products = view.products(every[5], wanted)
        np.testing.assert_allclose(products, every[rows] @ every[5], atol=1e-6)
    for absent in (view.photo, view.row, view.thumbnail, view.original):
        with pytest.raises(PhotoNotFound):
            absent("online/9")


def test_a_photo_that_came_into_the_index_is_not_there_twice(index: GalleryIndex, tmp_path: Path) -> None:
    twin = index.photo("03.png")
    vector = index.vector(3)
    photos = (
        OnlinePhoto("online/a", "odd", twin.sha256, 32, 32, vector),
        OnlinePhoto("online/b", "elsewhere", twin.sha256, 32, 32, vector),
        OnlinePhoto("online/c", "odd", "f" * 64, 32, 32, None),  # of another bundle
    )
    view = GalleryView.of(
        index,
        OnlineStore(tmp_path, index.bundle_id, index.embedding_dim),
        PhotoChanges().followed_by(photos, (), {}, 0),
    )
    assert [photo.photo_id for photo in view.uploaded] == ["online/b"]
    assert view.row("online/a") == 3  # whoever names the upload means the photo of the index
    assert view.photo("online/c").category == "odd"
    assert not view.has_photo("online/c")
    with pytest.raises(PhotoNotFound):
        view.original("online/c")  # its file is in no store


def test_pictures_come_from_the_store(index: GalleryIndex, make_view: MakeView) -> None:
    view = make_view("odd")
    assert isinstance(view.thumbnail("03.png"), Thumbnail)
    assert isinstance(view.original("03.png"), Path)
