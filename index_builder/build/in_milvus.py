"""A version's segments in Milvus: which collection they are written to, and how that is searched."""

from __future__ import annotations

from index_builder.artifact import GalleryIndex, layout
from index_builder.artifact.manifest import RecallReport, SearchCost
from index_builder.build.measures import tuned_elsewhere
from index_builder.build.parts import Parts
from index_builder.build.work import Work
from index_builder.quality.probes import Probe
from index_builder.stores.choice import Collection, MilvusCollections, collection_variants
from index_builder.stores.exact import ExactStore
from index_builder.stores.plan import SearchPlan, milvus_plan
from index_builder.stores.row_map import RowMap


def searched_in_milvus(
    work: Work, parts: Parts, base: GalleryIndex | None, sketches: Probe | None
) -> tuple[str, SearchPlan, RecallReport, SearchCost]:
    """Write what Milvus lacks of the parts; the collection, its fastest setting that is good enough, recall and cost.

    Raises RecallTooLow, StoreUnavailable.
    """
    collections, server = work.collections, work.request.milvus
    assert collections is not None, "the segments' files are searched"
    assert server is not None, "the build has connected to it"
    with work.stage("milvus"):
        name, plan = _written(work, collections, parts, base)
    row_map = RowMap(parts.places, [entry.count for entry in parts.segments])
    collection = Collection(name, tuple(entry.name for entry in parts.segments), row_map, work.dim)
    variants = collection_variants(server, collection, plan, work.request.settings)
    try:
        plan, recall, cost = tuned_elsewhere(work, parts, variants, sketches, update=base is not None)
    finally:
        variants[0].store.close()
    return name, plan, recall, cost


def _written(
    work: Work, collections: MilvusCollections, parts: Parts, base: GalleryIndex | None
) -> tuple[str, SearchPlan]:
    """The published version's collection with the segments that are new, or a new collection with all of them."""
    settings = work.request.settings
    rows = {entry.name: entry.count for entry in parts.segments}
    old = {entry.name for entry in base.manifest.segments} & rows.keys() if base is not None else set()
    name = base.manifest.collection if base is not None else None
    if (
        base is not None
        and name is not None
        and old
        and collections.holds(name, {segment: rows[segment] for segment in old})
        and not any(collections.clashes(name, segment) for segment in rows)
    ):
        plan = base.manifest.search  # the index of a collection is made once
    else:
        name, old = collections.new_name(), set()
        plan = milvus_plan(parts.count, work.request.kind, work.request.needs, settings)
        collections.create(name, work.dim)
    for entry in parts.segments:
        if entry.name not in old:
            folder = layout.segment_dir(work.staging, entry.name)
            vectors = ExactStore.open(folder / layout.VECTORS, count=entry.count, dim=work.dim)
            collections.upsert(name, entry.name, vectors)
    collections.finish(name, plan, settings, rows)
    return name, plan
