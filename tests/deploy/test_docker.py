"""The image: what its file promises, and its steps carried out until the API answers."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.docker.make_secrets import make
from tests.deploy.dockerfile import Folder, environment, stages
from tests.running import eventually

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "deploy" / "docker"
STAGES = stages(DOCKER / "Dockerfile")


def test_the_base_is_pinned_and_slim() -> None:
    for stage in STAGES:
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", stage.image), stage.image
    assert len({stage.image for stage in STAGES}) == 1  # compiled for the Python that runs it


def test_it_runs_as_nobody_in_particular() -> None:
    user, _, group = STAGES[-1].last("USER").partition(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000
    words = [word for word, _ in STAGES[-1].steps]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "RUN")


def test_the_last_stage_installs_nothing() -> None:
    said = " ".join(text for word, text in STAGES[-1].steps if word == "RUN")
    assert not re.search(r"apt-get|pip install|\bgcc\b|build-essential|curl|wget", said)
    assert "pip uninstall" in said


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        part
        for stage in STAGES
        for word, text in stage.steps
        if word == "COPY" and "--from" not in text
        for part in text.split()[:-1]
        if not part.startswith("--")
    }
    assert "*" in lines
    assert let_in == copied


@pytest.fixture(scope="module")
def image() -> Iterator[Folder]:
    """The image, made once; nothing in it can be written to afterwards but its data folder."""
    root = Path(tempfile.mkdtemp(prefix="nadhir-image-"))
    try:
        folder = Folder(root, ROOT)
        folder.carry_out(STAGES[0], runs=True)
        folder.carry_out(STAGES[-1], runs=False)
        (root / "etc/nadhir").mkdir(parents=True)
        shutil.copy2(DOCKER / "nadhir.yaml", root / "etc/nadhir")
        shutil.rmtree(root / "src")  # the image has no source tree to lean on
        for folders, _, files in os.walk(root / "opt"):
            os.chmod(folders, 0o555)
            for name in files:
                path = Path(folders, name)
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode & 0o555)
        yield folder
    finally:
        for folders, _, _ in os.walk(root):
            os.chmod(folders, 0o755)
        shutil.rmtree(root)


def command(image: Folder, *arguments: str) -> list[str]:
    """The image's entry with other arguments; root has none of its powers, as in compose.yaml."""
    drop = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    entry = json.loads(STAGES[-1].last("ENTRYPOINT"))
    start = str(image.root / "usr/local/bin" / entry[0])
    return [*(drop if os.geteuid() == 0 else []), start, *map(image.at, arguments)]


def variables(image: Folder, **more: str) -> dict[str, str]:
    return {name: image.at(value) for name, value in environment(STAGES[-1]).items()} | more


def test_the_image_holds_no_tool_to_build_with(image: Folder) -> None:
    installed = {path.name for path in (image.root / "opt/nadhir/bin").iterdir()}
    assert "nadhir" in installed
    assert not {name for name in installed if re.match(r"pip|easy_install|wheel", name)}
    packages = image.root / "opt/nadhir/lib"
    assert not list(packages.glob("python*/site-packages/setuptools"))
    assert not list(packages.glob("python*/site-packages/pytest"))


def test_it_starts_and_knows_its_configuration(image: Folder) -> None:
    where, env = image.root / "var/lib/nadhir", variables(image)
    done = subprocess.run(
        command(image, "--help"), cwd=where, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "crisis early warning" in done.stdout
    check = command(image, "config", "check", "--config", "/etc/nadhir/nadhir.yaml")
    done = subprocess.run(check, cwd=where, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "database"),
    [
        (["api", "--config", "/etc/nadhir/nadhir.yaml"], "response.db"),
        (json.loads(STAGES[-1].last("CMD")), "nadhir.db"),
    ],
    ids=["api", "CMD"],
)
def test_it_answers_and_nothing_else_is_written(
    image: Folder, tmp_path: Path, words: list[str], database: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "NADHIR_LOG_LEVEL").write_text("DEBUG")  # a secret, as far as the entry knows
    (tmp_path / "NADHIR_INTAKE__TOKEN").write_text(
        "k3Xb9-wQ7zL1p0Rt"
    )  # open to all, it asks for one
    env = variables(
        image,
        HEALTH_URL=f"http://127.0.0.1:{port}/health/live",
        SECRETS_DIR=str(tmp_path),
        TMPDIR=str(tmp_path),
    )
    start = command(image, *words, "--port", str(port))
    _, check = STAGES[-1].last("HEALTHCHECK").split("CMD ")
    health = [image.root / "opt/nadhir/bin/python", *json.loads(check)[1:]]
    before = {path for path in image.root.rglob("*") if "var/lib/nadhir" not in str(path)}
    server = subprocess.Popen(
        start, cwd=image.root / "var/lib/nadhir", env=env, stderr=subprocess.PIPE
    )
    try:
        assert subprocess.run(health, env=env | {"HEALTH_URL": "http://127.0.0.1:9/"},
                              capture_output=True).returncode != 0  # fmt: skip

        def healthy() -> bool:
            assert server.poll() is None, server.communicate()[1].decode()
            return subprocess.run(health, env=env, capture_output=True).returncode == 0

        eventually(healthy, every_s=0.2)
        with urllib.request.urlopen(env["HEALTH_URL"]) as answer:
            assert json.load(answer)["status"] == "ok"
    finally:
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=30)
    assert server.returncode == 0, log.decode()
    assert (image.root / "var/lib/nadhir" / database).exists()
    after = {path for path in image.root.rglob("*") if "var/lib/nadhir" not in str(path)}
    assert after == before


def test_the_image_starts_what_its_command_says() -> None:
    from tests.deploy.starting import parsed

    name, given = parsed(json.loads(STAGES[-1].last("CMD")))
    assert name == "run"
    assert str(given["config_path"]) == "/etc/nadhir/nadhir.yaml"


def test_secrets_are_drawn_once_and_never_again(tmp_path: Path) -> None:
    new = make(tmp_path)
    first = {path: path.read_text() for path in new}
    password = (tmp_path / "postgres/password").read_text()
    token = (tmp_path / "prometheus/metrics-token").read_text()
    assert password in (tmp_path / "api/NADHIR_DATABASE__URL").read_text()
    assert {
        (tmp_path / part / "NADHIR_METRICS__TOKEN").read_text()
        for part in ("api", "intake", "worker")
    } == {token}
    drawn = {password, token, (tmp_path / "grafana/password").read_text(),
             (tmp_path / "intake/NADHIR_INTAKE__TOKEN").read_text()}  # fmt: skip
    assert len(drawn) == 4
    assert all(len(secret) > 40 for secret in drawn)
    (tmp_path / "grafana/password").unlink()
    assert make(tmp_path) == [tmp_path / "grafana/password"]
    assert {p: p.read_text() for p in new if "grafana" not in str(p)} == {
        p: text for p, text in first.items() if "grafana" not in str(p)
    }


def test_the_entry_is_a_script_that_any_shell_reads() -> None:
    script = DOCKER / "entrypoint.sh"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    checked = subprocess.run(shlex.split(f"sh -n {script}"), capture_output=True)
    assert checked.returncode == 0
