"""What a tag starts: that the tree is that release, whose actions run, and what each job may do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CHANGELOG = "# Changelog\n\n## 0.2.0 (2027-01-05)\n\n- **New**: a thing.\n\n## 0.1.0 (2026-12-01)\n\nThe first.\n"


def release(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / ".ci" / "release.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "release.py").write_text((ROOT / ".ci" / "release.py").read_text())
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "inkseek"\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_a_tag_of_this_version_with_a_dated_section_is_a_release(tree: Path) -> None:
    checked = release(tree, "check", "v0.2.0")
    assert (checked.returncode, checked.stderr.strip()) == (0, "")
    assert release(tree, "notes", "v0.2.0").stdout == "- **New**: a thing.\n"
    assert release(tree, "notes", "v0.1.0").stdout == "The first.\n"


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("0.2.0", "names no version"),
        ("v0.2", "names no version"),
        ("v0.2.0-final", "names no version"),
        ("v0.1.0", "pyproject.toml has version 0.2.0, not 0.1.0"),
        ("v0.3.0", "CHANGELOG.md has no section"),
    ],
)
def test_another_tag_is_none(tree: Path, tag: str, said: str) -> None:
    checked = release(tree, "check", tag)
    assert checked.returncode == 1
    assert said in checked.stderr


def test_a_section_without_a_day_is_not_released(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text(CHANGELOG.replace("2027-01-05", "unreleased"))
    checked = release(tree, "check", "v0.2.0")
    assert (checked.returncode, "'unreleased' for the day" in checked.stderr) == (1, True)
    assert release(tree, "notes", "v0.9.0").returncode == 1


def jobs(workflow: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    # One version of an action in all workflows, so that a reader compares nothing.
    everywhere = {found for path in WORKFLOWS for found in re.findall(r"uses: (\S+@\S+)", path.read_text())}
    assert len({action.split("@")[0] for action in everywhere}) == len(everywhere)


def test_what_writes_runs_for_a_tag_alone_and_after_the_checks() -> None:
    found = jobs(ROOT / ".github" / "workflows" / "release.yml")
    assert found["draft"]["if"] == "github.event_name == 'push'"
    assert set(found["draft"]["needs"]) == {"checks", "packages", "images"}
    assert found["checks"]["uses"] == "./.github/workflows/ci.yml"
    writing = {name: job["permissions"] for name, job in found.items() if "write" in job["permissions"].values()}
    assert writing.keys() == {"draft", "images"}
    (build,) = [step for step in found["images"]["steps"] if "build-push-action" in step.get("uses", "")]
    assert build["with"]["push"] == "${{ github.event_name == 'push' }}"
    assert (build["with"]["sbom"], build["with"]["provenance"]) == (True, "mode=max")


def test_every_runtime_of_every_image_is_built() -> None:
    matrix = jobs(ROOT / ".github" / "workflows" / "release.yml")["images"]["strategy"]["matrix"]
    files = {path.name.removesuffix(".Dockerfile") for path in (ROOT / "docker").glob("*.Dockerfile")}
    assert set(matrix["image"]) == files
    constraints = {path.stem.removeprefix("constraints-") for path in (ROOT / "docker").glob("constraints-*.txt")}
    assert set(matrix["runtime"]) == {"cpu", *constraints}


def test_no_expression_is_pasted_into_a_script() -> None:
    """A branch may be called `$(rm -rf .)`: values reach scripts by the environment."""
    for workflow in WORKFLOWS:
        for job in jobs(workflow).values():
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", ""), step
