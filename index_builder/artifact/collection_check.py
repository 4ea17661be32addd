"""The vectors of a version in Milvus against those of its files."""

from __future__ import annotations

import numpy as np

from index_builder.artifact.gallery_index import GalleryIndex

_BLOCK_ROWS = 16_384


def collection_problems(files: GalleryIndex, collection: GalleryIndex) -> list[str]:
    """What differs between one version opened twice, from its files and from its collection; empty where nothing does.

    Every vector is read and compared to the bit. Raises StoreUnavailable.
    """
    differing = 0
    for start in range(0, files.count, _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, files.count))
        differing += int(np.any(files.vectors_of(rows) != collection.vectors_of(rows), axis=1).sum())
    if not differing:
        return []
    return [f"{differing} vectors of collection {files.manifest.collection} are not those of the files"]
