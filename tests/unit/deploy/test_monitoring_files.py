"""Dashboard and alert rules: PromQL that parses, metrics and labels that the service exports, a runbook each."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.runtime.metrics import MULTIPROCESS_VARIABLE, Metrics

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
GROUPS = yaml.safe_load((MONITORING / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
OPERATE = (ROOT / "docs" / "howto" / "operate.md").read_text(encoding="utf-8")
# What Prometheus and its service discovery add to what is scraped.
ADDED = {"instance", "job", "namespace", "pod"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def expressions() -> Iterator[tuple[str, str]]:
    for alert in ALERTS:
        yield alert["alert"], alert["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")
            yield f"{panel['title']} {target['refId']}", text


EXPRESSIONS = dict(expressions())


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Series name -> its labels, as /metrics has them; those of a metric without a sample yet are unknown: none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(MULTIPROCESS_VARIABLE, raising=False)
        metrics = Metrics()
    metrics.observe_request("/v1/search", "POST", 200, 0.01)
    metrics.observe_stages({"decode": 1.0})
    metrics.rejected.labels("deadline").inc()
    metrics.served.labels("bundle", "version").set(1)
    metrics.build.labels("0.1.0").set(1)
    metrics.fits.labels("category", "active").inc()
    metrics.adapters_active.labels("category").set(1)
    metrics.galleries.observe_request("shoes", 200, 0.01)
    metrics.galleries.failures.labels("shoes").inc()
    metrics.galleries.photo_changes.labels("shoes", "put").inc()
    found: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        names = {family.name + suffix for suffix in SUFFIXES.get(family.type, ("",))}
        for name in names:
            found[name] |= set()
        for sample in family.samples:
            found[sample.name] |= sample.labels.keys()
    return dict(found)


def selectors(expression: str) -> list[Any]:
    """Every vector selector: the name of a metric, and what its labels have to be."""
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        elif isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    unique = {id(node): node for node in found}
    return list(unique.values())


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_expressions_are_over_what_the_service_exports(expression: str, exported: dict[str, set[str]]) -> None:
    over = selectors(expression)
    assert over
    known = set(ADDED)
    for selector in over:
        assert selector.name in exported, f"the service exports no {selector.name}"
        known |= exported[selector.name]
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= exported[selector.name] | ADDED
    grouped = re.findall(r"\bby \(([^)]*)\)", expression)
    assert {label.strip() for labels in grouped for label in labels.split(",")} <= known


@pytest.mark.parametrize("wrong", ["sum(rate(inkseek_queue[5m])", "rate(inkseek_queue)", "inkseek_queue by (x)"])
def test_the_parser_rejects_what_prometheus_would(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        promql_parser.parse(wrong)


def test_values_of_labels_are_those_that_the_service_writes() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "service").rglob("*.py"))
    named = 0
    for expression in EXPRESSIONS.values():
        for label, alternatives in re.findall(r'(reason|result|stage|outcome)=~?"([^"]+)"', expression):
            for value in alternatives.split("|"):
                named += 1
                assert f'"{value}"' in source, f"{label}={value}"
    assert named >= 4


def test_traffic_stages_queue_index_adapters_and_answers_are_shown() -> None:
    shown = {selector.name for expression in EXPRESSIONS.values() for selector in selectors(expression)}
    assert shown >= {
        "inkseek_requests_total",
        "inkseek_request_seconds_bucket",
        "inkseek_stage_seconds_bucket",
        "inkseek_queue",
        "inkseek_queue_limit",
        "inkseek_rejected_total",
        "inkseek_index_created_timestamp_seconds",
        "inkseek_index_behind",
        "inkseek_adapters_active",
        "inkseek_fits_total",
        "inkseek_answers_total",
        "inkseek_shadow_recall_sum",
    }


def test_panels_say_what_they_show_and_stand_beside_each_other() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for first, second in combinations([panel["gridPos"] for panel in DASHBOARD["panels"]], 2):
        apart = first["x"] + first["w"] <= second["x"] or second["x"] + second["w"] <= first["x"]
        below = first["y"] + first["h"] <= second["y"] or second["y"] + second["h"] <= first["y"]
        assert apart or below


def test_alerts_are_unique_graded_and_have_a_runbook() -> None:
    names = [alert["alert"] for alert in ALERTS]
    assert len(names) == len(set(names))
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["annotations"]["runbook"] == f"docs/howto/operate.md#{alert['alert'].lower()}"
        assert re.fullmatch(r"\d+[mh]", alert.get("for", "0m"))
    section = OPERATE.split("## Alerts\n")[1].split("\n## ")[0]
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == names


def test_templates_of_alerts_use_labels_that_their_expression_keeps(exported: dict[str, set[str]]) -> None:
    for alert in ALERTS:
        used = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
        groups = re.findall(r"\bby \(([^)]*)\)", alert["expr"])
        kept = {label.strip() for labels in groups for label in labels.split(",")}
        if not kept and not alert["expr"].startswith("absent"):
            kept = ADDED.union(*(exported[selector.name] for selector in selectors(alert["expr"])))
        assert used <= kept, alert["alert"]


def test_the_compose_profile_has_these_files_where_they_are_read() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    prometheus, grafana = services["prometheus"], services["grafana"]
    assert prometheus["profiles"] == grafana["profiles"] == ["monitoring"]
    mounted = dict(volume.split(":")[:2] for volume in [*prometheus["volumes"], *grafana["volumes"]])
    sources = [source for source in mounted if source.startswith("./")]
    assert len(sources) == 4
    assert all((ROOT / source).exists() for source in sources)

    scraped = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    assert scraped["rule_files"] == [mounted["./deploy/monitoring/alerts.yaml"]]
    (target,) = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    name, port = target.split(":")
    assert services[name]["ports"][0].endswith(f":{port}")

    provisioning = MONITORING / "grafana" / "provisioning"
    boards = yaml.safe_load((provisioning / "dashboards" / "inkseek.yml").read_text(encoding="utf-8"))
    place = Path(mounted["./deploy/monitoring/dashboard.json"])
    assert boards["providers"][0]["options"]["path"] == str(place.parent)
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    assert sources["datasources"][0]["url"] == "http://prometheus:9090"
