"""A small queue in SQLite for the crash test, and the process that is killed over it."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path

import msgspec

from alerts.notify.backoff import Retries
from alerts.notify.chain import Chain, Route
from alerts.notify.channels.webhook import Webhook, WebhookSettings
from alerts.notify.dispatcher import Dispatcher, Pace
from alerts.notify.http import Sender
from alerts.notify.queue import Queued
from alerts.notify.records import PAGING, Notification
from alerts.notify.worker import Worker

RETRIES = Retries(first_ms=20, most_ms=100, attempts=1_000, give_up_after_ms=600_000)
TIMEOUT_S = 0.3
_TABLE = """
CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY, alert TEXT, paging INTEGER, status TEXT, due_ms INTEGER,
    attempts INTEGER, first_ms INTEGER, detail TEXT, body BLOB)
"""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteQueue:
    """The queue; every thread has its own connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._db().execute("PRAGMA journal_mode=WAL")
        self._db().execute(_TABLE)

    def _db(self) -> sqlite3.Connection:
        found = getattr(self._own, "db", None)
        if found is None:
            found = sqlite3.connect(self._path, isolation_level=None, timeout=30)
            found.execute("PRAGMA synchronous=NORMAL")
            self._own.db = found
        assert isinstance(found, sqlite3.Connection)
        return found

    def close(self) -> None:
        self._db().close()

    def put(self, *told: Notification) -> None:
        rows = [
            (one.alert.id, one.why in PAGING, now_ms(), now_ms(), msgspec.json.encode(one))
            for one in told
        ]
        sql = "INSERT INTO queue VALUES (NULL, ?, ?, 'queued', ?, 0, ?, '', ?)"
        self._db().execute("BEGIN IMMEDIATE")
        self._db().executemany(sql, rows)
        self._db().execute("COMMIT")

    def cancel(self, *alerts: str) -> None:
        """Acknowledge: all at once, nothing pages for these alerts any more."""
        sql = (
            "UPDATE queue SET status = 'cancelled' WHERE alert = ? AND paging AND status = 'queued'"
        )
        self._db().execute("BEGIN IMMEDIATE")
        self._db().executemany(sql, [(alert,) for alert in alerts])
        self._db().execute("COMMIT")

    def statuses(self) -> dict[str, int]:
        sql = "SELECT status, COUNT(*) FROM queue GROUP BY status"
        return dict(self._db().execute(sql).fetchall())

    def waiting(self) -> list[str]:
        sql = "SELECT DISTINCT alert FROM queue WHERE status = 'queued' AND paging ORDER BY alert"
        return [alert for (alert,) in self._db().execute(sql)]

    def claim(self, now_ms: int, limit: int, lease_ms: int) -> list[Queued]:
        db = self._db()
        db.execute("BEGIN IMMEDIATE")
        found = db.execute(
            "SELECT id, attempts, first_ms, body FROM queue WHERE status = 'queued'"
            " AND due_ms <= ? ORDER BY due_ms, id LIMIT ?", (now_ms, limit),
        ).fetchall()  # fmt: skip
        leased = [(now_ms + lease_ms, number) for number, *_ in found]
        db.executemany("UPDATE queue SET due_ms = ?, attempts = attempts + 1 WHERE id = ?", leased)
        db.execute("COMMIT")
        return [
            Queued(
                id=number,
                notification=msgspec.json.decode(body, type=Notification),
                attempts=attempts,
                first_at_ms=first,
            )
            for number, attempts, first, body in found
        ]

    def sent(self, id: int, now_ms: int, detail: str) -> None:  # noqa: A002
        self._db().execute(
            "UPDATE queue SET status = 'sent', detail = ? WHERE id = ?", (detail, id)
        )

    def retry(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        sql = "UPDATE queue SET due_ms = ?, detail = ? WHERE id = ? AND status = 'queued'"
        self._db().execute(sql, (due_ms, reason, id))

    def delay(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        sql = (
            "UPDATE queue SET due_ms = ?, detail = ?, attempts = attempts - 1"
            " WHERE id = ? AND status = 'queued'"
        )
        self._db().execute(sql, (due_ms, reason, id))

    def dead(self, id: int, now_ms: int, reason: str) -> None:  # noqa: A002
        self._settle(id, "dead", reason)

    def dropped(self, id: int, now_ms: int, stage: str, reason: str) -> None:  # noqa: A002
        self._settle(id, "dropped", f"{stage}: {reason}")

    def wanted(self, id: int) -> bool:  # noqa: A002
        sql = "SELECT status FROM queue WHERE id = ?"
        return bool(self._db().execute(sql, (id,)).fetchone()[0] == "queued")

    def _settle(self, number: int, status: str, detail: str) -> None:
        sql = "UPDATE queue SET status = ?, detail = ? WHERE id = ? AND status = 'queued'"
        self._db().execute(sql, (status, detail, number))


def dispatch(path: str, receivers: dict[str, str], seed: int, pace: Pace) -> None:
    """Run a dispatcher until somebody kills it."""
    queue = SqliteQueue(Path(path))
    workers = []
    for name, url in receivers.items():
        sender = Sender(allow_private=True, timeout_s=TIMEOUT_S)
        hook = Webhook(WebhookSettings(url=url, secret="s3cret"), sender, now_ms)
        draw = random.Random(f"{seed} {name}")
        workers.append(Worker(name, hook, Chain(Route()), queue, now_ms, RETRIES, draw))
    Dispatcher(queue, workers, now_ms, pace).start()
    threading.Event().wait()


def nursery() -> None:
    """Fork a dispatcher for every line of standard input; imports are done once.

    After its number is written, the next line waits for its end, which is written too.
    """
    for line in sys.stdin:
        path, receivers, seed, pace = json.loads(line)
        child = os.fork()
        if child == 0:
            dispatch(path, receivers, seed, msgspec.convert(pace, Pace))
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    nursery()
