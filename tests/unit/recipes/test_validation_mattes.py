"""Photos lie on the index's matte while training, too: figures of a run and of its bundle are of the same pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from models.bundle import decode_image
from models.evaluation.splits import ValidationSplit, load_galleries
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.preprocessing import preprocesses
from models.training.engine.processes import Process
from models.training.students.validation import validate


def make_light(path: Path) -> None:
    """A nearly white bar on a transparent ground, somewhere else for each path."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    left = sum(path.parts[-1].encode()) % 12
    ImageDraw.Draw(image).rectangle((left, 8, left + 24, 14), fill=(250, 250, 250, 255))
    image.save(path)


def test_validation_feeds_photos_and_sketches_on_what_shows_them(shapes_dir: Path) -> None:
    for path in sorted(shapes_dir.rglob("*.png")):
        make_light(path)
    students = GridStudents(GridStudentConfig(size_px=32, widths=(4, 8, 8), grid=2, channels=4))
    galleries = load_galleries(shapes_dir.parent, (ValidationSplit("seen", "shapes", "train"),))
    inputs: list[torch.Tensor] = []
    stems = {
        next(m for m in side.modules() if isinstance(m, torch.nn.Conv2d)) for side in (students.sketch, students.photo)
    }
    for stem in stems:  # one, where the trunk is shared
        stem.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    validate(students, galleries, Process(), bf16=False)

    sketch_view, photo_view = preprocesses(32)
    (shapes,) = galleries.values()
    sketches = [shapes_dir / query.sketch.name for gallery in shapes for query in gallery.queries]
    photos = [photo.path for gallery in shapes for photo in gallery.photos]
    expected = [sketch_view(decode_image(path.read_bytes(), matte="contrast").image) for path in sketches]
    expected += [photo_view(decode_image(path.read_bytes(), matte="product").image) for path in photos]
    np.testing.assert_allclose(torch.cat(inputs).numpy(), np.stack(expected), atol=1e-6)
    on_white = photo_view(decode_image(photos[0].read_bytes(), matte="white").image)
    assert not np.allclose(expected[len(sketches)], on_white)
