"""`@inkseek/client/local` beside the service's own code on the same sketches: equal views but for rounding."""

from __future__ import annotations

import base64
import io
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from models.arrays import Vectors
from models.bundle import Bundle, Frame, Purpose, SketchEmpty, SketchSolid, mirrored, rasterise_strokes
from service.config import Settings
from service.http.schemas.encoder import describe_encoder
from tests.contract.clients.conftest import serving
from tests.contract.clients.test_typescript_client import FOLDER, needs_node, run

ROOT = FOLDER.parents[1]
RUNTIME = FOLDER / "node_modules" / "onnxruntime-web"
DRAWINGS = sorted((ROOT / "examples" / "sketches").glob("*.png"))
CANARIES = [
    ROOT / "tests" / "golden" / "bundle_v1" / "canary.png",
    ROOT / "models" / "bundles" / "default" / "canary.png",
]
LEAST_COSINE = 0.9999
pytestmark = [needs_node, pytest.mark.skipif(not RUNTIME.exists(), reason="`make test` installs onnxruntime-web")]


@dataclass(frozen=True)
class Case:
    """A sketch as both sides get it: a picture with its transparency, or strokes."""

    name: str
    sketch: Image.Image | list[list[tuple[float, float]]]
    frame: Frame = "auto"
    encode: bool = False
    in_detail: bool = False
    alone: bool = False

    def sent(self) -> dict[str, Any]:
        purpose = {"frame": self.frame, "inDetail": self.in_detail, "alone": self.alone}
        asked = {"purpose": purpose, "encode": self.encode}
        if isinstance(self.sketch, list):
            return {"strokes": self.sketch, **asked}
        rgba = base64.b64encode(self.sketch.convert("RGBA").tobytes()).decode()
        size = {"width": self.sketch.width, "height": self.sketch.height}
        return {**size, "rgba": rgba, **asked}

    def image(self, bundle: Bundle) -> Image.Image:
        """As the service decodes it from a PNG."""
        if isinstance(self.sketch, list):
            return rasterise_strokes(self.sketch)
        file = io.BytesIO()
        self.sketch.convert("RGBA").save(file, "PNG")
        return bundle.sketch.decode(file.getvalue()).image


def changed(name: str, drawing: Image.Image) -> Iterator[Case]:
    """One drawing in the ways that a canvas or a photograph may show it."""
    levels = np.asarray(drawing)
    yield Case(f"{name}, as it lies", drawing, "false")
    yield Case(f"{name}, framed", drawing, "true")
    for size in ((512, 512), (700, 300), (150, 400), (1024, 1024)):
        yield Case(f"{name}, {size}", drawing.resize(size, Image.Resampling.LANCZOS))
    for share in (0.5, 0.7, 0.95):
        page = Image.new("RGB", (300, 300), "white")
        side = round(300 * share)
        page.paste(drawing.resize((side, side)), ((300 - side) // 2, (300 - side) // 2))
        yield Case(f"{name}, {share} of the page, of a thing alone", page, alone=True)
    small = Image.new("RGB", (900, 900), "white")
    small.paste(drawing.resize((140, 140)), (700, 90))
    yield Case(f"{name}, small in a corner", small)
    yield Case(f"{name}, white on black", Image.fromarray(255 - levels))
    for width in (7, 15, 25):
        bold = drawing.filter(ImageFilter.MinFilter(width))
        yield Case(f"{name}, a marker", bold)
        yield Case(f"{name}, a marker, in detail", bold, in_detail=True)
    yield Case(f"{name}, hairlines", drawing.resize((1024, 1024)).filter(ImageFilter.MaxFilter(3)))
    shade = (0.6 + 0.4 * np.mgrid[0:400, 0:400][1] / 400)[..., None]
    yield Case(
        f"{name}, in uneven light", Image.fromarray((np.asarray(drawing.resize((400, 400))) * shade).astype(np.uint8))
    )
    yellow = np.full_like(levels, 255)
    yellow[..., 2] = levels[..., 2]
    yield Case(f"{name}, in yellow", Image.fromarray(yellow))
    noise = np.random.default_rng(1).integers(-9, 9, levels.shape)
    yield Case(f"{name}, noisy", Image.fromarray(np.clip(levels + noise, 0, 255).astype(np.uint8)))
    for ink in (10, 250):
        clear = np.full((*levels.shape[:2], 4), ink, np.uint8)
        clear[..., 3] = 255 - levels[..., 0]
        yield Case(f"{name}, {ink} on transparency", Image.fromarray(clear))
    ruled = drawing.resize((300, 300))
    pen = ImageDraw.Draw(ruled)
    pen.rectangle((0, 0, 299, 299), outline="black", width=3)
    yield Case(f"{name}, in a border", ruled.copy())
    for y in range(20, 300, 40):
        pen.line((0, y, 299, y), fill=(180, 200, 230))
    yield Case(f"{name}, on ruled paper", ruled)


def scribble(seed: int) -> list[list[tuple[float, float]]]:
    """Strokes that turn at random, of one point to sixty."""
    chance = random.Random(seed)
    strokes = []
    for _ in range(chance.randint(1, 6)):
        x, y, angle = chance.uniform(0, 200), chance.uniform(0, 300), chance.uniform(0, 7)
        stroke = [(x, y)]
        for _ in range(chance.choice([0, 1, 3, 20, 60])):
            angle += chance.gauss(0, 0.6)
            x, y = x + chance.uniform(1, 14) * math.cos(angle), y + chance.uniform(1, 14) * math.sin(angle)
            stroke.append((round(x, chance.choice([0, 1, 8])), round(y, 1)))
        strokes.append(stroke)
    return strokes


def every_case() -> list[Case]:
    filled = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(filled)
    pen.ellipse((40, 60, 200, 220), fill="black")
    pen.line((200, 60, 250, 10), fill="black", width=3)
    golden = [Case(path.name, Image.open(path).convert("RGB"), encode=True) for path in (*CANARIES, *DRAWINGS)]
    return [
        *golden,
        *(case for path in DRAWINGS[:2] for case in changed(path.name, Image.open(path).convert("RGB"))),
        *(Case(f"scribble {seed}", scribble(seed), encode=seed < 6) for seed in range(25)),
        Case("a dot", [[(3.0, 3.0)]]),
        Case("two lines", [[(0.0, 0.0), (10.0, 0.0)], [(0.0, 0.0), (0.0, 10.0)]]),
        Case("there and back", [[(0.0, 0.0), (10.0, 0.0), (0.0, 0.0), (0.0, 5.0)]]),
        Case("a filled area", filled),
        Case("a filled area, in detail", filled, in_detail=True),
        Case("nothing", Image.new("RGB", (256, 256), "white")),
        Case("all ink", Image.new("RGB", (256, 256), "black")),
    ]


def numbers(text: str) -> Vectors:
    return np.frombuffer(base64.b64decode(text), "<f4")


def seen_by_the_service(bundle: Bundle, case: Case) -> Image.Image | str:
    """Its view, or the name of the error."""
    try:
        return bundle.sketch.view(case.image(bundle), Purpose(case.frame, in_detail=case.in_detail, alone=case.alone))
    except (SketchEmpty, SketchSolid) as error:
        return type(error).__name__


@pytest.mark.timeout(600)  # a hundred pictures, on a machine that is busy
def test_sketches_are_prepared_to_the_bit_and_encoded_alike(tmp_path: Path) -> None:
    bundle, cases = Bundle.load("default"), every_case()
    (tmp_path / "cases.jsonl").write_text("\n".join(json.dumps(case.sent()) for case in cases))
    (tmp_path / "description.json").write_text(describe_encoder(bundle, mirrored_helps=False).model_dump_json())
    model = bundle.path / bundle.manifest.sketch.file
    printed = run("node", "tests/local_compare.js", tmp_path / "cases.jsonl", tmp_path / "description.json", model)
    answers = [json.loads(line) for line in printed.splitlines()]
    assert len(answers) == len(cases) > 70
    equal = 0
    for case, answer in zip(cases, answers, strict=True):
        seen = seen_by_the_service(bundle, case)
        if isinstance(seen, str):
            assert answer == {"error": seen}, case.name
            equal += 1
            continue
        difference = np.frombuffer(base64.b64decode(answer["seen"]), np.uint8).astype(int) - np.asarray(seen).ravel()
        # A drawing is framed by the mean width of its lines, whose sum rounds differently in numpy.
        assert abs(difference).max() <= 1, case.name
        assert np.count_nonzero(difference) <= difference.size / 1_000, case.name
        equal += not difference.any()
        if case.encode:
            tensor = bundle.sketch.preprocess.tensor(seen)
            expected = bundle.sketch.encode(np.stack([tensor, mirrored(tensor)]))
            for name, vector in zip(("vector", "mirrored"), expected, strict=True):
                if name in answer:
                    assert float(numbers(answer[name]) @ vector) >= LEAST_COSINE, (case.name, name)
    assert equal >= 0.95 * len(cases)


def test_a_search_of_a_real_service(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings(encoder_download="always", online_dir=tmp_path / "online")
    with serving(settings) as url:
        said = json.loads(run("node", "tests/local_service.js", url))
    assert said["local"] == said["sent"]
    assert max(abs(a - b) for a, b in zip(said["local_scores"], said["sent_scores"], strict=True)) < 2e-3
