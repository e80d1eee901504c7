"""One response database: connections, transactions, faults.

Every write is one transaction.  SQLite takes its write lock at the beginning (``BEGIN IMMEDIATE``),
so that what was read stays true; PostgreSQL locks the rows that are read for writing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from alerts.store.errors import DatabaseUnavailable, StoreFault
from alerts.store.migrate import NewerSchema, migrate

_BUSY_MS = 30_000
_POOL, _OVERFLOW = 8, 24  # connections kept, and more of them in a rush


class Database:
    """A response database.

    Parameters
    ----------
    place : Path or str
        File of SQLite, created with its directory if missing, or ``postgresql://...``.

    Raises
    ------
    StoreFault
        If the address is none, or the schema is newer than this program.
    DatabaseUnavailable
        If it cannot be reached.
    """

    def __init__(self, place: Path | str) -> None:
        self._engine = _sqlite(place) if isinstance(place, Path) else _postgresql(place)
        # without the password, which an address may hold
        self.name = str(place) if isinstance(place, Path) else self._engine.url.render_as_string()
        local = self.dialect == "sqlite"
        self._turn: Any = threading.Lock() if local else nullcontext()  # fairer than SQLite's
        try:
            with self.write() as connection:
                migrate(connection)
        except NewerSchema as error:
            self.close()
            raise StoreFault(f"{self.name}: {error}; use the version that wrote it") from error
        except StoreFault:
            self.close()
            raise

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._faults(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it, or nothing."""
        with self._turn, self._faults(), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def compact(self) -> None:
        """Give back the space of rows that were rewritten, so that no free page holds them.

        PostgreSQL does so for reuse; its files keep the bytes until that.
        """
        with self._turn, self._faults(), self._engine.connect() as connection:
            if self.dialect == "sqlite":
                connection = connection.execution_options(compacts=True)
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                return
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("VACUUM alerts, notifications, messages")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise DatabaseUnavailable(f"{self.name}: all connections are taken") from error
        except (OperationalError, InterfaceError) as error:
            raise DatabaseUnavailable(f"{self.name}: {error.orig}") from error
        except SQLAlchemyError as error:
            raise StoreFault(f"{self.name}: {error}") from error


def _sqlite(path: Path) -> Engine:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():  # it holds the secret that signs links: its owner alone reads it
            path.touch(mode=0o600)
    except OSError as error:
        raise StoreFault(f"{path}: cannot be written ({error.strerror})") from error
    engine = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,  # errors are logged; what strangers wrote, and secrets, are not
        connect_args={"timeout": _BUSY_MS / 1000},
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")  # survives a power cut

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("compacts", False):  # which SQLite does outside of transactions alone
            writes = options.get("writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Set the mode of the journal; SQLite itself does not wait while others who start do so."""
    end = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


def _postgresql(address: str) -> Engine:
    import psycopg  # where there is no PostgreSQL, it is not loaded

    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreFault("database.url is no address such as postgresql://host/name") from error
    if url.get_backend_name() != "postgresql":
        raise StoreFault(f"database.url: {url.get_backend_name()} is not postgresql")
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        module=psycopg,
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "application_name": "nadhir"},
    )
