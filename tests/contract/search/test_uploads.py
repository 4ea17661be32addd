"""What is really sent: any polarity, any damage, any size. Each gets its answer, none hurts the next."""

from __future__ import annotations

import asyncio
import io
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image, ImageOps
from starlette.testclient import TestClient

from service.http.edge.draining import DrainLimits
from service.http.schemas.problem import Problem
from tests.contract.raw_scopes import search_scope

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">{}</svg>'
)


def on_transparency(image: Image.Image, ink: tuple[int, int, int], paper: tuple[int, int, int]) -> Image.Image:
    """Strokes as alpha; `paper` is the invisible colour below, which must not matter."""
    alpha = ImageOps.invert(image.convert("L"))
    layer = Image.new("RGBA", image.size, (*paper, 0))
    layer.paste((*ink, 255), mask=alpha)
    layer.putalpha(alpha)
    return layer


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header declares another size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def expect(client: TestClient, body: bytes, status: int, code: str, path: str = "/v1/search") -> Problem:
    response = client.post(path, content=body)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert (problem.code, problem.status) == (code, status)
    assert problem.request_id == response.headers["x-request-id"]
    return problem


def test_polarity_and_transparency_mean_the_same(client: TestClient, drawing: Drawing, encoded: Encode) -> None:
    for category in ("box", "cross", "wave form"):
        image = drawing(category, 1)
        grey_16 = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
        variants = {
            "black on white": image,
            "white on black": ImageOps.invert(image),
            "black on transparency": on_transparency(image, (0, 0, 0), (0, 0, 0)),
            "black on transparent white": on_transparency(image, (0, 0, 0), (255, 255, 255)),
            "white on transparency": on_transparency(image, (255, 255, 255), (255, 255, 255)),
            "white on transparent black": on_transparency(image, (255, 255, 255), (0, 0, 0)),
            "one bit": image.convert("1"),
            "grey": image.convert("L"),
            "grey with alpha": image.convert("LA"),
            "palette": image.convert("P"),
            "16 bit": grey_16,
        }
        answers = {}
        for name, variant in variants.items():
            response = client.post("/v1/search?k=15", content=encoded(variant))
            assert response.status_code == 200, (name, response.text)
            answers[name] = [(hit["photo_id"], round(hit["score"], 3)) for hit in response.json()["results"]]
        assert answers["black on white"][0][0] == f"{category}/1.png"
        for name, answer in answers.items():
            assert answer == answers["black on white"], name


@pytest.mark.parametrize(
    ("colour", "mode", "code"),
    [
        ((255, 255, 255), "RGB", "sketch_empty"),
        ((0, 0, 0), "RGB", "sketch_solid"),
        ((0, 0, 0, 0), "RGBA", "sketch_empty"),
        ((255, 255, 255, 0), "RGBA", "sketch_empty"),
    ],
)
def test_nothing_drawn_is_said(client: TestClient, encoded: Encode, colour: Any, mode: str, code: str) -> None:
    for path in ("/v1/search", "/v1/preview"):
        expect(client, encoded(Image.new(mode, (200, 200), colour)), 422, code, path)


def test_pixel_bomb_is_rejected_before_it_is_decoded(client: TestClient) -> None:
    started = time.process_time()
    expect(client, png_claiming(50_000, 50_000), 413, "image_too_large")
    expect(client, png_claiming(2_000_000_000, 2_000_000_000), 413, "image_too_large")
    expect(client, png_claiming(1_001, 1_000), 413, "image_too_large")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_truncated_anywhere_is_a_problem(
    client: TestClient, drawing: Drawing, encoded: Encode, cross: bytes, format: str
) -> None:
    whole = encoded(drawing("cross", 2), format)
    for share in (0.02, 0.1, 0.5, 0.9):
        response = client.post("/v1/search", content=whole[: int(len(whole) * share)])
        assert response.status_code in (200, 415, 422), response.text
        if response.status_code != 200:  # a decoder may make something of most of a file
            assert response.json()["code"] in ("image_unreadable", "image_unsupported", "sketch_empty", "sketch_solid")
    assert client.post("/v1/search", content=cross).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "body_invalid"),
        (b"   \n ", 422, "body_invalid"),
        (b"hello", 415, "image_unsupported"),
        (b"%PDF-1.7 and so on", 415, "image_unsupported"),
        (b"II*\0" + bytes(100), 415, "image_unsupported"),
        (b"\x00" * 5000, 415, "image_unsupported"),
        (b"<html><body>no</body></html>", 415, "image_unsupported"),
        (b"{", 422, "body_invalid"),
        (b"[1, 2]", 422, "body_invalid"),
        (b"{}", 422, "body_invalid"),
        (b'{"image_base64": "*"}', 422, "body_invalid"),
        (b'{"image_base64": ""}', 422, "body_invalid"),
        (b'{"image_base64": 5}', 422, "body_invalid"),
        (b'{"image_base64": "aGVsbG8="}', 415, "image_unsupported"),
        (b'{"image_base64": "aGVsbG8=", "strokes": [[[1],[1]]]}', 422, "body_invalid"),
        (b'{"image_base64": "aGVsbG8=", "k": 5}', 422, "body_invalid"),
        (b'{"strokes": []}', 422, "strokes_invalid"),
        (b'{"strokes": [[]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[[], []]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[[1, 2, 3, 4]]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[[1, 2], [3, 4]]]}', 422, "strokes_invalid"),  # rows or pairs
        (b'{"strokes": [[[1, 2], [1]]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[[1, 2], [1, 2], [1]]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[["a"], [1]]]}', 422, "body_invalid"),
        (b'{"strokes": [[[1, NaN], [1, 2]]]}', 422, "body_invalid"),
        (b'{"strokes": [[[1, Infinity], [1, 2]]]}', 422, "body_invalid"),
        (b'{"strokes": [[[1, 1e999], [1, 2]]]}', 422, "body_invalid"),
        (b'{"strokes": [[[1, 1e30], [1, 2]]]}', 422, "strokes_invalid"),
        (b'{"strokes": [[[1, 1' + b"0" * 400 + b"], [1, 2]]]}", 422, "body_invalid"),
        (b'{"points": [{"x": 1}]}', 422, "body_invalid"),
        (b'{"points": [{"x": 1, "y": null}]}', 422, "body_invalid"),
        (b'{"strokes": ' + b"[" * 5000 + b"]" * 5000 + b"}", 422, "body_invalid"),
        (b'{"strokes": [' + b"[[1,2],[1,2]]," * 2000 + b"[[1,2],[1,2]]]}", 422, "strokes_invalid"),
    ],
)
def test_bodies_that_are_no_sketch(client: TestClient, body: bytes, status: int, code: str) -> None:
    expect(client, body, status, code)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([("image", b"x")], "'image'"),
        ([("sketch", b"x"), ("k", b"5")], "query string"),
        ([("sketch", b"x"), ("sketch", b"y")], "search:batch"),
    ],
)
def test_forms_with_other_fields(client: TestClient, fields: Any, said: str) -> None:
    response = client.post("/v1/search", files=fields)
    assert response.status_code == 422
    assert said in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary in here"),
        ("multipart/form-data; boundary=b", b'--b\r\ncontent-disposition: form-data; name="sketch"\r\n\r\nhalf'),
        ("multipart/form-data; boundary=" + "b" * 500, b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"x: y\r\n" * 10_000),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
    ],
)
def test_broken_forms(client: TestClient, content_type: str, body: bytes) -> None:
    response = client.post("/v1/search", content=body, headers={"content-type": content_type})
    assert (response.status_code, response.json()["code"]) == (422, "body_invalid"), response.text


def test_announced_size_is_rejected_unread(client: TestClient) -> None:
    problem = expect(client, bytes(200_001), 413, "body_too_large")
    assert "200,000" in problem.detail


def test_size_is_enforced_while_the_body_arrives(app: FastAPI, client: TestClient) -> None:
    """No Content-Length: reading stops at the limit, however much would follow."""
    chunks = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": bytes(10_000), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(search_scope([(b"content-type", b"image/png")]), receive, send))
    assert sent[0]["status"] == 413
    # What is read on, so that the client reads the answer, has an end too.
    assert 21 <= chunks <= 21 + DrainLimits().most_bytes // 10_000 + 1


@pytest.mark.parametrize(
    ("inner", "status", "code"),
    [
        ('<image href="/etc/hostname" width="9" height="9"/>', 415, "image_unsupported"),
        ('<image xlink:href="data:image/png;base64,AAAA" width="9" height="9"/>', 415, "image_unsupported"),
        ('<use href="http://example.com/a.svg#x"/>', 415, "image_unsupported"),
        ('<use xlink:href="file:///etc/passwd#x"/>', 415, "image_unsupported"),
        ('<filter id="f"><feImage href="/etc/hostname"/></filter>', 415, "image_unsupported"),
        ("<foreignObject><p>hi</p></foreignObject>", 415, "image_unsupported"),
        ("<g>" * 200 + "</g>" * 200, 413, "image_too_large"),
        ("<g/>" * 20_001, 413, "image_too_large"),
        ("<g>", 422, "image_unreadable"),
        ("", 422, "sketch_empty"),
        ("<text x='9' y='50'>words</text>", 422, "sketch_empty"),
    ],
)
def test_hostile_and_broken_svg(client: TestClient, inner: str, status: int, code: str) -> None:
    expect(client, SVG.format(inner).encode(), status, code)


def test_svg_entities_from_elsewhere_are_rejected(client: TestClient) -> None:
    for declaration in (
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://x/">',
    ):
        svg = f"<!DOCTYPE svg [{declaration}]>" + SVG.format("<text>&amp;</text>")
        expect(client, svg.encode(), 415, "image_unsupported")


def test_svg_scripts_and_styles_are_inert(client: TestClient) -> None:
    line = '<path d="M10 10 L90 90 M10 90 L60 20" stroke="black" stroke-width="3" fill="none"/>'
    plain = client.post("/v1/search", content=SVG.format(line).encode()).json()
    extra = '<script>alert(1)</script><style>@import url("http://example.com/x.css");</style>'
    more = client.post("/v1/search", content=SVG.format(extra + line).encode()).json()
    assert more["results"] == plain["results"]


def test_svg_that_would_take_forever_is_stopped(client: TestClient, cross: bytes) -> None:
    levels = "".join(f'<g id="g{n}">' + f'<use xlink:href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 6))
    svg = SVG.format(f'<defs><g id="g0"><circle r="40"/></g>{levels}</defs><use xlink:href="#g5"/>')
    started = time.perf_counter()
    problem = expect(client, svg.encode(), 413, "image_too_large")
    assert "322,223 elements" in problem.detail
    assert time.perf_counter() - started < 6
    assert client.post("/v1/search", content=cross).status_code == 200


def test_svg_sizes_do_not_matter(client: TestClient) -> None:
    line = '<path d="M10 10 L90 90 M10 90 L60 20" stroke="black" stroke-width="3" fill="none"/>'
    answers = []
    for size in ("", 'width="10mm" height="10mm"', 'width="100%" height="100%"', 'width="100000" height="100000"'):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" {size}>{line}</svg>'
        response = client.post("/v1/search", content=svg.encode())
        assert response.status_code == 200, (size, response.text)
        answers.append(response.json()["results"][0])
    assert {answer["photo_id"] for answer in answers} == {answers[0]["photo_id"]}
    assert max(answer["score"] for answer in answers) - min(answer["score"] for answer in answers) < 0.01


def test_a_rotated_photo_of_a_drawing_is_turned(client: TestClient, drawing: Drawing) -> None:
    upright = drawing("box", 2)
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    upright.transpose(Image.Transpose.ROTATE_90).save(buffer, "JPEG", exif=exif, quality=95)
    found = client.post("/v1/search", content=buffer.getvalue()).json()["results"]
    assert found[0]["photo_id"] == "box/2.png"
