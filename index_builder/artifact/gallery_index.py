"""One published version of a gallery, loaded: searches, and look-ups of photos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from index_builder.artifact import layout
from index_builder.artifact.bundle_versions import mismatch
from index_builder.artifact.filters.conditions import PhotoFilter
from index_builder.artifact.manifest import IndexManifest
from index_builder.artifact.originals import OriginalFiles, Originals
from index_builder.artifact.photos.record import PICTURE_SUFFIXES, PhotoRecord, Thumbnail
from index_builder.artifact.segments.checked_files import CheckedFiles
from index_builder.artifact.segments.hold import VersionHold
from index_builder.artifact.segments.matches import FilterMatches
from index_builder.artifact.segments.opening import open_parts
from index_builder.artifact.segments.photos import PhotoTable
from index_builder.artifact.verification import check_hashes, check_sizes, files_of, read_manifest
from index_builder.files.originals import StoredOriginal
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import CPU, MilvusServer, SearchDevice
from index_builder.stores.hits import SearchHit, best_hits
from models.arrays import Rows, Vectors

_CHECKED_ROWS = 65_536
_ORIGINALS_LOOKED_AT = 8


class GalleryIndex:
    """A version's photos, their vectors and how they are searched; immutable and thread-safe. Made by `load`."""

    def __init__(
        self,
        *,
        version: str,
        manifest: IndexManifest,
        originals: OriginalFiles,
        store: VectorStore,
        photos: PhotoTable,
        folder: Path | None = None,
        files: Sequence[Path] = (),
        needs_vectors: bool = True,
        hold: VersionHold | None = None,
        device: SearchDevice = CPU,
    ) -> None:
        """Put together what `open` has read; row i of `store` and of `photos` is the same photo.

        `folder`: of the version. `files`: all that its reader needs, with those of its vectors if `needs_vectors`.
        `hold`: until it is released, with `close`, no builder removes them.
        """
        self._folder = folder
        self._needs_vectors = needs_vectors
        self.device = device
        self._hold = hold
        self.files = tuple(files)
        self.version = version
        self.manifest = manifest
        self._originals = originals
        self._store = store
        self._photos = photos
        self._matches = FilterMatches(photos)

    @classmethod
    def load(
        cls,
        out_dir: Path,
        *,
        version: str | None = None,
        bundle_id: str | None = None,
        gallery_root: Path | str | None = None,
        check_files: bool = True,
        checked: CheckedFiles | None = None,
        milvus: MilvusServer | None = None,
        device: SearchDevice = CPU,
    ) -> GalleryIndex:
        """Load the published version below `out_dir`, or the named one.

        With `bundle_id`, an index made by another bundle is rejected. `gallery_root` says where the original photos
        are now, if not where they were when the index was built. `check_files` compares every file's hash, but for
        those that are in `checked`; without it, their sizes alone, and `compare_hashes` may follow later. `milvus`:
        where a version that has a collection is searched; its files with the vectors may be absent then. Without it, a
        search of such a version is exact, over the files. `device`: where candidates are looked for; it stays open when
        the index is closed.

        Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported, BundleMismatch, StoreUnavailable.
        """
        version = version or layout.current_version(out_dir)
        folder = layout.version_dir(out_dir, version)
        hold = VersionHold.of(folder)
        try:
            manifest = read_manifest(folder)
            # Before the hashes: reading every byte of an index that is rejected anyway would be in vain.
            if bundle_id is not None and manifest.bundle_id != bundle_id:
                raise mismatch(out_dir, expected=bundle_id, actual=manifest.bundle_id)
            if check_files:
                check_hashes(folder, manifest, checked, vectors=_needs_vectors(manifest, milvus))
            else:
                check_sizes(folder, manifest, vectors=_needs_vectors(manifest, milvus))
            return cls.open(
                folder,
                manifest,
                version=version,
                gallery_root=gallery_root,
                hold=hold,
                milvus=milvus,
                device=device,
            )
        except BaseException:
            hold.release()
            raise

    @classmethod
    def open(
        cls,
        folder: Path,
        manifest: IndexManifest,
        *,
        version: str,
        gallery_root: Path | str | None = None,
        hold: VersionHold | None = None,
        milvus: MilvusServer | None = None,
        device: SearchDevice = CPU,
    ) -> GalleryIndex:
        """Open the files of `folder` as `manifest` describes them (a builder's way in, before it publishes)."""
        store, photos = open_parts(folder, manifest, milvus, device)
        return cls(
            version=version,
            manifest=manifest,
            originals=OriginalFiles.at(manifest.gallery, gallery_root),
            store=store,
            photos=photos,
            folder=folder,
            files=files_of(folder, manifest, vectors=_needs_vectors(manifest, milvus)),
            needs_vectors=_needs_vectors(manifest, milvus),
            hold=hold,
            device=device,
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
        return [(name, count) for name, count in self.categories_with_none() if name]

    def categories_with_none(self) -> list[tuple[str, int]]:
        """(category, photos in it), by name; "" holds the photos without a category."""
        return self._matches.category_counts()

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        where: PhotoFilter | None = None,
        exact: bool = False,
        min_score: float | None = None,
        hidden: Rows | None = None,
    ) -> list[list[SearchHit]]:
        """(Q, E) unit rows -> for each query the k best hits: score descending, equal scores by row.

        Fewer than k only when fewer photos match. Filtered and `exact` searches score every matching photo; else the
        index proposes candidates, which are scored exactly. Hits below `min_score` are left out, and ascending
        `hidden` rows, without which k hits are found as with them.

        Raises CategoryNotFound, FilterInvalid; ValueError when `queries` has another shape or `k` is below 1.
        """
        if queries.ndim != 2 or queries.shape[1] != self.embedding_dim or k < 1:
            raise ValueError(f"queries must be (Q, {self.embedding_dim}) and k >= 1, not {queries.shape} and {k}")
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        rows = self.rows_where(where) if where else None
        # One query at a time: an answer must not depend on which others arrive with it.
        return [
            best_hits(self._store, query, k, within=rows, exact=exact, min_score=min_score, hidden=hidden)
            for query in queries
        ]

    def search_rows(
        self, query: Vectors, k: int, rows: Rows, *, exact: bool = False, min_score: float | None = None
    ) -> list[SearchHit]:
        """(E,) unit vector, (R,) ascending rows -> the k best hits among them, as a filtered `search` finds them."""
        return best_hits(self._store, query, k, within=rows, exact=exact, min_score=min_score)

    def rows_where(self, where: PhotoFilter) -> Rows:
        """Ascending rows of the photos that match. Raises CategoryNotFound, FilterInvalid."""
        return self._matches.rows(where)

    def photo(self, photo_id: str) -> PhotoRecord:
        """The photo with that id. Raises PhotoNotFound."""
        return self._photos.photo(photo_id)

    def records(self) -> Iterator[PhotoRecord]:
        """Every photo's record in row order, read piece by piece."""
        return self._photos.records()

    def photos_with_bytes(self, sha256: str) -> list[PhotoRecord]:
        """Every photo, of whatever category, whose file has that hash, by row."""
        return self._photos.holds(sha256)

    def photo_with_bytes(self, sha256: str, category: str) -> PhotoRecord | None:
        """The first photo of `category` whose file has that hash."""
        return self._photos.with_bytes(sha256, category)

    def photos(self, rows: list[int]) -> list[PhotoRecord]:
        """Records of `rows`, in their order. Raises PhotoNotFound."""
        return self._photos.photos(rows)

    def thumbnail(self, photo_id: str) -> Thumbnail:
        """The thumbnail of the photo with that id. Raises PhotoNotFound."""
        return self._photos.thumbnail(photo_id)

    def perceptual_hashes(self, rows: Sequence[int]) -> dict[int, int]:
        """The perceptual hash of each of `rows` that has one: those that an early release indexed have none."""
        return self._photos.perceptual_hashes(rows)

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending rows -> (R, E) unit embeddings, read-only: a view where the rows are adjacent, else a copy."""
        return self._store.vectors_of(rows)

    def vector(self, row: int) -> Vectors:
        """The unit embedding (E,) of a row, read-only."""
        vector: Vectors = self._store.vectors_of(np.array([row]))[0]
        return vector

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending rows -> (Q, R) inner products; `rows` None: with all G photos.

        A product is the same to the bit whichever other rows and queries are computed with it.
        """
        return self._store.products(queries, rows)

    def original(self, photo_id: str) -> Path | StoredOriginal | None:
        """The photo's own file, where the gallery is at hand; outside of it only where links were to be followed.

        Raises PhotoNotFound.
        """
        path = self.photo(photo_id).path
        return self._originals.of(path)

    def originals(self) -> Originals:
        """Whether the photos' own files are at hand, by a look at a few of them now."""
        rows = np.unique(np.linspace(0, self.count - 1, _ORIGINALS_LOOKED_AT).astype(int)).tolist()
        paths = [record.path for record in self.photos(rows) if record.path]  # an upload has none
        return self._originals.state(paths)

    @property
    def gallery_root(self) -> str:
        """Where the photos' own files are looked for."""
        return self._originals.root

    @cached_property
    def suffixed_ids(self) -> frozenset[str]:
        """Ids that end like the path of a photo's picture, which would lead to another photo; nearly always none."""
        return self._photos.ids_ending(PICTURE_SUFFIXES)

    def compare_hashes(self, checked: CheckedFiles) -> None:
        """Read every file of the version that is not in `checked`, and compare its hash. Raises IndexCorrupt."""
        if self._folder is not None:
            check_hashes(self._folder, self.manifest, checked, vectors=self._needs_vectors)

    def problems(self) -> list[str]:
        """Defects that a slow check of all rows finds; empty when the version is sound."""
        problems = self._photos.problems()
        # In blocks: the norms of a memory map would otherwise read a large gallery into memory at once.
        for start in range(0, self.count, _CHECKED_ROWS):
            rows = np.arange(start, min(start + _CHECKED_ROWS, self.count))
            norms = np.linalg.norm(self._store.vectors_of(rows), axis=1)
            wrong = int(np.count_nonzero(~(np.abs(norms - 1.0) < 1e-3)))  # NaN counts as wrong
            if wrong:
                problems.append(f"{wrong} vectors from row {start} on are not of unit length")
        return problems

    def close(self) -> None:
        """Release the database connections and the vectors; call when no thread searches any more."""
        self._photos.close()
        self._store.close()
        if self._hold:
            self._hold.release()


def _needs_vectors(manifest: IndexManifest, milvus: MilvusServer | None) -> bool:
    """Whether a reader searches the files of the vectors."""
    return milvus is None or manifest.collection is None
