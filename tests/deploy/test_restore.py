"""The backup of a response database in PostgreSQL, restored as docs/deploy.md says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from alerts.store import audit
from alerts.store.database import Database
from alerts.store.errors import StoreFault
from alerts.store.rows import Filter
from tests.alerts.responding import copies, desk
from tests.postgres import Postgres, programs
from tests.running import environment, nadhir, write_config


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()


def everything(url: str) -> dict[str, object]:
    """What people would miss."""
    with closing(Database(url)) as database:
        running = desk(database)
        with database.read() as connection:
            audit.verify(connection)
        return {
            "alerts": running.alerts(Filter(), before=None, limit=50),
            "audit": running.audit(after=0, limit=50),
            "tokens": running.list_tokens(),
        }


def test_what_was_dumped_comes_back(server: Postgres, tmp_path: Path) -> None:
    url, dump = server.url(server.create()), tmp_path / "nadhir.dump"
    with closing(Database(url)) as database:
        running = desk(database)
        for alert in copies(3):
            running.take(alert)
        for number, who in enumerate(("amal", "badr")):
            id_ = copies(3)[number].id
            running.act(who, id_, "acknowledge", version=None, reason="mine", once=None)
        secret = running.tokens.create("amal", "responder", by="test", now_ms=0)
        kept = everything(url)
        tool = programs()
        done = subprocess.run(
            [tool / "pg_dump", "--format=custom", f"--file={dump}", url], capture_output=True
        )
        assert done.returncode == 0, done.stderr
        # what comes after the backup is not in it
        running.act("omar", copies(3)[2].id, "acknowledge", version=None, reason="", once=None)

    restored = server.url(server.create())
    done = subprocess.run(
        [tool / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={restored}", dump],
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    env = environment(NADHIR_DATABASE__URL=restored)
    told = nadhir("migrate", "--config", write_config(tmp_path), cwd=tmp_path, env=env)
    assert told.returncode == 0, told.stderr
    assert everything(restored) == kept
    with closing(Database(restored)) as database:
        running = desk(database)
        assert running.tokens.bearer(secret) is not None
        assert running.take(copies(3)[2]) is False  # taken before the backup
        running.act("omar", copies(3)[2].id, "acknowledge", version=None, reason="", once=None)


def test_the_trail_of_a_restored_database_still_refuses_changes(
    server: Postgres, tmp_path: Path
) -> None:
    url, dump = server.url(server.create()), tmp_path / "nadhir.dump"
    with closing(Database(url)) as database:
        desk(database).take(copies(1)[0])
    restored = server.url(server.create())
    tool = programs()
    subprocess.run([tool / "pg_dump", "-Fc", f"--file={dump}", url], check=True)
    subprocess.run([tool / "pg_restore", "-e", "-O", f"--dbname={restored}", dump], check=True)
    with psycopg.connect(restored) as connection, pytest.raises(psycopg.Error, match="audit"):
        connection.execute("DELETE FROM audit")


def test_a_database_of_a_newer_version_is_refused(server: Postgres, tmp_path: Path) -> None:
    url = server.url(server.create())
    Database(url).close()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    env = environment(NADHIR_DATABASE__URL=url)
    told = nadhir("migrate", "--config", write_config(tmp_path), cwd=tmp_path, env=env)
    assert told.returncode == 1
    assert b"use the version that wrote it" in told.stderr
    with pytest.raises(StoreFault):
        Database(url)
