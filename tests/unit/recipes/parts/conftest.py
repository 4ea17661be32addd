"""The made-up outlines with doodles and photos that belong to no pair, and an experiment that trains in a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from models.training.engine.config import merge_tables
from models.training.recipes.parts.config import PartsConfig

Parts = Callable[..., PartsConfig]


@pytest.fixture
def parts_data(outlines_dir: Path) -> Path:
    """Beside `outlines`: doodles of three kinds, six each, two photos of `cups`, and the table of kinds."""
    strokes = outlines_dir / "doodles" / "strokes"
    strokes.mkdir(parents=True)
    for place, kind in enumerate(("boxes", "discs", "stars")):
        lines = [{"drawing": [[[0, 9 * n + 20, 5 + place], [0, 40 * place, 90]]]} for n in range(6)]
        (strokes / f"{kind}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    photos = ["photo_path,category,photo_id"]
    (outlines_dir / "cups").mkdir()
    for number in range(2):
        Image.new("RGB", (48, 48), (90 * number, 120, 40)).save(outlines_dir / f"cups/{number}.png")
        photos.append(f"{number}.png,cups,{number}")
    (outlines_dir / "cups" / "photos.csv").write_text("\n".join(photos) + "\n")
    table = "kind,split,accepted_names\nboxes,train,box\ndiscs,train,\nstars,train,\nwalls,val,wall\n"
    (outlines_dir / "kinds.csv").write_text(table)
    return outlines_dir


@pytest.fixture
def parts() -> Parts:
    """Makes an experiment: the given values over tiny ones."""

    def make(**changes: Any) -> PartsConfig:
        values: dict[str, Any] = {
            "about": {},
            "pretrained": False,
            "cache_px": 32,
            "student": {"size_px": 32, "width": 0.1, "depth": 0.4, "grid": 2, "channels": 3, "kind_dim": 4},
            "sizes": [32, 40],
            "kinds": {"table": "kinds.csv"},
            "batch": {"pairs": 8, "groups": 2},
            "kind_batch": {"kinds": 10, "drawings": 2},
            "sets": [
                {"folder": "outlines", "pool": "own", "drawings": 1},
                {"folder": "cups", "pool": "cups", "split": "", "weight": 0.0, "synthetic": False},
                {"folder": "doodles", "pool": "doodles", "split": "", "kinds": "doodle", "labelled": True},
            ],
            "validation": [{"name": "outlines", "folder": "outlines", "split": "val"}],
            "student_training": {
                "plan": {
                    "steps": 4,
                    "rate": 1e-3,
                    "new_rate": 2e-3,
                    "decay": "linear",
                    "decay_share": 0.5,
                    "evaluate_every": 2,
                    "checkpoint_every": 1,
                    "ema_decay": 0.5,
                    "frozen_stages": 1,
                    "publish": "last",
                },
                "losses": {
                    "instance": {"loss": "info_nce", "part": "layout", "weight": 1.0},
                    "cross": {"loss": "kind_contrast", "part": "kind", "weight": 1.0},
                    "prototypes": {"loss": "kind_prototypes", "part": "kind", "weight": 0.5},
                },
            },
        }
        return PartsConfig.parse(merge_tables(values, changes), "test")

    return make
