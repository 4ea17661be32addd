"""The manifest as bytes: what is written is read, and what contradicts the format is rejected by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index_builder.artifact import IndexCorrupt, IndexManifest, IndexSchemaUnsupported, MetadataField, SearchPlan
from index_builder.artifact.manifest import (
    BuildSummary,
    FileEntry,
    GallerySource,
    RecallReport,
    manifest_digest,
    parse_manifest,
)


def manifest(**changes: Any) -> IndexManifest:
    values: dict[str, Any] = {
        "created_at": "2026-01-01T00:00:00+00:00",
        "inkseek_version": "1.2.3",
        "bundle_id": "größe",
        "embedding_dim": 8,
        "count": 3,
        "gallery": GallerySource(root="/photos", manifest="manifest.csv"),
        "metadata_fields": (MetadataField(name="Preis €", type="number"),),
        "search": SearchPlan(kind="ivfpq", factory="IVF4,PQ2x4fs", nprobe=2, candidate_factor=20),
        "recall": RecallReport(recall=0.75, k=10, queries="sketches", query_count=4, source="s", unusable_sketches=1),
        "build": BuildSummary(seconds=1.5, photos_per_s=2.0, skipped={"empty": 1}, noted={"duplicate_bytes": 2}),
        "files": {"vectors.npy": FileEntry(bytes=5, sha256="0" * 64)},
    }
    return IndexManifest(**(values | changes))


def document(**changes: Any) -> bytes:
    return json.dumps(json.loads(manifest().to_bytes()) | changes).encode()


def test_what_is_written_is_read() -> None:
    assert parse_manifest(manifest().to_bytes()) == manifest()
    assert parse_manifest(manifest(recall=None, metadata_fields=()).to_bytes()).recall is None


def test_equal_manifests_have_equal_bytes_and_any_change_another_digest() -> None:
    files = {name: FileEntry(bytes=1, sha256="a" * 64) for name in ("b", "a")}
    reordered = dict(reversed(files.items()))
    assert manifest(files=files).to_bytes() == manifest(files=reordered).to_bytes()
    digests = {
        manifest_digest(changed.to_bytes())
        for changed in (manifest(), manifest(count=4), manifest(bundle_id="x"), manifest(recall=None))
    }
    assert len(digests) == 4
    assert all(len(digest) == 12 for digest in digests)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"manifest"'])
def test_what_is_no_json_object_is_corrupt(data: bytes) -> None:
    with pytest.raises(IndexCorrupt, match=r"manifest\.json"):
        parse_manifest(data)


@pytest.mark.parametrize("version", [0, 4, 1.5, "1", True, None, [1]])
def test_another_schema_version_is_unsupported_whatever_else_is_wrong(version: object) -> None:
    with pytest.raises(IndexSchemaUnsupported) as caught:
        parse_manifest(document(schema_version=version, count="nonsense"))
    assert caught.value.actual == version


@pytest.mark.parametrize(
    ("changes", "location"),
    [
        ({"count": 0}, "count"),
        ({"embedding_dim": -1}, "embedding_dim"),
        ({"unknown": 1}, "unknown"),
        ({"search": {"kind": "magic"}}, "search.kind"),
        ({"search": {"kind": "hnsw", "ef_search": 0}}, "search.ef_search"),
        ({"search": {"kind": "flat", "links": 3}}, "search.links"),
        ({"recall": {"recall": 1.5, "k": 10, "queries": "photos", "query_count": 1}}, "recall.recall"),
        ({"metadata_fields": [{"name": "", "type": "text"}]}, "metadata_fields.0.name"),
        ({"files": {"a/b": {"bytes": 1, "sha256": "0" * 64}}}, "files"),
        ({"files": {"..": {"bytes": 1, "sha256": "0" * 63}}}, "files"),
    ],
)
def test_a_wrong_value_is_corrupt_and_named(changes: dict[str, Any], location: str) -> None:
    with pytest.raises(IndexCorrupt) as caught:
        parse_manifest(document(**changes))
    assert str(caught.value.actual).startswith(location)


@pytest.mark.parametrize("missing", ["count", "files", "bundle_id", "search", "build"])
def test_a_missing_value_is_corrupt_and_named(missing: str) -> None:
    values = json.loads(manifest().to_bytes())
    del values[missing]
    with pytest.raises(IndexCorrupt, match=missing):
        parse_manifest(json.dumps(values).encode())
