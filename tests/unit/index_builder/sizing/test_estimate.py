"""Estimates against the arithmetic that they stand for, and the command."""

from __future__ import annotations

import json
import math
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from index_builder.cli.index import app
from index_builder.sizing import Costs, Estimate, Machine, estimate
from index_builder.stores.plan import choose_plan, memory_per_photo

GIB = 2**30
COSTS = Costs(
    embedding_cpu_s=MappingProxyType({"default": 0.01, "tiny": 0.002}),
    graph_cpu_s=0.001,
    codes_graph_cpu_s=0.002,
    lists_cpu_s=0.0005,
    scan_cpu_s=1e-7,
    photo_row_bytes=1_000,
)


MACHINE = Machine(8, 64 * GIB)


def of(photos: int, machine: Machine = MACHINE, dim: int = 992, bundle: str = "tiny") -> Estimate:
    return estimate(photos, dim, bundle, machine, costs=COSTS)


def test_a_small_gallery_is_searched_exactly() -> None:
    found = of(10_000)
    assert (found.engine, found.kind, found.index_bytes, found.index_cpu_hours) == ("local", "flat", 0, 0.0)
    assert found.vector_bytes == 10_000 * 992 * 4
    assert found.photo_row_bytes == 10_000_000
    assert found.disk_bytes == 2 * (found.vector_bytes + found.photo_row_bytes)
    assert found.exact_ms == pytest.approx(1.0)
    assert found.embedding_cpu_hours == pytest.approx(20 / 3600)
    assert found.hours == pytest.approx(20 / 3600 / 8)
    assert found.limits == ()


def test_a_graph_costs_by_the_logarithm_of_its_rows_and_lists_do_not() -> None:
    graph, lists = of(1_000_000), of(20_000_000)
    assert (graph.kind, lists.kind) == ("sq8", "ivfpq")
    assert graph.index_cpu_hours == pytest.approx(2_000 * math.log(1e6) / math.log(35_000) / 3600)
    assert of(1_000_000, dim=496).index_cpu_hours == pytest.approx(graph.index_cpu_hours / 2)
    assert lists.index_cpu_hours == pytest.approx(10_000 / 3600)
    half = of(20_000_000, dim=496)
    assert half.index_cpu_hours == pytest.approx(lists.index_cpu_hours / 2)


def test_the_kind_follows_the_memory_of_the_machine() -> None:
    graph, lists = of(1_000_000), of(1_000_000, Machine(8, GIB // 2))
    assert (graph.kind, lists.kind) == ("sq8", "ivfpq")
    assert graph.index_bytes == pytest.approx(1_000_000 * (256 + 272))
    plan = choose_plan(20_000_000, 992, "ivfpq")
    large = of(20_000_000)
    assert large.index_bytes == pytest.approx(20_000_000 * memory_per_photo(plan, 20_000_000, 992), abs=1)
    assert any("NVMe" in limit for limit in large.limits)


def test_beyond_one_machine_milvus_searches_and_several_embed() -> None:
    found = of(1_000_000_000)
    assert (found.engine, found.kind) == ("milvus", "IVF_SQ8")
    assert found.search_machines == math.ceil(found.memory_bytes / (64 * GIB * 0.7)) > 1
    assert found.build_machines == math.ceil(2.5e6 / (8 * 24 * 3600))
    assert found.hours <= 24
    assert any("Milvus" in limit for limit in found.limits)


def test_what_was_measured_on_the_photos_at_hand_replaces_the_constant() -> None:
    measured = estimate(1_000, 992, "tiny", embedding_cpu_s=0.5, costs=COSTS)
    assert measured.embedding_cpu_hours == pytest.approx(500 / 3600)
    unknown = of(1_000, bundle="another")
    assert unknown.embedding_cpu_hours == pytest.approx(10 / 3600)


def test_the_command_prints_a_table_or_one_document() -> None:
    shown = CliRunner().invoke(app, ["estimate", "--photos", "20000000"])
    assert shown.exit_code == 0
    for text in ("20,000,000 photos", "ivfpq on one machine", "disk", "build", "an exact search"):
        assert text in shown.stdout
    result = CliRunner().invoke(app, ["estimate", "--photos", "1000000000", "--cpus", "64", "--json"])
    document = json.loads(result.stdout)
    assert (document["engine"], document["photos"]) == ("milvus", 10**9)
    assert document["search_machines"] > 1
    failed = CliRunner().invoke(app, ["estimate", "--photos", "10", "--bundle", "nowhere", "--json"])
    assert failed.exit_code != 0
