"""Response databases for the tests: each test gets an empty one, of SQLite and of PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from alerts.store import audit
from alerts.store.database import Database
from alerts.store.migrate import HEAD
from alerts.store.tables import metadata
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of this process."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """Name of a database with our tables."""
    name = postgres.create()
    Database(postgres.url(name)).close()
    return name


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "response.db"
    Database(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where an empty response database is."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "response.db")
        yield tmp_path / "response.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = request.getfixturevalue("migrated")
    _empty(server.url(name))
    yield server.url(name)


def _empty(url: str) -> None:
    """Make a migrated database as new: faster than to copy one."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with psycopg.connect(url) as connection:
        for statement in (
            "SET session_replication_role = replica",  # past the triggers of the audit trail
            f"TRUNCATE {tables} RESTART IDENTITY",
            f"INSERT INTO chain VALUES (1, 0, '{audit.ORIGIN}')",
            f"UPDATE alembic_version SET version_num = '{HEAD}'",
            "ALTER TABLE audit ENABLE TRIGGER ALL",
        ):
            connection.execute(statement.encode())


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    """An empty response database."""
    opened = Database(place)
    yield opened
    opened.close()
