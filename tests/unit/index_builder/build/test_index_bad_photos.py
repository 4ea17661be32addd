"""Every kind of photo file that a gallery may hold is indexed right, or listed with its reason; none aborts a build."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index
from models.bundle import Bundle, ImageLimits, Runtime, decode_image
from tests.unit.images.heic_file import HEIC

WIDTH, HEIGHT = 48, 32


def picture(mode: str = "RGB") -> Image.Image:
    """Dark corner at the top left, on white: turned or inverted, it is another picture."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 20, 10), fill=(30, 30, 30))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_rotated() -> bytes:
    """Stored lying on its side; EXIF orientation 6 says: turn by 90 degrees clockwise to look at it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture().rotate(90, expand=True), "JPEG", quality=95, exif=exif)


def transparent() -> bytes:
    """The corner on nothing; what a viewer sees is the corner on white."""
    image = picture().convert("RGBA")
    image.putalpha(picture().convert("L").point(lambda value: 255 if value < 128 else 0))
    return encoded(image, "PNG")


def sixteen_bit() -> bytes:
    return encoded(Image.fromarray(np.asarray(picture("L")).astype(np.uint16) * 257), "PNG")


def animated(kind: str) -> bytes:
    blank = Image.new("RGB", (WIDTH, HEIGHT), "black")
    return encoded(picture(), kind, save_all=True, append_images=[blank, blank], duration=50)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises far more pixels than its data holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


GOOD: dict[str, Callable[[], bytes]] = {
    "plain.png": lambda: encoded(picture(), "PNG"),
    "plain.jpg": lambda: encoded(picture(), "JPEG", quality=95),
    "progressive.jpg": lambda: encoded(picture(), "JPEG", quality=95, progressive=True),
    "plain.webp": lambda: encoded(picture(), "WEBP", lossless=True),
    "plain.bmp": lambda: encoded(picture(), "BMP"),
    "plain.tiff": lambda: encoded(picture(), "TIFF"),
    "plain.avif": lambda: encoded(picture(), "AVIF", quality=95),
    "phone.heic": lambda: HEIC,
    "grey.png": lambda: encoded(picture("L"), "PNG"),
    "bilevel.png": lambda: encoded(picture("1"), "PNG"),
    "palette.png": lambda: encoded(picture("P"), "PNG"),
    "cmyk.jpg": lambda: encoded(picture("CMYK"), "JPEG", quality=95),
    "sixteen-bit.png": sixteen_bit,
    "rotated.jpg": exif_rotated,
    "transparent.png": transparent,
    "animated.gif": lambda: animated("GIF"),
    "animated.webp": lambda: animated("WEBP"),
    "animated.png": lambda: animated("PNG"),
    "no extension": lambda: encoded(picture(), "PNG"),
    "wrong extension.jpg": lambda: encoded(picture(), "PNG"),
    "größe 靴 👟.png": lambda: encoded(picture(), "PNG"),
    "percent%20&?#+.png": lambda: encoded(picture(), "PNG"),
}

BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "zero.jpg": (lambda: b"", "empty"),
    "truncated.jpg": (lambda: encoded(picture(), "JPEG")[:-200], "unreadable"),
    "truncated.png": (lambda: encoded(picture(), "PNG")[:60], "unreadable"),
    "scrambled.png": (lambda: encoded(picture(), "PNG")[:45] + bytes(range(256)), "unreadable"),
    "chunkless.png": (lambda: encoded(picture(), "PNG").replace(b"IDAT", b"IDBT"), "unreadable"),
    "bomb.png": (lambda: png_claiming(50_000, 50_000), "too_large"),
    "gigapixel.jpg": (lambda: encoded(Image.new("L", (400, 300)), "JPEG"), "too_large"),
    "heavy.jpg": (lambda: bytes(300_000), "too_large"),
    "text.jpg": (lambda: b"not a photo at all", "not_an_image"),
    "notes.txt": (lambda: b"buy shoes", "not_an_image"),
    "drawing.svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
    "page.pdf": (lambda: b"%PDF-1.4", "not_an_image"),
    ".hidden.jpg": (lambda: encoded(picture(), "JPEG"), "hidden"),
    "two\nlines.png": (lambda: encoded(picture(), "PNG"), "unusable_name"),
}

LIMITS = ImageLimits(max_bytes=200_000, max_pixels=100_000)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Iterator[tuple[Path, GalleryIndex]]:
    """One build over a folder of everything."""
    root = tmp_path_factory.mktemp("everything")
    folder = root / "photos" / "shoe"
    folder.mkdir(parents=True)
    for name, make in GOOD.items():
        (folder / name).write_bytes(make())
    for name, (make, _) in BAD.items():
        (folder / name).write_bytes(make())
    (folder / ".git").mkdir()
    (folder / ".git" / "deep.jpg").write_bytes(GOOD["plain.jpg"]())
    (folder / "twin.png").write_bytes(GOOD["plain.png"]())
    (root / "photos" / "rootless.png").write_bytes(GOOD["grey.png"]())
    (root / "outside.jpg").write_bytes(GOOD["plain.jpg"]())
    (folder / "leaving.jpg").symlink_to(root / "outside.jpg")
    (folder / "inside.jpg").symlink_to("plain.jpg")
    (folder / "dangling.jpg").symlink_to("nothing.jpg")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    (folder / b"latin-\xe9.png".decode(errors="surrogateescape")).write_bytes(GOOD["plain.png"]())
    build_index(BuildRequest(root / "photos", root / "index", bundle=tiny_bundle_dir, limits=LIMITS))
    index = GalleryIndex.load(root / "index")
    yield root, index
    index.close()


@pytest.fixture(scope="module")
def reported(built: tuple[Path, GalleryIndex]) -> dict[str, dict[str, str]]:
    root, index = built
    lines = (root / "index" / "versions" / index.version / "report.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    # Every good file here shows the same picture, so each has a second entry that says so.
    return {entry["path"]: entry for entry in entries if entry["reason"] != "near_duplicate"}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_it_is_indexed_as_a_person_sees_it(built: tuple[Path, GalleryIndex], tiny_bundle_dir: Path, name: str) -> None:
    _, index = built
    record = index.photo(f"shoe/{name}")
    encoder = Bundle.load(tiny_bundle_dir, Runtime(threads=1)).photo
    seen = encoder.encode(encoder.prepare(picture())[None])[0]
    assert (record.width, record.height) == (WIDTH, HEIGHT)
    assert record.category == "shoe"
    assert float(index.vector(record.row) @ seen) > 0.98
    thumbnail = decode_image(index.thumbnail(record.photo_id).jpeg).image
    assert thumbnail.size == (WIDTH, HEIGHT)
    assert np.asarray(thumbnail.convert("L"))[5, 5] < 60
    assert np.asarray(thumbnail.convert("L"))[-5, -5] > 230


@pytest.mark.parametrize("name", sorted(BAD))
def test_it_is_listed_with_its_reason(
    built: tuple[Path, GalleryIndex], reported: dict[str, dict[str, str]], name: str
) -> None:
    entry = reported[f"shoe/{name}"]
    assert (entry["outcome"], entry["reason"]) == ("skipped", BAD[name][1])
    assert entry["detail"]


@pytest.mark.parametrize(
    ("path", "outcome", "reason"),
    [
        ("shoe/.git", "skipped", "hidden"),
        ("shoe/leaving.jpg", "skipped", "outside_gallery"),
        ("shoe/dangling.jpg", "skipped", "missing"),
        ("shoe/circle.jpg", "skipped", "unreadable"),
        ("shoe/loop", "skipped", "not_a_file"),
        ("shoe/pipe.jpg", "skipped", "not_a_file"),
        ("shoe/latin-\udce9.png", "skipped", "unusable_name"),
        ("shoe/animated.gif", "noted", "first_frame_only"),
        ("shoe/animated.webp", "noted", "first_frame_only"),
        ("shoe/twin.png", "noted", "duplicate_bytes"),
    ],
)
def test_what_else_is_reported(reported: dict[str, dict[str, str]], path: str, outcome: str, reason: str) -> None:
    assert (reported[path]["outcome"], reported[path]["reason"]) == (outcome, reason)


def test_nothing_else_is_in_and_nothing_is_both(
    built: tuple[Path, GalleryIndex], reported: dict[str, dict[str, str]]
) -> None:
    _, index = built
    ids = [record.photo_id for record in index.photos(list(range(index.count)))]
    expected = {f"shoe/{name}" for name in GOOD} | {"shoe/twin.png", "shoe/inside.jpg", "rootless.png"}
    assert ids == sorted(expected)
    assert not {path for path, entry in reported.items() if entry["outcome"] == "skipped"} & set(ids)
    assert index.manifest.build.skipped["not_an_image"] == 4
    assert sum(index.manifest.build.skipped.values()) == sum(e["outcome"] == "skipped" for e in reported.values())
    assert index.problems() == []


def test_a_photo_in_no_folder_has_no_category(built: tuple[Path, GalleryIndex]) -> None:
    _, index = built
    assert index.photo("rootless.png").category == ""
    assert index.categories() == [("shoe", index.count - 1)]


def test_originals_are_found_and_links_out_are_not(built: tuple[Path, GalleryIndex], tmp_path: Path) -> None:
    root, index = built
    original = index.original("shoe/plain.jpg")
    assert original == root / "photos" / "shoe" / "plain.jpg"
    assert GalleryIndex.load(root / "index", gallery_root=tmp_path).original("shoe/plain.jpg") is None
    # The same name may become a link out of the gallery after the build.
    (tmp_path / "shoe").mkdir()
    (tmp_path / "shoe" / "plain.jpg").symlink_to(root / "outside.jpg")
    assert GalleryIndex.load(root / "index", gallery_root=tmp_path).original("shoe/plain.jpg") is None
