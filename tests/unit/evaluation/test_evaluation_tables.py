"""What a terminal shows of an evaluation: its figures, the ends of many categories, signed differences."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.bundle import Bundle
from models.data.datasets import PairDataset, open_dataset
from models.evaluation.dataset_evaluation import FIGURES, Evaluation, evaluate_split
from models.evaluation.paired import paired
from models.evaluation.rankings import Protocol
from models.evaluation.report.document import document, unusable_images
from models.evaluation.report.frame import facts_list, html_document
from models.evaluation.report.selection import from_best_to_worst
from models.evaluation.report.tables import print_evaluation, print_paired


@pytest.fixture
def val(pairs_dir: Path) -> PairDataset:
    return open_dataset(pairs_dir).split("val")


@pytest.fixture
def evaluation(val: PairDataset, tiny_bundle_dir: Path) -> Evaluation:
    return evaluate_split(Bundle.load(tiny_bundle_dir), val, "val", protocol=Protocol.CATEGORY)


def shown(evaluation: Evaluation, dataset: PairDataset, every: bool = False) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_evaluation(console, "tiny-1", dataset, evaluation, every)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows_of(text: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in text.splitlines() if "│" in line]
    return {row[0]: row[1:] for row in cells}


def test_each_category_has_its_figures_and_the_plain_one(evaluation: Evaluation, val: PairDataset) -> None:
    rows = rows_of(shown(evaluation, val))
    assert evaluation.plain is not None
    for name, measured in evaluation.served.categories.items():
        figures = measured.figures
        shares = [f"{100 * getattr(figures, key):.1f}" for key in FIGURES[:-1]]
        plain = f"{100 * evaluation.plain.categories[name].figures.acc_at_1:.1f}"
        assert rows[name] == [str(figures.queries), str(figures.photos), *shares, f"{figures.mean_rank:.2f}", plain]
    assert "the category mean is subtracted" in shown(evaluation, val)


def test_of_many_categories_the_ends_are_shown(evaluation: Evaluation, val: PairDataset) -> None:
    (name, lamp), (_, mug) = evaluation.served.categories.items()
    many = {f"kind{n:02d}": lamp if n < 4 else mug for n in range(20)}
    served = replace(evaluation.served, categories=many)
    assert evaluation.plain is not None
    plain = replace(evaluation.plain, categories=many)
    scored = {scoring: plain if value is evaluation.plain else served for scoring, value in evaluation.scored.items()}
    wide = replace(evaluation, scored=scored)
    best = list(from_best_to_worst(wide))
    rows = rows_of(shown(wide, val))
    assert [row for row in rows if row.startswith("kind")] == [*best[:5], *best[-5:]]
    assert len([row for row in rows_of(shown(wide, val, every=True)) if row.startswith("kind")]) == 20
    assert name in evaluation.served.categories


def test_differences_have_signs_and_counts(evaluation: Evaluation) -> None:
    ranks = evaluation.served.rankings.ranks
    other = np.where(ranks == 1, 3, ranks)
    pair = paired(ranks, other, evaluation.photo_numbers)
    console = Console(file=io.StringIO(), width=120)
    print_paired(console, "<other>", pair)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    first = int((ranks == 1).sum())
    assert "minus <other>" in text
    assert f"{100 * first / len(ranks):+.1f}" in text
    assert f"ranked first by both 0, by this alone {first}, by the other alone 0" in text


def test_the_document_names_what_has_no_embedding(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    (pairs_dir / "photos/mug/2.png").write_bytes(b"no image")
    dataset = open_dataset(pairs_dir).split("val")
    evaluation = evaluate_split(Bundle.load(tiny_bundle_dir), dataset, "val")
    sketches, photos = unusable_images(evaluation)
    assert (sketches, [image["name"] for image in photos]) == ([], ["<i>mug</i>/2"])
    told = document("tiny-1", dataset, [evaluation], 0)["splits"]["val"]
    assert told["not_encoded"] == {"sketches": sketches, "photos": photos}
    assert "without an embedding, so counted as missed (1)" in shown(evaluation, dataset)


def test_the_frame_escapes_text_and_leaves_empty_parts_out() -> None:
    header = facts_list([("<name>", "a & b")])
    page = html_document("<Heading>", ["<p>one</p>", "", "<p>two</p>"], style=".own {}", header=header)
    assert "<h1>&lt;Heading&gt;</h1>" in page
    assert "<title>&lt;Heading&gt;</title>" in page
    assert "<dt>&lt;name&gt;</dt><dd>a &amp; b</dd>" in page
    assert "</header>\n<p>one</p>\n<p>two</p>\n</main>" in page
    assert page.count("prefers-color-scheme: dark") == 2  # the page's own colours, and those of charts
    assert page.index(".own {}") > page.index("--desk")
