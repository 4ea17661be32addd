"""A made-up data set of outlines and filled shapes, and experiments so small that they train in a second or two."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from models.training.engine.config import merge_tables
from models.training.recipes.xmodalvit.config import XModalConfig

CATEGORIES = ("boxes", "discs")
PHOTOS = 7
PAPER = {"queue_contrast": 1.0, "relational_distance": 1.0, "relational_angle": 1.0}
Experiment = Callable[..., XModalConfig]


def draw_shape(category: str, number: int, *, wobble: int | None = None) -> Image.Image:
    """A filled shape, or with `wobble` its outline, a little off."""
    image = Image.new("RGB", (64, 64), "white")
    off = 0 if wobble is None else wobble
    box = (6 + 3 * number + off, 8 + 2 * number, 34 + 3 * number, 28 + 4 * number + off)
    pen = ImageDraw.Draw(image)
    shape = pen.rectangle if category == "boxes" else pen.ellipse
    if wobble is None:
        shape(box, fill=(200, 40 + 20 * number, 60))
    else:
        shape(box, outline="black", width=2)
    return image


@pytest.fixture
def outlines_dir(tmp_path: Path) -> Path:
    """Data sets' folder with `outlines`: seven photos of each category, two sketches of each; photos 5, 6 are `val`."""
    root = tmp_path / "data" / "outlines"
    rows: list[tuple[object, ...]] = []
    for category in CATEGORIES:
        for number in range(PHOTOS):
            photo = f"photos/{category}/{number}.png"
            (root / photo).parent.mkdir(parents=True, exist_ok=True)
            draw_shape(category, number).save(root / photo)
            for drawing in (1, 2):
                sketch = f"sketches/{category}/{number}/{drawing}.png"
                (root / sketch).parent.mkdir(parents=True, exist_ok=True)
                draw_shape(category, number, wobble=drawing).save(root / sketch)
                rows.append((sketch, photo, category, number, "val" if number >= 5 else "train"))
    with (root / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("sketch_path", "photo_path", "category", "photo_id", "split"), *rows])
    return root.parent


@pytest.fixture
def experiment() -> Experiment:
    """Makes an experiment on `outlines`: the given values over tiny ones; a `student` takes the ViT's place."""

    def make(**changes: Any) -> XModalConfig:
        plan = {"steps": 4, "rate": 1e-3, "evaluate_every": 2, "checkpoint_every": 1, "ema_decay": 0.5}
        encoder = {"size_px": 32, "dim": 12, "depth": 1, "heads": 3, "patch_px": 8}
        values: dict[str, Any] = {
            "about": {},
            "pretrained": False,
            "cache_px": 32,
            "teacher": {"encoder": encoder, "fusion_blocks": 1},
            "student": {"form": "vit", "encoder": encoder, "cls_dim": 12},
            "batch": {"pairs": 4, "groups": 2, "synthetic_share": 0.0},
            "sets": [{"folder": "outlines", "pool": "own", "synthetic": False}],
            "validation": [{"name": "outlines", "folder": "outlines", "split": "val"}],
            "teacher_training": {"plan": plan, "queue_length": 5, "losses": {"queue_contrast": 1.0}},
            "student_training": {"plan": plan, "queue_length": 5, "losses": PAPER},
        }
        if "student" in changes:
            del values["student"]
        return XModalConfig.parse(merge_tables(values, changes), "test")

    return make
