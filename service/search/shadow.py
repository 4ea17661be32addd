"""A search repeated exactly: how much of the exact answer an approximate index had found.

A build measures recall with sketches that it is given or makes; this is recall on the sketches that people draw.
"""

from __future__ import annotations

from dataclasses import replace

from models.arrays import Vectors
from service.search.mirroring import MirroredSketch
from service.search.retriever import BegunSearch

RECALL_K = 10


def recall_of(begun: BegunSearch, vectors: Vectors) -> float | None:
    """Share of the ten best photos of an exact search that the search itself finds, in [0, 1].

    `vectors` (n, E): the embeddings of the search's inputs. None where the search was exact anyway: it was narrowed,
    asked to be, or its gallery has no other. Both are repeated without a lowest score and from the first page on.
    Raises OnlineCorrupt, StoreUnavailable.
    """
    gallery, query = begun.gallery, begun.query
    if begun.where or query.exact or gallery.view.index.manifest.is_exact:
        return None
    flipped = None if begun.scope is None else MirroredSketch(vectors[1], begun.scope)
    found, truth = (
        {
            hit.row
            for hit in gallery.answer(
                vectors[0], replace(query, k=RECALL_K, exact=exact, min_score=None), None, flipped
            ).hits
        }
        for exact in (False, True)
    )
    return len(found & truth) / len(truth) if truth else None
