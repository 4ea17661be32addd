"""The TypeScript client in React Native: bundled by Metro, compiled by its Hermes, run in Hermes before a real service.

React Native's own JavaScript (fetch, XMLHttpRequest, FormData, Blob) is above a stand-in for its native half. An engine
that can only print is run again for each request, with the answers to those before.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[3]
CLIENT = ROOT / "clients" / "typescript"
FOLDER = ROOT / "tests" / "react_native"
MODULES = FOLDER / "node_modules"
HERMES = MODULES / "hermes-engine-cli" / "linux64-bin" / "hermes"
COMPILER = MODULES / "hermes-compiler" / "hermesc" / "linux64-bin" / "hermesc"
TSC = CLIENT / "node_modules" / "typescript" / "bin" / "tsc"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
NODE = shutil.which("node", path=PATH) or "node"
MOST_REQUESTS = 20

needs_react_native = pytest.mark.skipif(
    not (HERMES.exists() and TSC.exists()), reason="React Native is not installed (make frameworks-test installs it)"
)


def test_versions_are_pinned_and_packages_come_from_wherever_the_machine_says() -> None:
    needed = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in needed.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
    assert not [name for name, about in locked.items() if "resolved" in about]


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=FOLDER,
        env={**os.environ, "PATH": PATH, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application with the packed client and React Native's networking, in one script."""
    folder = tmp_path_factory.mktemp("react_native").resolve()
    client, script = folder / "client", folder / "app.bundle.js"
    client.mkdir()
    shutil.copy(CLIENT / "package.json", client)
    run(NODE, TSC, "--project", CLIENT / "tsconfig.build.json", "--outDir", client / "dist")
    run(NODE, "bundle.js", script, CLIENT=str(client))
    return script


def requested(request: dict[str, Any], service: httpx.Client, picture: bytes) -> dict[str, Any]:
    """What React Native's native half does: send the request, with files read by their URIs."""
    data, headers = request["data"], {name: value for name, value in request["headers"] if name != "authorization"}
    body: dict[str, Any] = {}
    if "formData" in data:
        body["files"] = [
            (part["fieldName"], (part["name"], picture, part["type"]) if "uri" in part else (None, part["string"]))
            for part in data["formData"]
        ]
    elif "base64" in data:
        body["content"] = base64.b64decode(data["base64"])
    elif "string" in data:
        body["content"] = data["string"]
    path = request["url"].removeprefix("http://service")
    answer = service.request(request["method"], path, headers=headers, **body)
    return {
        "status": answer.status_code,
        "headers": {"content-type": answer.headers["content-type"]},
        "size": len(answer.content),
        "text": answer.text if "json" in answer.headers["content-type"] else "",
    }


@pytest.mark.frameworks
@pytest.mark.timeout(1200)  # Metro transforms for minutes on a busy machine
@needs_react_native
def test_the_client_in_hermes(
    bundle: Path, url: str, tmp_path: Path, drawing: Callable[[str, int], Image.Image]
) -> None:
    drawing("cross", 1).save(tmp_path / "sketch.png")
    picture = (tmp_path / "sketch.png").read_bytes()
    before = (FOLDER / "before.js").read_text(encoding="utf-8") + f"globalThis.PICTURE = {list(picture)};\n"
    answers: list[dict[str, Any]] = []
    script = tmp_path / "run.js"
    with httpx.Client(base_url=url, timeout=60) as service:
        found = [hit["photo_id"] for hit in service.post("/v1/search?k=3", content=picture).json()["results"]]
        thumbnail = service.get("/v1/photos/cross/1.png/thumbnail")
        while True:
            given = f"{before}globalThis.ANSWERS = {json.dumps(answers)};\n"
            script.write_text(given + bundle.read_text(encoding="utf-8"), encoding="utf-8")
            printed = run(HERMES, "-O0", "-Xes6-promise", "-Xmicrotask-queue", script)
            said = {name: value for line in printed.splitlines() for name, value in json.loads(line).items()}
            assert "failed" not in said, said["failed"]
            if "request" not in said:
                break
            assert ["authorization", "Bearer ink_key"] in said["request"]["headers"]
            answers.append(requested(said["request"], service, picture))
            assert len(answers) <= MOST_REQUESTS
        assert service.get("/v1/photos/box/new.png").json()["category"] == "box"
    assert len(said["strokes"]) == 3 and said["strokes"][0].startswith("cross/")
    assert said["file"] == said["bytes"] == found
    assert len(set(said["iterated"])) == 7
    assert said["thumbnail"] == [len(thumbnail.content), "image/jpeg"]
    assert said["stored"] == "box/new.png"
    assert said["error"] == ["NotFound", "photo_not_found", True]
    assert said["aborted"] == "AbortError"


@pytest.mark.frameworks
@pytest.mark.timeout(1200)
@needs_react_native
def test_the_compiler_of_react_native_takes_it(bundle: Path, tmp_path: Path) -> None:
    run(COMPILER, "-w", "-emit-binary", "-out", tmp_path / "app.hbc", bundle)
    assert (tmp_path / "app.hbc").stat().st_size > 10_000
