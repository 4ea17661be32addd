"""A bundle's methods: fitted once for both, gated by leave-one-out; and a split in a bundle's space."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.adapters import Adaptation, CategoryAdapter, NoAdapter
from models.bundle import Bundle, add_adaptation
from models.data.datasets import open_dataset
from models.evaluation.errors import NothingToEvaluate
from models.evaluation.few_shot.bundle_methods import ADAPTED, GATED, ZERO_SHOT, adaptation_methods, bundle_methods
from models.evaluation.few_shot.material import embedded_part
from models.evaluation.few_shot.measure import adaptation_document, embedded_split, measure_adaptation
from models.evaluation.few_shot.protocol import Unit
from models.evaluation.few_shot.tables import print_results

E = 12


def rows(seed: int, count: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, E))
    unit: np.ndarray = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return unit


def methods(unit: Unit) -> dict[str, object]:
    return {method.name: method for method in adaptation_methods(Adaptation.untrained(E), unit)}


def test_a_category_has_all_rows_and_a_person_those_without_a_category() -> None:
    assert list(methods(Unit.CATEGORY)) == ["no adaptation", "centred", ZERO_SHOT, ADAPTED, GATED]
    assert list(methods(Unit.PERSON)) == ["no adaptation", ADAPTED, GATED]


@pytest.mark.parametrize("noise", [0.05, 3.0])
def test_gated_is_adapted_where_the_gate_is_passed_and_the_baseline_elsewhere(noise: float) -> None:
    photos = rows(0, 9)
    positives = np.repeat(np.arange(3), 2)
    sketches = photos[positives] + noise * rows(1, 6)
    sketches = (sketches / np.linalg.norm(sketches, axis=1, keepdims=True)).astype(np.float32)
    adaptation = Adaptation.untrained(E)
    by_name = {method.name: method for method in adaptation_methods(adaptation, Unit.CATEGORY)}
    adapted = by_name[ADAPTED].fit(sketches, positives, photos)
    gated = by_name[GATED].fit(sketches, positives, photos)
    fitted = adaptation.fit_category(sketches, positives, photos)
    expected = fitted.adapter if fitted.passes_gate else CategoryAdapter.centred(photos)
    asked = rows(2, 4)
    np.testing.assert_array_equal(adapted.embed_sketches(asked), fitted.adapter.embed_sketches(asked))
    np.testing.assert_array_equal(gated.embed_sketches(asked), expected.embed_sketches(asked))
    assert (gated is adapted) is fitted.passes_gate


def test_without_an_adapter_that_passes_a_person_is_served_plainly() -> None:
    by_name = {method.name: method for method in adaptation_methods(Adaptation.untrained(E), Unit.PERSON)}
    photos, positives = rows(0, 9), np.arange(4)
    gated = by_name[GATED].fit(rows(5, 4), positives, photos)
    others = np.delete(photos, positives, axis=0)
    passes = Adaptation.untrained(E).fit_style(rows(5, 4), photos[positives], others).passes_gate
    assert isinstance(gated, NoAdapter) is not passes


def test_a_sketch_whose_photo_is_unusable_is_in_no_episode(pairs_dir: Path, tiny_bundle_dir: Path) -> None:
    (pairs_dir / "photos/lamp/0.png").write_bytes(b"no image")
    part = open_dataset(pairs_dir).split("val")
    embedded = embedded_part(Bundle.load(tiny_bundle_dir), part, "val")
    lost = [record for record in part.records if record.photo.photo_id == "0" and record.photo.category == "lamp"]
    assert len(embedded.sketches) == len(part.records) - len(lost)
    assert len(embedded.photos) == len(embedded.keys) == len(part.photos) - 1
    assert all(key in embedded.keys for key in embedded.drawn)
    assert [name.rpartition("/")[2] for name in embedded.left_out] == ["0.png"]
    with pytest.raises(NothingToEvaluate, match="artists"):
        embedded.material(Unit.PERSON)


def test_a_measured_bundle_as_table_and_document(pairs_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    plain = Bundle.load(tiny_bundle_dir)
    assert [method.name for method in bundle_methods(plain, Unit.CATEGORY)] == ["no adaptation", "centred"]
    shutil.copytree(tiny_bundle_dir, tmp_path / "bundle")
    add_adaptation(tmp_path / "bundle", Adaptation.untrained(plain.embedding_dim))
    bundle, dataset = Bundle.load(tmp_path / "bundle"), open_dataset(pairs_dir)
    part = embedded_split(bundle, "val", dataset.split("val"))
    ticks: list[None] = []
    result = measure_adaptation(
        bundle, part, (1, 3), unit=Unit.CATEGORY, draws=2, seed=1, progress=lambda: ticks.append(None)
    )
    assert len(ticks) == 2 * len(result.trial.task_names)
    assert result.trial.material == "pairs val"
    console = Console(file=io.StringIO(), width=120)
    print_results(console, bundle, [result])
    assert isinstance(console.file, io.StringIO)
    lines = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in console.file.getvalue().splitlines()]
    shares = {(line[0], line[1]): line[2] for line in lines if len(line) > 3}
    assert set(shares) == {(name, str(k)) for name in result.methods for k in (1, 3)}
    for (name, k), cell in shares.items():
        ranks = result.trial.ranks[name, int(k)][:, 0]
        assert cell == f"{100 * (ranks == 1).mean():.1f}"
    arms = adaptation_document(bundle, dataset, [result])["splits"]["pairs val"]["arms"]
    assert {(arm["method"], arm["k"]) for arm in arms} == set(result.trial.ranks)
