"""What stands around the code: metadata, workflow, hooks, citation."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ["index_builder", "models", "service"]
# A module is usually named as its distribution is; these are not.
DISTRIBUTIONS = {
    "opentelemetry": "opentelemetry-sdk",
    "PIL": "pillow",
    "faiss": "faiss-cpu",
    "google": "protobuf",
    "resvg_py": "resvg-py",
}
# They come with a dependency that pins them: starlette with fastapi, grpc with pymilvus, and so on.
CARRIED = {"starlette", "pydantic_core", "python_multipart", "anyio", "click", "typing_extensions", "onnx_ir", "grpc"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def third_party_imports(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = (name or "").split(".")[0]
                if top not in sys.stdlib_module_names and top not in PACKAGES:
                    yield top, path


def distributions(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    named = [Requirement(line) for line in lines]
    inherited = {extra for requirement in named if requirement.name == PROJECT["name"] for extra in requirement.extras}
    return {r.name.lower() for r in named} | (distributions(*inherited) if inherited else set())


def missing(folders: list[str], *extras: str) -> set[str]:
    installed = distributions(*extras)
    imports = {(top, path) for folder in folders for top, path in third_party_imports(ROOT / folder)}
    return {
        f"{top} in {path.relative_to(ROOT)}"
        for top, path in imports
        if top not in CARRIED and DISTRIBUTIONS.get(top, top.replace("_", "-")).lower() not in installed
    }


def test_the_extra_for_serving_has_all_that_serving_imports() -> None:
    assert not missing(
        ["service", "index_builder", "models/bundle", "models/adapters"],
        "cpu",
        "parquet",
        "s3",
        "milvus",
        "ray",
        "client",
        "otel",
    )


def test_the_extra_for_training_has_all_that_is_imported_anywhere() -> None:
    assert not missing(PACKAGES, "train", "parquet", "s3", "milvus", "ray", "client", "otel")


def test_an_extra_that_lacks_something_is_noticed() -> None:
    assert any(line.startswith("torch in models/") for line in missing(PACKAGES, "cpu", "parquet"))


def test_the_python_client_is_released_with_the_service_and_names_what_it_imports() -> None:
    folder = ROOT / "clients" / "python"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["version"], project["license"]) == (PROJECT["version"], PROJECT["license"])
    lines = [*project["dependencies"], *project["optional-dependencies"]["progress"]]
    imported = {top for top, _ in third_party_imports(folder / "inkseek_client")} - {"inkseek_client"}
    assert imported == {Requirement(line).name for line in lines}


def test_the_npm_package_is_released_with_the_service_and_depends_on_nothing() -> None:
    package = json.loads((ROOT / "clients" / "typescript" / "package.json").read_text(encoding="utf-8"))
    assert (package["version"], package["license"]) == (PROJECT["version"], PROJECT["license"])
    assert not package.keys() & {"dependencies", "optionalDependencies"}
    # What `./local` runs the encoder with is the application's choice, and nobody else needs it.
    peers = package["peerDependenciesMeta"]
    assert package["peerDependencies"].keys() == {name for name, about in peers.items() if about["optional"]}


def test_one_version_is_said_everywhere() -> None:
    """What is released together has one number; docs/howto/release.md lists these places."""
    version = PROJECT["version"]
    demo = tomllib.loads((ROOT / "examples" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chart = yaml.safe_load((ROOT / "deploy" / "helm" / "inkseek" / "Chart.yaml").read_text(encoding="utf-8"))
    assert {demo["version"], chart["version"], chart["appVersion"]} == {version}
    assert demo["dependencies"] == [f"inkseek[cpu,heif]=={version}"]
    locked = json.loads((ROOT / "examples" / "next_shop" / "package-lock.json").read_text(encoding="utf-8"))
    assert locked["packages"]["../../clients/typescript"]["version"] == version
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None and newest[1] == version


def test_no_tracked_file_has_the_address_of_a_package_registry() -> None:
    hosts = [".".join(parts) for parts in (("registry", "npmjs"), ("pypi", "org"), ("pythonhosted", "org"))]
    holders = []
    for path in tracked_files():
        text = path.read_bytes() if path.is_file() else b""
        holders += [path.name for host in hosts if host.encode() in text]
    assert not holders


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize(
    "path", [".ci/run", ".github/workflows/ci.yml", ".github/workflows/release.yml", ".pre-commit-config.yaml"]
)
def test_what_runs_for_every_change_runs_words_of_the_makefile(path: str) -> None:
    chores = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    words = re.findall(r"\bmake ([a-z-]+)", (ROOT / path).read_text(encoding="utf-8"))
    assert words
    assert set(words) <= chores


def test_the_workflow_checks_and_tests() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    runs = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    assert {"make check", "make coverage"} <= runs


def test_every_form_and_configuration_of_the_forge_is_valid_yaml() -> None:
    for path in [*(ROOT / ".github").rglob("*.yml"), ROOT / "CITATION.cff", ROOT / ".pre-commit-config.yaml"]:
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict), path
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= form.keys()
        assert all("label" in field["attributes"] for field in form["body"] if field["type"] != "markdown")


def test_the_dependency_bot_looks_where_dependencies_are() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    manifests = {"pip": "pyproject.toml", "npm": "package.json", "docker": "*.Dockerfile"}
    for update in updates:
        pattern = manifests.get(update["package-ecosystem"], ".github/workflows/*.yml")
        assert list((ROOT / update["directory"].lstrip("/")).glob(pattern)), update


def test_the_citation_has_the_version_and_both_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    papers = {identifier["value"] for paper in citation["references"] for identifier in paper["identifiers"]}
    assert papers == {"arXiv:2210.10486", "arXiv:2207.01723"}
