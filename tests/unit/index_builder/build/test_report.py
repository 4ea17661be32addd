"""report.jsonl: one JSON line per entry, written whatever the file's name and however the build ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from index_builder.report import Note, NoteReason, Report, Skipped, SkipReason


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_entries_come_in_order_with_all_they_know(tmp_path: Path) -> None:
    with Report(tmp_path / "report.jsonl") as report:
        report.skip(Skipped("empty", "a.jpg", "zero bytes", "a"))
        report.note(Note("duplicate_bytes", "b.jpg", "as c", "b"))
        report.skip(Skipped("hidden", ".c", "hidden"))
    assert lines(tmp_path / "report.jsonl") == [
        {"outcome": "skipped", "reason": "empty", "path": "a.jpg", "photo_id": "a", "detail": "zero bytes"},
        {"outcome": "noted", "reason": "duplicate_bytes", "path": "b.jpg", "photo_id": "b", "detail": "as c"},
        {"outcome": "skipped", "reason": "hidden", "path": ".c", "photo_id": None, "detail": "hidden"},
    ]


def test_reasons_are_counted_apart(tmp_path: Path) -> None:
    skip_reasons: tuple[SkipReason, ...] = get_args(SkipReason)
    note_reasons: tuple[NoteReason, ...] = get_args(NoteReason)
    with Report(tmp_path / "report.jsonl") as report:
        for times, reason in enumerate(skip_reasons, start=1):
            for _ in range(times):
                report.skip(Skipped(reason, "x", "x"))
        for note_reason in note_reasons:
            report.note(Note(note_reason, "x", "x", "x"))
    assert report.skipped == {reason: times for times, reason in enumerate(skip_reasons, start=1)}
    assert report.noted == dict.fromkeys(note_reasons, 1)
    assert len(lines(tmp_path / "report.jsonl")) == report.skipped.total() + report.noted.total()


@pytest.mark.parametrize("name", ["größe 靴.jpg", "two\nlines.jpg", 'quote".jpg', "latin-\udce9.jpg", "nul\x00.jpg"])
def test_any_file_name_is_one_line_and_comes_back(tmp_path: Path, name: str) -> None:
    with Report(tmp_path / "report.jsonl") as report:
        report.skip(Skipped("unusable_name", name, "detail"))
    (line,) = lines(tmp_path / "report.jsonl")
    assert line["path"] == name


def test_an_interrupted_build_leaves_what_was_reported(tmp_path: Path) -> None:
    def interrupted() -> None:
        with Report(tmp_path / "report.jsonl") as report:
            report.skip(Skipped("empty", "a.jpg", "zero bytes"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(lines(tmp_path / "report.jsonl")) == 1


def test_an_empty_report_is_an_empty_file(tmp_path: Path) -> None:
    with Report(tmp_path / "report.jsonl") as report:
        pass
    assert (tmp_path / "report.jsonl").read_bytes() == b""
    assert not report.skipped
    assert not report.noted
