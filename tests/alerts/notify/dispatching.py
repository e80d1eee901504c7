"""The queue of the crash test, which is a response database, and the process that is killed."""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from pathlib import Path

import msgspec
import psycopg  # noqa: F401 (so that no child loads it)
from sqlalchemy import func, select

from alerts.notify.backoff import Retries
from alerts.notify.chain import Chain, Route
from alerts.notify.channels.webhook import Webhook, WebhookSettings
from alerts.notify.dispatcher import Dispatcher, Pace
from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.notify.worker import Worker
from alerts.store import queue
from alerts.store.database import Database
from alerts.store.queue import StoredQueue
from alerts.store.tables import notifications

RETRIES = Retries(first_ms=20, most_ms=100, attempts=1_000, give_up_after_ms=600_000)
TIMEOUT_S = 0.3


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Notifications:
    """What a response database has to tell, as those see it who fill it and who answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, *told: Notification) -> None:
        with self._database.write() as connection:
            queue.enqueue(connection, told, now_ms())

    def cancel(self, *alerts: str) -> None:
        """Acknowledge: all at once, nothing pages for these alerts any more."""
        with self._database.write() as connection:
            for alert in alerts:
                queue.cancel_paging(connection, alert, now_ms(), "acknowledged")

    def statuses(self) -> dict[str, int]:
        query = select(notifications.c.status, func.count()).group_by(notifications.c.status)
        with self._database.read() as connection:
            return {row.status: int(row[1]) for row in connection.execute(query)}

    def waiting(self) -> list[str]:
        """Alerts for which somebody is still called."""
        here = (notifications.c.status == "queued") & notifications.c.paging.is_(True)
        query = select(notifications.c.alert).where(here).distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())


def dispatch(place: str, receivers: dict[str, str], seed: int, pace: Pace) -> None:
    """Run a dispatcher until somebody kills it."""
    kept = StoredQueue(Database(place if "://" in place else Path(place)))
    workers = []
    for name, url in receivers.items():
        sender = Sender(allow_private=True, timeout_s=TIMEOUT_S)
        hook = Webhook(WebhookSettings(url=url, secret="s3cret"), sender, now_ms)
        draw = random.Random(f"{seed} {name}")
        workers.append(Worker(name, hook, Chain(Route()), kept, now_ms, RETRIES, draw))
    Dispatcher(kept, workers, now_ms, pace).start()
    threading.Event().wait()


def nursery() -> None:
    """Fork a dispatcher for every line of standard input; imports are done once.

    After its number is written, the next line waits for its end, which is written too.
    """
    for line in sys.stdin:
        place, receivers, seed, pace = json.loads(line)
        child = os.fork()
        if child == 0:
            dispatch(place, receivers, seed, msgspec.convert(pace, Pace))
        print(child, flush=True)
        sys.stdin.readline()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    nursery()
