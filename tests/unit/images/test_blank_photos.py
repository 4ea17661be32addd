"""Pictures of one colour are told from pictures of something."""

from __future__ import annotations

import pytest
from PIL import Image

from index_builder.embedding.reader import facts_of
from models.bundle import Preprocess, ReadImage

PHOTO = Preprocess(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))


@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("colour", [(255, 255, 255), (12, 80, 200), (0, 0, 0)])
def test_only_a_picture_of_one_colour_is_blank(colour: tuple[int, int, int], dot: bool) -> None:
    image = Image.new("RGB", (40, 30), colour)
    if dot:
        image.putpixel((20, 10), (128, 128, 128))
    decoded = PHOTO.decode(image)
    assert facts_of(ReadImage(b"", decoded, PHOTO(decoded.image))).blank is not dot
