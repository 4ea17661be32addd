"""The Helm chart as Helm renders it: valid for Kubernetes, and what the service and its commands take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.tables import commands
from service.config import Settings, load_settings

helm = pytest.importorskip("helm_python", reason="make chart-test installs it")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="make chart-test installs it")

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "deploy" / "helm" / "inkseek"
KUBERNETES = ["1.27", kubernetes_validate.latest_version()]
CUSTOM = {"ServiceMonitor", "PrometheusRule"}

OPEN = {"settings": {"open": True}, "gallery": {"existingClaim": "photos"}}
KEYS = {"keys": {"existingSecret": "keys"}, "gallery": {"existingClaim": "photos", "manifest": "m.csv", "subPath": "a"}}
SCALED = {
    "keys": {"existingSecret": "keys"},
    "readOnly": True,
    "bundle": "small",
    "gallery": {"url": "s3://bucket/photos", "credentialsSecret": "store"},
    "index": {"accessModes": ["ReadWriteMany"], "storageClass": "shared"},
    "online": {"seedClaim": "seed"},
    "autoscaling": {"enabled": True, "targetQueue": 6},
    "milvus": {"url": "http://milvus.example:19531", "existingSecret": "milvus"},
    "redis": {"url": "redis://redis:6380/0"},
    "settings": {
        "rate_limit": "10/second; 2000/day",
        "max_bodies_bytes": 2**28,
        "cors_origins": ["https://a.example", "https://b.example"],
        "request_timeout_s": 7.5,
        "trusted_proxies": ["10.0.0.0/8"],
    },
    "ingress": {"enabled": True, "host": "sketch.example.org", "tlsSecret": "tls", "className": "nginx"},
    "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"name": "web"}}}]},
    "monitoring": {
        "annotations": False,
        "serviceMonitor": {"enabled": True, "keySecret": "metrics"},
        "rules": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
    },
    "service": {
        "image": {"repository": "registry.example/inkseek", "digest": f"sha256:{'a' * 64}"},
        "extraArgs": ["--workers", "2"],
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "bundles", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "bundles", "mountPath": "/bundles"}],
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "nodeSelector": {"disk": "ssd"},
        "podAnnotations": {"team": "search"},
    },
    "builder": {"extraArgs": ["--min-recall", "0.95"], "extraEnv": [{"name": "TZ", "value": "UTC"}]},
    "imagePullSecrets": [{"name": "registry"}],
    "commonLabels": {"team": "search"},
}
REDIS_SECRET = {
    **OPEN,
    "redis": {"existingSecret": "redis"},
    "index": {"existingClaim": "index", "serviceWritable": True},
    "online": {"persistent": False},
    "builder": {"job": {"enabled": False}, "cron": {"enabled": False}},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False},
}
BACKED_UP = {
    **KEYS,
    "backup": {"enabled": True, "keep": 3, "extraArgs": ["--every-version"], "storageClass": "elsewhere"},
}
MILVUS_BACKED_UP = {
    **OPEN,
    "milvus": {"url": "http://milvus.example:19531"},
    "backup": {"enabled": True, "existingClaim": "archives"},
}
CASES = {
    "backed_up": BACKED_UP,
    "milvus_backed_up": MILVUS_BACKED_UP,
    "open": OPEN,
    "keys": KEYS,
    "scaled": SCALED,
    "redis_secret": REDIS_SECRET,
}
each_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES)


def rendered(values: dict[str, Any], name: str = "inkseek") -> list[dict[str, Any]]:
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name=name, namespace="prod")
    documents = [text for path, text in texts.items() if not path.endswith("NOTES.txt")]
    return [found for text in documents for found in yaml.safe_load_all(text) if found]


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The object of that kind that has the release's name alone."""
    (found,) = [item for item in objects if item["kind"] == kind and "-dashboard" not in item["metadata"]["name"]]
    return found


def pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The specifications of all pods."""
    found = [item["spec"]["template"]["spec"] for item in objects if item["kind"] in {"Deployment", "Job"}]
    crons = [item for item in objects if item["kind"] == "CronJob"]
    return found + [cron["spec"]["jobTemplate"]["spec"]["template"]["spec"] for cron in crons]


@each_case
def test_helm_has_nothing_to_warn_of(values: dict[str, Any]) -> None:
    report = helm.lint(CHART, values, strict=True)
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@each_case
@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_valid_for_kubernetes(values: dict[str, Any], version: str) -> None:
    objects = [found for found in rendered(values) if found["kind"] not in CUSTOM]
    assert len(objects) >= 3
    for found in objects:
        kubernetes_validate.validate(found, version, strict=True)


def test_the_validation_sees_a_mistake() -> None:
    service = one(rendered(OPEN), "Service")
    service["spec"]["ports"][0]["targetport"] = service["spec"]["ports"][0].pop("targetPort")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, KUBERNETES[-1], strict=True)


@each_case
def test_the_service_takes_its_environment(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(rendered(values), monkeypatch)
    assert settings.index == Path("/data/index")
    assert settings.host == ("0.0.0.0",)
    assert settings.port == 8000
    assert settings.open is bool(values.get("settings", {}).get("open"))


def test_values_arrive_as_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(rendered(SCALED), monkeypatch)
    assert settings.read_only
    assert settings.bundle is not None
    assert settings.bundle.name == "small"
    assert settings.max_bodies_bytes == 2**28
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.request_timeout_s == 7.5
    assert settings.rate_limit == "10/second; 2000/day"
    assert settings.rate_limit_redis == "redis://redis:6380/0"
    assert settings.milvus_uri == "http://milvus.example:19531"
    assert settings.milvus_token.get_secret_value() == "of milvus/token"
    assert settings.key_path == Path("/etc/inkseek/keys/keys.json")
    assert {"inkseek.prod.svc", "sketch.example.org"} <= set(settings.allowed_hosts)


@each_case
def test_arguments_are_those_of_the_commands(values: dict[str, Any]) -> None:
    known = dict(commands())
    for spec in pods(rendered(values)):
        arguments = spec["containers"][0]["args"]
        words = 1 if arguments[0] == "serve" else 2
        name = " ".join(["inkseek", *arguments[:words]])
        # Click parses and checks as it does before it runs the command.
        with known[name].make_context(name, arguments[words:]) as context:
            assert context.params


@each_case
def test_pods_are_restricted(values: dict[str, Any]) -> None:
    """The profile `restricted` of Kubernetes' pod security standards, and a root file system that nobody writes."""
    for spec in pods(rendered(values)):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        assert spec["automountServiceAccountToken"] is False
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


@each_case
def test_volumes_and_mounts_are_one_another(values: dict[str, Any]) -> None:
    for spec in pods(rendered(values)):
        containers = [*spec["containers"], *spec.get("initContainers", [])]
        mounted = {mount["name"] for container in containers for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
        for container in containers:
            places = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert len(places) == len(set(places))


@each_case
def test_selectors_find_the_pods_of_the_service_alone(values: dict[str, Any]) -> None:
    objects = rendered(values)
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    chosen = [one(objects, "Service")["spec"]["selector"]]
    budgets = [item for item in objects if item["kind"] == "PodDisruptionBudget"]
    chosen += [item["spec"]["selector"]["matchLabels"] for item in budgets]
    jobs = [item["spec"]["template"]["metadata"]["labels"] for item in objects if item["kind"] == "Job"]
    for selector in chosen:
        assert selector.items() <= labels.items()
        assert not any(selector.items() <= job.items() for job in jobs)


def test_probes_use_the_routes_that_say_it() -> None:
    container = one(rendered(OPEN), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    port = container["startupProbe"]["httpGet"]["port"]
    assert port in {found["name"] for found in container["ports"]}


def test_more_pods_come_with_the_queue() -> None:
    objects = rendered(SCALED)
    scaler = one(objects, "HorizontalPodAutoscaler")["spec"]
    assert scaler["metrics"][0]["pods"]["metric"]["name"] == "inkseek_queue"
    assert scaler["metrics"][0]["pods"]["target"] == {"type": "AverageValue", "averageValue": "6"}
    deployment = one(objects, "Deployment")
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]
    assert deployment["spec"]["strategy"]["type"] == "RollingUpdate"
    assert one(rendered(OPEN), "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_what_is_not_needed_is_not_open_to_pods() -> None:
    assert {policy["metadata"]["name"]: egress(policy) for policy in policies(SCALED)} == {
        "inkseek-service": {53, 19531, 443, 6380},
        "inkseek-builder": {53, 19531, 443},
    }
    assert [egress(policy) for policy in policies(OPEN)] == [set(), set()]


def test_secrets_are_named_and_never_written() -> None:
    container = one(rendered(SCALED), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    named = {item["name"]: item for item in container["env"]}
    assert named["INKSEEK_MILVUS_TOKEN"]["valueFrom"] == {"secretKeyRef": {"name": "milvus", "key": "token"}}
    assert {"secretRef": {"name": "store"}} in container["envFrom"]
    endpoint = one(rendered(SCALED), "ServiceMonitor")["spec"]["endpoints"][0]
    assert endpoint["authorization"]["credentials"] == {"name": "metrics", "key": "key"}
    assert not [found for found in rendered(SCALED) if found["kind"] == "Secret"]


def test_rules_and_dashboard_are_those_of_the_repository() -> None:
    objects = rendered(SCALED)
    monitoring = ROOT / "deploy" / "monitoring"
    assert one(objects, "PrometheusRule")["spec"] == yaml.safe_load((monitoring / "alerts.yaml").read_text())
    (board,) = [item for item in objects if item["metadata"]["name"] == "inkseek-dashboard"]
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(board["data"]["inkseek.json"]) == json.loads((monitoring / "dashboard.json").read_text())


def cron_of_backups(values: dict[str, Any]) -> dict[str, Any]:
    (found,) = [
        item
        for item in rendered(values)
        if item["metadata"]["name"] == "inkseek-backup" and "jobTemplate" in item["spec"]
    ]
    return dict(found["spec"]["jobTemplate"]["spec"]["template"]["spec"])


def test_archives_are_made_beside_the_service_of_its_own_volumes() -> None:
    spec = cron_of_backups(BACKED_UP)
    assert spec["containers"][0]["args"] == ["backup", "create", "/backups", "--keep", "3", "--every-version"]
    (near,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    deployment = one(rendered(BACKED_UP), "Deployment")["spec"]["template"]
    assert near["labelSelector"]["matchLabels"].items() <= deployment["metadata"]["labels"].items()
    claims = {volume["name"]: volume.get("persistentVolumeClaim", {}).get("claimName") for volume in spec["volumes"]}
    served = {volume["name"]: volume.get("persistentVolumeClaim") for volume in deployment["spec"]["volumes"]}
    assert all(served[name]["claimName"] == claims[name] for name in ("index", "online"))
    made = {item["metadata"]["name"] for item in rendered(BACKED_UP) if item["kind"] == "PersistentVolumeClaim"}
    assert claims["backups"] in made
    (policy,) = [found for found in policies(BACKED_UP) if found["metadata"]["name"] == "inkseek-backup"]
    assert policy["spec"]["ingress"] == policy["spec"]["egress"] == []


def test_vectors_in_milvus_are_not_archived() -> None:
    spec = cron_of_backups(MILVUS_BACKED_UP)
    assert spec["containers"][0]["args"][-4:] == ["--only", "online", "--only", "limits"]
    assert "archives" in {volume.get("persistentVolumeClaim", {}).get("claimName") for volume in spec["volumes"]}
    assert not [item for item in rendered(OPEN) if item["metadata"]["name"] == "inkseek-backup"]


def test_an_unchanged_build_does_not_run_again() -> None:
    def name(**changed: Any) -> str:
        return str(one(rendered({**OPEN, **changed}), "Job")["metadata"]["name"])

    assert name() == name(settings={"open": True, "queue_size": 9})
    assert len({name(), name(bundle="small"), name(gallery={"existingClaim": "others"})}) == 3


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"gallery": {"existingClaim": "photos"}}, "keys.existingSecret"),
        ({**OPEN, "service": {"replicas": 2}}, "readOnly"),
        ({**OPEN, "autoscaling": {"enabled": True}}, "readOnly"),
        ({**OPEN, "online": {"seedClaim": "seed"}}, "readOnly"),
        ({**OPEN, "gallery": {"existingClaim": "a", "url": "s3://b/c"}}, "not both"),
        ({"settings": {"open": True}}, "gallery.url or gallery.existingClaim"),
        ({**OPEN, "ingress": {"enabled": True}}, "ingress.host"),
        ({**MILVUS_BACKED_UP, "online": {"persistent": False}}, "nothing to keep"),
        ({**OPEN, "settings": {"open": True, "queue_sise": 1}}, "queue_sise"),
    ],
)
def test_values_that_cannot_work_are_rejected_with_the_reason(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(helm.HelmError, match=re.escape(reason)):
        rendered(values)


def policies(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for found in rendered(values) if found["kind"] == "NetworkPolicy"]


def egress(policy: dict[str, Any]) -> set[int]:
    return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}


def settings_of(objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as the service reads them from the image's variables, the ConfigMap and the container's own."""
    dockerfile = (ROOT / "docker" / "service.Dockerfile").read_text(encoding="utf-8")
    environment = dict(re.findall(r"(INKSEEK_\w+)=(\S+)", dockerfile))
    environment |= one(objects, "ConfigMap")["data"]
    container = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    for item in container["env"]:
        secret = item.get("valueFrom", {}).get("secretKeyRef")
        environment[item["name"]] = f"of {secret['name']}/{secret['key']}" if secret else item["value"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(environment)
