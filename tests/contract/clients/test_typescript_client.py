"""The TypeScript client: its own tests, every method with the OpenAPI document, its package with a real service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.access.key_file import add_key
from service.access.keys import make_key
from service.config import Settings
from tests.contract.clients.conftest import running, serving
from tests.contract.clients.documented import NOT_CALLED, OF_NO_GALLERY, SUFFIXED, Documented
from tests.contract.clients.readme_files import PHOTO_IDS, SHOWN_URL, blocks_of, write_pictures

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "clients" / "typescript"
TSC = FOLDER / "node_modules" / ".bin" / "tsc"
# Where the machine has no Node.js, `make test` installs it beside Python.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
NODE = shutil.which("node", path=PATH)
PAGES = [FOLDER / "README.md", ROOT / "docs" / "howto" / "typescript_client.md"]

needs_node = pytest.mark.skipif(NODE is None, reason="`make test` brings Node.js")
needs_tools = pytest.mark.skipif(not TSC.exists(), reason="`make test` installs tsc")


def run(*command: str | Path, cwd: Path = FOLDER, **environment: str) -> str:
    """What a command prints; its whole output is shown where it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=inherited | {"PATH": PATH} | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_node
def test_its_own_tests_pass() -> None:
    files = sorted((FOLDER / "tests").glob("*.test.js"))
    assert files
    run("node", "--test", *files)


def answering(documented: Documented) -> Starlette:
    """An application that answers with the document's examples, and with 599 and why where a request is not in it."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            sent = httpx.Request(request.method, str(request.url), headers=request.headers.raw, content=body)
            said = documented(sent)
        except (AssertionError, StopIteration) as error:
            return Response(f"{request.method} {request.url}: {error!r}", 599)
        return Response(said.content, said.status_code, media_type=said.headers.get("Content-Type"))

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])


@needs_node
@pytest.mark.parametrize("gallery", [None, "shoes"])
def test_every_method_requests_a_documented_route(document: dict[str, Any], gallery: str | None) -> None:
    documented = Documented(document)
    with running(answering(documented)) as url:
        said = json.loads(run("node", "tests/every_method.js", url, *([gallery] if gallery else [])))
    assert sorted(said["called"] + said["composed"]) == sorted(said["methods"])
    called = {(method, path.replace("/v1/galleries/{gallery}/", "/v1/")) for method, path in documented.called}
    every = {(method, path) for method, path, _, _ in documented.routes if "{gallery}" not in path}
    assert every - called == NOT_CALLED | {("get", path) for path in SUFFIXED}
    in_gallery = {path for _, path in documented.called if path not in OF_NO_GALLERY}
    assert all(path.startswith("/v1/galleries/{gallery}/") == (gallery is not None) for path in in_gallery)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which the package was unpacked, as `npm install` of it would."""
    folder = tmp_path_factory.mktemp("project")
    source = folder / "source"
    # A copy, since packing writes dist/: another test process may do the same.
    shutil.copytree(FOLDER, source / "clients" / "typescript", ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(ROOT / "LICENSE", source)
    (source / "clients" / "typescript" / "node_modules").symlink_to(FOLDER / "node_modules")
    run("npm", "pack", "--loglevel", "error", "--pack-destination", folder, cwd=source / "clients" / "typescript")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        packed.extractall(folder / "unpacked", filter="data")
    (folder / "node_modules" / "@inkseek").mkdir(parents=True)
    (folder / "unpacked" / "package").rename(folder / "node_modules" / "@inkseek" / "client")
    (folder / "package.json").write_text('{"type": "module"}')
    for file in (FOLDER / "tests" / "service").iterdir():
        shutil.copy(file, folder)
    return folder


@needs_node
@needs_tools
def test_the_package_has_scripts_with_declarations_a_licence_and_no_sources(project: Path) -> None:
    package = project / "node_modules" / "@inkseek" / "client"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    beside = {"LICENSE", "README.md", "package.json"}
    assert files >= beside
    modules = {name.removesuffix(".js") for name in files if name.endswith(".js")}
    declared = {name.removesuffix(".d.ts") for name in files if name.endswith(".d.ts")}
    assert modules == declared
    assert files == beside | {f"{name}.js" for name in modules} | {f"{name}.d.ts" for name in modules}
    sources = FOLDER / "src"
    assert modules == {
        f"dist/{path.relative_to(sources).with_suffix('').as_posix()}" for path in sources.rglob("*") if path.is_file()
    }
    assert not [name for name in modules if "node:" in (package / f"{name}.js").read_text(encoding="utf-8")]


@needs_node
@needs_tools
def test_an_application_in_typescript_has_its_types(project: Path) -> None:
    libraries = "es2022,dom,dom.iterable,dom.asynciterable"
    run(
        TSC,
        "--strict",
        "--noEmit",
        "--target",
        "es2022",
        "--lib",
        libraries,
        "--module",
        "nodenext",
        "application.ts",
        cwd=project,
    )


@pytest.fixture
def sketches(tmp_path: Path, drawing: Callable[[str, int], Image.Image]) -> Path:
    folder = tmp_path / "sketches"
    for category, number in (("box", 0), ("box", 2), ("cross", 1), ("cross", 2)):
        (folder / category).mkdir(parents=True, exist_ok=True)
        drawing(category, number).save(folder / category / f"{number}.png")
    return folder


@needs_node
@needs_tools
def test_the_package_with_a_real_service(project: Path, url: str, sketches: Path) -> None:
    run("node", "--test", "service.test.js", cwd=project, INKSEEK_URL=url, SKETCHES=str(sketches))


@needs_node
@needs_tools
def test_the_package_with_a_key(project: Path, make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings(online_dir=tmp_path / "online")
    new = make_key("reader", ("search",))
    add_key(settings.key_path, new.key)
    with serving(settings) as url:
        run("node", "--test", "keys.test.js", cwd=project, INKSEEK_URL=url, KEY=new.token)


@needs_node
@needs_tools
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(
    page: Path, project: Path, url: str, tmp_path: Path, drawing: Callable[[str, int], Image.Image]
) -> None:
    work = tmp_path / "work"
    write_pictures(work, drawing)
    (work / "node_modules").symlink_to(project / "node_modules")
    setup = "".join(f'await client.putPhoto("{name}", await readFile("mug.png"));\n' for name in PHOTO_IDS)
    # One module: later examples go on with the names of the earlier ones.
    first, *others = blocks_of(page, "js")
    lines = first.replace("const drawing", f"{setup}const drawing") + "".join(others)
    (work / "page.mjs").write_text(lines.replace(SHOWN_URL, url), encoding="utf-8")
    assert "mug/1.jpg" in run("node", "page.mjs", cwd=work)
