"""The page: whole in itself, the right photos framed, bounded, nothing unescaped."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.bundle import Bundle
from models.data.datasets import open_dataset
from models.evaluation.dataset_evaluation import Evaluation, chosen_splits, evaluate_split
from models.evaluation.errors import PicturesUnusable
from models.evaluation.paired import paired
from models.evaluation.rankings import Protocol
from models.evaluation.report import Picture, Report, read_pictures, report_page
from models.evaluation.report.selection import sample, worst, worst_categories

VOID = {"meta", "img"}


class Outline(HTMLParser):
    """Checks that what is opened is closed; gathers text, and what each list of answers framed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data


def parsed(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    outline.close()
    assert not outline.open
    return outline


@pytest.fixture
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return Bundle.load(tiny_bundle_dir)


def evaluated(bundle: Bundle, data: Path, protocol: Protocol = Protocol.GALLERY) -> Report:
    dataset = open_dataset(data)
    evaluations = [
        evaluate_split(bundle, part, name, protocol=protocol) for name, part in chosen_splits(dataset, ["val"])
    ]
    return Report(bundle, dataset, evaluations, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def test_the_page_needs_nothing_but_itself(pairs_dir: Path, bundle: Bundle) -> None:
    page = report_page(evaluated(bundle, pairs_dir))
    assert "<script" not in page
    assert "@import" not in page
    assert not re.findall(r"https?:|//[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", page))
    assert all(url.startswith("data:image/") for url in re.findall(r"url\(([^)]*)\)", page))
    parsed(page)


def test_a_competitor_has_its_section(pairs_dir: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, pairs_dir)
    (evaluation,) = report.evaluations
    ranks = evaluation.served.rankings.ranks
    pair = paired(ranks, np.where(ranks == 1, 2, ranks), evaluation.photo_numbers)
    text = parsed(report_page(replace(report, against=("<competitor>", [pair])))).text
    share = 100 * (ranks == 1).mean()
    assert "Minus <competitor>" in text
    assert f"{share:+.1f}" in text
    assert f"by this one alone: {(ranks == 1).sum()}" in text


def test_the_category_that_comes_first_has_its_tile_where_several_are_searched(pairs_dir: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, pairs_dir)
    first = report.evaluations[0].category_first
    assert first is not None
    assert re.search(rf"category first\s*{100 * first.value:.1f}\s*%", parsed(report_page(report)).text)
    assert "category first" not in parsed(report_page(evaluated(bundle, pairs_dir, Protocol.CATEGORY))).text


def test_both_ways_round_is_said(pairs_dir: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, pairs_dir)
    both = replace(report, evaluations=[replace(report.evaluations[0], mirror=True)])
    assert "both ways round" in parsed(report_page(both)).text
    assert "both ways round" not in parsed(report_page(report)).text


def test_names_are_text_and_no_markup(pairs_dir: Path, bundle: Bundle) -> None:
    page = report_page(evaluated(bundle, pairs_dir))
    assert "<i>mug" not in page
    assert "<i>mug</i>/0" in parsed(page).text


@pytest.mark.parametrize("protocol", Protocol)
def test_figures_stand_in_it_with_their_intervals(pairs_dir: Path, bundle: Bundle, protocol: Protocol) -> None:
    report = evaluated(bundle, pairs_dir, protocol)
    (evaluation,) = report.evaluations
    text = parsed(report_page(report)).text
    for measured in (evaluation.served.overall, *evaluation.served.categories.values()):
        interval = (measured.intervals or {})["acc_at_1"]
        assert f"{100 * measured.figures.acc_at_1:.1f}" in text
        assert f"{100 * interval.low:.1f} – {100 * interval.high:.1f}" in text  # noqa: RUF001
        assert f"{measured.figures.mean_rank:.2f}" in text
    for scored in [evaluation.plain] if evaluation.plain is not None else []:
        assert f"plain {100 * scored.overall.figures.acc_at_1:.1f}" in text
    assert ("plain" in text.lower()) is (protocol is Protocol.CATEGORY)
    assert f"{bundle.bundle_id}" in text
    assert "2026-01-02 03:04 UTC" in text


def test_the_right_photo_is_framed_once_in_every_answer(pairs_dir: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, pairs_dir)
    (evaluation,) = report.evaluations
    articles = re.findall(r'<article class="query">.*?</article>', report_page(report), re.DOTALL)
    assert len(articles) == len(sample(evaluation, 0)) + len(worst(evaluation))
    for article in articles:
        asked = re.search(r'aria-label="sketch of ([^"]*)"', article)
        framed = re.findall(r'<li class="right[^"]*"><span[^>]*aria-label="([^"]*), the right photo"', article)
        assert asked
        assert framed == [asked.group(1)]
        rank = int(re.findall(r"rank (\d+) of 12", article)[0])
        place = re.findall(r"<li class=\"([^\"]*)\"", article)
        if rank <= 10:
            assert place[rank - 1] == "right"
        else:
            assert place[-1] == "right beyond"
            assert f"#{rank}" in article


def test_pictures_are_small_and_each_is_there_once(pairs_dir: Path, bundle: Bundle) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 600, 3), dtype=np.uint8)).save(
        pairs_dir / "photos/lamp/1.png"
    )
    page = report_page(evaluated(bundle, pairs_dir))
    rules = re.findall(r"\.i\d+\{background-image:url\(data:image/(\w+);base64,([^)]*)\)\}", page)
    assert 0 < len(rules) <= 12 + 27
    assert len(set(rules)) >= len(rules) - 2  # photo 0 of the lamps has two copies
    for kind, data in rules:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.format == kind.upper()
            assert max(image.size) <= 144


def test_what_was_not_encoded_is_listed(pairs_dir: Path, bundle: Bundle) -> None:
    Image.new("L", (64, 64), 255).save(pairs_dir / "sketches/lamp/1_0.png")
    (pairs_dir / "photos/mug/2.png").write_bytes(b"broken")
    (pairs_dir / "sketches/lamp/2_0.png").write_bytes(b"broken")
    text = parsed(report_page(evaluated(bundle, pairs_dir))).text
    assert "Without an embedding, so missed (3)" in text
    assert "sketches/lamp/1_0.png: the sketch is empty" in text


def test_pictures_made_elsewhere_have_a_section(tmp_path: Path, pairs_dir: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, pairs_dir)
    assert "Attention" not in report_page(report)
    folder = tmp_path / "maps"
    folder.mkdir()
    Image.new("RGB", (2400, 600), "red").save(folder / "teacher_&_students.png")
    pictures = read_pictures(folder)
    assert [picture.caption for picture in pictures] == ["teacher & students"]
    with Image.open(io.BytesIO(base64.b64decode(pictures[0].uri.partition(",")[2]))) as image:
        assert image.size == (1200, 300)
    outline = parsed(report_page(Report(**{**vars(report), "pictures": [*pictures, Picture("more", pictures[0].uri)]})))
    assert "Attention" in outline.text
    assert [tag[1]["alt"] for tag in outline.tags if tag[0] == "img"] == ["teacher & students", "more"]


def test_a_folder_without_pictures_or_with_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PicturesUnusable, match="0 pictures"):
        read_pictures(tmp_path / "nowhere")
    for number in range(25):
        Image.new("L", (2, 2)).save(tmp_path / f"{number}.png")
    with pytest.raises(PicturesUnusable, match="25 pictures"):
        read_pictures(tmp_path)


def many_categories(root: Path, count: int) -> Path:
    """One photo a category; every second sketch is drawn from the next one's photo."""
    rows = []
    for number in range(count):
        image = Image.new("L", (32, 32), 255)
        image.paste(0, (number % 8 * 4, number // 8 % 8 * 4, number % 8 * 4 + 4, number // 8 % 8 * 4 + 6))
        image.save(root / f"{number:02d}.png")
        rows.append(f"{number:02d}.png,{number - number % 2:02d}.png,kind{number - number % 2:02d},1,val")
    (root / "manifest.csv").write_text("sketch_path,photo_path,category,photo_id,split\n" + "\n".join(rows) + "\n")
    return root


def test_of_many_categories_the_middle_is_folded_away(tmp_path: Path, bundle: Bundle) -> None:
    report = evaluated(bundle, many_categories(tmp_path, 64))
    page = report_page(report)
    outline = parsed(page)
    assert "12 more categories" in outline.text
    assert page.count('<th scope="row">') == 32
    (evaluation,) = report.evaluations
    assert "no interval" in outline.text
    accuracy = {name: measured.figures.acc_at_1 for name, measured in evaluation.served.categories.items()}
    shown = worst_categories(evaluation)
    assert len(shown) == 5
    assert max(accuracy[name] for name in shown) <= min(accuracy[name] for name in accuracy if name not in shown)


def test_the_sample_is_like_the_whole_and_the_worst_are_the_worst(pairs_dir: Path, bundle: Bundle) -> None:
    (evaluation,) = evaluated(bundle, pairs_dir).evaluations
    assert sample(evaluation, 1) == sample(evaluation, 1) != sample(evaluation, 2)
    assert len(set(sample(evaluation, 1))) == 12
    ranks = evaluation.served.rankings.ranks
    for seed in range(20):
        drawn = ranks[sample(evaluation, seed)]
        assert (np.diff(drawn) >= 0).all()
        assert abs((drawn == 1).mean() - (ranks == 1).mean()) <= 1 / 12
    chosen = worst(evaluation)
    photos = [evaluation.records[row].photo for row in chosen]
    assert len(photos) == len(set(photos))
    assert ranks[chosen[0]] == ranks.max()
    assert (np.diff(ranks[chosen]) <= 0).all()
    assert ranks[chosen].min() > 1


def test_nothing_missed_shows_no_worst(tmp_path: Path, bundle: Bundle) -> None:
    root = many_categories(tmp_path, 2)
    rows = (root / "manifest.csv").read_text().splitlines()
    (root / "manifest.csv").write_text("\n".join(rows[:2]) + "\n")
    report = evaluated(bundle, root)
    assert isinstance(report.evaluations[0], Evaluation)
    assert "The worst" not in parsed(report_page(report)).text
