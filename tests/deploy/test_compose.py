"""compose.yaml: valid, loopback alone, hardened, and every command and file in it is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from deploy.docker.make_secrets import make
from tests.deploy.starting import parsed
from tests.prometheus import program

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("nadhir:")}


def problems(compose: dict[str, Any]) -> list[str]:
    # the project's name came into the specification after this schema
    known = {key: value for key, value in compose.items() if key != "name"}
    found = jsonschema_rs.validator_for(SCHEMA).iter_errors(known)
    return [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in found]


def test_it_is_valid() -> None:
    assert not problems(COMPOSE)


def test_what_is_wrong_would_be_found() -> None:
    wrong = json.loads(json.dumps(COMPOSE))
    wrong["services"]["api"]["prots"] = wrong["services"]["api"].pop("ports")
    wrong["volumes"]["kafka-data"] = []
    assert len(problems(wrong)) >= 2


def test_docker_reads_it_too() -> None:
    """Where its client and its compose plugin are there; else the schema is the judge."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True).returncode
    ):
        return
    done = subprocess.run(
        [docker, "compose", "-f", FILE, "config", "--quiet"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_images_are_pinned_by_version() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", service["image"]), name


def test_ports_are_open_on_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == len({port.split(":")[1] for port in ports}) > 0
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert COMPOSE["networks"]["data"]["internal"]


def test_our_containers_can_change_nothing() -> None:
    for name, service in OURS.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
    assert all("no-new-privileges:true" in s["security_opt"] for s in SERVICES.values())


def test_files_that_are_mounted_are_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = re.sub(r"^\$\{\w+:-([^}]+)\}", r"\1", volume)
            place = source.split(":")[0]
            if place.startswith("."):
                assert (DEPLOY / place).exists(), place
                assert volume.endswith(":ro"), volume
            else:
                assert place in COMPOSE["volumes"], place


def test_every_command_is_one_of_nadhirs() -> None:
    commands = {n: parsed(s["command"]) for n, s in OURS.items() if "entrypoint" not in s}
    assert {name for name, _ in commands.values()} == {"migrate", "topics create", "api", "worker"}
    for stage in ("score", "detect", "alert", "intake"):
        assert commands[stage][1]["stages"] == (stage,)
    ports = {s["command"][-1] for n, s in OURS.items() if "--metrics-port" in s["command"]}
    health = {s["environment"]["HEALTH_URL"].split(":")[2].split("/")[0] for n, s in OURS.items()
              if n in ("score", "detect", "alert")}  # fmt: skip
    assert ports == health


def test_each_secret_goes_to_those_who_need_it_and_no_further(tmp_path: Path) -> None:
    made = {path.relative_to(tmp_path).parts for path in make(tmp_path)}
    volumes = {v.split(":")[0]: v.split(":")[1] for v in SERVICES["secrets"]["volumes"]}
    assert {part for part, _ in made} == {
        place.removeprefix("/secrets/")
        for name, place in volumes.items()
        if name != "./docker/make_secrets.py"
    }
    mounted = {
        name: [v.split(":")[0] for v in s.get("volumes", ()) if v.endswith(":/run/secrets:ro")]
        for name, s in SERVICES.items()
    }
    with_database = {name for name, found in mounted.items() if found == ["secrets-api"]}
    assert with_database == {"api", "migrate", "score"}
    text = FILE.read_text(encoding="utf-8")
    for path in re.findall(r"/run/secrets/([\w-]+)", text):
        assert path in {name for _, name in made}


def test_prometheus_watches_every_process_of_ours() -> None:
    config = yaml.safe_load((DEPLOY / "docker" / "prometheus.yml").read_text(encoding="utf-8"))
    watched = {
        target.split(":")[0]
        for job in config["scrape_configs"]
        if job["job_name"].startswith("nadhir")
        for group in job["static_configs"]
        for target in group["targets"]
    }
    steady = {name for name, s in OURS.items() if s["restart"] != "no"}
    assert watched == steady


def test_promtool_understands_what_prometheus_is_given() -> None:
    config = DEPLOY / "docker" / "prometheus.yml"
    done = subprocess.run(
        [program("promtool"), "check", "config", "--syntax-only", config],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
