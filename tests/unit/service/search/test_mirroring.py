"""Searches with the mirrored drawing, against scores computed from the definition."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from index_builder.artifact import PhotoFilter, SearchHit
from index_builder.build import BuildRequest, build_index
from index_builder.stores.plan import KindChoice
from models.adapters import CategoryAdapter
from models.arrays import Vectors
from models.bundle import Purpose
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.gallery_view import GalleryView
from service.search.mirroring import better_of, mirror_scope
from service.search.query import Mirror, SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage
from service.store.records import NewPhoto
from service.store.state.photo_changes import PhotoChanges

OpenGallery = Callable[[str, KindChoice], Retriever]
EACH = 14


def hook(number: int, *, flip: bool = False) -> Image.Image:
    """A pole on the left with a foot that differs with its number; flipped, on the right."""
    image = Image.new("RGB", (64, 64), "white")
    pen = ImageDraw.Draw(image)
    pen.line((10, 6, 10, 58), fill="black", width=5)
    pen.line((10, 12 + 3 * number, 30 + 2 * number, 12 + 3 * number), fill="black", width=4)
    return ImageOps.mirror(image) if flip else image


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hooks that all face one way, vanes that face both ways, and too few of a third kind to say."""
    root = tmp_path_factory.mktemp("facing")
    for category, count in (("hook", EACH), ("vane", EACH), ("few", 3)):
        (root / category).mkdir()
        for number in range(count):
            image = hook(number, flip=category == "vane" and number % 2 == 1)
            (root / category / f"{number}.png").write_bytes(png(image))
    return root


@pytest.fixture
def open_gallery(
    photo_root: Path, adaptable_bundle: Path, parted_bundle_dir: Path, tmp_path: Path
) -> Iterator[OpenGallery]:
    opened = []

    def open_one(bundle: str = "tiny", kind: KindChoice = "flat") -> Retriever:
        folder = parted_bundle_dir if bundle == "parted" else adaptable_bundle
        build_index(BuildRequest(photos=photo_root, out=tmp_path / "index", bundle=folder, kind=kind))
        settings = Settings(index=tmp_path / "index", bundle=folder, online_dir=tmp_path / "online", threads=2)
        opened.append(load_retriever(settings, load_bundle(settings)))
        return opened[-1]

    yield open_one
    for retriever in opened:
        retriever.close()


def ways(retriever: Retriever, image: Image.Image, *, in_detail: bool = False) -> tuple[Vectors, Vectors]:
    """(E,) of the drawing and of its mirror image, each encoded alone."""
    encoder = retriever.bundle.sketch
    view = encoder.view(image, Purpose(in_detail=in_detail))
    upright, flipped = (
        encoder.encode(encoder.preprocess.tensor(seen)[None])[0] for seen in (view, ImageOps.mirror(view))
    )
    return upright, flipped


def naive(view: GalleryView, both: tuple[Vectors, Vectors], mirrored_for: set[str]) -> dict[str, tuple[float, bool]]:
    """Each photo's better cosine, and whether it is the mirrored drawing's."""
    answer = {}
    for row in range(view.count):
        photo, vector = view.photos([row])[0], view.vectors(np.array([row]))[0].astype(np.float64)
        upright, flipped = (float(vector @ way) for way in both)
        better = photo.category in mirrored_for and flipped > upright
        answer[photo.photo_id] = (flipped if better else upright, better)
    return answer


def check(result: SearchResult, expected: dict[str, tuple[float, bool]]) -> None:
    scores = {name: score for name, (score, _) in expected.items()}
    assert {hit.photo.photo_id: hit.score for hit in result.photos} == pytest.approx(scores, abs=1e-6)
    for hit in result.photos:
        assert hit.mirrored == expected[hit.photo.photo_id][1]
    ranked = [hit.score for hit in result.photos]
    assert ranked == sorted(ranked, reverse=True)


def test_the_index_tells_which_categories_face_one_way(open_gallery: OpenGallery) -> None:
    manifest = open_gallery("tiny", "flat").index.manifest
    assert {name: facing.one_way for name, facing in manifest.facing.items()} == {"hook": True, "vane": False}
    assert manifest.one_way_categories == {"hook"}


@pytest.mark.parametrize("bundle", ["tiny", "parted"])
@pytest.mark.parametrize(
    ("mirror", "mirrored_for"), [("auto", {"hook"}), ("true", {"hook", "vane", "few"}), ("false", set())]
)
def test_everything_is_scored_by_the_better_way(
    open_gallery: OpenGallery, bundle: str, mirror: Mirror, mirrored_for: set[str]
) -> None:
    retriever, drawing = open_gallery(bundle, "flat"), hook(5, flip=True)
    result = retriever.search(EncodedImage(png(drawing)), SearchQuery(k=200, mirror=mirror))
    view = retriever.gallery().view
    check(result, naive(view, ways(retriever, drawing), mirrored_for))
    assert any(hit.mirrored for hit in result.photos) == (mirror != "false")


@pytest.mark.parametrize("bundle", ["tiny", "parted"])
@pytest.mark.parametrize("category", ["hook", "vane"])
def test_a_category_that_faces_one_way_is_searched_both_ways(
    open_gallery: OpenGallery, bundle: str, category: str
) -> None:
    retriever, drawing = open_gallery(bundle, "flat"), hook(5, flip=True)
    gallery = retriever.gallery()
    rows = gallery.category_rows(category)
    photos = gallery.vectors(rows)
    adapter = CategoryAdapter.centred(photos)
    sketches = gallery.adaptable(np.stack(ways(retriever, drawing, in_detail=True)))
    scores = adapter.scores(adapter.embed_sketches(sketches), adapter.embed_photos(photos))
    better = scores.max(axis=0) if category == "hook" else scores[0]
    expected = dict(zip([photo.photo_id for photo in gallery.view.photos(rows.tolist())], better.tolist(), strict=True))
    result = retriever.search(EncodedImage(png(drawing)), SearchQuery(k=200, categories=(category,)))
    assert {hit.photo.photo_id: hit.score for hit in result.photos} == pytest.approx(expected, abs=1e-5)
    if category == "hook":
        assert result.photos[0].mirrored
    else:
        assert not any(hit.mirrored for hit in result.photos)


def test_filters_min_score_and_small_k(open_gallery: OpenGallery) -> None:
    retriever, drawing = open_gallery("tiny", "flat"), hook(3, flip=True)
    view, sketch = retriever.gallery().view, EncodedImage(png(drawing))
    expected = naive(view, ways(retriever, drawing), {"hook"})
    two = {name: value for name, value in expected.items() if not name.startswith("few")}
    check(retriever.search(sketch, SearchQuery(k=200, categories=("hook", "vane"))), two)
    best = sorted(expected.values(), reverse=True)
    floor = (best[9][0] + best[10][0]) / 2
    check(
        retriever.search(sketch, SearchQuery(k=200, min_score=floor)),
        {n: v for n, v in expected.items() if v[0] > floor},
    )
    whole = retriever.search(sketch, SearchQuery(k=200))
    for k in (1, 5):
        few = retriever.search(sketch, SearchQuery(k=k)).photos
        assert [(hit.photo.photo_id, hit.score) for hit in few] == [
            (hit.photo.photo_id, hit.score) for hit in whole.photos[:k]
        ]


def test_uploads_face_as_their_category_does(open_gallery: OpenGallery, new_photo: Callable[..., NewPhoto]) -> None:
    retriever, drawing = open_gallery("tiny", "flat"), hook(4, flip=True)
    gallery = retriever.gallery()
    vectors = ways(retriever, drawing)
    uploads = tuple(
        replace(new_photo(number, category).photo, vector=vectors[1])
        for number, category in enumerate(("hook", "vane"))
    )
    view = GalleryView.of(gallery.view.index, gallery.view.store, PhotoChanges().followed_by(uploads, (), {}, 0))
    scope = mirror_scope(view, SearchQuery(), None)
    assert scope is not None and scope.rows is not None
    assert view.index.count in scope.rows and view.index.count + 1 not in scope.rows
    best = view.search_rows(vectors[1], 2, scope.rows, min_score=0.999)
    assert view.index.count in [hit.row for hit in best]
    assert max(hit.score for hit in best) == pytest.approx(1.0, abs=1e-6)


def test_an_approximate_index_finds_the_mirrored_photo(open_gallery: OpenGallery) -> None:
    retriever = open_gallery("tiny", "hnsw")
    assert not retriever.index.manifest.search.is_exact
    result = retriever.search(EncodedImage(png(hook(7, flip=True))), SearchQuery(k=3))
    exact = retriever.search(EncodedImage(png(hook(7, flip=True))), SearchQuery(k=3, exact=True))
    found = [hit.photo.photo_id for hit in result.photos if hit.mirrored]
    assert found == [hit.photo.photo_id for hit in exact.photos if hit.mirrored]
    assert "hook/7.png" in found
    assert all(hit.photo.category == "hook" for hit in result.photos if hit.mirrored)


def test_nothing_is_encoded_twice_without_need(open_gallery: OpenGallery) -> None:
    view = open_gallery("tiny", "flat").gallery().view
    for query in (SearchQuery(mirror="false"), SearchQuery(focus="kind")):
        assert mirror_scope(view, query, None) is None
    for category in ("vane", "few"):
        assert mirror_scope(view, SearchQuery(), PhotoFilter(frozenset([category]))) is None
    hooks = mirror_scope(view, SearchQuery(), PhotoFilter(frozenset(["hook"])))
    assert hooks is not None and hooks.rows is None


def test_the_better_of_random_scores_is_their_maximum() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        upright, flipped = rng.integers(0, 6, (2, 9)) / 5  # many ties
        k = int(rng.integers(1, 12))

        def best(scores: Vectors, k: int = k) -> list[SearchHit]:
            order = np.lexsort((np.arange(9), -scores))[:k]
            return [SearchHit(int(row), float(scores[row])) for row in order]

        hits, mirrored = better_of(best(upright), best(flipped), k)
        assert hits == best(np.maximum(upright, flipped))
        assert mirrored == {hit.row for hit in hits if flipped[hit.row] > upright[hit.row]}
