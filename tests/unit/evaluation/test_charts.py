"""Charts: what is drawn lies where the axes say, is told in words, and can be told apart without colour."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.intervals import Interval
from models.evaluation.report.axes import Axis, Scale, power_ticks, round_ticks
from models.evaluation.report.charts import (
    Chart,
    Point,
    Series,
    bar_svg,
    chart_svg,
    charts_svg,
    description,
    in_percent,
)

MARK = re.compile(r'<circle class="mark[^"]*" [^>]*cx="([\d.]+)" cy="([\d.]+)"><title>')
TICK = re.compile(r'<text x="[\d.]+" y="([\d.]+)" text-anchor="end">([-+\d.]+)</text>')


def line(*values: tuple[float, float], name: str = "line") -> Series:
    return Series(name, [Point(x, y) for x, y in values])


def heights(svg: str) -> dict[float, float]:
    """Height of each tick of the y axis, by its value."""
    return {float(label): float(y) - 4 for y, label in TICK.findall(svg)}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (41.2, 63.9), (0.07, 0.071), (5, 5), (0, 12345), (-3, 4)])
def test_ticks_are_few_and_enclose_the_values(low: float, high: float) -> None:
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 7
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= high - 1e-9
    steps = {round(b - a, 9) for a, b in itertools.pairwise(ticks)}
    assert len(steps) == 1


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2.8, 12.9), (0.55, 2.8), (16, 16.5)])
def test_powers_of_two_enclose_the_values(low: float, high: float) -> None:
    ticks = power_ticks(low, high)
    assert ticks[0] <= low <= high <= ticks[-1]
    assert all(b == 2 * a for a, b in itertools.pairwise(ticks))


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_scale_keeps_the_order_and_its_margin(first: float, second: float, value: float) -> None:
    scale = Axis(margin=0.1).scale([first, second, value])
    assert 0.1 - 1e-9 <= scale.share(value) <= 0.9 + 1e-9
    assert (scale.share(first) <= scale.share(second)) == (first <= second) or first == pytest.approx(second)


def test_a_scale_of_one_value_has_it_in_the_middle() -> None:
    assert Scale(3.0, 3.0).share(3.0) == 0.5
    assert Axis(ticks=[(2.0, "two")], log=True, margin=0.06).scale([2.0]).share(2.0) == 0.5


def test_points_lie_where_their_values_are_on_both_kinds_of_axes() -> None:
    values = [(1, 10.0), (10, 20.0), (100, 15.0)]
    ticks = [(x, str(x)) for x, _ in values]
    svg = chart_svg(Chart("t", Axis("x", ticks, log=True), Axis(), [line(*values, name="<a>")]))
    assert "&lt;a&gt;: 10 at 1" in svg
    places = [(float(x), float(y)) for x, y in MARK.findall(svg)]
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    by_value = heights(svg)
    (low, bottom), (high, top) = min(by_value.items()), max(by_value.items())
    for (_, value), (_, y) in zip(values, places, strict=True):
        assert low + (bottom - y) / (bottom - top) * (high - low) == pytest.approx(value, abs=0.05)


def test_levels_and_intervals_are_inside_the_axis() -> None:
    points = [Point(0, 41.0), Point(1, 44.0, Interval(39.0, 46.0)), Point(2, 52.0)]
    chart = Chart(
        "Steps", Axis("steps", [(0, "0"), (1, "1"), (2, "2")]), Axis(), [Series("", points)], [("none", 37.5)]
    )
    svg = chart_svg(chart)
    by_value = heights(svg)
    assert min(by_value) <= 37.5
    assert max(by_value) >= 52
    assert svg.count('class="whisker"') == 1
    level = re.search(r'class="level"[^>]* y1="([\d.]+)"', svg)
    assert level
    scale = (by_value[max(by_value)] - by_value[min(by_value)]) / (max(by_value) - min(by_value))
    assert float(level.group(1)) == pytest.approx(by_value[min(by_value)] + scale * (37.5 - min(by_value)), abs=0.1)


def test_a_band_goes_up_one_side_and_down_the_other() -> None:
    points = [Point(k, 50.0, Interval(50 - k, 50 + 2 * k)) for k in (1, 2, 3)]
    svg = chart_svg(Chart("t", Axis("k"), Axis(), [Series("", points, band=True, marked=(1, 3))]))
    assert "whisker" not in svg
    (corners,) = re.findall(r'<polygon class="band"[^>]*points="([^"]*)"', svg)
    ys = [float(corner.split(",")[1]) for corner in corners.split()]
    assert ys[:3] == sorted(ys[:3], reverse=True)  # the upper ends rise
    assert ys[3:] == sorted(ys[3:], reverse=True)  # the lower ones, read from the right, too
    assert len(MARK.findall(svg)) == 2


def test_a_line_goes_through_the_mean_of_points_that_share_an_x() -> None:
    svg = chart_svg(Chart("t", Axis("x"), Axis(), [line((1, 10), (1, 20), (2, 15))]))
    (path,) = re.findall(r'<polyline [^>]*points="([^"]*)"', svg)
    (_, first), (_, second) = (corner.split(",") for corner in path.split())
    assert first == second


def test_series_differ_by_marker_and_dashes_and_not_by_colour_alone() -> None:
    series = [line((0, n), (1, n + 1), name=f"s{n}") for n in range(6)]
    svg = charts_svg([Chart("t", Axis("x"), Axis(), series)])
    root = ElementTree.fromstring(svg)
    looks = []
    lines = [element for element in root.iter() if element.tag.endswith("polyline")]
    marks = [e for e in root.iter() if "mark" in e.get("class", "") and len(e)]
    for number, drawn in enumerate(lines):
        corners = len((marks[2 * number].get("points") or "").split())
        looks.append((drawn.get("stroke-dasharray"), corners))
    assert len(set(looks)) == len(series)
    assert [f"s{n}" in svg for n in range(6)] == [True] * 6


def test_a_file_needs_nothing_but_itself_and_has_each_chart() -> None:
    charts = [Chart(f"chart {n}", Axis("x"), Axis(), [line((0, 1), (1, 2))], titled=True, legend=True) for n in (1, 2)]
    svg = charts_svg(charts)
    root = ElementTree.fromstring(svg)
    assert (root.get("width"), root.get("height")) == ("800", f"{charts[0].outer_px:.0f}")
    assert "prefers-color-scheme: dark" in svg
    assert not re.findall(r"url\(|@import|href", svg)
    assert [f">chart {n}</text>" in svg for n in (1, 2)] == [True, True]


def test_a_chart_is_told_in_words() -> None:
    chart = Chart("sizes", Axis("MB"), Axis(), [Series("", [Point(2, 5, label="A"), Point(3, 4)])], value="{:.1f} %")
    assert description(chart) == "sizes: A: 5.0 % at 2, 3: 4.0 %"
    many = Chart("curve", Axis("k"), Axis(), [line(*((k, k) for k in range(30)))])
    assert description(many) == "curve: line: 0 at 0, line: 29 at 29"
    rows = Chart("rows", Axis(), Axis(ticks=[(-1, "cup")]), [line((70, -1), name="after")], horizontal=True)
    assert description(rows) == "rows: after: 70 at cup"


def test_a_bar_is_as_long_as_its_share() -> None:
    plain, bounded = bar_svg(0.25, None), bar_svg(0.25, Interval(0.2, 0.4))
    assert 'width="25.0"' in plain
    assert "extent" not in plain
    assert [float(x) for x in re.findall(r'class="extent" x1="([\d.]+)"', bounded)] == [20, 20, 40]
    for svg in (plain, bounded):
        ElementTree.fromstring(svg)
    assert in_percent(Interval(0.1, 0.25)) == Interval(10.0, 25.0)
    assert in_percent(None) is None
