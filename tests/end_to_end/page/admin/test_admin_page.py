"""The page of who runs the service: what it shows and changes, and whom it refuses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.config import Settings
from tests.end_to_end.page.admin.conftest import panel, with_key
from tests.end_to_end.page.conftest import serving
from tests.end_to_end.page.shapes import SHAPE_COUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.page.conftest import OpenContext

AXE = Path(__file__).resolve().parents[3] / "page_code" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary: why }) => `${id}: ${html.slice(0, 160)} ${why}`))"""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CATEGORY = "lines"

# The default of 5 s is short on a busy machine.
get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)


@pytest.fixture
def own_url(index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path) -> Iterator[str]:
    """A service without keys over a copy of the index, which may be rebuilt."""
    index = shutil.copytree(index_dir, tmp_path / "index", symlinks=True)
    settings = Settings(index=index, bundle=adaptive_bundle_dir, online_dir=tmp_path / "online", threads=1)
    with serving(create_app(settings)) as url:
        yield url


def fit(url: str, shape_file: Callable[[str], Path]) -> None:
    """An adapter of the lines, from two pairs, whatever the gate says."""
    photos = get(f"{url}/v1/photos", params={"category": CATEGORY}).json()["photos"][:2]
    files: list[tuple[str, Any]] = []
    for photo in photos:
        files.append(("sketch", shape_file(Path(photo["photo_id"]).stem).read_bytes()))
        files.append(("photo_id", (None, photo["photo_id"])))
    answer = post(f"{url}/v1/categories/{CATEGORY}/adapters", params={"force": "true"}, files=files)
    assert answer.status_code == 201, answer.text


def test_versions_and_jobs_are_shown_and_a_rebuild_is_queued(open_admin: Callable[..., Page], own_url: str) -> None:
    page = open_admin(own_url)
    [version] = get(f"{own_url}/v1/versions").json()["versions"]
    versions = panel(page, "Versions of the index")
    row = versions.get_by_role("listitem")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(version["version"])
    expect(row).to_contain_text("in service")
    expect(row).to_contain_text(f"{SHAPE_COUNT} photos · {version['segments']} segment")
    jobs = panel(page, "Jobs")
    expect(jobs.get_by_text("No job so far.")).to_be_visible()

    versions.get_by_role("button", name="Rebuild the index").click()
    expect(versions.get_by_text("A rebuild is queued.")).to_be_visible()
    expect(jobs.get_by_role("listitem")).to_contain_text("Index")
    [job] = get(f"{own_url}/v1/jobs").json()["jobs"]
    assert job["kind"] == "rebuild"
    # Only the page's own looks bring the end of the job onto it.
    expect(jobs.get_by_role("listitem")).to_contain_text(re.compile("done|failed"), timeout=120_000)


def test_a_waiting_job_is_cancelled(open_admin: Callable[..., Page], own_url: str) -> None:
    waiting = {
        "job_id": "job-0123456789ab", "kind": "photos", "state": "running", "stage": "", "done": 3, "total": 12,
        "failed": 1, "detail": "", "created_by": "ada", "created_at": "2026-11-20T11:02:19Z",
        "updated_at": "2026-11-20T11:02:23Z", "problems": [],
    }  # fmt: skip
    page = open_admin(own_url, "/docs")
    state = {"now": waiting}

    def cancel(route: Any) -> None:
        state["now"] = {**waiting, "state": "cancelled"}
        route.fulfill(json=state["now"])

    page.route("**/v1/jobs", lambda route: route.fulfill(json={"jobs": [state["now"]]}))
    page.route("**/v1/jobs/job-0123456789ab:cancel", cancel)
    page.goto("/admin")
    row = panel(page, "Jobs").get_by_role("listitem")
    expect(row).to_contain_text("3 of 12 · 1 failed")
    expect(row.get_by_role("progressbar", name="Photos")).to_have_js_property("value", 3)
    button = row.get_by_role("button", name="Cancel job-0123456789ab")
    button.focus()
    with page.expect_response("**/v1/jobs"), page.expect_response("**/v1/jobs"):
        pass
    expect(button).to_be_focused()  # looking again takes nothing away
    page.keyboard.press("Enter")
    expect(row).to_contain_text("cancelled")
    expect(row.get_by_role("button")).to_have_count(0)
    expect(panel(page, "Jobs").get_by_role("list")).to_be_focused()


def test_metrics_are_those_of_the_service(open_admin: Callable[..., Page], own_url: str) -> None:
    page = open_admin(own_url)
    figures = panel(page, "Right now")
    # What was counted before the first look is of no minute.
    expect(figures.locator(".figure", has_text="Ready")).to_contain_text("yes")
    photo = get(f"{own_url}/v1/photos").json()["photos"][0]["photo_id"]
    picture = get(f"{own_url}/v1/photos/{photo}?view=thumbnail").content
    for _ in range(3):
        assert post(f"{own_url}/v1/search", content=picture).status_code == 200
    # The next look counts them; a page that is shown again looks at once.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tile = figures.locator(".figure", has_text="Search, median")
    expect(tile).to_contain_text("3 searches in the last minute")
    expect(tile.locator(".figure-value")).to_have_text(re.compile(r"^[\d.,]+ ms$"))
    expect(figures.locator(".figure", has_text="Encoder, median").locator(".figure-value")).to_have_text(
        re.compile(r"^[\d.,]+ ms$")
    )
    expect(figures.locator(".figure", has_text="Requests per second").locator(".figure-value")).to_have_text(
        re.compile(r"^[\d.,]+$")
    )
    expect(figures.locator(".figure", has_text="Ready").locator(".figure-value")).to_have_text("yes")
    expect(figures.locator(".figure", has_text="Age of the index")).to_contain_text(f"{SHAPE_COUNT} photos")
    expect(figures.locator(".figure", has_text="Model runs on")).to_contain_text("CPU")


def test_adapters_show_before_and_after_and_are_switched(
    open_admin: Callable[..., Page], own_url: str, shape_file: Callable[[str], Path]
) -> None:
    fit(own_url, shape_file)
    [adapter] = get(f"{own_url}/v1/categories/{CATEGORY}/adapters").json()["adapters"]
    page = open_admin(own_url)
    adapters = panel(page, "Adapters")
    expect(adapters.get_by_text("1 category or drawing style has adapters.")).to_be_visible()
    expect(adapters.get_by_label("Adapters of", exact=True).locator("option:checked")).to_have_text("Category: lines")
    row = adapters.get_by_role("listitem")
    expect(row).to_contain_text("Version 1")
    expect(row).to_contain_text("Active")
    for name, key in (("Before", "before"), ("After", "after")):
        meter = row.get_by_role("meter", name=name)
        expect(meter).to_have_js_property("value", adapter["leave_one_out"][key]["acc_at_1"])

    row.get_by_role("button", name="Deactivate version 1").click()
    expect(row.get_by_role("button", name="Activate version 1", exact=True)).to_be_visible()
    assert get(f"{own_url}/v1/categories/{CATEGORY}/adapters").json()["active"] is None
    row.get_by_role("button", name="Activate version 1", exact=True).click()
    expect(row.get_by_role("button", name="Deactivate version 1")).to_be_visible()
    assert get(f"{own_url}/v1/categories/{CATEGORY}/adapters").json()["active"] == adapter["adapter_id"]

    row.get_by_role("button", name="Delete version 1", exact=True).click()
    assert get(f"{own_url}/v1/categories/{CATEGORY}/adapters").json()["adapters"]  # the first press asks
    row.get_by_role("button", name="Really delete version 1").click()
    expect(adapters.get_by_text("No adapter here.")).to_be_visible()
    assert get(f"{own_url}/v1/categories/{CATEGORY}/adapters").json()["adapters"] == []


def test_neighbours_are_those_of_the_service(open_admin: Callable[..., Page], own_url: str) -> None:
    page = open_admin(own_url)
    neighbours = panel(page, "Neighbours of a photo")
    thumbs = neighbours.get_by_role("listitem").get_by_role("button")
    expect(thumbs).to_have_count(min(12, SHAPE_COUNT))
    first = get(f"{own_url}/v1/photos").json()["photos"][0]["photo_id"]
    thumbs.first.click()
    expect(neighbours.get_by_label("Photo id, or press a photo")).to_have_value(first)
    expect(thumbs.first).to_have_attribute("aria-current", "true")
    alike = get(f"{own_url}/v1/photos/{first}", params={"view": "similar", "k": 12}).json()["results"]
    expect(thumbs).to_have_count(1 + len(alike))
    for place, hit in enumerate(alike, 1):
        expect(thumbs.nth(place)).to_contain_text(f"{hit['photo_id']} · {hit['score']:.2f}")
    page.wait_for_function("() => [...document.querySelectorAll('.thumb img')].every((one) => one.naturalWidth)")

    neighbours.get_by_label("Photo id, or press a photo").fill("nowhere.png")
    page.keyboard.press("Enter")
    expect(neighbours.get_by_role("status")).to_contain_text("nowhere.png")


def test_a_key_for_searching_is_refused(open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]]) -> None:
    url, keys = locked
    page = open_admin(url)
    with_key(page, keys["searching"])
    refusal = page.get_by_role("alert")
    expect(refusal.get_by_text("This page needs a key with the scope admin")).to_be_visible()
    expect(refusal.get_by_text("the scope 'admin' is missing")).to_be_visible()
    expect(refusal.get_by_text("inkseek keys create NAME --index INDEX --scope admin")).to_be_visible()
    expect(page.get_by_role("region")).to_have_count(0)
    # Another key opens it.
    page.get_by_role("button", name="API key").click()
    with_key(page, keys["all"])
    expect(panel(page, "Versions of the index").get_by_role("listitem")).to_contain_text("in service")
    expect(panel(page, "Keys and quotas")).to_contain_text("adapt, admin, search, write")
    page.wait_for_function("() => [...document.querySelectorAll('.thumb img')].some((one) => one.naturalWidth)")


def test_a_key_for_metrics_sees_them_and_is_told_what_the_rest_needs(
    open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]]
) -> None:
    url, keys = locked
    page = open_admin(url)
    with_key(page, keys["monitoring"])
    expect(panel(page, "Right now").locator(".figure", has_text="Ready")).to_contain_text("yes")
    needed = {"Versions of the index": "write", "Jobs": "write", "Adapters": "adapt", "Neighbours of a photo": "search"}
    for name, scope in needed.items():
        expect(panel(page, name).get_by_role("status")).to_have_text(
            re.compile(f"needs a key with the scope ({scope}|search), too")
        )
    expect(page.get_by_role("button", name="Rebuild the index")).to_be_hidden()


def test_it_has_the_headers_of_the_drawing_page(service_url: str) -> None:
    drawing, admin = (get(f"{service_url}{path}") for path in ("/", "/admin"))
    assert admin.status_code == 200
    for name in ("content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy", "vary"):
        assert admin.headers[name] == drawing.headers[name]
    assert get(f"{service_url}/admin", headers={"Accept-Language": "de"}).headers["content-language"] == "de"


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "de")])
def test_nothing_is_wider_than_a_phone(
    open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]], scheme: str, language: str
) -> None:
    url, keys = locked
    page = open_admin(url, f"/admin?lang={language}", color_scheme=scheme, **PHONE)
    page.evaluate("key => localStorage.setItem('inkseek.api-key', key)", keys["searching"])
    page.reload()
    expect(page.get_by_role("alert").locator("code")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.evaluate("key => localStorage.setItem('inkseek.api-key', key)", keys["all"])
    page.reload()
    expect(page.locator("#versions-list .row")).to_have_count(1)
    expect(page.locator("#neighbours-list .thumb").first).to_be_visible()
    expect(page.locator("#metrics-figures .figure").first).to_be_visible()
    expect(page.locator("#adapters-target")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.evaluate(
        "[...document.querySelectorAll('header a, button, main select, main input:not([type=checkbox]), .choice')]"
        ".filter((one) => one.offsetParent"
        " && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"
    )
    assert small == []


@pytest.mark.skipif(not AXE.exists(), reason="`make check-page` installs axe-core")
def test_axe_finds_nothing_on_the_admin_page(
    open_admin: Callable[..., Page], own_url: str, shape_file: Callable[[str], Path]
) -> None:
    fit(own_url, shape_file)
    page = open_admin(own_url, color_scheme="dark", **PHONE)
    expect(panel(page, "Adapters").get_by_role("meter")).to_have_count(2)
    panel(page, "Neighbours of a photo").get_by_role("listitem").get_by_role("button").first.click()
    expect(page.locator(".thumb.is-query")).to_be_visible()
    page.evaluate(f"() => {{ {AXE.read_text(encoding='utf-8')} }}")  # not as an element: the content policy forbids it
    assert page.evaluate(RUN) == []


def test_the_drawing_page_leads_to_it(open_context: OpenContext, own_url: str) -> None:
    page = open_context(base_url=own_url).new_page()
    page.goto("/?gallery=default")
    page.get_by_role("button", name="Jobs and versions").click()
    page.get_by_role("link", name="Administration").click()
    expect(page).to_have_url(f"{own_url}/admin?gallery=default")
    expect(panel(page, "Jobs")).to_be_visible()


def test_figures_are_read_as_prometheus_reads_them(open_admin: Callable[..., Page], service_url: str) -> None:
    """Against the parser of prometheus_client, and a quantile by hand from the counts of each bucket."""
    registry = CollectorRegistry()
    rejected = Counter("inkseek_rejected", "", ["reason"], registry=registry)
    rejected.labels('odd "one"\\ \n{x="y"} 3').inc(2)
    rejected.labels("queue_full").inc(5)
    seconds = Histogram("inkseek_request_seconds", "", ["route"], buckets=(0.01, 0.1, 1.0), registry=registry)
    early = [0.005, 0.05]
    late = [0.002, 0.02, 0.03, 0.04, 0.5, 0.7, 3.0, 4.0]
    for value in early:
        seconds.labels("/v1/search").observe(value)
    before = generate_latest(registry).decode()
    for place, value in enumerate(late):
        seconds.labels(("/v1/search", "/v1/search:batch")[place % 2]).observe(value)
    seconds.labels("/metrics").observe(0.5)
    now = generate_latest(registry).decode()

    page = open_admin(service_url)
    parsed = page.evaluate(
        """async (text) => {
          const { parseExposition } = await import("/page/js/admin/exposition.js");
          return [...parseExposition(text)].flatMap(([name, samples]) =>
            samples.map(({ labels, value }) => [name, Object.entries(labels).sort(), String(value)]));
        }""",
        now,
    )
    expected = [
        (sample.name, sorted([name, value] for name, value in sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(now)
        for sample in family.samples
    ]
    assert sorted((name, labels, float(value)) for name, labels, value in parsed) == sorted(expected)

    traffic = page.evaluate(
        """async ([now, before]) => {
          const { parseExposition } = await import("/page/js/admin/exposition.js");
          const { trafficOf } = await import("/page/js/admin/figures.js");
          return trafficOf(parseExposition(now), { exposition: parseExposition(before), secondsAgo: 4 });
        }""",
        [now, before],
    )
    assert traffic["searches"] == len(late)
    # Of eight, one is at most 10 ms, four at most 100 ms: the median ends the second bucket.
    assert traffic["medianMs"] == pytest.approx(100)
    assert traffic["slowMs"] == pytest.approx(1000)  # beyond the last bound, that bound
    assert traffic["rejected"] == 7
    assert traffic["rejectedNow"] == 0
    assert traffic["reasons"][0] == ["queue_full", 5]
