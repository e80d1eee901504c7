"""A silence that somebody set."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from alerts.notify.queue import Queued
from alerts.notify.records import PAGING, Notification
from alerts.notify.stages.stage import Delay, Drop, Verdict

LOOK_MS = 120_000


class Mute(NamedTuple):
    """Until when something is silenced, and why: whose silence it is."""

    until_ms: int
    reason: str


class Silences(Protocol):
    """The silences that are kept."""

    def silenced(self, told: Notification, now_ms: int) -> Mute | None:
        """What silences it, if anything does."""


class Silenced:
    """Holds back what a silence covers: calls to its end, all else for good.

    An alert that nobody has answered when the silence ends is told then.  Somebody may end a
    silence before its time, so what is delayed is looked at again every two minutes.

    Parameters
    ----------
    silences : Silences
    """

    name = "silenced"

    def __init__(self, silences: Silences) -> None:
        self._silences = silences

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Delay or drop it, with the silence's own words."""
        mute = self._silences.silenced(item.notification, now_ms)
        if mute is None:
            return None
        if item.notification.why not in PAGING:
            return Drop(mute.reason)
        return Delay(min(mute.until_ms, now_ms + LOOK_MS), mute.reason)
