"""Who is told how long things take; metrics are one answer, nobody the other."""

from __future__ import annotations

from typing import Protocol

from alerts.records import Alert


class Meter(Protocol):
    """Told of durations, a batch at a time."""

    def took(self, stage: str, duration_s: float) -> None:
        """A stage was done with a batch."""

    def published(self, alert: Alert, arrived_ms: int, now_ms: int) -> None:
        """News of an alert was published; ``arrived_ms``: its mentions came then, by the clock."""


class _Unmetered:
    """Nobody wants to know."""

    def took(self, stage: str, duration_s: float) -> None:
        pass

    def published(self, alert: Alert, arrived_ms: int, now_ms: int) -> None:
        pass


UNMETERED: Meter = _Unmetered()
