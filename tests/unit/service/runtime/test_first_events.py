"""Counters that alerts and panels watch stand at zero before their first event, which `increase` would miss."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.runtime.metrics import MULTIPROCESS_VARIABLE, Metrics

SERVICE = Path(__file__).resolve().parents[4] / "service"


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    monkeypatch.delenv(MULTIPROCESS_VARIABLE, raising=False)
    return Metrics(gallery_labels=2)


def zeros(metrics: Metrics, name: str) -> set[tuple[str, ...]]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(sample.labels[label] for label in sorted(sample.labels)) for sample in samples if sample.value == 0}


def test_every_reason_and_outcome_that_is_counted_begins_at_zero(metrics: Metrics) -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in SERVICE.rglob("*.py"))
    reasons = set(re.findall(r'rejected\.labels\("(\w+)"', sources))
    assert reasons >= {"queue_full", "rate_limited"}
    assert {(reason,) for reason in reasons | {"client_gone", "deadline"}} == zeros(metrics, "inkseek_rejected_total")
    fits = zeros(metrics, "inkseek_fits_total")
    assert fits == {
        (outcome, scope) for outcome in ("active", "idle", "dry_run", "rejected") for scope in ("category", "profile")
    }


def test_a_gallery_begins_at_zero_and_further_ones_share_a_label(metrics: Metrics) -> None:
    labels = [metrics.galleries.label(name) for name in ("shoes", "hats", "bags", "boots", "shoes")]
    assert labels == ["shoes", "hats", "other", "other", "shoes"]
    assert zeros(metrics, "inkseek_gallery_failures_total") == {("shoes",), ("hats",), ("other",)}
    changes = zeros(metrics, "inkseek_gallery_photo_changes_total")
    assert changes == {(change, label) for change in ("put", "patch", "delete") for label in ("shoes", "hats", "other")}
    metrics.galleries.photo_changes.labels("shoes", "put").inc()
    assert ("put", "shoes") not in zeros(metrics, "inkseek_gallery_photo_changes_total")
