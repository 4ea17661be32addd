"""The tutorials run as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.tutorials.page_runner import TUTORIALS, Reader, reader_in

RUN = ("own_photos", "adapt_to_a_shop", "train_on_own_pairs")


@pytest.mark.timeout(900)  # a dozen commands, of which each imports for seconds on a busy machine
@pytest.mark.parametrize("name", RUN)
def test_a_tutorial_does_what_it_says(name: str, tmp_path: Path) -> None:
    with reader_in(tmp_path / "work") as reader:
        assert reader.follow(TUTORIALS / f"{name}.md") >= 4


def test_what_a_page_says_is_compared_with_what_is_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one two three\n```\n\n```text\none ... three\n```\n")
    with reader_in(tmp_path / "work") as reader:
        assert reader.follow(page) == 1
        page.write_text(page.read_text().replace("three\n```\n\n", "four\n```\n\n"))
        with pytest.raises(AssertionError, match="and it prints"):
            reader.follow(page)
        page.write_text("```sh\nfalse\n```\n")
        with pytest.raises(AssertionError, match="false"):
            reader.follow(page)


def test_a_page_without_a_service_leaves_none_behind(tmp_path: Path) -> None:
    with reader_in(tmp_path / "work") as reader:
        assert isinstance(reader, Reader)
    assert reader.served == []
