"""What the containers are made of, as far as it can be tried without a Docker engine."""

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from models.bundle import shipped_bundles

ROOT = Path(__file__).resolve().parents[3]


def script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(ROOT / "docker" / name), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers /readyz with this status, and anything else with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1), (404, 1)])
def test_the_health_check_is_what_readyz_says(status: int, exit_status: int) -> None:
    with answering(status) as port:
        checked = script("healthcheck.py", INKSEEK_PORT=str(port))
    assert (checked.returncode, checked.stderr) == (exit_status, "")
    assert checked.stdout.startswith(str(status))


def test_the_health_check_fails_where_nothing_answers() -> None:
    with answering(200) as port:
        pass
    checked = script("healthcheck.py", INKSEEK_PORT=str(port))
    assert (checked.returncode, checked.stderr) == (1, "")
    assert checked.stdout.startswith(f"no answer on port {port}")


@pytest.mark.parametrize("runtime", ["cpu", "gpu12", "gpu"])
def test_requirements_are_the_base_and_the_extra(runtime: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = script("requirements.py", str(ROOT / "pyproject.toml"), runtime).stdout.splitlines()
    listed = [line for line in lines if not line.startswith("--constraint ")]
    assert listed == project["dependencies"] + project["optional-dependencies"][runtime]
    assert all(Requirement(line).name != "torch" for line in listed)


@pytest.mark.parametrize("runtime", ["cpu", "gpu12", "gpu"])
def test_every_requirement_is_held_to_one_version_that_it_allows(runtime: str) -> None:
    lines = script("requirements.py", str(ROOT / "pyproject.toml"), runtime).stdout.splitlines()
    files = [ROOT / "constraints.txt"]
    files += [Path(line.removeprefix("--constraint ")) for line in lines if line.startswith("--constraint ")]
    pins = [Requirement(line) for file in files for line in file.read_text().splitlines() if not line.startswith("#")]
    for wanted in (Requirement(line) for line in lines if not line.startswith("--constraint ")):
        (held,) = [pin for pin in pins if pin.name.replace("_", "-") == wanted.name]
        (version,) = held.specifier
        assert version.operator == "=="
        assert wanted.specifier.contains(version.version)


def test_every_variable_of_the_compose_file_is_documented() -> None:
    variables = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docker" / "README.md").read_text()))
    assert variables <= documented


def default_of(variable: str) -> set[str]:
    """What the compose file takes where a variable is not set."""
    return set(re.findall(rf"\$\{{{variable}:?-([^}}]*)\}}", (ROOT / "docker-compose.yml").read_text()))


def test_the_demo_is_indexed_with_its_manifest() -> None:
    """As the README says: `docker compose up`, and nothing set."""
    (gallery,) = default_of("GALLERY_DIR")
    (manifest,) = default_of("GALLERY_MANIFEST")
    assert (ROOT / gallery / manifest).is_file()
    # `:-` would take the demo's manifest for an empty one, which stands for the folder as it is.
    assert "${GALLERY_MANIFEST:-" not in (ROOT / "docker-compose.yml").read_text()


def test_both_containers_have_the_same_bundle() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    (name,) = default_of("BUNDLE")
    (folder,) = default_of("BUNDLE_DIR")
    assert name in shipped_bundles()
    assert (ROOT / folder / name / "manifest.json").is_file()
    commands = re.findall(r"command: \[(index, build.*)\]", compose)
    assert len(commands) == 4
    assert all('--bundle, "${BUNDLE:-' in command for command in commands)
    assert re.search(r"INKSEEK_BUNDLE: \$\{BUNDLE:-", compose)
    assert compose.count("- *bundles") == compose.count("- *gallery") == 2


def test_what_is_taught_goes_to_a_volume_of_its_own() -> None:
    """The service's root and its index are read-only."""
    dockerfile = (ROOT / "docker" / "service.Dockerfile").read_text()
    (folder,) = re.findall(r"INKSEEK_ONLINE_DIR=(\S+)", dockerfile)
    assert re.search(rf"install -d -o 10001 -g 10001 .*{folder}\b", dockerfile)
    compose = (ROOT / "docker-compose.yml").read_text()
    (volume,) = re.findall(rf"- (\w+):{folder}(?!\S)", compose)  # writable: no :ro
    assert re.search(rf"^volumes:\n(?:  \w+:\n)*  {volume}:$", compose, re.MULTILINE)


@pytest.mark.parametrize("image", ["service", "index_builder"])
def test_the_images_read_heic(image: str) -> None:
    dockerfile = (ROOT / "docker" / f"{image}.Dockerfile").read_text()
    (extras,) = re.findall(r"requirements.py pyproject.toml (.*) >", dockerfile)
    assert "heif" in extras.split()
    lines = script("requirements.py", str(ROOT / "pyproject.toml"), "heif").stdout.splitlines()
    assert "pi-heif" in [Requirement(line).name for line in lines]


def test_an_unknown_runtime_is_refused() -> None:
    asked = script("requirements.py", str(ROOT / "pyproject.toml"), "gpu13")
    assert asked.returncode != 0
    assert "gpu13" in asked.stderr
