"""`inkseek index` as people and machines use it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from index_builder.artifact import GalleryIndex, layout
from index_builder.cli.index import app
from models.bundle import read_manifest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "index"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def build(photos: Path, out: Path, bundle: Path, *more: object) -> Result:
    return run("build", "--photos", photos, "--out", out, "--bundle", bundle, *more)


def document(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout."""
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed


def test_a_gallery_is_built_checked_shown_and_rolled_back(photos: Path, out: Path, tiny_bundle_dir: Path) -> None:
    (photos / "shoe" / "broken.jpg").write_bytes(b"no photo")
    first, second = (build(photos, out, tiny_bundle_dir) for _ in range(2))
    assert first.exit_code == second.exit_code == 0
    assert "not indexed: not_an_image" in first.stdout
    assert "report.jsonl" in first.stdout
    verified = run("verify", "--index", out, "--bundle", tiny_bundle_dir)
    assert (verified.exit_code, "6 photos" in verified.stdout) == (0, True)
    shown = run("inspect", "--index", out)
    assert shown.exit_code == 0
    for text in ("category shoe", "flat", "tiny", "published"):
        assert text in shown.stdout
    back = run("rollback", "--index", out)
    assert (back.exit_code, "published again" in back.stdout) == (0, True)
    assert GalleryIndex.load(out).version == layout.list_versions(out)[0]


def test_memory_and_recall_choose_the_kind(photos: Path, out: Path, tiny_bundle_dir: Path) -> None:
    exact = document(build(photos, out, tiny_bundle_dir, "--json", "--target-recall", 1, "--search-megabytes", 1))
    assert exact["search"]["kind"] == "flat"
    assert exact["cost"]["memory_per_photo"] == 4 * exact["embedding_dim"]
    codes = document(build(photos, out, tiny_bundle_dir, "--json", "--kind", "sq8"))
    assert (codes["search"]["kind"], codes["recall"]["queries"]) == ("sq8", "drawings")
    shown = run("inspect", "--index", out).stdout
    assert "on one thread" in shown
    assert "in memory to search" in shown


def test_machines_get_one_document(photos: Path, out: Path, tiny_bundle_dir: Path) -> None:
    built = document(build(photos, out, tiny_bundle_dir, "--json", "--kind", "hnsw"))
    assert (built["count"], built["search"]["kind"], built["recall"]["queries"]) == (6, "hnsw", "drawings")
    again = document(build(photos, out, tiny_bundle_dir, "--json"))
    shown = document(run("inspect", "--index", out, "--json"))
    assert shown["current"] == shown["version"] == again["version"]
    assert shown["versions"] == [built["version"], again["version"]]
    assert shown["categories"] == {"chair": 2, "shoe": 4}
    verified = document(run("verify", "--index", out, "--json", "--version", built["version"]))
    assert verified == {"version": built["version"], "ok": True, "count": 6, "problems": []}
    back = document(run("rollback", "--index", out, "--json"))
    assert (back["previous"], back["version"]) == (again["version"], built["version"])
    assert back["bundle_id"] == back["previous_bundle_id"] == built["bundle_id"]
    forth = document(run("rollback", "--index", out, "--json", "--to", again["version"]))
    assert forth["version"] == again["version"]


def test_failures_are_one_line_and_exit_code_1(photos: Path, out: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    failed = build(tmp_path / "nowhere", out, tiny_bundle_dir)
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "GalleryInvalid" in failed.stderr
    assert "Traceback" not in failed.output
    for command in ("verify", "inspect", "rollback"):
        failed = run(command, "--index", tmp_path / "nothing", "--json")
        assert failed.exit_code == 1
        assert document(failed)["error"] == "IndexNotFound"
    build(photos, out, tiny_bundle_dir)
    with (out / ".lock").open() as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert document(build(photos, out, tiny_bundle_dir, "--json"))["error"] == "BuildLocked"


def test_verify_finds_a_changed_byte_and_another_bundle(photos: Path, out: Path, tiny_bundle_dir: Path) -> None:
    build(photos, out, tiny_bundle_dir)
    (vectors,) = layout.segments_dir(out).glob(f"*/{layout.VECTORS}")
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x00")
    failed = run("verify", "--index", out, "--json")
    assert (failed.exit_code, document(failed)["error"]) == (1, "IndexCorrupt")
    assert document(failed).keys() == {"error", "detail", "what", "expected", "actual"}
    assert document(failed)["what"] == "sha256 of vectors.npy"


def test_a_missed_gate_has_its_own_exit_code(
    photos: Path, out: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    assert build(photos, out, tiny_bundle_dir, "--min-recall", 1.0).exit_code == 0
    published = layout.current_version(out)
    # Among photos that are all the same, exact search returns the first rows and a graph returns any.
    for copy in range(60):
        (photos / f"{copy}.jpg").write_bytes(draw_jpeg())
    missed = build(photos, out, tiny_bundle_dir, "--min-recall", 1.0, "--kind", "hnsw", "--json")
    assert (missed.exit_code, document(missed)["error"]) == (3, "RecallTooLow")
    assert document(missed)["measured"] < document(missed)["required"] == 1.0
    assert layout.current_version(out) == published


def test_a_rollback_to_another_bundle_says_so(
    photos: Path, out: Path, tiny_bundle_dir: Path, parted_bundle_dir: Path
) -> None:
    first = document(build(photos, out, tiny_bundle_dir, "--json"))
    second = document(build(photos, out, parted_bundle_dir, "--json"))
    back = run("rollback", "--index", out)
    assert back.exit_code == 0
    assert f"{first['version']} was made by another bundle, {first['bundle_id']}" in back.stdout
    assert f"keep answering from {second['version']}" in back.stdout
    forth = document(run("rollback", "--index", out, "--to", second["version"], "--json"))
    assert (forth["bundle_id"], forth["previous_bundle_id"]) == (second["bundle_id"], first["bundle_id"])


def test_an_update_that_would_wipe_the_gallery_is_stopped_until_it_is_meant(
    photos: Path, out: Path, tiny_bundle_dir: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    for number in range(24):
        (photos / f"{number}.jpg").write_bytes(draw_jpeg(100 + number))
    built = document(build(photos, out, tiny_bundle_dir, "--json"))
    for path in (photos / "shoe").iterdir():
        path.unlink()
    for number in range(8):
        (photos / f"{number}.jpg").unlink()
    update = ("update", "--index", out, "--bundle", tiny_bundle_dir)
    stopped = run(*update, "--json")
    assert (stopped.exit_code, document(stopped)["error"]) == (3, "TooManyDeleted")
    assert (document(stopped)["deleted"], document(stopped)["published"]) == (12, 30)
    told = run(*update)
    assert "12 of 30 published photos (40%)" in told.stderr
    assert "--max-deleted 100%" in told.stderr
    assert layout.current_version(out) == built["version"]
    assert run(*update, "--max-deleted", "39%").exit_code == 3
    meant = document(run(*update, "--max-deleted", "40%", "--json"))
    assert (meant["count"], meant["build"]["embedded"]) == (18, 0)


@pytest.mark.parametrize("text", ["20", "0.2", "120%", "-1%", "many", "%", "20% or so"])
def test_what_is_no_percentage_is_wrong_usage(photos: Path, out: Path, tiny_bundle_dir: Path, text: str) -> None:
    build(photos, out, tiny_bundle_dir)
    wrong = run("update", "--index", out, "--bundle", tiny_bundle_dir, "--max-deleted", text)
    assert (wrong.exit_code, "percentage" in wrong.stderr) == (2, True)


def test_a_shipped_bundle_goes_by_its_name(photos: Path, out: Path) -> None:
    built = document(run("build", "--photos", photos, "--out", out, "--bundle", "small", "--json"))
    assert built["bundle_id"] == read_manifest("small").bundle_id
    assert document(run("verify", "--index", out, "--bundle", "small", "--json"))["ok"] is True
    other = run("verify", "--index", out, "--bundle", "resnet18", "--json")
    assert (other.exit_code, document(other)["error"]) == (1, "BundleMismatch")


def test_an_unknown_bundle_is_answered_with_the_names_there_are(photos: Path, out: Path) -> None:
    failed = run("build", "--photos", photos, "--out", out, "--bundle", "tiny", "--json")
    assert (failed.exit_code, document(failed)["error"]) == (1, "BundleNotFound")
    assert "small" in document(failed)["detail"]
    assert not out.exists()


@pytest.mark.parametrize("arguments", [[], ["build"], ["build", "--kind", "magic"], ["verify"], ["nonsense"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
