"""`inkseek adapters suggest`, `fit --from-feedback`, `export` and `import` on a real index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inkseek import app
from models.console import ExitCode
from service.config import Settings
from service.store.feedback.pairs import FeedbackStore

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings) -> Run:
    def invoke(*arguments: str, code: int = ExitCode.DONE, online: Path | None = None) -> Result:
        options = ["--index", str(settings.index), "--bundle", str(settings.bundle)]
        options += ["--online-dir", str(online or settings.online_folder)]
        result = CliRunner().invoke(app, ["adapters", *arguments, *options])
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def feedback(settings: Settings, draw: Callable[[str, int], bytes]) -> FeedbackStore:
    store = FeedbackStore(settings.online_folder)
    for number in (0, 2, 3):
        store.add("box", f"box/{number}.png", draw("box", number))
    return store


def documented(result: Result) -> Any:
    return json.loads(result.stdout)


def test_without_feedback_nothing_is_suggested(run: Run) -> None:
    assert documented(run("suggest", "--json")) == {"suggestions": []}
    assert "no category has feedback" in run("suggest").stdout


@pytest.mark.usefixtures("feedback")
def test_what_is_suggested_is_what_a_fit_does(run: Run) -> None:
    (found,) = documented(run("suggest", "--json"))["suggestions"]
    assert (found["category"], found["pairs"], found["photos"], found["problem"]) == ("box", 3, 3, None)
    assert documented(run("list", "--json")) == {"adapters": []}
    assert ("inkseek adapters fit 'box' --from-feedback" in run("suggest").stdout) is found["pays"]
    fitted = documented(run("fit", "box", "--from-feedback", "--json", "--force"))
    assert fitted["k"] == 3
    assert found["reason"] in fitted["reason"]


@pytest.mark.usefixtures("feedback")
def test_feedback_is_of_categories(run: Run) -> None:
    refused = run("fit", "ada", "--profile", "--from-feedback", "--json", code=ExitCode.FAILED)
    assert "feedback is of categories" in refused.output


@pytest.mark.usefixtures("feedback")
def test_an_adapter_is_carried_to_another_online_folder(run: Run, tmp_path: Path) -> None:
    made = documented(run("fit", "box", "--from-feedback", "--json", "--force"))
    file, there = tmp_path / "box.adapter", tmp_path / "there"
    written = documented(run("export", "box", made["adapter_id"], "--out", str(file), "--json"))
    assert written == {"adapter_id": made["adapter_id"], "file": str(file), "bytes": file.stat().st_size}
    copy = documented(run("import", str(file), "--json", online=there))
    assert (copy["category"], copy["state"], copy["k"]) == ("box", "idle", 3)
    assert "(version 2) is active" in run("import", str(file), "--activate", online=there).stdout
    assert "is no exported adapter" in run("import", __file__, "--json", code=ExitCode.FAILED, online=there).output
