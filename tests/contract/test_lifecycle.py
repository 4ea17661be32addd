"""Starting, swapping the index while serving, noticing when answers go wrong, stopping."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from fastapi import FastAPI
from onnx import TensorProto, helper

from index_builder.artifact import BundleMismatch, ExactStore, GalleryIndex, IndexCorrupt, IndexNotFound
from index_builder.artifact.originals import OriginalFiles
from index_builder.artifact.photos.store import PhotoStore
from index_builder.build import BuildRequest, build_index
from models.bundle import Bundle, BundleCorrupt, BundleNotFound, Runtime, write_bundle
from service.app import create_app
from service.config import Settings
from service.errors import NotReady
from service.runtime.process import Process
from service.runtime.serving import Serving, check_canary, load_bundle, load_retriever
from tests.contract.waiting import until_async

MakeSettings = Callable[..., Settings]


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture
def own_index(gallery_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> tuple[Path, Path]:
    """An index to publish new versions of, and the gallery that it is built from."""
    gallery = tmp_path / "gallery"
    shutil.copytree(gallery_dir / "box", gallery / "box")
    index = tmp_path / "index"
    build_index(BuildRequest(photos=gallery, out=index, bundle=tiny_bundle_dir))
    return index, gallery


def test_a_new_version_is_taken_into_service(
    own_index: tuple[Path, Path], gallery_dir: Path, tiny_bundle_dir: Path, cross: bytes
) -> None:
    index, gallery = own_index
    settings = Settings(index=index, bundle=tiny_bundle_dir, threads=2, index_poll_s=0.05)
    app = create_app(settings)

    async def scenario() -> None:
        async with running(app) as client:
            process: Process = app.state.process
            first = process.serving.version
            before = (await client.post("/v1/search", content=cross)).json()
            assert (before["index_version"], before["results"][0]["category"]) == (first, "box")

            shutil.copytree(gallery_dir / "cross", gallery / "cross")
            stop, seen = asyncio.Event(), []

            async def keep_asking() -> None:
                while not stop.is_set():
                    response = await client.post("/v1/search", content=cross)
                    assert response.status_code == 200
                    seen.append((response.json()["index_version"], response.json()["results"][0]["category"]))

            asking = asyncio.create_task(keep_asking())
            await until_async(lambda: bool(seen))
            built = await asyncio.to_thread(
                build_index, BuildRequest(photos=gallery, out=index, bundle=tiny_bundle_dir, keep=1)
            )
            await until_async(lambda: process.serving.version == built.version)
            await until_async(lambda: seen[-1][0] == built.version)
            stop.set()
            await asking

            # Each answer is of one version, whole; once the new one is there the old does not come back.
            assert set(seen) == {(first, "box"), (built.version, "cross")}
            assert seen == sorted(seen)
            metrics = (await client.get("/metrics")).text
            assert f'index_version="{built.version}"}} 1.0' in metrics
            assert f'index_version="{first}"}} 0.0' in metrics
            assert "inkseek_index_swaps_total 1.0" in metrics

    asyncio.run(scenario())


def test_a_broken_version_is_reported_and_not_served(
    own_index: tuple[Path, Path], tiny_bundle_dir: Path, cross: bytes
) -> None:
    index = own_index[0]
    settings = Settings(index=index, bundle=tiny_bundle_dir, threads=1, index_poll_s=0.05)
    app = create_app(settings)

    async def scenario() -> None:
        async with running(app) as client:
            process: Process = app.state.process
            first = process.serving.version
            (index / "current").write_text("000009-0123456789ab\n")
            await until_async(lambda: process.monitor.health.update_problem is not None)

            ready = await client.get("/readyz")
            assert ready.status_code == 200
            assert "000009-0123456789ab" in ready.json()["index_update_problem"]
            assert (await client.post("/v1/search", content=cross)).json()["index_version"] == first
            assert "inkseek_index_load_failures_total 1.0" in (await client.get("/metrics")).text

            (index / "current").write_text(first + "\n")
            await until_async(lambda: process.monitor.health.update_problem is None)

    asyncio.run(scenario())


def other_bundle(tiny_bundle_dir: Path, out: Path) -> Path:
    """The same interface, other weights: every embedding is something else."""
    bundle = Bundle.load(tiny_bundle_dir, Runtime(device="cpu", threads=1))
    model = onnx.load_from_string((tiny_bundle_dir / "sketch.onnx").read_bytes())
    model.graph.initializer[0].CopyFrom(helper.make_tensor("white", TensorProto.FLOAT, [], [0.3]))
    changed = model.SerializeToString()
    write_bundle(
        out,
        name="other",
        sketch_onnx=changed,
        sketch_preprocess=bundle.sketch.preprocess,
        photo_onnx=changed,
        photo_preprocess=bundle.photo.preprocess,
        model_card="# other\n",
    )
    return out


def test_what_cannot_serve_does_not_start(make_settings: MakeSettings, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_bundle_dir, broken)
    (broken / "sketch.onnx").write_bytes(b"not what was hashed")
    damaged = tmp_path / "damaged"
    shutil.copytree(make_settings().index, damaged)
    vectors = next(damaged.glob("segments/*/vectors.npy"))
    vectors.chmod(0o644)
    vectors.write_bytes(vectors.read_bytes()[:-4] + b"\0\0\0\0")

    async def start(**changes: object) -> None:
        async with running(create_app(make_settings(**changes))):
            pass

    for changes, error in (
        ({"index": tmp_path / "none"}, IndexNotFound),
        ({"index": damaged}, IndexCorrupt),
        ({"bundle": tmp_path / "none"}, BundleNotFound),
        ({"bundle": broken}, BundleCorrupt),
        ({"bundle": other_bundle(tiny_bundle_dir, tmp_path / "other")}, BundleMismatch),
    ):
        with pytest.raises(error):
            asyncio.run(start(**changes))


@contextmanager
def a_serving(settings: Settings, **changes: object) -> Iterator[Serving]:
    retriever = load_retriever(settings, load_bundle(settings))
    serving = Serving.of(dataclasses.replace(retriever, **changes))  # type: ignore[arg-type]
    try:
        yield serving
    finally:
        serving.close()


def test_the_canary_notices_a_dead_encoder(make_settings: MakeSettings, tiny_bundle_dir: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
         helper.make_node("Tile", ["mean", "times"], ["flat"]),
         helper.make_node("Mul", ["flat", "nan"], ["embedding"])],
        "dead",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 192])],
        [helper.make_tensor("times", TensorProto.INT64, [2], [1, 64]),
         helper.make_tensor("nan", TensorProto.FLOAT, [], [float("nan")])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)
    bundle = Bundle.load(tiny_bundle_dir)
    session = Runtime(device="cpu", threads=1).session(model.SerializeToString())
    dead = dataclasses.replace(bundle, sketch=dataclasses.replace(bundle.sketch, session=session))

    with (
        a_serving(make_settings(), bundle=dead) as serving,
        serving.borrow() as retriever,
        pytest.raises(BundleCorrupt),
    ):
        check_canary(retriever)


def test_the_canary_notices_a_broken_index(make_settings: MakeSettings) -> None:
    with a_serving(make_settings()) as serving, serving.borrow() as retriever:
        check_canary(retriever)
        manifest, folder = retriever.index.manifest, make_settings().index
        photos = PhotoStore(next(folder.glob("segments/*/photos.sqlite")), manifest.metadata_fields)
        broken = GalleryIndex(
            version=serving.version,
            manifest=manifest,
            originals=OriginalFiles(str(folder)),
            store=ExactStore(np.zeros((manifest.count, manifest.embedding_dim), np.float32)),
            photos=photos,
        )
        with pytest.raises(NotReady, match="does not find"):
            check_canary(dataclasses.replace(retriever, index=broken))
        broken.close()


def test_not_ready_while_worker_threads_hang(make_settings: MakeSettings) -> None:
    settings = make_settings(threads=1, canary_interval_s=0.05, request_timeout_s=1.0)
    app = create_app(settings)

    async def scenario() -> None:
        async with running(app) as client:
            process: Process = app.state.process
            await until_async(lambda: process.monitor.health.trouble is None)
            release = threading.Event()
            hang = asyncio.ensure_future(process.workers.run(release.wait))
            try:
                # Not `trouble`, which an answer's age brings before the canary's deadline sets the gauge.
                await until_async(lambda: process.monitor.health.problem is not None)
                response = await client.get("/readyz")
                assert (response.status_code, response.json()["code"]) == (503, "not_ready")
                assert response.headers["retry-after"] == "1"
                assert (await client.get("/livez")).status_code == 200
                assert "inkseek_ready 0.0" in (await client.get("/metrics")).text
            finally:
                release.set()  # a failure must not leave a thread that the loop waits for without end
            await hang
            while (await client.get("/readyz")).status_code != 200:  # a canary may be late again on a busy machine
                await asyncio.sleep(0.02)

    asyncio.run(scenario())


def open_databases_below(folder: Path) -> int:
    """Database connections of this process into `folder`."""
    targets = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(target.startswith(str(folder)) and target.endswith(".sqlite") for target in targets)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files through /proc")
def test_an_index_in_use_is_closed_when_it_is_given_back(
    own_index: tuple[Path, Path], make_settings: MakeSettings
) -> None:
    bundle = load_bundle(make_settings())
    serving = Serving.of(load_retriever(make_settings(index=own_index[0]), bundle))
    with serving.borrow() as first, serving.borrow() as second:
        assert first is second
        serving.swap(load_retriever(make_settings(), bundle))
        with serving.borrow() as third:
            assert third is not first
        assert first.index.photo("box/1.png").category == "box"
        assert open_databases_below(own_index[0]) > 0
    assert open_databases_below(own_index[0]) == 0
    assert serving.version == third.index.version
    serving.close()
