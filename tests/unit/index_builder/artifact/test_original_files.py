"""Originals in a store: what is true of them, and how often it is looked at."""

from __future__ import annotations

import fsspec
import pytest

from index_builder.artifact.originals import OriginalFiles
from index_builder.files.originals import StoredOriginal
from tests.unit.index_builder.files.s3_server import BUCKET, Bucket

ROOT = f"s3://{BUCKET}/photos"


def test_the_state_of_a_store_is_that_of_two_objects(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["a.jpg", "b.jpg", "never looked at"]
    assert OriginalFiles(ROOT).state(paths) == "missing"
    s3.put("photos/a.jpg", b"x")
    assert OriginalFiles(ROOT).state(paths) == "partial"
    s3.put("photos/b.jpg", b"x")
    files = OriginalFiles(ROOT)
    assert files.state(paths) == "present"
    s3.delete("photos/b.jpg")
    assert files.state(paths) == "present"  # as it was a moment ago
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients = fsspec.get_filesystem_class("s3")
    clients.clear_instance_cache()
    assert OriginalFiles(ROOT).state(paths) == "unreadable"
    clients.clear_instance_cache()


def test_an_original_in_a_store_is_read_whole_and_within_bounds(s3: Bucket) -> None:
    s3.put("photos/a.tar", b"0123456789")
    files = OriginalFiles(ROOT, in_tars=True)
    member, whole = files.of("a.tar#3+4"), OriginalFiles(ROOT).of("a.tar")
    assert isinstance(member, StoredOriginal)
    assert isinstance(whole, StoredOriginal)
    assert (member.read(4), whole.read(10)) == (b"3456", b"0123456789")
    for original, bound in ((member, 3), (whole, 9)):
        with pytest.raises(OSError, match="at most"):
            original.read(bound)
    cut = files.of("a.tar#8+4")
    assert isinstance(cut, StoredOriginal)
    with pytest.raises(OSError, match="changed"):
        cut.read(10)
    assert files.of("") is None
