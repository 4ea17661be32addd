"""Kind against layout by how well the kind is known: the files against the formula, computed one pair at a time."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from inkseek import app
from models.bundle import Bundle, Runtime, read_manifest
from models.data.images.decoded_sets import Unusable
from models.data.images.kind_sets import KindTable
from models.data.images.packed import PackView, write_pack
from models.data.images.training_images import TrainingImages
from models.export.known_kinds import KindWeighing, prototypes, weigh_photos, weigh_sketches
from models.export.known_kinds.graphs import ADDED, weighed_parts
from models.export.known_kinds.prototypes import TooFewKinds
from tests.conftest import TINY_PARTS, TINY_PX, tiny_parted_onnx, write_tiny

PARTS = TINY_PARTS
IMAGES = np.random.default_rng(0).uniform(size=(12, 3, TINY_PX, TINY_PX)).astype(np.float32)
KINDS = ("bars", "boxes", "discs")


@pytest.fixture
def encoder(parted_bundle_dir: Path) -> bytes:
    return (parted_bundle_dir / "sketch.onnx").read_bytes()


def embedded(encoder: bytes, images: np.ndarray) -> np.ndarray:
    (rows,) = Runtime(device="cpu", threads=1).session(encoder).run(None, {"image": images})
    return np.asarray(rows)


def known(count: int, seed: int, near: np.ndarray, apart: float) -> np.ndarray:
    """Rows of length 1, some of them near `near`; exact in half precision, which the files keep them in."""
    rows = np.random.default_rng(seed).standard_normal((count, PARTS.kind_dim))
    rows[: len(near)] = near + apart * rows[: len(near)]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


def test_a_product_is_the_formula_up_to_one_factor(encoder: bytes) -> None:
    others = np.random.default_rng(9).uniform(size=IMAGES.shape).astype(np.float32)
    sketches, photos = embedded(encoder, IMAGES), embedded(encoder, others)
    drawn = known(3, 1, PARTS.kind_of(sketches)[:2], 0.2)
    shown = known(7, 2, PARTS.kind_of(photos)[:3], 0.2)
    low, high = np.quantile((PARTS.kind_of(sketches) @ drawn.T).max(axis=1), [0.25, 0.75])
    weighing = KindWeighing(unsure=float(low), sure=float(high), least=0.5, most=4.0, discount=0.8)
    new_sketches = embedded(weigh_sketches(encoder, PARTS, drawn, weighing), IMAGES)
    new_photos = embedded(weigh_photos(encoder, PARTS, shown), others)
    for rows in (new_sketches, new_photos):
        assert rows.shape == (len(IMAGES), PARTS.layout_dim + PARTS.kind_dim + ADDED)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    scores = new_sketches @ new_photos.T
    familiarities, expected = set(), np.empty_like(scores)
    for s, sketch in enumerate(sketches):
        layout, kind = PARTS.layout_of(sketch[None])[0], PARTS.kind_of(sketch[None])[0]
        familiarity = max(float(kind @ other) for other in drawn)
        sure = min(max((familiarity - weighing.unsure) / (weighing.sure - weighing.unsure), 0.0), 1.0)
        weight = math.exp(math.log(0.5) + sure * (math.log(4.0) - math.log(0.5)))
        for p, photo in enumerate(photos):
            like = PARTS.kind_of(photo[None])[0]
            seen = max(float(like @ other) for other in shown)
            by_layout = float(layout @ PARTS.layout_of(photo[None])[0])
            expected[s, p] = (by_layout + weight * (float(kind @ like) - 0.8 * (1 - sure) * seen)) / (1 + weight)
        familiarities.add(round(sure, 3))
    # Scores of different sketches compare: a search that looks both ways puts them into one order.
    factor = float((scores * expected).sum() / np.square(expected).sum())
    assert 0.5 < factor <= 1
    np.testing.assert_allclose(scores, factor * expected, atol=2e-5)
    assert {0.0, 1.0} < familiarities  # known, unknown, and some in between


def test_parts_of_photos_are_where_readers_look_for_them(encoder: bytes) -> None:
    before = embedded(encoder, IMAGES)
    after = embedded(weigh_photos(encoder, PARTS, known(6, 4, PARTS.kind_of(before)[:2], 0.1)), IMAGES)
    parts = weighed_parts(PARTS)
    np.testing.assert_allclose(parts.layout_of(after), PARTS.layout_of(before), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(after[:, : parts.layout_dim], axis=1), parts.layout_weight, atol=1e-5)
    # Photos are nearly as alike as they were.
    assert np.abs(after @ after.T - (0.9 * before @ before.T + 0.1)).max() < 0.05


def test_prototypes_are_means_of_kinds_with_enough_images() -> None:
    rows = np.random.default_rng(5).standard_normal((6, 3)).astype(np.float32)
    kinds = [7, 0, 7, 2, 0, 7]
    means = np.stack([rows[[1, 4]].mean(axis=0), rows[[0, 2, 5]].mean(axis=0)])
    made = prototypes(rows, kinds, least=2)
    np.testing.assert_allclose(made, means / np.linalg.norm(means, axis=1, keepdims=True), rtol=1e-5)
    with pytest.raises(TooFewKinds, match="of 3 kinds none has 4 images"):
        prototypes(rows, kinds, least=4)


@pytest.mark.parametrize(
    "numbers", [{"unsure": 0.9, "sure": 0.8}, {"least": 0.0}, {"least": 2.0, "most": 1.0}, {"discount": -0.1}]
)
def test_numbers_out_of_order_are_rejected(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"sure|least"):
        KindWeighing(**numbers)


def shape(kind: int, number: int) -> Image.Image:
    image = Image.new("L", (TINY_PX, TINY_PX), 255)
    draw = ImageDraw.Draw(image)
    corners = [(4 + number, 4), (24 + number, 26)]
    if kind == 0:
        draw.line(corners, fill=0)
    else:
        (draw.rectangle if kind == 1 else draw.ellipse)(corners, outline=0)
    return image


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A bundle, a pack of six drawings and two photos a kind, and drawings of the same kinds in a gallery of six."""
    kinds = [kind for kind in range(3) for _ in range(6)]
    sketches = np.stack([np.asarray(shape(kind, number % 6)) for number, kind in enumerate(kinds)])
    photos = np.stack([np.stack([sketches[6 * kind + number]] * 3) for kind in range(3) for number in range(2)])
    table = KindTable(
        kinds=KINDS,
        photos=tuple((kind,) for kind in range(3) for _ in range(2)),
        sketches=tuple((kind,) for kind in kinds),
        photo_sets=("made",) * len(photos),
        sketch_sets=("made",) * len(sketches),
        doodles=frozenset(),
    )
    part = table.placed_in(table, np.arange(len(photos)), np.arange(len(sketches))).without(
        [Unusable("sketch", row, "", "") for row in range(12, 18)]  # the drawings of the last kind
    )
    images, focuses = TrainingImages(photos, sketches, ()), [None] * len(photos)
    views = {"part": PackView(part, (), ())}
    write_pack(tmp_path / "pack", images, table, focuses, 1_000_000, "whole", views)
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    rows = []
    for place, kind in enumerate(KINDS):
        stroke = {"drawing": [[[20 + 9 * place, 200, 180], [20, 40 + 70 * place, 220]]]}
        (drawings / f"{kind}.ndjson").write_text((json.dumps(stroke) + "\n") * 2)
        for number in range(2):
            shape(place, number).save(tmp_path / f"{kind}{number}.png")
            rows.append(f"{kind}{number}.png,things,{kind}")
    (tmp_path / "manifest.csv").write_text("\n".join(["photo_path,category,name", *rows]) + "\n")
    (drawings / "kinds.csv").write_text("kind,split,accepted_names\n" + "".join(f"{k},val,{k}\n" for k in KINDS))
    parent = write_tiny(tmp_path / "parent", tiny_parted_onnx(), PARTS)
    manifest = json.loads((parent / "manifest.json").read_text())
    manifest["provenance"] = {"experiment": {"validation": []}}
    (parent / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def known_kinds(world: Path, parent: str, out: str, *more: str) -> tuple[int, str]:
    words = ["bundle", "known-kinds", "--bundle", str(world / parent), "--out", str(world / out)]
    words += ["--pack", str(world / "pack"), "--data", str(world), "--kinds", str(world / "drawings")]
    result = CliRunner().invoke(app, [*words, "--gallery", str(world / "manifest.csv"), *more])
    return result.exit_code, result.output + result.stderr


def test_the_command_writes_a_bundle_that_says_what_it_knows(world: Path) -> None:
    code, said = known_kinds(world, "parent", "made", "--max-loss", "100")
    assert code == 0, said
    made, parent = Bundle.load(world / "made", Runtime(device="cpu")), read_manifest(world / "parent")
    made.check_canary()
    assert made.parts == weighed_parts(PARTS)
    assert made.manifest.provenance["known_kinds"]["made_from"] == parent.bundle_id != made.bundle_id
    assert made.manifest.provenance["known_kinds"]["by_drawings"] == 3
    assert made.manifest.provenance["known_kinds"]["by_photos"] == 3
    assert made.manifest.metrics["known_kinds"]["queries"] == 6
    assert made.calibration is None
    again, said = known_kinds(world, "made", "twice", "--max-loss", "100")
    assert (again, "weighs its parts already" in said) == (1, True)


def test_what_a_bundle_knows_is_what_its_own_run_learned_from(world: Path) -> None:
    manifest = json.loads((world / "parent" / "manifest.json").read_text())
    for selection, by_drawings in (("whole", 3), ("part", 2), ("other", None)):
        manifest["provenance"]["experiment"]["selection"] = selection
        (world / "parent" / "manifest.json").write_text(json.dumps(manifest))
        code, said = known_kinds(world, "parent", selection, "--max-loss", "100")
        if by_drawings is None:
            assert (code, "was not packed for an experiment of these sets" in said) == (1, True)
        else:
            assert code == 0, said
            made = read_manifest(world / selection).provenance["known_kinds"]
            assert (made["by_drawings"], made["by_photos"]) == (by_drawings, 3)


def test_a_loss_that_the_gate_does_not_admit_leaves_nothing(world: Path) -> None:
    parent = read_manifest(world / "parent")
    for out, most in (("first", "100"), ("second", "0")):
        code, said = known_kinds(world, "parent", out, "--max-loss", most)
        figures = json.loads((world / "first" / "manifest.json").read_text())["metrics"]["known_kinds"]
        lost = max(0.0, -figures["interval"]["low"])
        assert code == (3 if lost > float(most) / 100 else 0), said
        assert (world / out).exists() == (code == 0)
    assert read_manifest(world / "parent") == parent


def test_a_bundle_without_parts_is_rejected(world: Path, tiny_bundle_dir: Path) -> None:
    shutil.copytree(tiny_bundle_dir, world / "whole")
    code, said = known_kinds(world, "whole", "made")
    assert (code, "embeddings of one piece" in said) == (1, True)
