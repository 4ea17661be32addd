"""Line drawings, each unlike the others: photos that are their own sketches."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

_SIZE_PX = 200


def drawing(number: int) -> bytes:
    """The PNG of a few strokes that follow from the number."""
    pick = random.Random(number)
    image = Image.new("L", (_SIZE_PX, _SIZE_PX), 255)
    pen = ImageDraw.Draw(image)
    for _ in range(pick.randint(3, 5)):
        points = [(pick.randint(10, _SIZE_PX - 10), pick.randint(10, _SIZE_PX - 10)) for _ in range(pick.randint(2, 4))]
        if pick.random() < 0.4:
            (x0, y0), (x1, y1) = points[:2]
            pen.ellipse((min(x0, x1), min(y0, y1), max(x0, x1) + 4, max(y0, y1) + 4), outline=0, width=4)
        else:
            pen.line(points, fill=0, width=4)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
