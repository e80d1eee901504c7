"""Durable intake: what HTTP and standard input deliver is stored before it is answered or used.

Lines that arrive together share one transaction (group commit).  The engine reads them back as a
source; rows are dropped once the position that contains them is committed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from streams.sources import Batch
from streams.store import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS intake (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, lines INTEGER NOT NULL, data BLOB NOT NULL);
"""
MAX_WAITING = 10_000  # appends that wait for the disk; beyond, the sender is asked to come back


class IntakeLog:
    """Lines in the order in which they were accepted.

    Parameters
    ----------
    path : Path
        SQLite file, made if missing.

    Raises
    ------
    StoreError
        If the file cannot be used.
    """

    name = "intake"
    total_bytes: int | None = None
    consumed_bytes: int | None = None
    done = False

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write = _open(path)
            self._write.executescript(_SCHEMA)
            self._read = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path}: cannot be used as intake ({error})") from error
        self._lock = threading.Lock()
        self._waiting: list[tuple[list[bytes], Future[int]]] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._next = 1
        self._ordinal = 1

    # the store ------------------------------------------------------------------------------

    async def append(self, lines: list[bytes]) -> int:
        """Store lines; returns their number once they are durable."""
        return await asyncio.wrap_future(self.submit(lines))

    def submit(self, lines: Sequence[bytes]) -> Future[int]:
        """Store lines from any thread; the future is done once they are durable."""
        future: Future[int] = Future()
        with self._lock:
            self._waiting.append((list(lines), future))
        self._pool.submit(self._flush)
        return future

    def _flush(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        if not group:
            return  # an earlier flush took it along
        try:
            self._write.execute("BEGIN IMMEDIATE")
            self._write.executemany(
                "INSERT INTO intake (lines, data) VALUES (?, ?)",
                ((len(lines), _pack(lines)) for lines, _ in group if lines),
            )
            self._write.execute("COMMIT")
        except sqlite3.Error as error:
            if self._write.in_transaction:
                self._write.execute("ROLLBACK")
            for _, future in group:
                future.set_exception(StoreError(f"the intake cannot be written ({error})"))
            return
        for lines, future in group:
            future.set_result(len(lines))

    # the source -----------------------------------------------------------------------------

    def seek(self, position: str | None) -> None:
        """Continue after a stored position."""
        if position is not None:
            after, ordinal = position.split(":")
            self._next, self._ordinal = int(after), int(ordinal)

    def poll(self, limit: int) -> Batch | None:
        """The next lines; whole appends, so a batch may be longer than ``limit``."""
        taken: list[bytes] = []
        first = self._ordinal
        rows = self._read.execute(
            "SELECT seq, data FROM intake WHERE seq >= ? ORDER BY seq LIMIT ?", (self._next, limit)
        )
        for seq, data in rows:
            taken += _unpack(data)
            self._next = seq + 1
            if len(taken) >= limit:
                break
        rows.close()
        if not taken:
            return None
        self._ordinal += len(taken)
        return Batch(taken, first, f"{self._next}:{self._ordinal}")

    def forget(self, position: str) -> None:
        """Drop what a committed position contains."""
        upto = int(position.split(":")[0])

        def drop() -> None:
            self._write.execute("DELETE FROM intake WHERE seq < ?", (upto,))

        self._pool.submit(drop)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._pool.shutdown(wait=True)
        self._write.close()
        self._read.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA busy_timeout = 10000")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _pack(lines: Sequence[bytes]) -> bytes:
    # a mention inside a pretty-printed array may hold newlines; in JSON they are only white space
    return b"\n".join(line.replace(b"\n", b" ") for line in lines)


def _unpack(data: bytes) -> list[bytes]:
    return data.split(b"\n")
