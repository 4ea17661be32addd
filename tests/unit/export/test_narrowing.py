from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

from inkseek import app
from models.bundle import Bundle, EmbeddingParts, Runtime, read_manifest, write_bundle
from models.export.narrowing import hidden_channels, narrow
from models.export.narrowing.residuals import inverted_residuals
from models.export.narrowing.selection import fit_fewer, held_back
from models.export.onnx_export import export_onnx
from models.export.precision.variants import (
    RECIPES,
    NothingToChange,
    ParentUnfit,
    Precision,
    VariantRequest,
    make_variant,
)
from models.export.stored_weights import Storage, store_in_single
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.layers.efficientnet_lite import EfficientNetLite
from models.networks.part_students import PartStudentConfig, PartStudents
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentEncoder

CONFIG = PartStudentConfig(size_px=32, width=0.25, depth=0.5, grid=2, channels=4, kind_dim=8, own_stages=1)
IMAGES = np.random.default_rng(0).standard_normal((32, 3, 32, 32), dtype=np.float32)
# More than any block has channels: the fit of a block that sees 1 x 1 is no fit of fewer.
MORE_IMAGES = np.concatenate([IMAGES, np.random.default_rng(1).standard_normal((480, 3, 32, 32), dtype=np.float32)])
DEAD = slice(3, None, 3)  # channels behind whose depthwise convolution nothing is left


def exported(student: StudentEncoder) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own exporter uses what torch deprecated
        return export_onnx(student, CONFIG.size_px)


@pytest.fixture(scope="module")
def encoder() -> bytes:
    """Random weights; a third of the hidden channels of the blocks from the third on are dead."""
    torch.manual_seed(0)
    students = PartStudents(CONFIG).eval()
    trunk = students.sketch.trunk
    assert isinstance(trunk, EfficientNetLite)
    with torch.no_grad():
        for block in list(trunk.blocks)[2:]:
            block.depthwise.conv.bias[DEAD] = -1e4  # type: ignore[union-attr, operator]
    return exported(students.sketch)


def embedded(encoder: bytes) -> np.ndarray:
    (rows,) = Runtime(device="cpu", threads=1).session(encoder).run(None, {"image": IMAGES})
    return np.asarray(rows)


def widths(encoder: bytes) -> list[int]:
    model = onnx.load_from_string(encoder)
    store_in_single(model)
    stored = {weights.name: weights for weights in model.graph.initializer}
    return [stored[block.depthwise.input[1]].dims[0] for block in inverted_residuals(model)]


def test_channels_that_say_nothing_leave_and_the_function_stays(encoder: bytes) -> None:
    narrower = narrow(encoder, MORE_IMAGES, 1e-9)
    before, after = widths(encoder), widths(narrower)
    assert len(before) == len(after) > 3
    assert hidden_channels(narrower) == sum(after) < sum(before) == hidden_channels(encoder)
    for wide, left in zip(before[2:], after[2:], strict=True):
        alive = wide - len(range(*DEAD.indices(wide)))
        assert left <= min(-(-alive // 16) * 16, wide)
    assert (embedded(narrower) * embedded(encoder)).sum(axis=1).min() > 0.9995


def test_a_wider_tolerance_leaves_fewer_channels_and_a_near_function(encoder: bytes) -> None:
    near, far = narrow(encoder, IMAGES, 1e-4), narrow(encoder, IMAGES, 0.2)
    assert hidden_channels(far) < hidden_channels(near)
    cosines = [(embedded(other) * embedded(encoder)).sum(axis=1).mean() for other in (near, far)]
    assert min(cosines) > 0.99


def test_a_graph_without_such_blocks_stays(encoder: bytes) -> None:
    x = onnx.helper.make_tensor_value_info("image", 1, ["batch", 3, 8, 8])
    y = onnx.helper.make_tensor_value_info("embedding", 1, ["batch", 3, 8, 8])
    node = onnx.helper.make_node("Relu", ["image"], ["embedding"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", [x], [y]), ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 18)]
    )
    plain = model.SerializeToString()
    assert hidden_channels(plain) == hidden_channels(narrow(plain, IMAGES[:, :, :8, :8], 0.5)) == 0


def test_what_leaves_costs_least_by_brute_force() -> None:
    """One of six inputs: the remaining map and its error are those of the best fit of any five."""
    random = np.random.default_rng(1)
    mixing = random.standard_normal((6, 6))
    inputs = random.standard_normal((4_000, 6)) @ mixing + random.standard_normal(6)
    weights = random.standard_normal((3, 6))
    mean, covariance = inputs.mean(axis=0), np.cov(inputs.T, bias=True)
    # The squared error with what holds weights back is |R (W - W')^T|^2 for any R with R^T R = covariance + ridge.
    root = np.linalg.cholesky(covariance + held_back(covariance) * np.eye(6)).T
    fits = [np.linalg.lstsq(np.delete(root, left_out, axis=1), root @ weights.T, rcond=None) for left_out in range(6)]
    errors = [float(residuals.sum()) for _, residuals, *_ in fits]
    least, second = np.sort(errors)[:2]
    fewer = fit_fewer(weights, mean, covariance, (least + second) / 2, multiple=1)
    removed = int(np.argmin(errors))
    assert set(range(6)) - set(fewer.kept.tolist()) == {removed}
    assert fewer.error == pytest.approx(least, rel=1e-6)
    np.testing.assert_allclose(fewer.weights, fits[removed][0].T, rtol=1e-6)
    np.testing.assert_allclose(inputs[:, fewer.kept].mean(axis=0) @ fewer.weights.T + fewer.shift, weights @ mean)


def test_what_the_others_say_already_is_left_out() -> None:
    random = np.random.default_rng(2)
    inputs = random.standard_normal((500, 4))
    inputs = np.column_stack([inputs, inputs[:, 0] - 2 * inputs[:, 1], np.full(500, 3.0)])
    weights = random.standard_normal((2, 6))
    fewer = fit_fewer(weights, inputs.mean(axis=0), np.cov(inputs.T, bias=True), 0.05, multiple=1)
    assert len(fewer.kept) == 4
    left = inputs[:, fewer.kept] @ fewer.weights.T + fewer.shift
    np.testing.assert_allclose(left, inputs @ weights.T, atol=0.3)
    nothing = fit_fewer(weights, inputs.mean(axis=0), np.cov(inputs.T, bias=True), -1.0, multiple=1)
    np.testing.assert_array_equal(nothing.kept, np.arange(6))


def bundle_of(encoder: bytes, out: Path, parts: EmbeddingParts | None) -> Path:
    """A bundle that says that it was trained and measured on `shapes`."""
    experiment = {
        "sets": [{"folder": "shapes", "pool": "shapes"}],
        "validation": [{"name": "val", "folder": "shapes", "split": "val"}],
    }
    sketch, photo = preprocesses(32)
    write_bundle(
        out,
        name="shapes",
        sketch_onnx=encoder,
        sketch_preprocess=sketch,
        photo_onnx=encoder,
        photo_preprocess=photo,
        model_card="",
        provenance={"experiment": experiment},
        parts=parts,
    )
    return out


@pytest.fixture
def parent(encoder: bytes, tmp_path: Path) -> Path:
    return bundle_of(encoder, tmp_path / "parent", CONFIG.embedding_parts)


def test_a_narrower_variant_says_what_it_left_out(parent: Path, shapes_dir: Path, tmp_path: Path) -> None:
    request = VariantRequest(
        parent,
        shapes_dir.parent,
        tmp_path / "narrow",
        Precision.FLOAT32,
        max_loss=1.0,
        calibration_pairs=4,
        narrow=0.01,
        storage=Storage.BYTE,
    )
    made = make_variant(request, lambda line: None)
    Bundle.load(tmp_path / "narrow", Runtime(device="cpu")).check_canary()
    told = made.provenance["narrowed"]
    files = [(path / "sketch.onnx").read_bytes() for path in (parent, tmp_path / "narrow")]
    assert told == {"tolerance": 0.01, "drawings": 0, "hidden_channels": [hidden_channels(file) for file in files]}
    assert told["hidden_channels"][1] < told["hidden_channels"][0]
    assert made.name == "shapes-narrow-float32"
    assert "fewer channels inside" in (tmp_path / "narrow" / "MODEL_CARD.md").read_text()
    assert made.provenance["narrowed_from"] == read_manifest(parent).bundle_id
    with pytest.raises(ParentUnfit, match="narrowed already"):
        make_variant(replace(request, parent=tmp_path / "narrow", out=tmp_path / "twice"), lambda line: None)
    again = replace(request, parent=tmp_path / "narrow", out=tmp_path / "int8", precision=Precision.INT8, narrow=None)
    assert make_variant(again, lambda line: None).provenance["variant_of"] == made.bundle_id
    both = replace(request, out=tmp_path / "both", precision=Precision.INT8)
    assert make_variant(both, lambda line: None).provenance["narrowed"] == told
    # Photos are encoded ahead: their encoder keeps all channels.
    assert widths((tmp_path / "narrow" / "photo.onnx").read_bytes()) == widths((parent / "photo.onnx").read_bytes())


def test_a_variant_that_would_be_its_parent_is_refused(shapes_dir: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    grid = GridStudents(GridStudentConfig(size_px=32, widths=(8, 16), grid=2, channels=4)).eval()
    without = bundle_of(exported(grid.sketch), tmp_path / "grid", None)
    request = VariantRequest(without, shapes_dir.parent, tmp_path / "out", calibration_pairs=4, narrow=0.5)
    with pytest.raises(NothingToChange, match=r"could be left out at 0\.5"):
        make_variant(request, lambda line: None)
    assert not (tmp_path / "out").exists()


def test_the_command_wants_something_to_change(parent: Path, shapes_dir: Path, tmp_path: Path) -> None:
    words = ["bundle", "quantize", "--data", str(shapes_dir.parent), "--bundle", str(parent), "--pairs", "4"]
    words += ["--out", str(tmp_path / "out"), "--max-loss", "100"]
    nothing = CliRunner().invoke(app, [*words, "--precision", "float32"])
    assert (nothing.exit_code, "nothing would change" in nothing.stderr) == (2, True)
    assert CliRunner().invoke(app, [*words, "--storage", "bits"]).exit_code == 2
    done = CliRunner().invoke(app, [*words, "--narrow", "0.01"])
    assert done.exit_code == 0, done.output
    assert read_manifest(tmp_path / "out").provenance["recipe"] in RECIPES[Precision.INT8]
