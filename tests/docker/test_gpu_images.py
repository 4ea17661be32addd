"""The GPU images on a machine without a GPU: they say why none is used, and refuse to start where one is required.

Each is some gigabytes, so that they are no part of `make docker-test`: `make docker-gpu-test`. A container gets a GPU
by `--gpus` alone, which is not given here.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.docker.test_containers import ROOT, compose_command, run, wait_until

pytestmark = [pytest.mark.docker_gpu, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module", params=["gpu12", "gpu"])
def tag(request: pytest.FixtureRequest) -> str:
    """The images of one runtime are built under this tag."""
    compose_command()  # skips without an engine
    for image in ("service", "index_builder"):
        name = f"inkseek-{image.replace('_', '-')}:test-{request.param}"
        file = f"docker/{image}.Dockerfile"
        run(["docker", "build", "--build-arg", f"RUNTIME={request.param}", "--file", file, "--tag", name, "."])
    return f"test-{request.param}"


@pytest.fixture(scope="module")
def index(tag: str) -> Iterator[str]:
    """A volume with an index that the builder's image has made on the CPU, which it says."""
    volume = f"inkseek-{tag}-index"
    done = builder(tag, volume)
    assert done.returncode == 0, done.stderr
    assert "no GPU is used: " in done.stderr
    yield volume
    run(["docker", "volume", "rm", "--force", volume])


def builder(tag: str, volume: str, *options: str) -> subprocess.CompletedProcess[str]:
    gallery = ROOT / "examples" / "clothing"
    mounts = ["--volume", f"{gallery}:/gallery:ro", "--volume", f"{volume}:/data/index"]
    build = ["index", "build", "--photos", "/gallery/hat", "--out", "/data/index", *options]
    return started(["--network=none", *mounts, f"inkseek-index-builder:{tag}", *build])


def started(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = ["docker", "run", "--rm", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


def test_the_builder_refuses_where_a_gpu_is_required(tag: str, index: str) -> None:
    done = builder(tag, index, "--require-gpu")
    assert done.returncode == 1
    assert "RuntimeUnavailable: a GPU is required" in done.stderr


def test_the_service_refuses_where_a_gpu_is_required(tag: str, index: str) -> None:
    mount = ["--volume", f"{index}:/data/index:ro", "--env", "INKSEEK_OPEN=true"]
    done = started(["--network=none", *mount, f"inkseek-service:{tag}", "serve", "--require-gpu"])
    assert done.returncode == 1
    assert "RuntimeUnavailable: a GPU is required" in done.stderr


def test_the_service_becomes_healthy_on_the_cpu_and_says_why(tag: str, index: str) -> None:
    options = ["--detach", "--network=none", "--volume", f"{index}:/data/index:ro", "--env", "INKSEEK_OPEN=true"]
    container = run(["docker", "run", *options, f"inkseek-service:{tag}"])
    try:
        health = ["docker", "inspect", "--format", "{{.State.Health.Status}}", container]
        wait_until(lambda: run(health) == "healthy", "healthy", timeout_s=300)
        logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True).stderr
        assert "no GPU is used: there is no NVIDIA driver" in logs
        assert "on CPUExecutionProvider, searched on cpu" in logs
    finally:
        run(["docker", "rm", "--force", container])
