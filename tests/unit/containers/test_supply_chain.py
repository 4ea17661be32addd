"""What is installed is what was pinned, and what was not checked for vulnerabilities is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ["service", "index_builder"]
PIN = re.compile(r"(?P<pin>[^\s#-]\S*==\S+) \\\n(?P<hashes>(?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def hashed(name: str) -> dict[str, str]:
    """Name -> version, each with a hash at least; every line is a pin, a hash or a comment."""
    text = (ROOT / "docker" / f"requirements-{name}.txt").read_text(encoding="utf-8")
    rest = "".join(line for line in PIN.sub("", text).splitlines() if line and not line.lstrip().startswith("#"))
    assert not rest
    pins = [Requirement(found["pin"]) for found in PIN.finditer(text)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


@pytest.mark.parametrize("name", [*IMAGES, "milvus", "ray", "s3", "build"])
def test_every_hashed_pin_is_the_tested_version(name: str) -> None:
    pins = hashed(name)
    assert pins
    assert pins.items() <= constraints().items()


@pytest.mark.parametrize("image", IMAGES)
def test_every_direct_requirement_of_an_image_is_hashed(image: str) -> None:
    """The rest is pip's to refuse: it installs nothing without a hash when one has one."""
    (extras,) = re.findall(r'requirements.py pyproject.toml (.*) "\$\{RUNTIME\}" >', dockerfile(image))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [project["optional-dependencies"][extra] for extra in [*extras.split(), "cpu"]]
    wanted = {canonicalize_name(Requirement(line).name) for line in sum(listed, project["dependencies"])}
    assert wanted <= hashed(image).keys()


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_installs_its_own_hashed_pins_and_builds_by_hash(image: str) -> None:
    text = dockerfile(image)
    assert f"cp requirements-{image}.txt requirements.txt && echo --require-hashes >> requirements.txt" in text
    assert "--require-hashes -r requirements-build.txt" in text
    assert "--require-hashes -r requirements-milvus.txt" in text
    assert "--require-hashes -r requirements-s3.txt" in text
    assert "--no-build-isolation" in text


@pytest.mark.parametrize("name", [*IMAGES, "milvus", "ray", "s3", "build"])
def test_no_pin_comes_from_a_named_place(name: str) -> None:
    text = (ROOT / "docker" / f"requirements-{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def dockerfile(image: str) -> str:
    return (ROOT / "docker" / f"{image}.Dockerfile").read_text(encoding="utf-8")


def audit(folder: Path, documents: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The report on two pins, after what pip-audit printed."""
    (folder / "pins.txt").write_text("# two\nsafe_one==1.0\nother==2.0\n")
    command = [sys.executable, str(ROOT / ".ci" / "known_vulnerabilities.py"), str(folder / "pins.txt"), *options]
    return subprocess.run(command, input=documents, capture_output=True, text=True, check=False, timeout=30)


def document(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []}) + "\n"


SAFE = {"name": "safe-one", "version": "1.0", "vulns": []}
OTHER = {"name": "other", "version": "2.0", "vulns": []}
SKIPPED = {"name": "other", "skip_reason": "Dependency not found"}
VULNERABLE = {"name": "other", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}


@pytest.mark.parametrize(
    ("documents", "exit_status", "strict_exit_status", "said"),
    [
        ([SAFE, OTHER], 0, 0, "0 in the 2 of 2 pins that were checked"),
        ([SAFE, SKIPPED], 0, 1, "could not ask about other 2.0"),
        ([SAFE], 0, 1, "could not ask about other 2.0"),
        ([], 0, 1, "could not ask; none of 2 pins was checked"),
        ([SAFE, VULNERABLE], 1, 1, "other 2.0: PYSEC-1, mended in 2.1"),
        ([VULNERABLE], 1, 1, "could not ask about safe-one 1.0"),
    ],
)
def test_what_could_not_be_asked_is_said(
    tmp_path: Path, documents: list[dict[str, object]], exit_status: int, strict_exit_status: int, said: str
) -> None:
    text = "".join(document(package) for package in documents)
    for options, expected in (((), exit_status), (("--must-answer",), strict_exit_status)):
        reported = audit(tmp_path, text, *options)
        assert (reported.returncode, reported.stderr) == (expected, "")
        assert said in reported.stdout


def test_what_is_no_answer_of_pip_audit_fails(tmp_path: Path) -> None:
    assert audit(tmp_path, "No known vulnerabilities found").returncode != 0
