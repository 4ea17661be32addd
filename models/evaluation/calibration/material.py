"""From a bundle and its validation splits to searches with known answers, scored as the service scores them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.adapters import CategoryAdapter
from models.arrays import Vectors
from models.bundle import EmbeddingParts
from models.data.datasets import LabelledSketch, Photo, SketchRecord
from models.evaluation.calibration.searches import Scored, Searches, joined, searches
from models.evaluation.embeddings import Progress, embed_drawings, embed_photos, embed_sketches
from models.evaluation.encoders import EncoderPair
from models.evaluation.kinds.measure import KindTask
from models.evaluation.protocol import CategoryGallery
from models.evaluation.purposes import among_everything, within_category

NOTHING = "drawings of nothing"
"""The domain of scribbles."""

SIZES = (300, 60)
"""Photos of the mixed galleries that are smaller than the whole one."""

_SHARE = 3  # of a category's photos: a third make the smaller gallery
_FEWEST = 8


@dataclass(frozen=True)
class Encoded:
    """The embeddings of a split's category galleries, or of drawings of kinds (`right`) and their mixed gallery.

    `detailed`: of a split's sketches, as searches within their categories see them.
    """

    sketches: tuple[Vectors, ...]
    photos: tuple[Vectors, ...]
    detailed: tuple[Vectors, ...] = ()


def encode_galleries(
    encoders: EncoderPair, galleries: Sequence[CategoryGallery], progress: Progress | None = None
) -> Encoded:
    """Every sketch and photo of a split. Raises EmbeddingsNotFinite."""
    queries: list[SketchRecord] = [query for gallery in galleries for query in gallery.queries]
    photos: list[Photo] = [photo for gallery in galleries for photo in gallery.photos]
    anywhere = [among_everything(encoders, photos)] * len(queries)
    sketch_rows = embed_sketches(encoders, queries, progress, purposes=anywhere).vectors
    keys = [query.photo for query in queries]
    detailed_rows = embed_sketches(
        encoders, queries, progress, purposes=within_category(encoders, keys, photos)
    ).vectors
    photo_rows = embed_photos(encoders, photos, progress).vectors
    ends = np.cumsum([len(gallery.queries) for gallery in galleries])[:-1]
    return Encoded(
        tuple(np.split(sketch_rows, ends)),
        tuple(np.split(photo_rows, np.cumsum([len(gallery.photos) for gallery in galleries])[:-1])),
        tuple(np.split(detailed_rows, ends)),
    )


def encode_kinds(encoders: EncoderPair, task: KindTask, progress: Progress | None = None) -> Encoded:
    """Every drawing and photo of a task. Raises EmbeddingsNotFinite."""
    drawings = embed_drawings(
        encoders, task.drawings, progress, purpose=among_everything(encoders, task.photos)
    ).vectors
    return Encoded((drawings,), (embed_photos(encoders, task.photos, progress).vectors,))


def within_categories(
    name: str, galleries: Sequence[CategoryGallery], encoded: Encoded, parts: EmbeddingParts | None
) -> Searches:
    """Instances among their category's photos, all or a third, with and without their own; mean-centred layouts."""
    adaptable: Callable[[Vectors], Vectors] = (lambda rows: rows) if parts is None else parts.layout_of
    found = []
    for number, (gallery, sketches, photos) in enumerate(zip(galleries, encoded.detailed, encoded.photos, strict=True)):
        layouts = adaptable(photos)
        adapter = CategoryAdapter.centred(layouts)
        scores = adapter.scores(adapter.embed_sketches(adaptable(sketches)), adapter.embed_photos(layouts))
        right = np.zeros(scores.shape, bool)
        right[np.arange(len(scores)), gallery.targets()] = True
        # A category of one split is not that of another: their photos differ, and so does what a search finds.
        groups = np.full(len(scores), f"{name}/{gallery.category}")
        scored = Scored(name, scores, right, groups)
        for size in {None, max(_FEWEST, len(photos) // _SHARE)}:
            found += [searches(scored, absent=absent, size=size, seed=number) for absent in (False, True)]
    return joined(found, name)


def whole_split(
    name: str, galleries: Sequence[CategoryGallery], encoded: Encoded, parts: EmbeddingParts | None, *, kind_only: bool
) -> Searches | None:
    """Sketches among the photos of all categories of a split, of which their own is right; None for one category."""
    if len(galleries) < 2:
        return None
    sketches, photos = (np.concatenate(rows) for rows in (encoded.sketches, encoded.photos))
    queried = np.repeat([gallery.category for gallery in galleries], [len(gallery.queries) for gallery in galleries])
    shown = np.repeat([gallery.category for gallery in galleries], [len(gallery.photos) for gallery in galleries])
    return _everywhere(name, sketches, photos, queried[:, None] == shown, queried, parts, kind_only)


def mixed_gallery(
    name: str, task: KindTask, encoded: Encoded, parts: EmbeddingParts | None, *, kind_only: bool
) -> Searches:
    """Drawings of kinds in a mixed gallery, and in parts of it."""
    kinds = np.array([drawing.category for drawing in task.drawings])
    right = np.stack([task.right[kind] for kind in kinds.tolist()])
    (sketches,), (photos,) = encoded.sketches, encoded.photos
    return _everywhere(name, sketches, photos, right, kinds, parts, kind_only, SIZES)


def of_nothing(
    drawn: Sequence[LabelledSketch],
    sketches: Vectors,
    photos: Vectors,
    parts: EmbeddingParts | None,
    *,
    kind_only: bool,
) -> Searches:
    """Drawings of nothing (Q, E) in a mixed gallery (G, E), and in parts of it. Each form is judged by the others."""
    forms = np.array([drawing.category for drawing in drawn])
    scored = _scored(NOTHING, sketches, photos, np.zeros((len(sketches), len(photos)), bool), forms, parts, kind_only)
    found = [searches(scored, absent=True, size=size) for size in _sizes(SIZES, photos)]
    return replace(joined(found, NOTHING), nonsense=True)


def _everywhere(
    name: str,
    sketches: Vectors,
    photos: Vectors,
    right: np.ndarray,
    groups: np.ndarray,
    parts: EmbeddingParts | None,
    kind_only: bool,
    sizes: Sequence[int] = (),
) -> Searches:
    scored = _scored(name, sketches, photos, right, groups, parts, kind_only)
    return joined(
        [searches(scored, absent=absent, size=size) for size in _sizes(sizes, photos) for absent in (False, True)], name
    )


def _sizes(sizes: Sequence[int], photos: Vectors) -> list[int | None]:
    return [None, *(size for size in sizes if size < len(photos))]


def _scored(
    name: str,
    sketches: Vectors,
    photos: Vectors,
    right: np.ndarray,
    groups: np.ndarray,
    parts: EmbeddingParts | None,
    kind_only: bool,
) -> Scored:
    alike = photos if parts is None else parts.kind_of(photos)
    if kind_only and parts is not None:
        # Stored photos keep their layout: a score is the weight of the kind times its cosine, as it is served.
        focused = parts.kind_of(sketches) @ photos[:, parts.layout_dim :].T
    else:
        focused = sketches @ photos.T
    return Scored(name, focused, right, groups, alike)


@dataclass(frozen=True)
class Material:
    """The searches of each kind of search that a calibration is fitted to, by domain."""

    everything: tuple[Searches, ...]
    kind: tuple[Searches, ...]
    category: tuple[Searches, ...]


def gather(
    encoders: EncoderPair,
    galleries: Mapping[str, Sequence[CategoryGallery]],
    kinds: Mapping[str, KindTask],
    nothing: Sequence[LabelledSketch] = (),
    progress: Progress | None = None,
) -> Material:
    """Encode everything once and search for it in every way; `nothing`: drawings of it. Raises EmbeddingsNotFinite."""
    parts = encoders.parts
    category, whole, kind = [], [], []
    for name, split in galleries.items():
        encoded = encode_galleries(encoders, split, progress)
        category.append(within_categories(name, split, encoded, parts))
        whole.append(whole_split(name, split, encoded, parts, kind_only=False))
        kind.append(whole_split(name, split, encoded, parts, kind_only=True))
    scribbled = embed_drawings(encoders, nothing, progress).vectors
    for name, task in kinds.items():
        encoded = encode_kinds(encoders, task, progress)
        whole.append(mixed_gallery(name, task, encoded, parts, kind_only=False))
        kind.append(mixed_gallery(name, task, encoded, parts, kind_only=True))
        if len(nothing) and NOTHING not in [part.domain for part in whole if part is not None]:
            # Every task searches the same gallery, and one domain is enough.
            whole.append(of_nothing(nothing, scribbled, encoded.photos[0], parts, kind_only=False))
            kind.append(of_nothing(nothing, scribbled, encoded.photos[0], parts, kind_only=True))
    focused = [part for part in kind if part is not None] if parts is not None else []
    return Material(tuple(part for part in whole if part is not None), tuple(focused), tuple(category))
