"""Grouping: what happens to a brand within a short time is told in one message."""

from __future__ import annotations

from alerts.notify.queue import Queued
from alerts.notify.stages.stage import Delay, Verdict


class Grouped:
    """Delays the first notification of a brand; what comes meanwhile joins it.

    Which groups are open is kept in memory alone: after a restart what waited is due when it was,
    and something new begins a group of its own.

    Parameters
    ----------
    wait_ms : int
        How long a group stays open.
    """

    name = "grouping"

    def __init__(self, wait_ms: int) -> None:
        self._wait_ms = wait_ms
        self._due_ms: dict[tuple[str, bool], int] = {}

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Delay it until its group is due."""
        if item.notification.to:
            return None  # an escalation reaches certain people
        group = group_of(item)
        due_ms = self._due_ms.get(group)
        if due_ms is None:
            due_ms = item.first_at_ms + self._wait_ms
            if now_ms >= due_ms:
                return None
            self._due_ms[group] = due_ms
        if now_ms >= due_ms:
            return None
        return Delay(due_ms, f"waits {self._wait_ms / 1000:g} s for more about the brand")

    def close(self, now_ms: int) -> None:
        """Forget the groups that were due."""
        self._due_ms = {group: due for group, due in self._due_ms.items() if due > now_ms}


def group_of(item: Queued) -> tuple[str, bool]:
    """What is told together: one brand; drills apart."""
    return item.notification.alert.brand, item.notification.drill
