from __future__ import annotations

import csv
from pathlib import Path

import httpx
import pytest

from examples.batch_job.search_folder import COLUMNS, main, search_folder
from inkseek_client import Client, Retries, Unreachable


def table_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_sketch_has_its_rows(client: Client, sketches: Path, tmp_path: Path) -> None:
    out = tmp_path / "matches.csv"
    assert search_folder(client, sketches, out, k=2) == 1
    rows = table_in(out)
    assert tuple(rows[0]) == COLUMNS
    assert [(row["sketch"], row["rank"]) for row in rows] == [
        ("box/0.png", "1"), ("box/0.png", "2"), ("box/2.png", "1"), ("box/2.png", "2"), ("broken.png", ""),
        ("cross/1.png", "1"), ("cross/1.png", "2"),
    ]  # fmt: skip
    for row in rows:
        if row["sketch"] == "broken.png":
            assert row["problem"] and not row["photo_id"]
        elif row["rank"] == "1":
            assert (row["photo_id"], row["problem"]) == (row["sketch"], "")
            answered = client.search(sketches / row["sketch"], k=1).results[0]
            assert float(row["score"]) == pytest.approx(answered.score, abs=1e-4)


def test_the_command_ends_with_1_where_a_sketch_has_no_answer(
    url: str, sketches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(sketches), str(tmp_path / "out.csv"), "-k", "1", "--url", url]
    assert main(words) == 1
    assert "1 sketches have no answer" in capsys.readouterr().err
    (sketches / "broken.png").unlink()
    assert main(words) == 0
    assert len(table_in(tmp_path / "out.csv")) == 3


def test_a_job_that_fails_leaves_the_old_table(sketches: Path, tmp_path: Path) -> None:
    def refused(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    out = tmp_path / "matches.csv"
    out.write_text("old")
    transport = httpx.MockTransport(refused)
    with Client("http://inkseek.test", retries=Retries(1), transport=transport) as client, pytest.raises(Unreachable):
        search_folder(client, sketches, out, k=1)
    assert out.read_text() == "old"
