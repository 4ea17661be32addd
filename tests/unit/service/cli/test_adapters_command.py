"""`inkseek adapters` on a real index: what it prints, what it stores, and the code that it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inkseek import app
from models.console import ExitCode
from service.cli.adapter_table import adapter_table
from service.config import Settings
from service.listening import page_address
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

Draw = Callable[[str, int], bytes]
Run = Callable[..., Result]


@pytest.fixture
def sketches(draw: Draw, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(draw("box", number))
    return paths


@pytest.fixture
def run(settings: Settings) -> Run:
    def invoke(*arguments: str, code: int = ExitCode.DONE) -> Result:
        options = ["--index", str(settings.index), "--bundle", str(settings.bundle)]
        options += ["--online-dir", str(settings.online_folder)]
        result = CliRunner().invoke(app, ["adapters", *arguments, *options])
        assert result.exit_code == code, result.output
        return result

    return invoke


def documented(result: Result) -> Any:
    return json.loads(result.stdout)


def pair(sketch: Path, photo: str) -> list[str]:
    return ["--pair", f"{sketch}={photo}"]


def test_a_deep_adapter_is_fitted_in_the_command(run: Run, sketches: list[Path], settings: Settings) -> None:
    pairs = [*pair(sketches[0], "box/0.png"), *pair(sketches[2], "box/2.png")]
    report = documented(run("fit", "box", *pairs, "--deep", "--dry-run", "--json"))
    assert (report["adapter_id"], report["method"], report["k"]) == (None, "deep", 2)
    assert not settings.online_folder.exists()
    fitted = documented(run("fit", "box", *pairs, "--deep", "--force", "--json"))
    (listed,) = documented(run("list", "box", "--json"))["adapters"]
    assert (listed["adapter_id"], listed["method"], listed["state"]) == (fitted["adapter_id"], "deep", "active")


def test_what_has_no_projection_to_tune(run: Run, sketches: list[Path], settings: Settings) -> None:
    style = run("fit", "ada", "--profile", *pair(sketches[0], "box/0.png"), "--deep", code=ExitCode.FAILED)
    assert "leave --deep out" in " ".join(style.output.split())
    upload = run("fit", "box", *pair(sketches[0], str(sketches[1])), "--deep", code=ExitCode.FAILED)
    assert "photo_id" in upload.output and not settings.online_folder.exists()


def test_fit_list_switch_and_delete(run: Run, sketches: list[Path], settings: Settings) -> None:
    pairs = [*pair(sketches[0], "box/0.png"), *pair(sketches[2], "box/2.png")]
    report = documented(run("fit", "box", *pairs, "--dry-run", "--json"))
    assert (report["adapter_id"], report["k"]) == (None, 2)
    assert not settings.online_folder.exists()
    first = documented(run("fit", "box", *pairs, "--force", "--json"))
    second = documented(run("fit", "box", *pairs, "--force", "--json"))
    listed = documented(run("list", "box", "--json"))["adapters"]
    assert [one["adapter_id"] for one in listed] == [second["adapter_id"], first["adapter_id"]]
    assert documented(run("rollback", "box", "--json")) == {"active": first["adapter_id"]}
    assert documented(run("activate", "box", second["adapter_id"], "--json"))["state"] == "active"
    assert documented(run("delete", "box", second["adapter_id"], "--json")) == {"deleted": second["adapter_id"]}
    assert documented(run("list", "--json"))["adapters"][0]["adapter_id"] == first["adapter_id"]
    assert documented(run("refit", "--json")) == {"adapters": [], "photos_encoded": 0}


def test_people_read_tables_and_sentences(run: Run, sketches: list[Path]) -> None:
    shown = run("fit", "box", *pair(sketches[1], "box/1.png"), "--force").stdout
    adapter_id = documented(run("list", "--json"))["adapters"][0]["adapter_id"]
    assert "category 'box'" in shown and adapter_id in shown
    assert adapter_id in run("list").stdout
    assert f"{adapter_id} (version 1) is active" in run("activate", "box", adapter_id).stdout
    assert "no adapter is active" in run("rollback", "box").stdout
    assert f"{adapter_id} is deleted" in run("delete", "box", adapter_id).stdout
    assert "0 adapters, 0 uploaded photos" in run("refit").stdout


def test_an_adapter_that_does_not_pass_the_gate_ends_with_its_own_code(run: Run, sketches: list[Path]) -> None:
    """Sketches with each other's photos: nothing that is fitted to them finds a photo by its drawing."""
    swapped = [*pair(sketches[0], "box/3.png"), *pair(sketches[1], "box/2.png"), *pair(sketches[3], "box/0.png")]
    report = documented(run("fit", "box", *swapped, "--dry-run", "--json"))
    passes = "would be activated" in report["reason"]
    stored = run("fit", "box", *swapped, "--json", code=ExitCode.DONE if passes else ExitCode.GATE_NOT_PASSED)
    assert documented(stored)["activated"] == passes
    assert documented(run("fit", "box", *swapped, "--force", "--json"))["activated"]


def test_examples_come_from_a_table_and_from_files(run: Run, sketches: list[Path], draw: Draw, tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("sketch,photo\n0.png,box/0.png\n1.png,3.png\n")
    extra = tmp_path / "further.png"
    extra.write_bytes(draw("cross", 0) + b"another file")
    adapter = documented(run("fit", "box", "--pairs", str(table), "--photo", str(extra), "--force", "--json"))
    assert adapter["k"] == 2
    assert 1 <= len(adapter["photos_added"]) <= 2  # 3.png may be the bytes of a photo that is indexed
    profile = documented(run("fit", "ada", "--profile", "--pairs", str(table), "--json", code=ExitCode.FAILED))
    assert profile["error"] == "SupportMismatch"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["fit", "box"], "SupportMismatch"),
        (["fit", "box", "--pair", "no equals sign"], "SupportMismatch"),
        (["fit", "box", "--pair", "/no/such/sketch.png=box/0.png"], "FileNotFoundError"),
        (["fit", " box", "--pair", "a=b"], "NameInvalid"),
        (["activate", "box", "adapter-9"], "AdapterNotFound"),
        (["delete", "box", "adapter-9"], "AdapterNotFound"),
        (["rollback", "cross"], "NothingToRollBack"),
        (["rollback", "ada", "--profile"], "NothingToRollBack"),
        (["list", " "], "NameInvalid"),
    ],
)
def test_what_is_wrong_ends_with_the_errors_name(run: Run, arguments: list[str], error: str) -> None:
    document = documented(run(*arguments, "--json", code=ExitCode.FAILED))
    assert document["error"] == error and document["detail"]
    assert error in run(*arguments, code=ExitCode.FAILED).output


def test_a_table_without_its_columns(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("drawing,picture\na,b\n")
    assert (
        "no columns sketch and photo"
        in documented(run("fit", "box", "--pairs", str(table), "--json", code=ExitCode.FAILED))["detail"]
    )


def test_refit_reports_what_it_could_not_fit(run: Run, settings: Settings, make_adapter: Any) -> None:
    store = OnlineStore(settings.online_folder, "bundle-old", 6)
    stale = store.add(make_adapter("box", bundle_id="bundle-old"), 9, 9)
    document = documented(run("refit", "--json", code=ExitCode.FAILED))
    (outcome,) = document["adapters"]
    assert (outcome["stale"], outcome["made"], outcome["examples_lost"]) == (stale.adapter_id, None, 2)
    assert "not fitted" in run("refit", code=ExitCode.FAILED).stdout
    assert store.state().active == {AdapterTarget("category", "box"): stale.adapter_id}


def test_the_table_names_both_scopes(settings: Settings, make_adapter: Any) -> None:
    store = OnlineStore(settings.online_folder, "bundle-a", 6)
    store.add(make_adapter("box"), 9, 9)
    store.add(make_adapter("ada", scope="profile"), 9, 9)
    table = adapter_table(store.list_adapters())
    assert list(table.columns[0].cells) == ["profile ada", "box"]
    assert list(table.columns[3].cells) == ["active", "active"]
    assert list(table.columns[5].cells) == ["0.750", "0.750"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:8000/"), ("0.0.0.0", "http://localhost:8000/"), ("::", "http://localhost:8000/"),
     ("", "http://localhost:8000/"), ("::1", "http://[::1]:8000/"), ("shop.example", "http://shop.example:8000/")],
)  # fmt: skip
def test_the_page_is_announced_by_an_address_for_browsers(host: str, expected: str) -> None:
    assert page_address(host, 8000) == expected
