"""Versions of several bundles side by side: which one each bundle serves, and which ones a clean-up leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import BundleMismatch, GalleryIndex, IndexNotFound, layout, servable_version
from index_builder.publish import rollback
from index_builder.retention import prune
from models.bundle import Bundle, read_manifest, shipped_bundles

WriteIndex = Callable[..., GalleryIndex]


@pytest.fixture
def publish_for(write_index: WriteIndex) -> Callable[[str], str]:
    """Publishes another version that the named bundle made."""

    def publish(bundle_id: str) -> str:
        index = write_index(np.eye(3, dtype=np.float32), bundle_id=bundle_id)
        index.close()  # a clean-up leaves what somebody reads
        return index.version

    return publish


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "index"


def served(out: Path, bundle_id: str) -> str:
    return servable_version(out, bundle_id).version


def test_each_bundle_serves_what_was_published_last_for_it(out: Path, publish_for: Callable[[str], str]) -> None:
    first = publish_for("old")
    assert servable_version(out, "old").is_published
    second = publish_for("new")
    assert (served(out, "old"), served(out, "new")) == (first, second)
    found = servable_version(out, "old")
    assert (found.is_published, found.published, found.published_bundle_id) == (False, second, "new")
    third = publish_for("old")  # the gallery changes before the last service has the new bundle
    assert (served(out, "old"), served(out, "new")) == (third, second)
    rollback(out)
    assert (served(out, "old"), served(out, "new")) == (third, second)


def test_a_rollback_is_not_undone_by_another_bundle(out: Path, publish_for: Callable[[str], str]) -> None:
    good, bad = publish_for("old"), publish_for("old")
    rollback(out)
    publish_for("new")
    assert served(out, "old") == good
    rollback(out, bad)
    assert served(out, "old") == bad


def test_an_index_without_pointers_of_bundles_is_served_all_the_same(
    out: Path, publish_for: Callable[[str], str]
) -> None:
    """As an older release published it, with a rollback before the upgrade."""
    good, bad = publish_for("old"), publish_for("old")
    for pointer in (out / "current_of").iterdir():
        pointer.unlink()
    layout.publish_pointer(out, good)
    assert served(out, "old") == good
    newest = publish_for("new")
    assert (served(out, "old"), served(out, "new")) == (good, newest)
    for pointer in (out / "current_of").iterdir():
        pointer.write_text("garbage")
    assert served(out, "old") == bad  # nothing better is known than the latest
    (out / "current_of" / "old").write_text(newest)  # another bundle's is not served, whatever the pointer says
    assert served(out, "old") == bad


def test_a_clean_up_leaves_what_the_last_two_bundles_serve(out: Path, publish_for: Callable[[str], str]) -> None:
    oldest, old = publish_for("oldest"), publish_for("old")
    new = [publish_for("new") for _ in range(3)]
    assert prune(out, 1, in_use=None) == [oldest, *new[:2]]
    assert layout.list_versions(out) == [old, new[2]]
    assert (served(out, "old"), served(out, "new")) == (old, new[2])
    with pytest.raises(BundleMismatch):
        servable_version(out, "oldest")


def test_a_version_that_cannot_be_read_is_no_bundles(out: Path, publish_for: Callable[[str], str]) -> None:
    first, second = publish_for("old"), publish_for("old")
    newest = publish_for("new")
    (out / "current_of" / "old").unlink()
    (layout.version_dir(out, second) / layout.MANIFEST).unlink()
    assert served(out, "old") == first
    assert prune(out, 1, in_use=None) == [second]
    assert layout.list_versions(out) == [first, newest]


@pytest.mark.parametrize("name", shipped_bundles())
def test_a_mismatch_names_the_bundle_that_ships(out: Path, publish_for: Callable[[str], str], name: str) -> None:
    made_by = read_manifest(name).bundle_id
    publish_for(made_by)
    with pytest.raises(BundleMismatch, match=f"--bundle {name}, or build") as caught:
        servable_version(out, "mine")
    assert (caught.value.expected, caught.value.actual) == ("mine", made_by)
    assert f"inkseek index build --out {out} --bundle BUNDLE" in str(caught.value)


def test_a_mismatch_names_a_bundle_beside_the_one_in_use(
    out: Path, publish_for: Callable[[str], str], tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    publish_for(Bundle.load(tiny_bundle_dir).bundle_id)
    with pytest.raises(BundleMismatch, match=f"--bundle {tiny_bundle_dir}, or build"):
        servable_version(out, "mine", [tmp_path, tiny_bundle_dir])
    with pytest.raises(BundleMismatch, match="no bundle of that id is at hand, or build"):
        servable_version(out, "mine", [tmp_path])


def test_no_index_is_no_mismatch(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound):
        servable_version(tmp_path, "mine")
