"""What is no part of a gallery: system folders, patterns, links; and what --follow-links brings in."""

from __future__ import annotations

from pathlib import Path

import pathspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.choice import open_source
from index_builder.sources.exclusions import Exclusions


def put(photos: Path, *names: str) -> None:
    for name in names:
        path = photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((photos / "shoe" / "0.jpg").read_bytes())


def listed(
    location: Path, exclude: tuple[str, ...] = (), *, follow_links: bool = False
) -> tuple[set[str], dict[str, tuple[str, str]]]:
    ids: set[str] = set()
    skipped: dict[str, tuple[str, str]] = {}
    for entry in open_source(location, exclude=exclude, follow_links=follow_links).list():
        if isinstance(entry, SourcePhoto):
            ids.add(entry.photo_id)
        else:
            assert not isinstance(entry, Note)
            skipped[entry.path] = (entry.reason, entry.detail)
    return ids, skipped


@pytest.mark.parametrize(
    "name",
    [
        "@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg",
        "shoe/@eaDir/0.jpg",
        "#recycle/0.jpg",
        "__MACOSX/shoe/0.jpg",
        "$RECYCLE.BIN/0.jpg",
        "shoe/Thumbs.db",
        "Catalog Previews.lrdata/1/0.jpg",
        "shoe/0.jpg.crdownload",
    ],
)
def test_what_systems_put_beside_photos_is_left_out(photos: Path, name: str) -> None:
    before, _ = listed(photos)
    put(photos, name)
    ids, skipped = listed(photos)
    assert ids == before
    assert [reason for reason, _ in skipped.values()] == ["excluded"]


def test_patterns_leave_out_and_bring_back(photos: Path) -> None:
    put(photos, "shoe/old/1.jpg", "shoe/old/keep.jpg", "lost+found/1.jpg")
    ids, skipped = listed(photos, ("chair/", "shoe/old/*", "!keep.jpg", "!lost+found/"))
    assert ids == {"shoe/0.jpg", "shoe/1.jpg", "shoe/2.jpg", "shoe/3.jpg", "shoe/old/keep.jpg", "lost+found/1.jpg"}
    assert skipped["chair"] == ("excluded", "chair/ (excluded by default or by --exclude)")
    assert skipped["shoe/old/1.jpg"][0] == "excluded"


def test_an_ignore_file_counts_below_its_folder_and_outweighs_those_above(photos: Path) -> None:
    put(photos, "shoe/a.jpg", "chair/a.jpg")
    (photos / ".inkseekignore").write_text("# thumbnails\na.jpg\n")
    (photos / "shoe" / ".inkseekignore").write_text("/0.jpg\n!a.jpg\n")
    ids, skipped = listed(photos)
    assert "shoe/a.jpg" in ids
    assert skipped == {
        "chair/a.jpg": ("excluded", "a.jpg (.inkseekignore)"),
        "shoe/0.jpg": ("excluded", "/0.jpg (shoe/.inkseekignore)"),
    }


def test_a_pattern_that_cannot_be_read_is_rejected(photos: Path) -> None:
    with pytest.raises(GalleryInvalid, match="--exclude"):
        open_source(photos, exclude=("!",))


def test_a_manifest_lists_what_it_names_but_for_what_the_caller_excludes(photos: Path) -> None:
    put(photos, "@eaDir/0.jpg")
    (photos / "m.csv").write_text("photo_path\nshoe/0.jpg\n@eaDir/0.jpg\n")
    assert listed(photos / "m.csv")[0] == {"shoe/0.jpg", "@eaDir/0.jpg"}
    assert listed(photos / "m.csv", ("@eaDir/",))[1] == {"@eaDir/0.jpg": ("excluded", "@eaDir/ (--exclude)")}


def test_links_are_named_as_links_and_followed_where_that_is_asked_for(photos: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    put(photos, "shoe/0.jpg")
    elsewhere.mkdir()
    (elsewhere / "x.jpg").write_bytes((photos / "shoe" / "0.jpg").read_bytes())
    (photos / "linked").symlink_to(elsewhere)
    (photos / "shoe" / "y.jpg").symlink_to(elsewhere / "x.jpg")
    (photos / "shoe" / "circle").symlink_to(photos)
    ids, skipped = listed(photos)
    assert not ids & {"linked/x.jpg", "shoe/y.jpg"}
    assert "a link" in skipped["linked"][1] and "--follow-links" in skipped["linked"][1]
    assert "a link" in skipped["shoe/y.jpg"][1] and "--follow-links" in skipped["shoe/y.jpg"][1]
    ids, skipped = listed(photos, follow_links=True)
    assert {"linked/x.jpg", "shoe/y.jpg"} <= ids
    assert skipped == {"shoe/circle": ("not_a_file", "a link to a folder above it")}
    assert len(ids) == len(listed(photos)[0]) + 2


def test_an_original_behind_a_followed_link_is_served(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes((photos / "shoe" / "0.jpg").read_bytes())
    (photos / "m.csv").write_text("photo_path\ny.jpg\n")
    (photos / "y.jpg").symlink_to(tmp_path / "x.jpg")
    (fault,) = open_source(photos / "m.csv").list()
    assert isinstance(fault, Skipped) and fault.reason == "outside_gallery"
    followed = open_source(photos / "m.csv", follow_links=True)
    assert followed.description.follows_links
    assert [type(entry) for entry in followed.list()] == [SourcePhoto]


_PARTS = st.sampled_from(["a", "b.jpg", "old", "x y", "Thumbs.db", "*.jpg", "**", "o?d", "[ab]", "!a", "# remark", ""])
_PATTERNS = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


@given(patterns=st.lists(_PATTERNS, max_size=4), path=st.lists(_PARTS.filter(bool), min_size=1, max_size=4))
def test_one_look_at_all_patterns_finds_what_each_of_them_fits(patterns: list[str], path: list[str]) -> None:
    exclusions, name = Exclusions.of(patterns, "here"), "/".join(path)
    for is_folder in (False, True):
        found = pathspec.GitIgnoreSpec.from_lines(patterns).check_file(name + "/" * is_folder)
        expected = f"{patterns[found.index or 0]} (here)" if found.include else None
        assert exclusions.of_path(name, is_folder=is_folder) == expected
