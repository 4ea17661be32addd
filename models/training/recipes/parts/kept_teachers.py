"""Teachers that are asked once, about un-augmented images as they are and mirrored, so that they cost a step nothing.

The similarity of an ensemble is the mean of its members' cosines, which is the product of their vectors set side by
side. Of members with two parts the layout is taken: within a category it is what tells photos apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.adapters.adapter import unit_rows
from models.arrays import Rows, Vectors
from models.atomic_files import replace_file
from models.bundle import Bundle, Runtime, bundle_path, read_manifest
from models.bundle.manifest import MANIFEST_NAME
from models.data.images.training_images import TrainingImages
from models.losses.inputs import KeptPairs
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.training.engine.processes import Process, to_device
from models.training.recipes.parts.config import PhotoTeacherConfig, TeacherMember
from models.training.weights.pretrained import EFFICIENTNET_LITE2_IMAGENET, fetch
from models.training.weights.students_file import load_students

Number = TypeVar("Number", np.uint8, np.int64)
Modality: TypeAlias = Literal["sketch", "photo"]
Embed: TypeAlias = Callable[[Modality, NDArray[np.uint8]], Vectors]
"""(B, P, P) or (B, 3, P, P), 255 = paper -> (B, D) unit rows."""

_BATCH = 64
_MODALITIES: tuple[Modality, Modality] = ("sketch", "photo")


@dataclass(frozen=True)
class KeptEnsemble:
    """`vectors` by modality: (n, 2, D) half precision, upright and mirrored. `places`: row of an image -> n or -1."""

    vectors: dict[str, NDArray[np.float16]]
    places: dict[str, Rows]

    def pairs(self, sketches: Rows, photos: Rows, mirrored: Tensor) -> KeptPairs:
        """(B,), (B,) rows of images, (B,) bool -> vectors of those pairs both of whose images are known."""
        of_sketches, of_photos = self.places["sketch"][sketches], self.places["photo"][photos]
        known = np.flatnonzero((of_sketches >= 0) & (of_photos >= 0))
        side = mirrored.numpy().astype(np.int64)[known]
        each = (self.vectors["sketch"][of_sketches[known], side], self.vectors["photo"][of_photos[known], side])
        return KeptPairs(torch.from_numpy(known), *(torch.from_numpy(rows.astype(np.float32)) for rows in each))


def keep_ensemble(
    members: tuple[TeacherMember, ...],
    images: TrainingImages,
    taught: tuple[Rows, Rows],
    cache: Path,
    process: Process,
) -> KeptEnsemble:
    """Ask every member about the `taught` rows of sketches and photos; answers are kept in `cache`.

    Raises CheckpointInvalid, BundleError.
    """
    rows = dict(zip(_MODALITIES, taught, strict=True))
    pictures = {"sketch": images.sketches, "photo": images.photos}
    content = hashlib.blake2b(digest_size=16)
    for modality in _MODALITIES:
        content.update(pictures[modality][rows[modality]].tobytes())
    answers = []
    for member in members:
        name = hashlib.sha256(f"{member_sha256(member)} {member.size_px} {content.hexdigest()}".encode()).hexdigest()
        kept = cache / f"{name[:16]}.npz"
        if not kept.is_file():
            embed = _embedder(member, process)
            both = {m: _both_ways(embed, m, pictures[m], rows[m]) for m in _MODALITIES}
            cache.mkdir(parents=True, exist_ok=True)
            replace_file(kept, partial(_save, both))
        with np.load(kept) as stored:
            answers.append({modality: stored[modality] for modality in _MODALITIES})
    # The product of rows side by side is the sum of the members' cosines; this makes it their mean.
    scale = np.float16(len(members) ** -0.5)
    vectors: dict[str, NDArray[np.float16]] = {
        m: np.concatenate([each[m] * scale for each in answers], axis=2) for m in _MODALITIES
    }
    places: dict[str, Rows] = {m: _places(len(pictures[m]), rows[m]) for m in _MODALITIES}
    return KeptEnsemble(vectors, places)


def member_sha256(member: TeacherMember) -> str:
    """Of a students.pt; of a bundle its id, which changes with its weights and nothing else. Raises BundleError."""
    path = bundle_path(member.path)
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(read_manifest(path).bundle_id.encode()).hexdigest()


def keep_photo_teacher(
    config: PhotoTeacherConfig, images: TrainingImages, learned: Rows, pretrained: Path, cache: Path, process: Process
) -> NDArray[np.float16]:
    """(N, 1280): the published network's pooled last map of every photo, standardised, rows of length 1.

    `learned` (n,): the rows whose mean and deviation standardise them. Raises PretrainedError.
    """
    sample = hashlib.blake2b(images.photos[::16].tobytes(), digest_size=8).hexdigest()
    kept = cache / f"pooled_{config.size_px}_{len(images.photos)}_{sample}.npy"
    if not kept.is_file():
        trunk = EfficientNetLite(width=1.1, depth=1.2).eval()
        trunk.load_published(fetch(EFFICIENTNET_LITE2_IMAGENET, pretrained))
        to_device(trunk, process)
        found = [_pooled(trunk, chunk, config.size_px, process) for chunk in _chunks(images.photos)]
        cache.mkdir(parents=True, exist_ok=True)
        replace_file(kept, lambda file: np.save(file, np.concatenate(found)))
    rows: Vectors = np.load(kept)
    spread = rows[learned].std(axis=0)
    # Channels that hardly move would be blown up to the size of those that say something.
    standard = unit_rows((rows - rows[learned].mean(axis=0)) / (spread + 0.1 * spread.mean()))
    return standard.astype(np.float16)


@torch.no_grad()
def _pooled(trunk: EfficientNetLite, photos: NDArray[np.uint8], size_px: int, process: Process) -> Vectors:
    # EfficientNets take values in [-1, 1].
    ready = (_resized(photos, size_px, process.device) * 2 - 1).contiguous(memory_format=torch.channels_last)
    with process.autocast(True):
        last = trunk.features(ready)[-1]
    pooled: Vectors = last.float().mean(dim=(2, 3)).cpu().numpy()
    return pooled


def _embedder(member: TeacherMember, process: Process) -> Embed:
    path = bundle_path(member.path)
    return _of_students(path, member.size_px, process) if path.is_file() else _of_bundle(path)


def _of_bundle(path: Path) -> Embed:
    assert (path / MANIFEST_NAME).is_file()
    bundle = Bundle.load(path, Runtime(device="cpu", threads=torch.get_num_threads()))
    divided = bundle.manifest.parts

    def embed(modality: Modality, views: NDArray[np.uint8]) -> Vectors:
        encoder = bundle.sketch if modality == "sketch" else bundle.photo
        prepare = encoder.preprocess
        mean, std = (np.array(v, np.float32).reshape(3, 1, 1) for v in (prepare.mean, prepare.std))
        pixels = (_resized(views, prepare.size_px, torch.device("cpu")).numpy() - mean) / std
        whole = encoder.encode(np.ascontiguousarray(pixels, np.float32))
        return whole if divided is None else divided.layout_of(whole)

    return embed


def _of_students(path: Path, size_px: int | None, process: Process) -> Embed:
    students, _ = load_students(path)
    to_device(students, process)
    side, statistics = size_px or students.config.size_px, students.config.statistics
    mean, std = (torch.tensor(v, device=process.device).view(3, 1, 1) for v in (statistics.mean, statistics.std))
    divided = students.config.embedding_parts

    @torch.no_grad()
    def embed(modality: Modality, views: NDArray[np.uint8]) -> Vectors:
        student = students.sketch if modality == "sketch" else students.photo
        resized = _resized(views, side, process.device)
        ready = ((resized - mean) / std).contiguous(memory_format=torch.channels_last)
        with process.autocast(True):
            cells = student.cells(ready)
        whole: Vectors = student.head(cells.float()).cpu().numpy()
        return whole if divided is None else divided.layout_of(whole)

    return embed


def _both_ways(embed: Embed, modality: Modality, images: NDArray[np.uint8], rows: Rows) -> NDArray[np.float16]:
    """(n, 2, D)."""
    chunks = [
        np.stack([embed(modality, views), embed(modality, np.ascontiguousarray(views[..., ::-1]))], axis=1)
        for views in (images[part] for part in _chunks(rows))
    ]
    return np.concatenate(chunks).astype(np.float16)


def _save(rows: dict[Modality, NDArray[np.float16]], file: BinaryIO) -> None:
    np.savez(file, sketch=rows["sketch"], photo=rows["photo"])


def _chunks(rows: NDArray[Number]) -> list[NDArray[Number]]:
    return [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]


def _resized(views: NDArray[np.uint8], size_px: int, device: torch.device) -> Tensor:
    """(B, P, P) or (B, 3, P, P) -> (B, 3, S, S) in [0, 1], on the device."""
    pixels = torch.from_numpy(np.ascontiguousarray(views)).to(device).float().div_(255)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels
    if pixels.shape[-1] != size_px:
        pixels = F.interpolate(pixels, size=(size_px, size_px), mode="bilinear", align_corners=False, antialias=True)
    return pixels.expand(-1, 3, -1, -1)


def _places(count: int, rows: Rows) -> Rows:
    places = np.full(count, -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    return places
