"""What a receiver is for: brands, severities, ends."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.drills import watched_brand
from alerts.notify.queue import Queued
from alerts.notify.stages.stage import Drop, Verdict
from alerts.playbook.records import Severity
from alerts.records import SEVERITIES


class BrandFilter:
    """Drops what is about other brands.

    Parameters
    ----------
    brands : sequence of str
        Ids of the brands the receiver is for.
    """

    name = "brand"

    def __init__(self, brands: Sequence[str]) -> None:
        self._brands = frozenset(brands)

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it unless it is about one of them, or about a drill of one."""
        brand = watched_brand(item.notification.alert.brand)
        return None if brand in self._brands else Drop(f"the receiver is not for {brand}")


class SeverityFilter:
    """Drops what is less severe.

    Parameters
    ----------
    least : {"watch", "warning", "critical"}
    """

    name = "severity"

    def __init__(self, least: Severity) -> None:
        self._least = least

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it if it is below."""
        severity = item.notification.alert.severity
        if SEVERITIES.index(severity) >= SEVERITIES.index(self._least):
            return None
        return Drop(f"{severity} is below {self._least}, the receiver's least")


class ResolvedFilter:
    """Drops ends."""

    name = "resolved"

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it if it tells that an alert was resolved."""
        ended = item.notification.why == "resolved"
        return Drop("the receiver is not told of ends") if ended else None
