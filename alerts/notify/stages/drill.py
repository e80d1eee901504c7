"""Drills, for receivers that are not to hear of them."""

from __future__ import annotations

from alerts.notify.queue import Queued
from alerts.notify.stages.stage import Drop, Verdict


class Drill:
    """Drops drills."""

    name = "drill"

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it if it is part of a drill."""
        return Drop("the receiver hears of no drills") if item.notification.drill else None
