"""Quiet hours: what is less severe waits for the morning."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from alerts.notify.queue import Queued
from alerts.notify.stages.stage import Delay, Verdict
from alerts.playbook.records import Severity
from alerts.records import SEVERITIES


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """A time of the day, over midnight if ``end`` is before ``start``.

    Attributes
    ----------
    start, end : datetime.time
        In the time zone.
    timezone : str
        IANA name.
    below : {"warning", "critical"}
        What is less severe waits.
    """

    start: time
    end: time
    timezone: str
    below: Severity = "critical"


class Quiet:
    """Delays what is less severe until the quiet hours end; loses nothing.

    Parameters
    ----------
    hours : QuietHours
    """

    name = "quiet hours"

    def __init__(self, hours: QuietHours) -> None:
        self._hours = hours

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Delay it to the end of the quiet hours, if they last."""
        severity = item.notification.alert.severity
        if SEVERITIES.index(severity) >= SEVERITIES.index(self._hours.below):
            return None
        ends_ms = quiet_until_ms(self._hours, now_ms)
        if ends_ms is None:
            return None
        end = f"{self._hours.end:%H:%M} {self._hours.timezone}"
        return Delay(ends_ms, f"{severity} waits for the end of the quiet hours at {end}")


def quiet_until_ms(hours: QuietHours, now_ms: int) -> int | None:
    """When the quiet hours end, if it is quiet now.

    By the clock on the wall: on the day on which the clock changes they are longer or shorter.

    Parameters
    ----------
    hours : QuietHours
    now_ms : int
        Milliseconds since the epoch.

    Examples
    --------
    >>> night = QuietHours(start=time(22), end=time(7), timezone="Asia/Riyadh")
    >>> quiet_until_ms(night, 1_700_000_000_000)  # 01:13 there
    1700020800000
    >>> quiet_until_ms(night, 1_700_030_000_000) is None  # 09:33
    True
    """
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(hours.timezone))
    clock = local.time()
    over_midnight = hours.end <= hours.start
    if over_midnight:
        quiet = clock >= hours.start or clock < hours.end
    else:
        quiet = hours.start <= clock < hours.end
    if not quiet:
        return None
    day = local.date() + timedelta(days=int(over_midnight and clock >= hours.start))
    end = datetime.combine(day, hours.end, tzinfo=local.tzinfo)
    # a time that the clock skips, or has passed already, ends the quiet at once
    return max(int(end.astimezone(UTC).timestamp() * 1000), now_ms + 1)
