"""One published version of a gallery, loaded: search it, look photos up."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index_builder.artifact import layout
from index_builder.artifact.errors import BundleMismatch, CategoryNotFound, IndexCorrupt
from index_builder.artifact.manifest import IndexManifest, manifest_digest, parse_manifest
from index_builder.artifact.photo_filter import PhotoFilter
from index_builder.artifact.photo_store import PhotoRecord, PhotoStore, Thumbnail
from index_builder.artifact.vectors import open_vectors
from index_builder.stores.candidates import CandidateStore, FaissStore
from index_builder.stores.exact import exact_top_k
from models.arrays import Rows, Vectors

# Filters whose rows are remembered: a version never changes, and people keep asking with the same few.
_REMEMBERED_FILTERS = 64


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A row of the gallery and its cosine with the query, in [-1, 1]."""

    row: int
    score: float


class GalleryIndex:
    """Immutable and thread-safe. Make one with `load`."""

    def __init__(
        self,
        *,
        version: str,
        manifest: IndexManifest,
        gallery_root: Path,
        vectors: Vectors,
        photos: PhotoStore,
        candidates: CandidateStore | None,
    ) -> None:
        """Put together what `open` has read; `candidates` None: every search is exact."""
        self.version = version
        self.manifest = manifest
        self._root = gallery_root
        self._vectors = vectors
        self._photos = photos
        self._candidates = candidates
        self._category_names, self._category_of_row = _factorise(photos.categories())
        self._category_counts = np.bincount(self._category_of_row, minlength=len(self._category_names)).tolist()
        self._filter_rows: OrderedDict[PhotoFilter, Rows] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        out_dir: Path,
        *,
        version: str | None = None,
        bundle_id: str | None = None,
        gallery_root: Path | None = None,
        check_files: bool = True,
    ) -> GalleryIndex:
        """Load the published version below `out_dir`, or the named one.

        With `bundle_id`, an index made by another bundle is refused. `gallery_root` says where the original photos
        lie now, if not where they were when the index was built. `check_files` compares every file's hash.

        Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported, BundleMismatch.
        """
        version = version or layout.current_version(out_dir)
        folder = layout.version_dir(out_dir, version)
        manifest = read_manifest(folder)
        if bundle_id is not None and manifest.bundle_id != bundle_id:
            raise BundleMismatch(f"bundle of index {out_dir}", expected=bundle_id, actual=manifest.bundle_id)
        if check_files:
            check_hashes(folder, manifest)
        return cls.open(folder, manifest, version=version, gallery_root=gallery_root)

    @classmethod
    def open(
        cls, folder: Path, manifest: IndexManifest, *, version: str, gallery_root: Path | None = None
    ) -> GalleryIndex:
        """Open the files of `folder` as `manifest` describes them (a builder's way in, before it publishes)."""
        vectors = open_vectors(folder / layout.VECTORS, manifest.count, manifest.embedding_dim)
        candidates = None
        if manifest.search.kind != "flat":
            candidates = FaissStore.read(folder / layout.ANN_INDEX, manifest.search)
            _expect(layout.ANN_INDEX, f"{manifest.count} vectors", f"{candidates.count} vectors")
        photos = PhotoStore(folder / layout.PHOTOS, manifest.metadata_fields)
        _expect(layout.PHOTOS, f"{manifest.count} photos", f"{photos.count()} photos")
        return cls(
            version=version,
            manifest=manifest,
            gallery_root=gallery_root or Path(manifest.gallery.root),
            vectors=vectors,
            photos=photos,
            candidates=candidates,
        )

    @property
    def bundle_id(self) -> str:
        """Id of the bundle that made the vectors."""
        return self.manifest.bundle_id

    @property
    def count(self) -> int:
        """Photos in the gallery (G)."""
        return self.manifest.count

    @property
    def embedding_dim(self) -> int:
        """Length of a vector (E)."""
        return self.manifest.embedding_dim

    def categories(self) -> list[tuple[str, int]]:
        """(category, photos in it), by name. Photos without a category ("") are in none."""
        counted = zip(self._category_names, self._category_counts, strict=True)
        return [(name, count) for name, count in counted if name]

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        where: PhotoFilter | None = None,
        exact: bool = False,
        min_score: float | None = None,
    ) -> list[list[SearchHit]]:
        """(Q, E) unit rows -> for each query the k best hits: score descending, equal scores by row.

        Fewer than k only when fewer photos match. Filtered and `exact` searches score every matching photo; else the
        index proposes candidates, which are scored exactly. Hits below `min_score` are left out.

        Raises CategoryNotFound, FilterInvalid; ValueError when `queries` or `k` are no such thing.
        """
        if queries.ndim != 2 or queries.shape[1] != self.embedding_dim or k < 1:
            raise ValueError(f"queries must be (Q, {self.embedding_dim}) and k >= 1, not {queries.shape} and {k}")
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        rows = self.rows_where(where) if where else None
        return [self._search_one(query, k, rows, exact, min_score) for query in queries]

    def rows_where(self, where: PhotoFilter) -> Rows:
        """Ascending rows of the photos that match. Raises CategoryNotFound, FilterInvalid."""
        with self._lock:
            if where in self._filter_rows:
                self._filter_rows.move_to_end(where)
                return self._filter_rows[where]
        rows = self._match(where)
        rows.flags.writeable = False
        with self._lock:
            self._filter_rows[where] = rows
            while len(self._filter_rows) > _REMEMBERED_FILTERS:
                self._filter_rows.popitem(last=False)
        return rows

    def photo(self, photo_id: str) -> PhotoRecord:
        """Raises PhotoNotFound."""
        return self._photos.photo(photo_id)

    def photo_with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        return self._photos.with_bytes(sha256, category)

    def photos(self, rows: list[int]) -> list[PhotoRecord]:
        """Records of `rows`, in their order. Raises PhotoNotFound."""
        return self._photos.photos(rows)

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """Raises PhotoNotFound."""
        return self._photos.thumbnail(photo_id)

    @property
    def vectors(self) -> Vectors:
        """All unit embeddings (G, E) in row order, read-only, mapped from the disk."""
        return self._vectors

    def vector(self, row: int) -> Vectors:
        """The unit embedding (E,) of a row, read-only."""
        vector: Vectors = self._vectors[row]
        return vector

    def original_path(self, photo_id: str) -> Path | None:
        """The photo's own file, where the gallery is at hand; never a path outside of it. Raises PhotoNotFound."""
        root = self._root.resolve()
        path = (root / self.photo(photo_id).path).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None

    def problems(self) -> list[str]:
        """What a slow look at all rows finds wrong; empty when all is well."""
        found = self._photos.problems()
        for start in range(0, self.count, 65_536):
            norms = np.linalg.norm(self._vectors[start : start + 65_536], axis=1)
            wrong = int(np.count_nonzero(~(np.abs(norms - 1.0) < 1e-3)))  # NaN counts as wrong
            if wrong:
                found.append(f"{wrong} vectors from row {start} on are not of unit length")
        return found

    def close(self) -> None:
        """Release the database connections; call when no thread searches any more."""
        self._photos.close()

    def _search_one(
        self, query: Vectors, k: int, rows: Rows | None, exact: bool, min_score: float | None
    ) -> list[SearchHit]:
        if rows is None and not exact and self._candidates is not None:
            proposed = self._candidates.candidates(query, k)
            # An approximate index may come back short; a caller never gets fewer than k while there are k.
            rows = proposed if len(proposed) >= min(k, self.count) else None
        scores, found = exact_top_k(self._vectors, query, k, rows)
        # Rounding may put the cosine of equal vectors a hair outside of [-1, 1].
        clipped = np.clip(scores, -1.0, 1.0)
        return [
            SearchHit(row=int(row), score=float(score))
            for row, score in zip(found, clipped, strict=True)
            if min_score is None or score >= min_score
        ]

    def _match(self, where: PhotoFilter) -> Rows:
        codes = []
        for category in sorted(where.categories):
            if category not in self._category_names:
                raise CategoryNotFound(f"no photo of this gallery has the category {category!r}")
            codes.append(self._category_names.index(category))
        matching = np.isin(self._category_of_row, codes) if codes else np.ones(self.count, dtype=bool)
        if where.conditions:
            met = np.zeros(self.count, dtype=bool)
            met[self._photos.rows_where(where.conditions)] = True
            matching &= met
        return np.flatnonzero(matching)


def read_manifest(folder: Path) -> IndexManifest:
    """The manifest of a version's folder, held against the folder's name.

    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported.
    """
    try:
        data = (folder / layout.MANIFEST).read_bytes()
    except OSError as error:
        raise IndexCorrupt(layout.MANIFEST, expected="a readable file", actual=error.strerror or str(error)) from error
    manifest = parse_manifest(data)
    _expect(f"sha256 of {layout.MANIFEST}", layout.version_digest(folder.name), manifest_digest(data))
    return manifest


def check_hashes(folder: Path, manifest: IndexManifest) -> None:
    """Hold every file of the version against the manifest. Raises IndexCorrupt."""
    needed = {layout.VECTORS, layout.PHOTOS} | ({layout.ANN_INDEX} if manifest.search.kind != "flat" else set())
    _expect(f"files that {layout.MANIFEST} fails to list", [], sorted(needed - set(manifest.files)))
    for name, entry in manifest.files.items():
        found = layout.hash_file(folder / name)
        _expect(f"size of {name}", f"{entry.bytes} bytes", f"{found.bytes} bytes")
        _expect(f"sha256 of {name}", entry.sha256, found.sha256)


def _factorise(values: list[str]) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int32]]]:
    names = sorted(set(values))
    codes = {name: code for code, name in enumerate(names)}
    return names, np.fromiter((codes[value] for value in values), dtype=np.int32, count=len(values))


def _expect(what: str, expected: object, actual: object) -> None:
    if expected != actual:
        raise IndexCorrupt(what, expected=expected, actual=actual)
