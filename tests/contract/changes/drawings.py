"""What changes are made with, and looked for by."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw
from starlette.testclient import TestClient


def star(number: int) -> bytes:
    """A drawing that is like none of the gallery, and another for each number below 45; it finds its own photo."""
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    x, y = 30 + 23 * (number % 9), 30 + 41 * (number // 9)
    pen.line((x, 10, 128, 246, 250 - x, 10), fill="black", width=5)
    pen.line((10, y, 246, 128, 10, 250 - y), fill="black", width=5)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def found(client: TestClient, sketch: bytes, base: str = "/v1", **params: Any) -> list[str]:
    """Ids that a search answers, best first."""
    query = {"k": 5, "mirror": "false", "frame": "false", **params}
    response = client.post(f"{base}/search", content=sketch, params=query)
    assert response.status_code == 200, response.text
    return [photo["photo_id"] for photo in response.json()["results"]]


def put(client: TestClient, photo_id: str, image: bytes, base: str = "/v1", **params: Any) -> dict[str, Any]:
    """The record of an uploaded photo."""
    response = client.put(f"{base}/photos/{photo_id}", content=image, params=params)
    assert response.status_code in (200, 201), response.text
    record: dict[str, Any] = response.json()
    return record
