"""A silence that somebody set."""

from __future__ import annotations

from typing import Protocol

from alerts.notify.queue import Queued
from alerts.notify.records import Notification
from alerts.notify.stages.stage import Drop, Verdict


class Silences(Protocol):
    """The silences that are kept."""

    def silenced(self, told: Notification, now_ms: int) -> str | None:
        """Why it is silenced (whose silence, until when), or nothing."""


class Silenced:
    """Drops what a silence covers.

    Parameters
    ----------
    silences : Silences
    """

    name = "silenced"

    def __init__(self, silences: Silences) -> None:
        self._silences = silences

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it with the silence's own words."""
        reason = self._silences.silenced(item.notification, now_ms)
        return None if reason is None else Drop(reason)
