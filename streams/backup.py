"""A backup of the embedded engine's data, taken while it runs.

The engine's store holds how far the intake was read, and the intake drops what lies before that.
So the intake is kept from changing while both are copied: senders wait meanwhile (they get 503
after ten seconds, and send again), the engine goes on.  The response database is copied last: what
the engine handed over twice counts once.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from streams.store import StoreError

STORE, INTAKE, RESPONSE = "nadhir.db", "intake.db", "response.db"
_WAIT_S = 60.0  # for a lock
_NAME = "%Y%m%dT%H%M%SZ"


def backup(data: Path, into: Path, now_ms: int, *, keep: int | None = None) -> Path:
    """Copy the databases in ``data`` to a new folder.

    Parameters
    ----------
    data : Path
        `paths.data` of the configuration.
    into : Path
        Where the folder is made, named by the time in UTC; it appears when it is whole.
    now_ms : int
    keep : int or None
        How many of these folders stay; older ones are deleted.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    StoreError
        If there is nothing to copy, or it cannot be read or written.
    """
    name = datetime.fromtimestamp(now_ms / 1000, UTC).strftime(_NAME)
    unfinished, whole = into / f".{name}", into / name
    try:
        into.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir(mode=0o700)
        with _unchanged(data / INTAKE):
            copied = [n for n in (STORE, INTAKE) if _copy(data / n, unfinished / n)]
        if _copy(data / RESPONSE, unfinished / RESPONSE):
            copied.append(RESPONSE)
        if not copied:
            raise StoreError(f"{data}: holds no database to back up")
        unfinished.rename(whole)
        _to_disk(into)
        if keep is not None:
            for old in backups(into)[:-keep]:
                shutil.rmtree(old)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{whole}: the backup failed ({error})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return whole


def backups(into: Path) -> list[Path]:
    """The whole backups in a folder, oldest first."""
    return sorted(path for path in into.iterdir() if path.is_dir() and _is_name(path.name))


def _is_name(name: str) -> bool:
    try:
        datetime.strptime(name, _NAME)  # noqa: DTZ007
    except ValueError:
        return False
    return True


@contextmanager
def _unchanged(path: Path) -> Iterator[None]:
    """Keep others from writing to a database meanwhile."""
    if not path.exists():
        yield
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_WAIT_S)) as held:
        held.execute("BEGIN IMMEDIATE")
        yield
        held.execute("ROLLBACK")


def _copy(source: Path, target: Path) -> bool:
    """Copy one database as it is at one moment, and look whether the copy is sound."""
    if not source.exists():
        return False
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=_WAIT_S)) as held,
        closing(sqlite3.connect(target)) as copy,
    ):
        held.backup(copy)
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            raise StoreError(f"{source}: is damaged ({found})")
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    _to_disk(target)
    return True


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
