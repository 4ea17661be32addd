from __future__ import annotations

import json
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from inkseek import app
from models.adapters.state import Adaptation
from models.bundle import Bundle, Encoder, Runtime, add_adaptation, write_bundle
from models.export.onnx_export import export_onnx
from models.export.precision.float16 import RangeExceeded, to_float16
from models.export.precision.int8 import to_int8
from models.export.precision.pooled_queries import LossTooHigh
from models.export.precision.variants import RECIPES, ParentUnfit, Precision, VariantRequest, make_variant
from models.export.stored_weights import Storage, as_stored, store_in_single, store_weights, to_bytes
from models.networks.grid_students import GridStudentConfig, GridStudents
from models.networks.preprocessing import preprocesses
from models.networks.vit import VitConfig
from models.networks.vit_students import VitStudentConfig, VitStudents

CONFIG = GridStudentConfig(size_px=32, widths=(8, 16), grid=2, channels=4)
VIT = VitStudentConfig(VitConfig(size_px=32, dim=24, depth=1, heads=3, patch_px=8), cls_dim=12)
IMAGES = np.random.default_rng(0).standard_normal((24, 3, 32, 32), dtype=np.float32)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Encoders with random weights."""
    torch.manual_seed(0)
    grid, vit = GridStudents(CONFIG).eval(), VitStudents(VIT).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own exporter uses what torch deprecated
        return {name: export_onnx(student, 32) for name, student in (("grid", grid.photo), ("vit", vit.photo))}


def cosines(one: bytes, other: bytes) -> np.ndarray:
    rows = []
    for file in (one, other):
        session = Runtime(device="cpu", threads=1).session(file)
        rows.append(Encoder(session, preprocesses(32)[1], session.get_outputs()[0].shape[1]).encode(IMAGES[:8]))
    assert np.allclose(np.linalg.norm(rows, axis=2), 1.0, atol=1e-3)
    return np.asarray((rows[0] * rows[1]).sum(axis=1))


@pytest.mark.parametrize("form", ["grid", "vit"])
@pytest.mark.parametrize("float_stem", [False, True])
def test_int8_answers_alike_with_weights_that_no_cpu_overflows(
    files: dict[str, bytes], form: str, float_stem: bool
) -> None:
    converted = to_int8(files[form], IMAGES, float_stem=float_stem)
    assert cosines(files[form], converted).min() > 0.98
    model = onnx.load_from_string(converted)
    stored = {weights.name: weights for weights in model.graph.initializer}
    whole = [weights for weights in stored.values() if weights.data_type == onnx.TensorProto.INT8 and weights.dims]
    matrices = [numpy_helper.to_array(weights) for weights in whole if len(weights.dims) > 1]
    assert matrices
    assert max(int(np.abs(matrix.astype(np.int16)).max()) for matrix in matrices) <= 64
    # The layer before the embedding computes in float32.
    layers = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    single = onnx.load_from_string(files[form])
    store_in_single(single)
    names = {weights.name for weights in single.graph.initializer}
    assert layers[-1].input[1] in names
    assert (layers[0].input[1] in names) == float_stem


@pytest.mark.parametrize("form", ["grid", "vit"])
def test_float16_answers_alike(files: dict[str, bytes], form: str) -> None:
    converted = to_float16(files[form], IMAGES)
    assert cosines(files[form], converted).min() > 0.999
    model = onnx.load_from_string(converted)
    ends = [*model.graph.input, *model.graph.output]
    assert {end.type.tensor_type.elem_type for end in ends} == {onnx.TensorProto.FLOAT}


def test_float16_refuses_what_it_cannot_hold(files: dict[str, bytes]) -> None:
    with pytest.raises(RangeExceeded, match="65,504"):
        to_float16(files["grid"], IMAGES * 1e5)


@pytest.mark.parametrize("storage", list(Storage))
def test_stored_weights_come_back(files: dict[str, bytes], storage: Storage) -> None:
    model = onnx.load_from_string(files["grid"])
    store_in_single(model)
    assert not any(node.op_type == "Cast" for node in model.graph.node)
    before = {weights.name: numpy_helper.to_array(weights) for weights in model.graph.initializer}
    store_weights(model, storage)
    rounded = to_bytes(model)
    kinds = {weights.data_type for weights in model.graph.initializer}
    assert (onnx.TensorProto.INT8 in kinds) == (storage == Storage.BYTE)
    assert cosines(files["grid"], rounded) == pytest.approx(1.0, abs=1e-3 if storage == Storage.BYTE else 1e-6)
    store_in_single(model)
    assert cosines(rounded, to_bytes(model)) == pytest.approx(1.0, abs=1e-6)
    for weights in model.graph.initializer:
        expected = as_stored(torch.from_numpy(before[weights.name].copy()), storage)
        np.testing.assert_allclose(numpy_helper.to_array(weights), expected.numpy(), rtol=1e-6)


def test_a_kernel_in_bytes_has_127_steps_a_channel() -> None:
    kernel = torch.randn(8, 16, 3, 3) * torch.logspace(-3, 3, 8)[:, None, None, None]
    kernel[5] = 0.0
    found = as_stored(kernel, Storage.BYTE)
    step = kernel.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
    assert ((found - kernel).abs() <= step / 2 + 1e-6 * step).all()
    assert torch.equal(found[5], kernel[5])
    torch.testing.assert_close(as_stored(found, Storage.BYTE), found)  # nothing is lost twice
    matrix, depthwise, few = torch.randn(32, 32), torch.randn(64, 1, 5, 5), torch.randn(3, 4)
    for wide in (matrix, depthwise):
        assert torch.equal(as_stored(wide, Storage.BYTE), wide.half().float())
    assert torch.equal(as_stored(few, Storage.BYTE), few)


@pytest.fixture
def parent(files: dict[str, bytes], shapes_dir: Path, tmp_path: Path) -> Path:
    """A bundle that says that it was trained and measured on `shapes`."""
    experiment = {
        "student": asdict(CONFIG),
        "sets": [{"folder": "shapes", "pool": "shapes"}, {"folder": "elsewhere", "pool": "other"}],
        "validation": [{"name": "val", "folder": "shapes", "split": "val"}],
    }
    sketch, photo = preprocesses(32)
    manifest = write_bundle(
        tmp_path / "parent",
        name="shapes",
        sketch_onnx=files["grid"],
        sketch_preprocess=sketch,
        photo_onnx=files["grid"],
        photo_preprocess=photo,
        model_card="# The parent's card",
        provenance={"experiment": experiment},
    )
    adaptation = Adaptation.untrained(CONFIG.embedding_dim)
    add_adaptation(tmp_path / "parent", replace(adaptation, bundle_id=manifest.bundle_id))
    return tmp_path / "parent"


def test_a_variant_is_a_bundle_of_its_own(parent: Path, shapes_dir: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    request = VariantRequest(parent, shapes_dir.parent, tmp_path / "int8", max_loss=1.0, calibration_pairs=4)
    made = make_variant(request, lines.append)
    variant = Bundle.load(tmp_path / "int8", Runtime(device="cpu"))
    variant.check_canary()
    original = Bundle.load(parent, Runtime(device="cpu"))
    assert made.bundle_id == variant.bundle_id != original.bundle_id
    assert variant.manifest.name == "shapes-int8"
    assert variant.manifest.provenance["variant_of"] == original.bundle_id
    assert variant.manifest.provenance["calibration"]["pairs"] == {"shapes": 4}
    assert variant.manifest.metrics["splits"]["val"]["centred"]["queries"] == 4
    assert set(variant.manifest.metrics["acc_at_1_lost"]) == {"val"}
    gate = variant.manifest.metrics["gate"]
    assert (gate["queries"], gate["max_loss"]) == (4, 1.0)
    assert gate["interval"]["low"] <= gate["difference"] <= gate["interval"]["high"]
    assert gate["difference"] == pytest.approx((gate["only_variant"] - gate["only_parent"]) / 4)
    assert "Over all validation queries" in (tmp_path / "int8" / "MODEL_CARD.md").read_text()
    assert variant.adaptation is not None
    assert "# The parent's card" in (tmp_path / "int8" / "MODEL_CARD.md").read_text()
    assert len(lines) == 1
    with pytest.raises(ParentUnfit, match="is a variant of"):
        make_variant(replace(request, parent=tmp_path / "int8"), lines.append)


def test_a_variant_that_loses_too_much_is_not_written(parent: Path, shapes_dir: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    request = VariantRequest(parent, shapes_dir.parent, tmp_path / "int8", max_loss=-0.001, calibration_pairs=4)
    with pytest.raises(LossTooHigh, match="stem in float32, int8, photos in float32"):
        make_variant(request, lines.append)
    assert not (tmp_path / "int8").exists()
    assert len(lines) == 3  # all recipes were tried


def test_where_int8_of_both_loses_too_much_photos_stay_in_float32(
    parent: Path, shapes_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = dict([list(RECIPES[Precision.INT8].items())[-1]])
    monkeypatch.setattr("models.export.precision.variants.RECIPES", {Precision.INT8: last})
    request = VariantRequest(parent, shapes_dir.parent, tmp_path / "int8", max_loss=1.0, calibration_pairs=4)
    make_variant(request, lambda line: None)
    kept = {
        name: (tmp_path / "int8" / name).read_bytes() == (parent / name).read_bytes()
        for name in ("sketch.onnx", "photo.onnx")
    }
    assert kept == {"sketch.onnx": False, "photo.onnx": True}


def quantize(data: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["bundle", "quantize", "--data", str(data), *map(str, words)])


def test_the_command(parent: Path, shapes_dir: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    out = ("--out", tmp_path / "half")
    done = quantize(shapes_dir.parent, *out, "--bundle", parent, "--precision", "float16", "--max-loss", 100)
    assert done.exit_code == 0, done.output
    assert "shapes-float16-" in done.stdout
    unfit = quantize(shapes_dir.parent, *out, "--bundle", tiny_bundle_dir)
    assert (unfit.exit_code, "does not say what it was trained" in unfit.stderr) == (1, True)
    assert quantize(shapes_dir.parent, *out, "--precision", "int4").exit_code == 2


def dark_boxes(root: Path) -> Path:
    """Six photos that differ in a dark colour alone, to validate on; a white one, to find ranges on."""
    root.mkdir(parents=True)
    sketches, photos = [], []
    for number in range(6):
        photo, sketch = Image.new("RGB", (64, 64), "white"), Image.new("RGB", (64, 64), "white")
        fill = (10 + 6 * number, 20, 60 - 6 * number)
        ImageDraw.Draw(photo).rectangle((8, 8, 50, 44), fill=fill)
        corners = (8 + number, 8, 50 - number, 44 - 2 * number)
        ImageDraw.Draw(sketch).rectangle(corners, outline="black", width=2)
        photo.save(root / f"photo{number}.png")
        sketch.save(root / f"sketch{number}.png")
        photos.append(f"photo{number}.png,box,{number},val")
        sketches.append(f"sketch{number}.png,photo{number}.png,box,{number},val")
    Image.new("RGB", (64, 64), "white").save(root / "white.png")
    sketch.save(root / "sketch.png")
    photos.append("white.png,box,white,train")
    sketches.append("sketch.png,white.png,box,white,train")
    header = "photo_path,category,photo_id,split"
    (root / "photos.csv").write_text("\n".join([header, *photos]) + "\n")
    (root / "manifest.csv").write_text("\n".join([f"sketch_path,{header}", *sketches]) + "\n")
    return root.parent


def test_a_gate_that_is_not_passed_ends_with_3(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranges of a white image clip the dark ones to one embedding: all photos tie, so the right one is last."""
    of_both = {name: ways for name, ways in RECIPES[Precision.INT8].items() if "photos" not in name}
    monkeypatch.setattr("models.export.precision.variants.RECIPES", {Precision.INT8: of_both})
    data = dark_boxes(tmp_path / "data" / "boxes")
    sketch, photo = preprocesses(32)
    sets, splits = [{"folder": "boxes", "pool": "boxes"}], [{"name": "val", "folder": "boxes", "split": "val"}]
    write_bundle(
        tmp_path / "parent",
        name="boxes",
        sketch_onnx=files["grid"],
        sketch_preprocess=sketch,
        photo_onnx=files["grid"],
        photo_preprocess=photo,
        model_card="",
        provenance={"experiment": {"student": asdict(CONFIG), "sets": sets, "validation": splits}},
    )
    words = ("--bundle", tmp_path / "parent", "--out", tmp_path / "int8", "--pairs", 1, "--json")
    lost = quantize(data, *words)
    assert lost.exit_code == 3, lost.output
    document = json.loads(lost.stdout)
    assert document["error"] == "LossTooHigh"
    assert document["measured"] > 1 / 6  # the far end of the interval, of a loss of one query of six
    assert document["required"] == 0.005
    assert not (tmp_path / "int8").exists()
