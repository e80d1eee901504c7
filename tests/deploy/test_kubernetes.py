"""The manifests: valid, hardened, complete, and of one piece with Nadhir itself."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from streams.config.schema import KafkaSettings
from streams.kafka.topics import group, names
from tests.deploy.kustomize import Manifest, build, containers, pod_spec
from tests.deploy.starting import parsed

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
SCHEMAS = json.loads((Path(__file__).parent / "schemas" / "kubernetes-1.34.json").read_text())
OVERLAYS = ("dev", "production")
BUILT = {name: build(FOLDER / "overlays" / name) for name in OVERLAYS}
RUNNING = ("Deployment", "Job")


def of_kind(overlay: str, *kinds: str) -> list[Manifest]:
    return [manifest for manifest in BUILT[overlay] if manifest["kind"] in kinds]


def problems(manifest: Manifest) -> list[str]:
    if manifest["kind"] not in SCHEMAS["$defs"]:
        return [f"no schema for {manifest['kind']}"]
    schema = SCHEMAS | {"$ref": f"#/$defs/{manifest['kind']}"}
    found = jsonschema_rs.validator_for(schema).iter_errors(manifest)
    return [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in found]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_is_valid(overlay: str) -> None:
    faults = {f"{m['kind']} {m['metadata']['name']}": problems(m) for m in BUILT[overlay]}
    assert not {name: found for name, found in faults.items() if found}


def test_what_is_wrong_would_be_found() -> None:
    manifest = json.loads(json.dumps(of_kind("dev", "Deployment")[0]))
    container = containers(manifest)[0]
    container["readinesProbe"] = container.pop("readinessProbe")
    container["ports"][0]["containerPort"] = "http"
    del manifest["spec"]["selector"]
    assert len(problems(manifest)) == 3


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_builds_the_same(overlay: str) -> None:
    """Where kubectl is there; where it is not, our own build is all there is to judge."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        assert BUILT[overlay]
        return
    done = subprocess.run(
        [kubectl, "kustomize", FOLDER / "overlays" / overlay], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    def by_name(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
        return {(m["kind"], m["metadata"]["name"]): m for m in manifests}

    assert by_name(list(yaml.safe_load_all(done.stdout))) == by_name(BUILT[overlay])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_may_do_nothing_that_they_need_not(overlay: str) -> None:
    for manifest in of_kind(overlay, *RUNNING):
        pod = pod_spec(manifest)
        assert pod is not None
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] >= 10_000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in containers(manifest):
            mine = container["securityContext"]
            assert mine["readOnlyRootFilesystem"]
            assert mine["allowPrivilegeEscalation"] is False
            assert mine["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_deployment_is_watched_and_guarded(overlay: str) -> None:
    guarded = [
        m["spec"]["selector"]["matchLabels"] for m in of_kind(overlay, "PodDisruptionBudget")
    ]
    deployments = of_kind(overlay, "Deployment")
    for manifest in deployments:
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"] == labels
        assert labels in guarded, manifest["metadata"]["name"]
        (container,) = containers(manifest)
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] in ports
    assert len(guarded) == len(deployments)


def test_the_api_has_two_replicas_in_production() -> None:
    (api,) = [
        m for m in of_kind("production", "Deployment") if m["metadata"]["name"] == "nadhir-api"
    ]
    assert api["spec"]["replicas"] == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_lead_to_ports_that_are_there(overlay: str) -> None:
    for service in of_kind(overlay, "Service"):
        wanted = service["spec"]["selector"]
        (met,) = [
            m for m in of_kind(overlay, "Deployment")
            if m["spec"]["template"]["metadata"]["labels"] == wanted
        ]  # fmt: skip
        ports = {port["name"] for port in containers(met)[0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_command_is_one_of_nadhirs(overlay: str) -> None:
    commands = {
        manifest["metadata"]["name"]: [parsed(c["args"]) for c in containers(manifest)]
        for manifest in of_kind(overlay, *RUNNING)
    }
    assert {name for found in commands.values() for name, _ in found} == {
        "api", "worker", "migrate", "topics create",
    }  # fmt: skip
    for stage in ("score", "detect", "alert", "intake"):
        ((_, given),) = commands[f"nadhir-{stage}"]
        assert given["stages"] == (stage,)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_only_named(overlay: str) -> None:
    assert not of_kind(overlay, "Secret")
    for manifest in of_kind(overlay, *RUNNING):
        for container in containers(manifest):
            for variable in container.get("env", ()):
                secret = variable["name"].endswith(("TOKEN", "PASSWORD", "DATABASE__URL"))
                assert ("secretKeyRef" in variable.get("valueFrom", {})) >= secret, variable


def test_network_policies_shut_all_and_open_for_parts_that_exist() -> None:
    policies = of_kind("production", "NetworkPolicy")
    shut = [p for p in policies if "ingress" not in p["spec"] and "egress" not in p["spec"]]
    assert [p["spec"]["policyTypes"] for p in shut] == [["Ingress", "Egress"]]
    labels = [
        (pod_spec(m) and m["spec"]["template"]["metadata"]["labels"])
        for m in of_kind("production", *RUNNING)
    ]
    met = shut[0]["spec"]["podSelector"]["matchLabels"]
    assert all(label is not None and met.items() <= label.items() for label in labels)
    parts = {label["app.kubernetes.io/component"] for label in labels if label}
    for policy in policies:
        selector = policy["spec"]["podSelector"]
        for expression in selector.get("matchExpressions", ()):
            assert set(expression["values"]) <= parts
        named = selector.get("matchLabels", {}).get("app.kubernetes.io/component")
        assert named is None or named in parts


def test_workers_are_scaled_by_the_lag_of_their_own_group() -> None:
    kafka = KafkaSettings()
    called = names(kafka)
    reads = {"score": called.mentions, "detect": called.observations, "alert": called.signals}
    config = yaml.safe_load((FOLDER / "base" / "nadhir.yaml").read_text(encoding="utf-8"))
    scaled = {m["metadata"]["name"]: m["spec"] for m in of_kind("production", "ScaledObject")}
    assert scaled.keys() == {f"nadhir-{stage}" for stage in reads}
    deployments = {m["metadata"]["name"]: m for m in of_kind("production", "Deployment")}
    for stage, topic in reads.items():
        spec: dict[str, Any] = scaled[f"nadhir-{stage}"]
        # two masters of one number would fight
        assert "replicas" not in deployments[spec["scaleTargetRef"]["name"]]["spec"]
        (trigger,) = spec["triggers"]
        assert trigger["metadata"]["consumerGroup"] == group(kafka, stage)
        assert trigger["metadata"]["topic"] == topic
        assert trigger["metadata"]["bootstrapServers"] in config["kafka"]["bootstrap"]
        assert spec["minReplicaCount"] >= 1
        assert spec["maxReplicaCount"] <= config["kafka"]["partitions"]


def test_what_the_documents_say_to_apply_is_there() -> None:
    guide = (FOLDER.parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")
    applied = [shlex.split(line)[-1] for line in guide.splitlines() if "kubectl apply -k" in line]
    assert applied
    assert all((FOLDER.parents[1] / path / "kustomization.yaml").exists() for path in applied)
