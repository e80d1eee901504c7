"""The units: systemd understands them, they are hardened, and they start what is there."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.starting import parsed

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
HARDENED = {
    "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices",
    "ProtectKernelTunables", "ProtectKernelModules", "ProtectControlGroups", "RestrictNamespaces",
    "RestrictAddressFamilies", "CapabilityBoundingSet", "SystemCallFilter", "LockPersonality",
    "SystemCallArchitectures", "RestrictSUIDSGID", "UMask",
}  # fmt: skip


class Repeated(dict[str, str]):
    """Keys of a unit may come again; the values are kept, a line each."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)  # type: ignore[attr-defined]
        else:
            super().__setitem__(key, value)  # type: ignore[assignment]


def unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(dict_type=Repeated, strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_every_service_is_hardened(path: Path) -> None:
    given = unit(path)["Service"]
    assert given.keys() >= HARDENED
    assert given["ProtectSystem"] == "strict"
    if path.name != "nadhir-backup.service":
        assert given["DynamicUser"] == "yes"
        assert given["CapabilityBoundingSet"] == ""
        assert given["Restart"] == "always"


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_every_command_is_one_of_nadhirs(path: Path) -> None:
    given = unit(path)["Service"]
    for key in ("ExecStartPre", "ExecStart"):
        for line in filter(None, given.get(key, "").splitlines()):
            program, *arguments = shlex.split(
                line.replace("%i", "score")
                .replace("${INTAKE_PORT}", "8081")
                .replace("${METRICS_PORT}", "9464")
            )
            assert program == "/opt/nadhir/bin/nadhir"
            parsed(arguments)


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_it_works_where_it_may_write(path: Path) -> None:
    given = unit(path)["Service"]
    assert given["WorkingDirectory"] == f"/var/lib/{given['StateDirectory']}"


def test_systemd_understands_them(tmp_path: Path) -> None:
    """Where it is installed; the program is a stand-in at a path that is there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert SERVICES
        return
    program = shutil.which("true")
    for path in FOLDER.iterdir():
        text = re.sub("/opt/nadhir/bin/nadhir", str(program), path.read_text(encoding="utf-8"))
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    units = [tmp_path / path.name.replace("@.", "@score.") for path in FOLDER.iterdir()]
    (tmp_path / "nadhir-worker@.service").rename(tmp_path / "nadhir-worker@score.service")
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "nadhir" in line]
    assert not ours
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_systemd_finds_little_that_is_exposed(path: Path) -> None:
    """By its own measure, from 0 to 10; the threshold is given times ten."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert SERVICES
        return
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:]
