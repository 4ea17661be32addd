"""Training images in a few small files, to be taken to a machine with a GPU: a *pack*.

pack.json     version, hashes, and for every row its set, its kinds and its place among the pairs
photos.bin    photos as WebP, one after the other
sketches.bin  drawings by people, one bit a pixel, thousands to an LZMA stream: a third of what PNG takes

Synthetic drawings are not packed: they are drawn again from the photos.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.arrays import Rows
from models.atomic_files import write_bytes, write_text
from models.bundle import Preprocess, SketchNormalisation, cpu_quota
from models.data.builders.synthetic import line_drawings, random_styles
from models.data.images.kind_sets import KindTable
from models.data.images.training_images import TrainingImages
from models.data.images.training_sets import SetContent
from models.data.sampling.category_batches import CategoryPool
from models.errors import InkseekError

PACK_NAME: Final = "pack.json"
_SCHEMA_VERSION = 1
_QUALITIES = (80, 70, 60, 50, 40, 30, 25, 20, 15, 10)  # of WebP
_SAMPLED = 16  # every so many photos tell what a quality takes
_STREAM = 2048  # drawings a stream
_INK_BELOW = 144  # of 255: soft edges of thin lines still count as ink
_PHOTOS, _SKETCHES = "photos.bin", "sketches.bin"


class PackInvalid(InkseekError):
    """A pack cannot be read, is of another version, or its files are not those that it was written with."""


class PackTooLarge(InkseekError):
    """The images do not fit into the bytes that a pack may take, not even at the lowest quality."""


@dataclass(frozen=True)
class PackView:
    """A part of a pack's images: rows are the pack's, those that it leaves out are in no pool and of no kind."""

    table: KindTable
    pools: tuple[CategoryPool, ...]
    contents: tuple[SetContent, ...]


@dataclass(frozen=True)
class Packing:
    """What was written: `quality` of the photos (WebP), and the bytes of each file."""

    quality: int
    bytes: dict[str, int]


def is_pack(folder: Path) -> bool:
    """Whether the folder holds a pack."""
    return (folder / PACK_NAME).is_file()


def write_pack(
    folder: Path,
    images: TrainingImages,
    table: KindTable,
    focuses: Sequence[float | None],
    max_bytes: int,
    selection: str = "",
    views: Mapping[str, PackView] = MappingProxyType({}),
) -> Packing:
    """Write all but the synthetic drawings; `focuses` (N,): of each photo, see `edge_drawing`.

    `selection`: a name of all that is packed; `views`: what experiments learn from that take a part of it, by name.
    Photos get the highest quality at which everything fits into `max_bytes`. Raises PackTooLarge, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.flatnonzero([bool(name) for name in table.sketch_sets])
    streams = _mapped(_packed_bits, (images.sketches[rows] for rows in _parts(drawn, _STREAM)))
    facts = _facts(images, table, focuses) | {"selection": selection}
    facts["views"] = {name: _described(each.table, each.pools, each.contents) for name, each in views.items()}
    # The index of photos is still missing; ten digits for each are more than it takes.
    taken = sum(map(len, streams)) + len(json.dumps(facts, separators=(",", ":"))) + 10 * len(images.photos)
    quality = _fitting(images.photos, max_bytes - taken)
    photos = _mapped(partial(_webp, images.photos, quality), range(len(images.photos)))
    contents = {_PHOTOS: b"".join(photos), _SKETCHES: b"".join(streams)}
    facts |= {
        "lengths": {_PHOTOS: [len(part) for part in photos], _SKETCHES: [len(part) for part in streams]},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    # Last: a folder without it is no pack, so a killed run leaves none that looks whole.
    write_text(folder / PACK_NAME, json.dumps(facts, separators=(",", ":")))
    return Packing(quality, {file.name: file.stat().st_size for file in sorted(folder.iterdir())})


def read_pack(
    folder: Path, cache: Path, log: Callable[[str], None], *, drawn: bool = True, selection: str = ""
) -> tuple[TrainingImages, KindTable, tuple[float | None, ...]]:
    """Unpack into arrays in `cache`, where that is not done yet, with the synthetic drawings; map them to memory.

    Row i of everything is row i of what was packed; the last are the focuses of the photos.
    `drawn`: false leaves the rows of synthetic drawings black. `selection`: of `write_pack`; empty for everything.
    Raises PackInvalid, also where the pack was not made for that selection.
    """
    facts = _read_facts(folder)
    whole = _view(facts)
    view = whole if selection in ("", facts.get("selection", "")) else _part(folder, facts, selection)
    table, pools = whole.table, whole.pools
    ready = cache / "fingerprint.txt"
    whole_pack = hashlib.sha256((folder / PACK_NAME).read_bytes()).hexdigest()
    fingerprint = whole_pack if drawn else f"{whole_pack} not drawn"
    side = int(facts["size_px"])
    # Whoever needs no drawings can do with arrays that have them.
    if not ready.is_file() or ready.read_text() not in (fingerprint, whole_pack):
        cache.mkdir(parents=True, exist_ok=True)
        # A run of another experiment may have the former arrays mapped: it keeps what it maps.
        for name in ("fingerprint.txt", "photos.npy", "sketches.npy"):
            (cache / name).unlink(missing_ok=True)
        shapes = {"photos": (len(table.photos), 3, side, side), "sketches": (len(table.sketches), side, side)}
        photos, sketches = (
            np.lib.format.open_memmap(cache / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
            for name, shape in shapes.items()
        )
        _unpack(folder, facts, table, photos, sketches)
        if drawn:
            _draw(photos, sketches, pools, facts)
        photos.flush()
        sketches.flush()
        write_text(ready, fingerprint)
    log(f"{len(table.photos):,} photos and {len(table.sketches):,} sketches out of a pack")
    arrays = [np.lib.format.open_memmap(cache / f"{name}.npy", mode="c") for name in ("photos", "sketches")]
    images = TrainingImages(arrays[0], arrays[1], view.pools, contents=view.contents)
    return images, view.table, tuple(facts["focuses"])


def _facts(images: TrainingImages, table: KindTable, focuses: Sequence[float | None]) -> dict[str, Any]:
    assert len(focuses) == len(images.photos)
    return {
        "schema_version": _SCHEMA_VERSION,
        "size_px": images.photos.shape[-1],
        "focuses": list(focuses),
        **_described(table, images.pools, images.contents),
    }


def _described(table: KindTable, pools: Sequence[CategoryPool], contents: Sequence[SetContent]) -> dict[str, Any]:
    return {
        "table": {**_fields(table), "doodles": sorted(table.doodles)},
        "pools": [_fields(pool) for pool in pools],
        "contents": [asdict(each) for each in contents],
    }


def _fields(value: KindTable | CategoryPool) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _view(described: dict[str, Any]) -> PackView:
    pools = tuple(CategoryPool(**{**pool, **_tuples(pool)}) for pool in described["pools"])
    return PackView(_table(described), pools, tuple(SetContent(**each) for each in described.get("contents", ())))


def _part(folder: Path, facts: dict[str, Any], selection: str) -> PackView:
    try:
        return _view(facts["views"][selection])
    except KeyError as error:
        raise PackInvalid(
            f"{folder} was not packed for an experiment of these sets, splits and kinds: name it when packing"
        ) from error


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / PACK_NAME).read_text(encoding="utf-8"))
        version = facts["schema_version"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PackInvalid(f"{folder} holds no pack: {error}") from error
    if version != _SCHEMA_VERSION:
        raise PackInvalid(f"{folder} holds a pack of version {version}; this release reads {_SCHEMA_VERSION}")
    return facts


def _table(facts: dict[str, Any]) -> KindTable:
    values = facts["table"]
    return KindTable(
        kinds=tuple(values["kinds"]),
        photos=tuple(tuple(kinds) for kinds in values["photos"]),
        sketches=tuple(tuple(kinds) for kinds in values["sketches"]),
        photo_sets=tuple(values["photo_sets"]),
        sketch_sets=tuple(values["sketch_sets"]),
        doodles=frozenset(values["doodles"]),
    )


def _tuples(pool: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists alone, and a pool is a value."""
    rows = {name: tuple(tuple(each) for each in pool[name]) for name in ("sketches", "synthetic")}
    return {**rows, "photos": tuple(pool["photos"])}


def _contents(folder: Path, facts: dict[str, Any], name: str) -> list[bytes]:
    """The parts of a file. Raises PackInvalid."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise PackInvalid(f"{folder / name} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != facts["sha256"][name]:
        raise PackInvalid(f"{folder / name} is not the file that the pack was written with")
    ends = np.cumsum(facts["lengths"][name])
    return [content[end - length : end] for end, length in zip(ends, facts["lengths"][name], strict=True)]


def _unpack(
    folder: Path, facts: dict[str, Any], table: KindTable, photos: NDArray[np.uint8], sketches: NDArray[np.uint8]
) -> None:
    def photo(job: tuple[int, bytes]) -> None:
        with Image.open(io.BytesIO(job[1])) as image:
            photos[job[0]] = np.asarray(image.convert("RGB")).transpose(2, 0, 1)

    def stream(job: tuple[Rows, bytes]) -> None:
        bits = np.unpackbits(np.frombuffer(lzma.decompress(job[1]), np.uint8))
        sketches[job[0]] = 255 * (1 - bits.reshape(len(job[0]), *sketches.shape[1:]))

    drawn = np.flatnonzero([bool(name) for name in table.sketch_sets])
    _mapped(photo, enumerate(_contents(folder, facts, _PHOTOS)))
    _mapped(stream, zip(_parts(drawn, _STREAM), _contents(folder, facts, _SKETCHES), strict=True))


def _draw(
    photos: NDArray[np.uint8], sketches: NDArray[np.uint8], pools: Sequence[CategoryPool], facts: dict[str, Any]
) -> None:
    """The synthetic drawings of every photo, as `prepare_sets` makes them but in styles by the photo's row."""
    view = Preprocess(
        size_px=sketches.shape[-1], sketch=SketchNormalisation(), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )

    def draw(job: tuple[int, tuple[int, ...]]) -> None:
        photo, rows = job
        image = Image.fromarray(photos[photo].transpose(1, 2, 0))
        styles = random_styles(photo, 1, len(rows))
        for row, drawing in zip(rows, line_drawings([image], facts["focuses"][photo], styles), strict=True):
            sketches[row] = np.asarray(view.view(drawing))

    jobs = [job for pool in pools for job in zip(pool.photos, pool.synthetic, strict=True) if job[1]]
    # Drawings go side by side, so each gets one thread: a pool of threads in each would fight for the same cores.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _mapped(draw, jobs)
    finally:
        torch.set_num_threads(threads)


def _fitting(photos: NDArray[np.uint8], room: int) -> int:
    """The highest quality whose photos take at most `room` bytes, judged by a sample. Raises PackTooLarge."""
    sample = range(0, len(photos), _SAMPLED)
    for quality in _QUALITIES:
        sizes = [len(photo) for photo in _mapped(partial(_webp, photos, quality), sample)]
        # 2 % more than the sample says, since it is a sample.
        if 1.02 * np.mean(sizes) * len(photos) <= room:
            return quality
    raise PackTooLarge(f"{len(photos):,} photos do not fit into {room:,} bytes at the lowest quality {_QUALITIES[-1]}")


def _webp(photos: NDArray[np.uint8], quality: int, row: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(photos[row].transpose(1, 2, 0))).save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


def _packed_bits(sketches: NDArray[np.uint8]) -> bytes:
    return lzma.compress(np.packbits(sketches < _INK_BELOW).tobytes(), preset=9)


def _parts(rows: Rows, length: int) -> list[Rows]:
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def _mapped(work: Callable[[Any], Any], jobs: Iterable[Any]) -> list[Any]:
    """In threads: decoders, LZMA and torch all let go of the interpreter's lock."""
    with ThreadPoolExecutor(cpu_quota()) as pool:
        return list(pool.map(work, jobs))
