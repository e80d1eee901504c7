"""What was told already, or is out of date."""

from __future__ import annotations

from collections import OrderedDict

from alerts.notify.queue import Queued
from alerts.notify.records import Notification
from alerts.notify.stages.stage import Drop, Verdict

_KEPT = 10_000
_CALLS = frozenset(("opened", "raised", "retyped", "reopened"))


class Repeated:
    """Drops a key that was delivered, and news that later news have overtaken.

    A trigger that was delayed by a failing receiver must not follow the end it belongs to.  What
    was delivered is kept in memory; over a restart the queue's own record keeps keys apart.
    """

    name = "repeated"

    def __init__(self) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._called: OrderedDict[str, int] = OrderedDict()

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it if it is known, or if something later about the alert was delivered."""
        told = item.notification
        if told.key in self._keys:
            return Drop("was delivered before")
        later = self._ended.get(told.alert.id, 0)
        if told.why in _CALLS:
            later = max(later, self._called.get(told.alert.id, 0))
        if told.why != "test" and told.version < later:
            return Drop(f"version {later} of the alert was told before it")
        return None

    def delivered(self, told: Notification) -> None:
        """Note that it arrived."""
        _keep(self._keys, told.key, None)
        if told.why == "resolved":
            _keep(self._ended, told.alert.id, told.version)
        elif told.why in _CALLS:
            _keep(self._called, told.alert.id, told.version)


def _keep(kept: OrderedDict[str, int] | OrderedDict[str, None], key: str, value: object) -> None:
    kept[key] = value  # type: ignore[assignment]
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)
