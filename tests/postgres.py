"""A real PostgreSQL for tests: on a Unix socket, as an ordinary user, in a directory of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psycopg

from tests.running import eventually

_PROGRAMS = Path("/usr/lib/postgresql")


def programs() -> Path:
    """Directory of the newest server's programs."""
    found = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    assert initdb, "no PostgreSQL; on Debian: apt-get install postgresql"
    return Path(initdb).parent


def _user() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Postgres:
    """A server that is running."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nadhir-pg-"))
        user = _user()
        if user:
            os.chown(self._folder, user["user"], user["group"])
        data = self._folder / "data"
        binaries = programs()
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "nadhir", "-A", "trust", "-E", "UTF8",
             "--no-sync", "--locale=C.UTF-8"],
            check=True, capture_output=True, cwd=self._folder, **user,
        )  # fmt: skip
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "max_connections": "120",
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._log = (self._folder / "log").open("wb")
        self._server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *given],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=self._folder, **user,
        )  # fmt: skip
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self._server.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, name: str) -> str:
        """Address of a database."""
        return f"postgresql://nadhir@/{name}?host={self._folder}"

    def create(self) -> str:
        """A new database; its name."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name

    def stop(self) -> None:
        """End the server and delete what it kept."""
        self._server.send_signal(signal.SIGINT)  # at once, whoever is connected
        self._server.wait(30)
        self._log.close()
        shutil.rmtree(self._folder)
