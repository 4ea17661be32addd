"""Files that name a position, written by Pillow, read again after the position is taken out."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from service.originals.exif import exif_without_position
from service.originals.opened import OpenedOriginal
from service.originals.position import file_without_position, without_position

MAKE, ORIENTATION, GPS, EXIF_IFD, TAKEN = 0x010F, 0x0112, 0x8825, 0x8769, 0x9003
PLACE = {1: "N", 2: (52.0, 31.0, 12.345), 3: "E", 4: (13.0, 24.0, 17.89), 29: "2026:11:26"}
XMP = b'<x:xmpmeta><rdf:Description exif:GPSLatitude="52,31.20575N" xmp:Rating="4"/></x:xmpmeta>'


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))


def exif(order: str = "II", with_place: bool = True) -> Image.Exif:
    fields = Image.Exif()
    fields.endian = ">" if order == "MM" else "<"
    fields[MAKE] = "Inkseek Cameras"
    fields[ORIENTATION] = 6
    fields.get_ifd(EXIF_IFD)[TAKEN] = "2026:11:26 07:25:00"
    if with_place:
        fields.get_ifd(GPS).update(PLACE)
    return fields


def encoded(format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "MPO"])
@pytest.mark.parametrize("order", ["II", "MM"])
def test_the_position_goes_and_everything_else_stays(format: str, order: str) -> None:
    image = encoded(format, exif=exif(order))
    cleaned = without_position(image)
    assert len(cleaned) == len(image) and cleaned != image
    with Image.open(io.BytesIO(image)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert before.getexif().get_ifd(GPS)[2] == pytest.approx(PLACE[2])
        assert dict(after.getexif().get_ifd(GPS)) == {}
        assert after.getexif()[MAKE] == "Inkseek Cameras" and after.getexif()[ORIENTATION] == 6
        assert after.getexif().get_ifd(EXIF_IFD)[TAKEN] == "2026:11:26 07:25:00"
        assert before.tobytes() == after.tobytes()
    assert b"2026:11:26\x00" in image.replace(b"2026:11:26 ", b"")
    assert b"2026:11:26\x00" not in cleaned.replace(b"2026:11:26 ", b"")
    assert without_position(cleaned) is cleaned


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_file_without_a_position_is_left_alone(format: str, tmp_path: Path) -> None:
    image = encoded(format, **({"exif": exif(with_place=False)} if format in ("JPEG", "PNG", "WEBP") else {}))
    assert without_position(image) is image
    (tmp_path / "photo").write_bytes(image)
    assert cleaned_file(tmp_path / "photo") is None


def png_with(text: PngImagePlugin.PngInfo) -> bytes:
    return encoded("PNG", pnginfo=text)


def xmp_in_png(compressed: bool) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP.decode(), lang="en", tkey="packet", zip=compressed)
    text.add_text("Comment", "kept")
    return png_with(text)


@pytest.mark.parametrize(
    "image",
    [
        encoded("JPEG", xmp=XMP),
        encoded("JPEG", xmp=XMP.decode().encode("utf-16-le")),
        encoded("WEBP", xmp=XMP),
        xmp_in_png(False),
        xmp_in_png(True),
    ],
    ids=["jpeg", "utf-16", "webp", "png", "compressed"],
)
def test_a_packet_that_speaks_of_gps_is_blanked(image: bytes) -> None:
    cleaned = without_position(image)
    assert len(cleaned) == len(image)
    assert b"52,31" not in cleaned and b"5\x002\x00,\x003\x001" not in cleaned
    assert zlib.compress(XMP) not in cleaned
    with Image.open(io.BytesIO(image)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert before.tobytes() == after.tobytes()
        assert after.info.get("Comment") == before.info.get("Comment")


def test_a_packet_that_does_not_is_kept() -> None:
    image = encoded("JPEG", xmp=XMP.replace(b"GPS", b"Lens"))
    assert without_position(image) is image


def test_a_profile_in_hexadecimal_is_zeroed() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n      10\n" + exif().tobytes().hex())
    text.add_text("Raw profile type APP1", "\nAPP1\n      10\n" + exif().tobytes().hex(), zip=True)
    cleaned = without_position(png_with(text))
    with Image.open(io.BytesIO(cleaned)) as after:
        after.load()
        assert "exif" not in str(after.info.get("Raw profile type exif", "")).strip("\x00")
        assert dict(after.getexif().get_ifd(GPS)) == {}


def test_pictures_that_a_phone_appends_lose_it_too() -> None:
    first, second = encoded("JPEG", exif=exif()), encoded("JPEG", exif=exif("MM"))
    cleaned = without_position(first + second)
    assert without_position(first) == cleaned[: len(first)] and without_position(second) == cleaned[len(first) :]


def test_xmp_in_parts_is_zeroed() -> None:
    part = b"http://ns.adobe.com/xmp/extension/\x00" + b"A" * 40 + b"exif:GPSLatitude 52,31"
    segment = b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part
    image = encoded("JPEG")
    image = image[:2] + segment + image[2:]
    cleaned = without_position(image)
    assert b"52,31" not in cleaned and len(cleaned) == len(image)
    assert cleaned[2 + len(segment) :] == image[2 + len(segment) :]


@pytest.mark.parametrize("keep", [0, 1, 7, 9, 20, 60])
def test_a_broken_block_is_zeroed(keep: int) -> None:
    tiff = exif().tobytes()[6:]  # after the name
    cut = tiff[:keep]
    cleaned = exif_without_position(cut)
    assert cleaned is None if keep == 0 else cleaned == bytes(keep)


def test_directories_in_a_circle_end() -> None:
    tiff = b"II*\x00" + struct.pack("<IH", 8, 0) + struct.pack("<I", 8)
    assert exif_without_position(tiff) is None


def test_checksums_of_png_hold() -> None:
    cleaned = without_position(encoded("PNG", exif=exif()))
    at = 8
    while at < len(cleaned):
        (length,) = struct.unpack_from(">I", cleaned, at)
        body = cleaned[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", cleaned, at + 8 + length)[0] == zlib.crc32(body)
        at += 12 + length


@given(st.integers(0, 399), st.integers(0, 255), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_damaged_file_fails_nobody(place: int, value: int, format: str) -> None:
    image = bytearray(encoded(format, exif=exif(), **({} if format == "PNG" else {"xmp": XMP})))
    image[place % len(image)] = value
    cleaned = without_position(bytes(image))
    assert len(cleaned) == len(image)
    assert without_position(cleaned) == cleaned


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(data: bytes) -> None:
    for start in (b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP", b""):
        assert len(without_position(start + data)) == len(start + data)
    exif_without_position(data)


def cleaned_file(path: Path) -> bytes | None:
    original = OpenedOriginal(path)
    try:
        return file_without_position(original)
    finally:
        original.close()


def test_a_file_is_read_and_not_written(tmp_path: Path) -> None:
    path, image = tmp_path / "photo.jpg", encoded("JPEG", exif=exif())
    path.write_bytes(image)
    assert cleaned_file(path) == without_position(image)
    assert path.read_bytes() == image
    (tmp_path / "empty").write_bytes(b"")
    assert cleaned_file(tmp_path / "empty") is None
    with pytest.raises(FileNotFoundError):
        cleaned_file(tmp_path / "gone")
