"""Which device, how many threads: no silent fall-back, and the container's quota instead of the host's cores."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from models.bundle import Bundle, Runtime, RuntimeUnavailable, cpu_quota
from models.bundle.runtime import cuda_problem

WITHOUT_GPU = "CUDAExecutionProvider" not in ort.get_available_providers()


def model(tiny_bundle_dir: Path) -> bytes:
    return (tiny_bundle_dir / "photo.onnx").read_bytes()


@pytest.mark.parametrize("threads", [1, 2, None])
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_session_has_the_threads_that_were_set(tiny_bundle_dir: Path, device: str, threads: int | None) -> None:
    runtime = Runtime(device="cpu" if device == "cpu" else "auto", threads=threads)
    options = runtime.session(model(tiny_bundle_dir)).get_session_options()
    assert options.intra_op_num_threads == (threads or cpu_quota())
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_threads_do_not_change_what_is_computed(tiny_bundle_dir: Path) -> None:
    batch = np.random.default_rng(0).random((3, 3, 32, 32), dtype=np.float32)
    one, two = (
        Bundle.load(tiny_bundle_dir, Runtime(device="cpu", threads=threads)).photo.encode(batch) for threads in (1, 2)
    )
    np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.skipif(not WITHOUT_GPU, reason="has a GPU")
def test_a_sketch_alone_is_encoded_by_several_threads_to_the_same_numbers(tiny_bundle_dir: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir, Runtime(device="cpu", threads=1, lone_threads=2))
    assert bundle.sketch.lone is not None and bundle.photo.lone is None
    options = bundle.sketch.lone.get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.force_spinning_stop") == "1"
    batch = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    np.testing.assert_array_equal(bundle.sketch.encode(batch, is_alone=True), bundle.sketch.encode(batch))


@pytest.mark.parametrize("runtime", [Runtime(threads=1), Runtime(threads=2, lone_threads=2), Runtime(lone_threads=1)])
def test_there_is_no_further_session_where_it_would_be_no_faster(tiny_bundle_dir: Path, runtime: Runtime) -> None:
    bundle = Bundle.load(tiny_bundle_dir, runtime)
    assert bundle.sketch.lone is None
    batch = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)
    np.testing.assert_array_equal(bundle.sketch.encode(batch, is_alone=True), bundle.sketch.encode(batch))


@pytest.mark.skipif(not WITHOUT_GPU, reason="has a GPU")
@pytest.mark.parametrize(
    "runtime", [Runtime(device="cuda"), Runtime(require_gpu=True), Runtime(device="cpu", require_gpu=True)]
)
def test_a_gpu_that_is_required_and_missing_is_an_error(tiny_bundle_dir: Path, runtime: Runtime) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"a GPU is required, .* offers only .*CPUExecutionProvider"):
        runtime.session(model(tiny_bundle_dir))


@pytest.mark.skipif(not WITHOUT_GPU, reason="has a GPU")
def test_automatic_choice_without_a_gpu_is_the_cpu(tiny_bundle_dir: Path) -> None:
    assert Runtime().session(model(tiny_bundle_dir)).get_providers() == ["CPUExecutionProvider"]


def test_two_installed_runtimes_are_an_error(tiny_bundle_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"1.0 of {name}")
    with pytest.raises(RuntimeUnavailable, match=r"onnxruntime 1.* and onnxruntime-gpu 1.* overwrite each other"):
        Runtime().session(model(tiny_bundle_dir))


CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota_us", "period_us", "share"),
    [(50_000, 100_000, 0.5), (100_000, 100_000, 1), (250_000, 100_000, 2.5), (10**9, 1_000, 10**6)],
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_quota_of_either_control_group_version_counts(
    tmp_path: Path, version: int, quota_us: int, period_us: int, share: float
) -> None:
    if version == 2:
        (tmp_path / "cpu.max").write_text(f"{quota_us} {period_us}\n")
    else:
        (tmp_path / "cpu").mkdir()
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota_us}\n")
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text(f"{period_us}\n")
    assert cpu_quota(tmp_path) == max(1, min(CORES, int(share)))


@pytest.mark.parametrize("content", ["max 100000\n", "", "nonsense\n", "12\n", "max\n"])
def test_no_quota_and_unreadable_ones_leave_the_affinity(tmp_path: Path, content: str) -> None:
    (tmp_path / "cpu.max").write_text(content)
    assert cpu_quota(tmp_path) == CORES


def test_a_negative_quota_is_none(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert cpu_quota(tmp_path) == CORES == cpu_quota(tmp_path / "absent")


def driver(init: int, gpus: int) -> SimpleNamespace:
    """As much of libcuda as is called: `init`, the status of its start; `gpus`, how many it counts."""

    def count_gpus(count: Any) -> int:
        count.contents.value = gpus
        return 0

    return SimpleNamespace(cuInit=lambda flags: init, cuDeviceGetCount=count_gpus)


@pytest.mark.parametrize(
    ("init", "gpus", "reason"),
    [
        (100, 0, "finds no usable GPU (CUDA status 100)"),
        (0, 0, "reports no GPU"),
        (0, 2, "reports 2 GPU, so CUDA's libraries are missing"),
    ],
)
def test_the_driver_says_why_no_gpu_is_used(init: int, gpus: int, reason: str) -> None:
    assert reason in cuda_problem(lambda name: driver(init, gpus))


def test_without_a_driver_the_reason_says_how_containers_get_one() -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    assert "no NVIDIA driver (libcuda.so.1)" in cuda_problem(missing)
    assert "--gpus all" in cuda_problem(missing)


def test_a_gpu_is_unused_only_where_the_runtime_could_use_one() -> None:
    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    assert Runtime(device="cpu").unused_gpu([cpu]) is None
    assert Runtime().unused_gpu([cuda, cpu]) is None
    assert (Runtime().unused_gpu([cpu]) is None) == WITHOUT_GPU
