"""Few-shot adaptation: leave-one-out is fitting without a photo, bundles carry what was learned, styles help."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from inkseek import app
from models.adapters import Adaptation, CategoryAdapter, LeaveOneOut, LiveSupport, Ranks
from models.adapters.errors import AdaptationCorrupt
from models.arrays import Vectors
from models.bundle import Bundle, BundleCorrupt, add_adaptation, read_manifest


def unit(rows: NDArray[np.float64]) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def category(sketches: int = 6, photos: int = 9, dim: int = 24) -> tuple[Vectors, NDArray[np.int64], Vectors]:
    """Sketches of the first three photos, noisy enough that not all are found."""
    chance = np.random.default_rng(3)
    seen = unit(chance.normal(size=(photos, dim)) + 1)
    owners = np.arange(sketches) % 3
    return unit(seen[owners] + 0.25 * chance.normal(size=(sketches, dim))), owners, seen


def test_leave_one_out_is_what_fitting_without_a_photo_gives() -> None:
    sketches, owners, photos = category()
    adaptation = Adaptation.untrained(24, rate=0.5, power=0.5)
    fitted = adaptation.fit_category(sketches, owners, photos)
    before: list[int] = []
    after: list[int] = []
    for row, owner in enumerate(owners):
        kept = owners != owner
        other = adaptation.fit_category(sketches[kept], owners[kept], photos).adapter
        for adapter, ranks in ((CategoryAdapter.centred(photos), before), (other, after)):
            scores = adapter.scores(adapter.embed_sketches(sketches[row : row + 1]), adapter.embed_photos(photos))[0]
            ranks.append(1 + sum(score > scores[owner] for score in scores))
    for ranks, found in ((before, fitted.leave_one_out.before), (after, fitted.leave_one_out.after)):
        assert found.mean_rank == pytest.approx(np.mean(ranks))
        assert found.acc_at_1 == pytest.approx(np.mean([rank == 1 for rank in ranks]))
        assert found.mrr == pytest.approx(np.mean([1 / rank for rank in ranks]))
    gains = 1 / np.array(after) - 1 / np.array(before)
    assert fitted.leave_one_out.standard_error == pytest.approx(gains.std(ddof=1) / len(gains) ** 0.5)
    assert fitted.passes_gate == (gains.mean() >= -2 * fitted.leave_one_out.standard_error)


def test_an_adapter_is_rejected_where_leave_one_out_gets_clearly_worse() -> None:
    good, bad = Ranks.of(np.array([1, 1, 2, 1])), Ranks.of(np.array([3, 2, 3, 4]))
    assert LeaveOneOut(bad, good).passes_gate
    assert LeaveOneOut(good, good).passes_gate
    assert not LeaveOneOut(good, bad, standard_error=0.1).passes_gate
    assert LeaveOneOut(good, bad, standard_error=0.3).passes_gate


def test_one_support_photo_and_one_photo_in_all_still_fit() -> None:
    sketches, owners, photos = category()
    adaptation = Adaptation.untrained(24, power=0.5)
    one = adaptation.fit_category(sketches[:1], owners[:1], photos)
    assert one.adapter.map is not None
    assert np.isfinite(one.adapter.map).all()
    alone = adaptation.fit_category(sketches[:1], owners[:1], photos[:1])
    assert alone.passes_gate
    assert np.isfinite(alone.adapter.embed_photos(photos)).all()


def test_a_file_gives_back_the_same_adapters(tmp_path: Path) -> None:
    sketches, owners, photos = category()
    adaptation = Adaptation.untrained(24, rate=0.3)
    adaptation.save(tmp_path / "adaptation.npz")
    loaded = Adaptation.load(tmp_path / "adaptation.npz")
    assert loaded.adaptation_id == adaptation.adaptation_id != Adaptation.untrained(24, rate=0.31).adaptation_id
    one, other = (which.fit_category(sketches, owners, photos) for which in (adaptation, loaded))
    assert one.margin == other.margin == pytest.approx(0.3)
    np.testing.assert_array_equal(one.adapter.embed_photos(photos), other.adapter.embed_photos(photos))


def test_a_broken_file_is_rejected(tmp_path: Path) -> None:
    data = Adaptation.untrained(24).to_bytes()
    for broken in (b"", b"nonsense", data[: len(data) // 2], data.replace(b'"adaptive"', b'"adaptiva"')):
        with pytest.raises(AdaptationCorrupt):
            Adaptation.from_bytes(broken)
    with pytest.raises(AdaptationCorrupt, match="cannot be read"):
        Adaptation.load(tmp_path / "absent.npz")


def test_a_bundle_carries_it_and_keeps_its_identity(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(tiny_bundle_dir, tmp_path / "bundle"))
    plain = Bundle.load(path)
    assert plain.adaptation is None
    adaptation = Adaptation.untrained(plain.embedding_dim)
    add_adaptation(path, adaptation)
    add_adaptation(path, adaptation)
    carrying = Bundle.load(path)
    assert carrying.adaptation is not None
    assert carrying.adaptation.adaptation_id == adaptation.adaptation_id
    assert carrying.bundle_id == plain.bundle_id == read_manifest(path).identity()
    with pytest.raises(AdaptationCorrupt, match="train it again"):
        add_adaptation(path, Adaptation.untrained(24))
    (path / "adaptation.npz").write_bytes(b"?")
    with pytest.raises(BundleCorrupt, match="was changed"):
        Bundle.load(path)
    assert "adaptation.npz" in json.loads((path / "manifest.json").read_text())["files"]


def test_a_style_adapter_removes_what_one_person_adds() -> None:
    chance = np.random.default_rng(5)
    photos = unit(chance.normal(size=(12, 24)))
    person = 0.9 * unit(chance.normal(size=(1, 24)))
    sketches = unit(photos + person + 0.05 * chance.normal(size=photos.shape))
    adaptation = Adaptation.untrained(24, style_strength=1.0, style_photos=1.0)
    fitted = adaptation.fit_style(sketches[:6], photos[:6], photos[6:])
    assert fitted.passes_gate
    plain, styled = sketches[6:] @ photos.T, fitted.adapter.embed_sketches(sketches[6:]) @ photos.T
    own = np.arange(6), np.arange(6, 12)
    assert (styled[own] - styled.mean(axis=1)).mean() > (plain[own] - plain.mean(axis=1)).mean()
    np.testing.assert_allclose(np.linalg.norm(fitted.adapter.embed_sketches(sketches), axis=1), 1.0, atol=1e-6)


def test_what_carries_over_fits_adapters_in_another_space() -> None:
    learned = Adaptation.untrained(24, rate=0.5, power=0.5)
    arrays = {**learned.arrays, "usual": np.ones(24, np.float32), "head": np.eye(24, dtype=np.float32)}
    bound = replace(learned, arrays=arrays, bundle_id="some-bundle", name="learned")
    carried = bound.carried_over(12)
    carried.require_fits(12, "another-bundle")
    assert carried.settings == learned.settings
    assert carried.arrays.keys() == learned.arrays.keys()
    assert carried.name == "learned-carried"
    sketches, owners, photos = category(dim=12)
    expected = Adaptation.untrained(12, rate=0.5, power=0.5).fit_category(sketches, owners, photos)
    assert carried.fit_category(sketches, owners, photos).leave_one_out == expected.leave_one_out
    assert carried.fit_style(sketches, photos[owners], photos).adapter is not None


def test_the_command_puts_an_adaptation_into_its_bundle(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle_dir, tmp_path / "bundle")
    mine = Adaptation.untrained(192, rate=0.2)
    mine.save(tmp_path / "adaptation.npz")
    Adaptation.untrained(24).save(tmp_path / "other.npz")

    def run(file: str) -> tuple[int, str]:
        arguments = ["bundle", "add-adaptation", str(tmp_path / file), "--bundle", str(tmp_path / "bundle")]
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, " ".join(result.output.split())

    code, said = run("adaptation.npz")
    assert (code, mine.adaptation_id in said) == (0, True)
    for file, problem in (("other.npz", "was made for 24 numbers"), ("none.npz", "cannot be read")):
        code, said = run(file)
        assert code == 1
        assert problem in said
    kept = Bundle.load(tmp_path / "bundle").adaptation
    assert kept is not None
    assert kept.adaptation_id == mine.adaptation_id


def test_a_second_fit_is_compared_with_the_active_one_less_the_photo_in_question() -> None:
    sketches, owners, photos = category()
    adaptation = Adaptation.untrained(24, "bayes", power=0.5)
    live_sketches, live_owners = sketches[:4], owners[:4]
    fitted = adaptation.fit_category(sketches, owners, photos, LiveSupport(live_sketches, live_owners))
    ranks: list[int] = []
    for row, owner in enumerate(owners):
        kept = live_owners != owner
        other = adaptation.fit_category(live_sketches[kept], live_owners[kept], photos).adapter
        scores = other.scores(other.embed_sketches(sketches[row : row + 1]), other.embed_photos(photos))[0]
        ranks.append(1 + sum(score > scores[owner] for score in scores))
    assert fitted.leave_one_out.before.mrr == pytest.approx(np.mean([1 / rank for rank in ranks]))
    # What is fitted does not depend on what it is compared with.
    alone = adaptation.fit_category(sketches, owners, photos)
    np.testing.assert_array_equal(fitted.adapter.embed_photos(photos), alone.adapter.embed_photos(photos))
    assert fitted.leave_one_out.after == alone.leave_one_out.after
