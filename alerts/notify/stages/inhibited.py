"""A critical alert of the same brand that is open."""

from __future__ import annotations

from typing import Protocol

from alerts.notify.queue import Queued
from alerts.notify.stages.stage import Drop, Verdict


class OpenAlerts(Protocol):
    """What is open now."""

    def critical_open(self, brand: str, other_than: str) -> str | None:
        """Id of a critical alert of the brand that is open, other than the one named."""


class Inhibited:
    """Drops what is said of a lesser alert while a critical one of the same brand is open.

    Its end is told all the same, for its beginning may have been told before.  An impostor is no
    part of a crisis: alerts with a subject of their own are told beside it.

    Parameters
    ----------
    alerts : OpenAlerts
    """

    name = "inhibited"

    def __init__(self, alerts: OpenAlerts) -> None:
        self._alerts = alerts

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it and name the alert that stands before it."""
        told = item.notification
        if told.alert.severity == "critical" or told.why == "resolved" or told.alert.subject:
            return None
        other = self._alerts.critical_open(told.alert.brand, told.alert.id)
        return None if other is None else Drop(f"critical alert {other} of the brand is open")
