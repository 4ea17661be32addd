"""Each alert fires on the series that it is for, and on no other, as Prometheus itself evaluates it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

MONITORING = Path(__file__).resolve().parents[3] / "deploy" / "monitoring"
RULES = MONITORING / "alerts.yaml"
PROMTOOL = shutil.which("promtool") or ""
pytestmark = pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed: make rules-test brings it")

OK, WRONG = 'instance="ok"', 'instance="wrong"'
HOURS = 3
# Alert -> series of an instance that is well, and of one that is not, one value a minute.
SERIES: dict[str, list[tuple[str, str]]] = {
    "InkseekNotReady": [(f"inkseek_ready{{{OK}}}", "1x180"), (f"inkseek_ready{{{WRONG}}}", "0x180")],
    "InkseekErrors": [
        (f'inkseek_requests_total{{{OK}, status="200"}}', "0+1000x180"),
        (f'inkseek_requests_total{{{OK}, status="503"}}', "0+1x180"),
        (f'inkseek_requests_total{{{WRONG}, status="200"}}', "0+90x180"),
        (f'inkseek_requests_total{{{WRONG}, status="500"}}', "0+10x180"),
    ],
    "InkseekDeadlines": [
        (f'inkseek_rejected_total{{{OK}, reason="client_gone"}}', "0+1x180"),
        (f'inkseek_rejected_total{{{WRONG}, reason="deadline"}}', "0+1x180"),
    ],
    "InkseekSlow": [
        (f'inkseek_request_seconds_bucket{{{OK}, route="/v1/search", le="0.5"}}', "0+60x180"),
        (f'inkseek_request_seconds_bucket{{{OK}, route="/v1/search", le="1.0"}}', "0+60x180"),
        (f'inkseek_request_seconds_bucket{{{OK}, route="/v1/search", le="+Inf"}}', "0+60x180"),
        (f'inkseek_request_seconds_bucket{{{OK}, route="/v1/photos:batch", le="0.5"}}', "0x180"),
        (f'inkseek_request_seconds_bucket{{{OK}, route="/v1/photos:batch", le="+Inf"}}', "0+60x180"),
        (f'inkseek_request_seconds_bucket{{{WRONG}, route="/v1/search", le="0.5"}}', "0+50x180"),
        (f'inkseek_request_seconds_bucket{{{WRONG}, route="/v1/search", le="1.0"}}', "0+60x180"),
        (f'inkseek_request_seconds_bucket{{{WRONG}, route="/v1/search", le="+Inf"}}', "0+60x180"),
    ],
    "InkseekQueueLong": [
        (f"inkseek_queue{{{OK}}}", "20x180"),
        (f"inkseek_queue_limit{{{OK}}}", "64x180"),
        (f"inkseek_queue{{{WRONG}}}", "40x180"),
        (f"inkseek_queue_limit{{{WRONG}}}", "64x180"),
        ('inkseek_queue{instance="without a queue"}', "0x180"),
        ('inkseek_queue_limit{instance="without a queue"}', "0x180"),
    ],
    "InkseekOverloaded": [
        (f'inkseek_rejected_total{{{OK}, reason="client_gone"}}', "0+1x180"),
        (f'inkseek_rejected_total{{{WRONG}, reason="queue_full"}}', "0+30x180"),
    ],
    "InkseekCanaryFails": [
        (f"inkseek_canary_failures_total{{{OK}}}", "0x170 1x10"),
        (f"inkseek_canary_failures_total{{{WRONG}}}", "0+1x180"),
    ],
    "InkseekIndexBehind": [(f"inkseek_index_behind{{{OK}}}", "0x180"), (f"inkseek_index_behind{{{WRONG}}}", "1x180")],
    "InkseekIndexUnloadable": [
        (f"inkseek_index_load_failures_total{{{OK}}}", "3x180"),
        (f"inkseek_index_load_failures_total{{{WRONG}}}", "0+1x180"),
    ],
    # Prometheus' clock starts at 0 here.
    "InkseekIndexOld": [
        (f"inkseek_index_created_timestamp_seconds{{{OK}}}", "0x180"),
        (f"inkseek_index_created_timestamp_seconds{{{WRONG}}}", f"{-8 * 86_400}x180"),
    ],
    "InkseekRecallLow": [
        (f"inkseek_shadow_recall_sum{{{OK}}}", "0+9.8x180"),
        (f"inkseek_shadow_recall_count{{{OK}}}", "0+10x180"),
        (f"inkseek_shadow_recall_sum{{{WRONG}}}", "0+9x180"),
        (f"inkseek_shadow_recall_count{{{WRONG}}}", "0+10x180"),
        ('inkseek_shadow_recall_sum{instance="without a sample"}', "0x180"),
        ('inkseek_shadow_recall_count{instance="without a sample"}', "0x180"),
    ],
    "InkseekGalleryFails": [
        (f'inkseek_gallery_failures_total{{{OK}, gallery="shoes"}}', "4x180"),
        (f'inkseek_gallery_failures_total{{{WRONG}, gallery="shoes"}}', "0+1x180"),
    ],
    "InkseekAdaptersOutdated": [
        (f"inkseek_adapters_outdated{{{OK}}}", "0x180"),
        (f"inkseek_adapters_outdated{{{WRONG}}}", "2x180"),
    ],
    "InkseekNothingFits": [
        (f'inkseek_answers_total{{{OK}, result="match"}}', "0+60x180"),
        (f'inkseek_answers_total{{{OK}, result="no_good_match"}}', "0+40x180"),
        (f'inkseek_answers_total{{{WRONG}, result="match"}}', "0+30x180"),
        (f'inkseek_answers_total{{{WRONG}, result="no_good_match"}}', "0+50x180"),
        (f'inkseek_answers_total{{{WRONG}, result="empty"}}', "0+20x180"),
    ],
}


def check(folder: Path, series: list[tuple[str, str]], samples: list[dict[str, Any]], alert: str) -> None:
    """Let promtool compare the instances that an alert fires for, at the end of the series."""
    expression = f'count by (instance) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "promql_expr_test": [{"expr": expression, "eval_time": f"{HOURS}h", "exp_samples": samples}],
            }
        ],
    }
    path = folder / "rules_test.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [PROMTOOL, "test", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_and_the_configuration_are_valid(tmp_path: Path) -> None:
    text = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(text.replace("/etc/prometheus/alerts.yaml", str(RULES)), encoding="utf-8")
    command = [PROMTOOL, "check", "config", str(configuration)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_series() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    names = {rule["alert"] for group in groups for rule in group["rules"]}
    assert names == SERIES.keys() | {"InkseekAbsent"}


@pytest.mark.parametrize("alert", SERIES)
def test_an_alert_fires_for_what_is_wrong_alone(alert: str, tmp_path: Path) -> None:
    check(tmp_path, SERIES[alert], [{"labels": f"{{{WRONG}}}", "value": 1}], alert)


@pytest.mark.parametrize(("series", "fires"), [([], True), ([('inkseek_build_info{version="1"}', "1x180")], False)])
def test_a_service_that_is_away_is_noticed(series: list[tuple[str, str]], fires: bool, tmp_path: Path) -> None:
    samples = [{"labels": "{}", "value": 1}] if fires else []
    check(tmp_path, series, samples, "InkseekAbsent")
