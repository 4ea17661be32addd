"""The wheels: built from their sdists, complete, and all that a new environment needs for the demo."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from models.bundle import read_manifest, shipped_bundles
from tests.end_to_end.packages.started import clean_environment, serving

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = {"inkseek": ".", "inkseek_demo": "examples", "inkseek_client": "clients/python"}
PHOTOS = 48
SKETCH = "sketches/mug-drawing.png"


def run(command: Sequence[str | Path], **environment: str) -> str:
    """What it printed; AssertionError with all of it where it fails."""
    done = subprocess.run(
        command, env=clean_environment(**environment), capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout without what git ignores, and with few demo photos, so that they are quickly indexed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    copy = tmp_path_factory.mktemp("sources")
    with (ROOT / "examples" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    kept = rows[:: len(rows) // PHOTOS][:PHOTOS]
    photos = {f"examples/{row[0]}" for row in kept}
    for name in filter(None, listed.split("\0")):
        wanted = name in photos or not (name.startswith("examples/") and name.endswith(".jpg"))
        if wanted and not name.startswith(("tests/", "docs/", "benchmarks/")) and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    with (copy / "examples" / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *kept])
    return copy


@pytest.fixture(scope="module")
def wheels(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Built as `make wheels` builds them: name of the package -> its wheel."""
    dist = tmp_path_factory.mktemp("dist")
    for folder in PACKAGES.values():
        options = [
            "--no-config",
            "--offline",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            str(dist),
        ]
        run([sys.executable, "-m", "uv", "build", *options, sources / folder])
    found = {path.name.split("-")[0]: path for path in dist.glob("*.whl")}
    assert found.keys() == PACKAGES.keys()
    assert {path.name.split("-")[0] for path in dist.glob("*.tar.gz")} == PACKAGES.keys()
    return found


@pytest.fixture(scope="module")
def environment(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a new environment: the wheels, and the third parties of this one."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    run([sys.executable, "-m", "uv", "venv", "--offline", "--no-config", "--python", sys.executable, folder])
    python = str(folder / "bin" / "python")
    options = ["--offline", "--no-config", "--no-index", "--no-deps", "--python", python]
    run([sys.executable, "-m", "uv", "pip", "install", *options, *wheels.values()])
    # By its path alone a folder is searched last, and what is installed as editable there stays out.
    third_parties = [path for path in sys.path if Path(path).name == "site-packages"]
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "third_parties.pth").write_text("\n".join(third_parties) + "\n")
    return folder / "bin"


def names(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        return archive.namelist()


def metadata(wheel: Path) -> dict[str, list[str]]:
    with ZipFile(wheel) as archive:
        (file,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        parsed = Parser().parsestr(archive.read(file).decode())
    return {key: [str(value) for value in parsed.get_all(key, [])] for key in parsed}


def below(folder: str, *left_out: str) -> set[str]:
    """Tracked files of a folder of the checkout, as they are named in a wheel."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, check=True, text=True)
    found = {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    return {name for name in found if not name.endswith(left_out)}


def test_the_wheel_has_every_module_and_all_that_goes_with_them(wheels: dict[str, Path]) -> None:
    held = set(names(wheels["inkseek"]))
    for folder in ("service", "models", "index_builder"):
        assert below(folder, ".md") - held == set()  # what is read by people alone may stay behind
    assert {f"{folder}/py.typed" for folder in ("service", "models", "index_builder")} <= held
    for bundle in shipped_bundles():
        listed = json.loads((ROOT / "models" / "bundles" / bundle / "manifest.json").read_text())["files"]
        assert {f"models/bundles/{bundle}/{name}" for name in listed} <= held
    assert {"default", "small"} <= set(shipped_bundles())


def test_the_demo_wheel_has_what_its_manifest_lists_and_the_terms(wheels: dict[str, Path]) -> None:
    held = set(names(wheels["inkseek_demo"]))
    with ZipFile(wheels["inkseek_demo"]) as archive:
        rows = list(csv.DictReader(archive.read("inkseek_demo/manifest.csv").decode().splitlines()))
    assert len(rows) == PHOTOS
    assert {f"inkseek_demo/{row['photo_path']}" for row in rows} <= held
    (licences,) = {name.rsplit("/", 1)[0] for name in held if name.endswith("GPL-2.0.txt")}
    assert below("examples/LICENCES") == {
        f"examples/LICENCES/{name.rsplit('/', 1)[1]}" for name in held if licences in name
    }
    described = metadata(wheels["inkseek_demo"])
    assert {row["licence"] for row in rows} <= set(described["License-Expression"][0].split(" AND "))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert described["Requires-Dist"] == [f"inkseek[cpu,heif]=={version}"]


def test_a_wheel_has_no_tests_no_leftovers_and_no_path_of_the_machine_that_built_it(
    wheels: dict[str, Path], sources: Path
) -> None:
    for package, wheel in wheels.items():
        with ZipFile(wheel) as archive:
            tops = {name.split("/")[0] for name in archive.namelist()}
            assert {top for top in tops if not top.endswith(".dist-info")} == {
                "inkseek": {"inkseek.py", "index_builder", "models", "service"},
                "inkseek_demo": {"inkseek_demo"},
                "inkseek_client": {"inkseek_client"},
            }[package]
            for name in archive.namelist():
                assert not name.endswith((".pyc", ".pt", ".orig", "~")), name
                assert "tests" not in name.split("/"), name
                content = archive.read(name)
                assert os.fsencode(ROOT) not in content and os.fsencode(sources) not in content, name


def test_the_packages_are_typed_where_they_are_code(wheels: dict[str, Path]) -> None:
    assert "Typing :: Typed" in metadata(wheels["inkseek"])["Classifier"]
    assert "inkseek_client/py.typed" in names(wheels["inkseek_client"])


def test_installed_from_wheels_the_demo_is_indexed_served_and_searched(environment: Path, tmp_path: Path) -> None:
    inkseek = str(environment / "inkseek")
    home = {"HOME": str(tmp_path), "INKSEEK_WORKERS": "1", "OMP_NUM_THREADS": "1"}
    code = "import inkseek, inkseek_client, inkseek_demo; print(inkseek.__file__, inkseek_client.__file__)"
    for path in run([environment / "python", "-P", "-c", code], **home).split():
        assert Path(path).is_relative_to(environment.parent)
    with serving([inkseek, "demo", "--port", "0"], tmp_path, clean_environment(**home)) as address:
        assert (tmp_path / ".local/share/inkseek/demo-index/current").is_file()
        assert httpx.get(f"{address}v1/photos", params={"limit": 1000}, timeout=60).json()["total"] == PHOTOS
        assert "<canvas" in httpx.get(address, timeout=60).text
        sketch = str(ROOT / "examples" / SKETCH)
        answers = [
            json.loads(run([inkseek, "search", sketch, *where, "--json", "-k", "5"], **home))["results"]
            for where in (["--url", address], ["--index", str(tmp_path / ".local/share/inkseek/demo-index")])
        ]
        assert len(answers[0]) == 5
        assert answers[0] == answers[1]
        picture = httpx.get(f"{address.rstrip('/')}{answers[0][0]['image_url']}", timeout=60)
        assert picture.content == (ROOT / "examples" / path_of(answers[0][0]["photo_id"])).read_bytes()


def path_of(photo_id: str) -> str:
    with (ROOT / "examples" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return next(row["photo_path"] for row in csv.DictReader(file) if row["photo_id"] == photo_id)


def test_bundles_are_found_by_their_names_in_an_installed_wheel(environment: Path, tmp_path: Path) -> None:
    code = "from models.bundle import *; [print(name, read_manifest(name).bundle_id) for name in shipped_bundles()]"
    found = run([environment / "python", "-P", "-c", code], HOME=str(tmp_path)).splitlines()
    assert found == [f"{name} {read_manifest(name).bundle_id}" for name in shipped_bundles()]
