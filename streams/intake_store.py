"""Durable intake: what HTTP and standard input deliver is stored before it is answered or used.

Lines that arrive together share one transaction (group commit).  The engine reads them back as a
source; rows are dropped once the position that contains them is committed.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from streams.intake import IntakeUnavailable
from streams.sources import Batch
from streams.sources.base import BATCH_BYTES
from streams.store import StoreError, make_private

log = logging.getLogger("nadhir.intake")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS intake (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, lines INTEGER NOT NULL, data BLOB NOT NULL);
"""


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

    def __init__(self, path: Path) -> None:
        try:
            make_private(path)
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
        self._finished = self._drained = False

    # the store ------------------------------------------------------------------------------

    async def append(self, lines: list[bytes]) -> int:
        """Store lines; returns their number once they are durable."""
        try:
            return await asyncio.wrap_future(self.submit(lines))
        except StoreError as error:
            log.error("%s", error)
            raise IntakeUnavailable(str(error)) from error

    def submit(self, lines: Sequence[bytes]) -> Future[int]:
        """Store lines from any thread; the future is done once they are durable.

        It fails with `StoreError` if they could not be stored; none of them is then.
        """
        future: Future[int] = Future()
        with self._lock:
            self._waiting.append((list(lines), future))
        try:
            self._pool.submit(self._flush)
        except RuntimeError:
            raise StoreError("the intake is closed") from None
        return future

    def _flush(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        # a sender that gave up before this moment sent nothing; later it cannot give up any more
        group = [entry for entry in waiting if entry[1].set_running_or_notify_cancel()]
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
        if position is None:
            return
        following, self._ordinal = map(int, position.split(":"))
        row = self._read.execute("SELECT seq FROM sqlite_sequence").fetchone()
        # a log that never came so far was made anew: all in it is unread
        self._next = following if row and row[0] >= following - 1 else 1

    @property
    def done(self) -> bool:
        """Whether `finish` was called and everything has been read."""
        return self._drained

    def finish(self) -> None:
        """Tell that nothing more will be appended, so that the source has an end."""
        self._finished = True

    def poll(self, limit: int) -> Batch | None:
        """The next lines; whole appends, so a batch may be longer than ``limit``."""
        finished = self._finished  # before looking, so that nothing comes in between
        try:
            taken = self._take(limit)
        except sqlite3.Error as error:
            raise StoreError(f"the intake cannot be read ({error})") from error
        if not taken:
            self._drained = finished
            return None
        first = self._ordinal
        self._ordinal += len(taken)
        return Batch(taken, first, f"{self._next}:{self._ordinal}")

    def _take(self, limit: int) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        rows = self._read.execute(
            "SELECT seq, data FROM intake WHERE seq >= ? ORDER BY seq LIMIT ?", (self._next, limit)
        )
        for seq, data in rows:
            taken += _unpack(data)
            self._next = seq + 1
            size += len(data)
            if len(taken) >= limit or size >= BATCH_BYTES:
                break
        rows.close()
        return taken

    def forget(self, position: str) -> None:
        """Drop what a committed position contains."""
        upto = int(position.split(":")[0])

        def drop() -> None:
            try:
                self._write.execute("DELETE FROM intake WHERE seq < ?", (upto,))
            except sqlite3.Error as error:
                log.warning("the intake keeps what was read (%s); will be dropped later", error)

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
