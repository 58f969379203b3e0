"""The Helm chart: linted and rendered by Helm's own engine, each object checked against Kubernetes' schemas, and what it promises of every pod.

Helm comes as a library, which is loaded in a process of its own: it brings a runtime and signal handlers along. It is there for Linux and amd64.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from custom_events.settings import Settings, variable_of
from tests.deploy.variables import OTHERS

CHART: Final = Path(__file__).parents[2] / "deploy/helm/custom-events"
RENDER: Final = """
import json, sys
import helm_python as helm
folder, values = sys.argv[1], json.loads(sys.argv[2])
with helm.Chart.load(folder) as chart:
    chart.validate_schema(values)
    print(json.dumps({"lint": helm.lint(folder), "files": chart.render(values, name="custom-events", namespace="prod")}))
"""
DEFAULTS: Final[dict[str, Any]] = {}
EVERYTHING: Final[dict[str, Any]] = {
    "image": {"digest": "sha256:" + "0" * 64, "pullSecrets": [{"name": "registry"}]},
    "hosts": {"receiver": "events.example", "console": "console.example", "dagster": "dagster.example"},
    "googleSecret": "google",
    "files": {"enabled": True, "storageClass": "nfs"},
    "ingress": {"annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}},
    "nodeSelector": {"pool": "apps"},
    "tolerations": [{"key": "apps", "operator": "Exists"}],
    "podAnnotations": {"a": "b"},
}
VERSIONS: Final = ("1.28", "1.34")
WORKLOADS: Final = ("Deployment", "Job")

pytest.importorskip("helm_python", reason="Helm's library is not there for this machine")


@cache
def rendered(values: str) -> dict[str, Any]:
    """What Helm says of the chart and makes of it with these values (JSON)."""
    command = [sys.executable, "-c", RENDER, str(CHART), values]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)


def objects(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of Kubernetes that the chart makes."""
    for name, text in rendered(json.dumps(values))["files"].items():
        if name.endswith(".yaml"):
            yield from (found for found in yaml.safe_load_all(text) if found)


def pods(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, specification) of every pod."""
    for made in objects(values):
        if made["kind"] in WORKLOADS:
            yield made["metadata"]["name"], made["spec"]["template"]["spec"]


def test_helm_finds_nothing_wrong() -> None:
    lint = rendered(json.dumps(DEFAULTS))["lint"]
    assert lint["errors"] == []
    assert [message for message in lint["messages"] if message["error"] != "icon is recommended"] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [DEFAULTS, EVERYTHING], ids=["defaults", "everything"])
def test_every_object_is_as_kubernetes_wants_it(values: dict[str, Any], version: str) -> None:
    import kubernetes_validate

    kinds = {made["kind"] for made in objects(values)}
    assert {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Job", "Ingress"} <= kinds
    for made in objects(values):
        kubernetes_validate.validate(made, version, strict=True)


@pytest.mark.parametrize("values", [DEFAULTS, EVERYTHING], ids=["defaults", "everything"])
def test_no_pod_has_more_than_it_needs(values: dict[str, Any]) -> None:
    names = [name for name, _ in pods(values)]
    assert len(names) == 6
    for name, pod in pods(values):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["enableServiceLinks"] is False, name  # CUSTOM_EVENTS_RECEIVER_PORT would be an address
        assert pod["automountServiceAccountToken"] is (
            name in ("custom-events-dagster-web", "custom-events-dagster-daemon")
        )
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert not container["image"].endswith(":latest")


def test_secrets_come_from_outside() -> None:
    assert "Secret" not in {made["kind"] for made in objects(EVERYTHING)}
    (receiver,) = (pod for name, pod in pods(DEFAULTS) if name.endswith("receiver"))
    container = receiver["containers"][0]
    assert [source for source in container["envFrom"] if "secretRef" in source] == []
    assert {given["name"] for given in container["env"] if "valueFrom" in given} == {
        "DATABASE_URL",
        "CUSTOM_EVENTS_SECRET_KEY",
    }


def test_services_find_their_pods() -> None:
    labels = {
        made["metadata"]["name"]: made["spec"]["template"]["metadata"]["labels"]
        for made in objects(DEFAULTS)
        if made["kind"] == "Deployment"
    }
    services = [made for made in objects(DEFAULTS) if made["kind"] == "Service"]
    assert len(services) == 4
    for service in services:
        assert service["spec"]["selector"].items() <= labels[service["metadata"]["name"]].items()


def test_every_setting_is_one_of_ours() -> None:
    known = {variable_of(name) for name in Settings.model_fields} | OTHERS
    for made in objects(EVERYTHING):
        if made["metadata"]["name"].endswith("-settings"):
            assert made["data"].keys() <= known
    for _, pod in pods(EVERYTHING):
        assert {given["name"] for given in pod["containers"][0].get("env", ())} <= known


def test_dagster_takes_the_launcher() -> None:
    from dagster._config import process_config
    from dagster_k8s import K8sRunLauncher

    for values in (DEFAULTS, EVERYTHING):
        (settings,) = (
            made for made in objects(values) if made["metadata"]["name"].endswith("-dagster") and "data" in made
        )
        launcher = yaml.safe_load(settings["data"]["launcher.yaml"])
        assert (launcher["module"], launcher["class"]) == ("dagster_k8s", "K8sRunLauncher")
        checked = process_config(K8sRunLauncher.config_type(), launcher["config"])
        assert checked.success, checked.errors


def test_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(AssertionError, match=r"replicas|least|minimum"):
        rendered(json.dumps({"receiver": {"replicas": {"least": 0}}}))
