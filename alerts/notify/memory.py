"""A queue in memory: for tests, and for what needs no store."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from alerts.notify.queue import Queued
from alerts.notify.records import PAGING, Notification


@dataclass(slots=True)
class Entry:
    """A notification and what became of it.

    Attributes
    ----------
    status : str
        queued, sent, dead, dropped or cancelled.
    """

    id: int
    notification: Notification
    first_at_ms: int
    due_ms: int
    attempts: int = 0
    status: str = "queued"
    stage: str = ""
    detail: str = ""
    at_ms: int | None = None


class MemoryQueue:
    """The :class:`alerts.notify.queue.Queue` without a store; from any thread.

    Examples
    --------
    >>> MemoryQueue().claim(0, 10, 1_000)
    []
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}

    def put(self, notification: Notification, now_ms: int) -> int:
        """Add one that is due now; its number."""
        with self._lock:
            number = len(self._entries) + 1
            self._entries[number] = Entry(number, notification, now_ms, now_ms)
            return number

    def entry(self, number: int) -> Entry:
        """What became of one."""
        return self._entries[number]

    def cancel(self, alert: str) -> int:
        """Cancel what still pages for an alert; how many."""
        with self._lock:
            hit = [
                entry
                for entry in self._entries.values()
                if entry.status == "queued"
                and entry.notification.alert.id == alert
                and entry.notification.why in PAGING
            ]
            for entry in hit:
                entry.status = "cancelled"
            return len(hit)

    def replay(self, now_ms: int) -> int:
        """Queue what was given up again; how many."""
        with self._lock:
            dead = [entry for entry in self._entries.values() if entry.status == "dead"]
            for entry in dead:
                entry.status, entry.due_ms, entry.first_at_ms = "queued", now_ms, now_ms
                entry.attempts = 0
            return len(dead)

    def claim(self, now_ms: int, limit: int, lease_ms: int) -> list[Queued]:
        """Take what is due, the oldest first, and lease it."""
        with self._lock:
            due = [e for e in self._entries.values() if e.status == "queued" and e.due_ms <= now_ms]
            due = sorted(due, key=lambda entry: (entry.due_ms, entry.id))[:limit]
            found = [
                Queued(
                    id=entry.id,
                    notification=entry.notification,
                    attempts=entry.attempts,
                    first_at_ms=entry.first_at_ms,
                )
                for entry in due
            ]
            for entry in due:
                entry.due_ms = now_ms + lease_ms
                entry.attempts += 1
            return found

    def sent(self, id: int, now_ms: int, detail: str) -> None:  # noqa: A002
        """It arrived, even if it was cancelled meanwhile."""
        self._settle(id, "sent", now_ms, detail, cancelled_too=True)

    def retry(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """It is due again then."""
        with self._lock:
            entry = self._entries[id]
            if entry.status == "queued":
                entry.due_ms, entry.detail = due_ms, reason

    def delay(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """Nobody tried; it is due again then."""
        with self._lock:
            entry = self._entries[id]
            if entry.status == "queued":
                entry.due_ms, entry.detail = due_ms, reason
                entry.attempts -= 1

    def dead(self, id: int, now_ms: int, reason: str) -> None:  # noqa: A002
        """It is given up."""
        self._settle(id, "dead", now_ms, reason)

    def dropped(self, id: int, now_ms: int, stage: str, reason: str) -> None:  # noqa: A002
        """A stage dropped it."""
        self._settle(id, "dropped", now_ms, reason, stage=stage)

    def wanted(self, id: int) -> bool:  # noqa: A002
        """Whether it waits still."""
        return self._entries[id].status == "queued"

    def _settle(
        self,
        number: int,
        status: str,
        now_ms: int,
        detail: str,
        *,
        stage: str = "",
        cancelled_too: bool = False,
    ) -> None:
        with self._lock:
            entry = self._entries[number]
            if entry.status == "queued" or (cancelled_too and entry.status == "cancelled"):
                entry.status, entry.at_ms, entry.detail, entry.stage = status, now_ms, detail, stage
