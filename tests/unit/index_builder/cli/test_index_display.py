"""What `inkseek index` prints for people: names from a gallery are data there, never markup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import GalleryIndex, MetadataField
from index_builder.build import BuildRequest, build_index
from index_builder.cli import display
from index_builder.cli.display import print_build, print_index, print_verified
from models.bundle import AloneShares

WriteIndex = Callable[..., GalleryIndex]


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_the_first_categories_are_shown_and_the_others_counted(
    write_index: WriteIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    categories = [f"kind {row:02d}" for row in range(25)]
    index = write_index(np.eye(25, dtype=np.float32), categories=categories)
    print_index(index, index.categories(), [index.version], index.version)
    shown = capsys.readouterr().out
    assert "category kind 00" in shown
    assert "category kind 19" in shown
    assert "category kind 20" not in shown
    assert "5 more categories" in shown
    assert f"{index.version} (published)" in shown


def test_names_that_look_like_markup_are_shown_as_they_are(
    write_index: WriteIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index = write_index(
        np.eye(2, dtype=np.float32),
        categories=["[red]shoe[/red]", "[/]"],
        fields=[MetadataField(name="[bold]", type="text")],
    )
    print_index(index, index.categories(), ["000001-other", index.version], index.version)
    shown = capsys.readouterr().out
    assert "category [red]shoe[/red]" in shown
    assert "category [/]" in shown
    assert "[bold] (text)" in shown
    assert "000001-other (published)" not in shown


def test_problems_are_listed_and_a_sound_version_is_said_to_be_one(
    write_index: WriteIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index = write_index(np.eye(3, dtype=np.float32))
    print_verified(index, [])
    assert f"{index.version}: 3 photos, 3 files intact" in capsys.readouterr().out
    print_verified(index, ["row [3] is odd", "another"])
    shown = capsys.readouterr().out
    assert "2 problems" in shown
    assert "row [3] is odd" in shown


def test_a_build_says_what_was_skipped_and_where_it_is_listed(
    photos: Path, tmp_path: Path, tiny_bundle_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "shoe" / "broken.jpg").write_bytes(b"no photo")
    (photos / "shoe" / "twin.jpg").write_bytes((photos / "shoe" / "0.jpg").read_bytes())
    request = BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, kind="hnsw", keep=1)
    for _ in range(3):
        result = build_index(request)
    print_build(request.out, result)
    shown = capsys.readouterr().out
    assert "not indexed: not_an_image" in shown
    assert "indexed, noted: duplicate_bytes" in shown
    assert "hnsw, 192 dimensions" in shown
    assert "recall@10" in shown
    assert "too few to rely on" in shown  # of seven photos
    assert result.removed[0] in shown
    assert "report.jsonl" in shown


def test_an_exact_index_claims_no_measured_recall(
    photos: Path, tmp_path: Path, tiny_bundle_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir)
    print_build(request.out, build_index(request))
    shown = capsys.readouterr().out
    assert "nothing is missed" in shown
    assert "recall@10" not in shown


def test_without_a_terminal_progress_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with display.progress() as progress:
        for stage in ("sketches", "gallery", "photos", "index", "recall", "publish"):
            progress(stage, 0, None)
            progress(stage, 3, 3)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            AloneShares(overall=0.9, categories={"shoe": 1.0, "chair": 0.1}),
            "90% of a sample of photos: small drawings are framed, but not in chair",
        ),
        (
            AloneShares(overall=0.1, categories={"chair": 0.1}),
            "10% of a sample of photos: small drawings stay where they lie",
        ),
    ],
)
def test_it_is_said_where_small_drawings_are_framed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, shares: AloneShares, said: str
) -> None:
    index = GalleryIndex.load(Path(__file__).resolve().parents[3] / "golden" / "index_v2")
    monkeypatch.setattr(index, "manifest", index.manifest.model_copy(update={"alone": shares}))
    print_index(index, index.categories(), [index.version], index.version)
    index.close()
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert said in shown


def test_a_category_that_faces_one_way_is_said_to(capsys: pytest.CaptureFixture[str]) -> None:
    golden = Path(__file__).resolve().parents[3] / "golden" / "index_v2"
    index = GalleryIndex.load(golden)
    print_index(index, index.categories(), [index.version], index.version)
    index.close()
    shown = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "category" in line}
    assert "4, faces one way" in shown["category shoe"]
    assert "faces" not in shown["category chair"]
