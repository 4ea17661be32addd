"""What is told of trials: JSON, Markdown, HTML, and plots that show what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np

from models.evaluation.few_shot.charts import change_chart, share_chart
from models.evaluation.few_shot.figures import Share
from models.evaluation.few_shot.page import Page, adaptation_page
from models.evaluation.few_shot.protocol import Trial, Unit
from models.evaluation.few_shot.results import Result, document, markdown
from models.evaluation.intervals import Interval


def result() -> Result:
    tasks = np.repeat(np.arange(6), 5)
    worse, better = np.full((30, 2), 3), np.ones((30, 2), np.int64)
    better[:, 1] = 2
    names = ("<a>", "b", "c", "d", "e", "f")
    found = {("none", 1): worse, ("none", 5): worse, ("good", 1): worse, ("good", 5): better}
    trial = Trial("val <x>", Unit.CATEGORY, names, np.arange(30) // 2, tasks, tasks, found)
    return Result(trial, ("none", "good"), (1, 5), "none", 3)


def test_json_holds_every_arm_with_its_gain() -> None:
    told = document([result()])["val <x>"]
    assert (told["tasks"], told["queries"], told["intervals"]["of"]) == (6, 30, "categories")
    arms = {(arm["method"], arm["k"]): arm for arm in told["arms"]}
    assert set(arms) == {("none", 1), ("none", 5), ("good", 1), ("good", 5)}
    assert arms["good", 5]["task"]["acc_at_1"]["gain"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert arms["good", 5]["whole"]["acc_at_1"]["value"] == 0
    assert arms["good", 1]["task"]["acc_at_5"]["value"] == 1


def test_markdown_has_a_row_a_method() -> None:
    lines = markdown(result()).splitlines()
    assert lines[-1] == "| good | 0.0 / 100.0 | +0.0 [0.0, 0.0] | 0.0 | 100.0 / 100.0 | +100.0 [100.0, 100.0] | 0.0 |"
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


class Balanced(HTMLParser):
    """Checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_escapes_names() -> None:
    shares = [("0", Share(0.1, None)), ("1", Share(0.2, Interval(0.1, 0.3)))]
    shown = share_chart("Steps", "steps", shares, [("none", 0.0)])
    page = adaptation_page(Page([("Bundle", "<b>")], [result()], datetime.now(UTC), ("good", 5), [shown]))
    parser = Balanced()
    parser.feed(page.removeprefix("<!doctype html>"))
    assert not parser.open
    assert "<x>" not in page
    assert "<a>" not in page
    assert page.count("</title></circle>") == 6 + len(shares)  # each task before, each share
    assert "1: +20.0 points" in page
    assert "http" not in page  # needs nothing but itself


def test_a_share_is_drawn_in_points_with_its_interval_and_its_label() -> None:
    chart = share_chart("Steps", "steps", [("0", Share(0.1, None)), ("many", Share(-0.2, Interval(-0.3, 0.05)))])
    (series,) = chart.series
    assert [(point.y, point.interval) for point in series.points] == [(10, None), (-20, Interval(-30, 5))]
    assert dict(chart.x.ticks)[series.points[1].x] == "many"


def test_changes_are_in_the_order_of_what_was_gained() -> None:
    chart = change_chart(["cup", "owl", "tie"], [0.5, 0.2, 0.9], [0.4, 0.6, 0.9])
    before, after = chart.series
    assert [label for _, label in sorted(chart.y.ticks, reverse=True)] == ["owl", "tie", "cup"]
    names = dict(chart.y.ticks)
    assert {names[point.y]: (point.x, other.x) for point, other in zip(before.points, after.points, strict=True)} == {
        "cup": (50, 40),
        "owl": (20, 60),
        "tie": (90, 90),
    }
    assert [(begin.x, end.x) for begin, end in chart.links] == [(20, 60), (90, 90), (50, 40)]
