"""Business hours, and delays that count in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from alerts.recurrence import DAY_MS, Window, instant_ms, wall_clock

_MOST_DAYS = 4_000  # of looking for a day that is open


class BusinessHours(msgspec.Struct, frozen=True, kw_only=True):
    """When people are at work, by the clock of a time zone.

    Attributes
    ----------
    timezone : str
        IANA name; a brand's own.
    opens, closes : str
        ``HH:MM``; it opens before it closes, and ``24:00`` is midnight.
    days : tuple of int
        Working days, Monday is 0.

    Raises
    ------
    ValueError
        If it never opens.
    """

    timezone: str
    opens: str = "09:00"
    closes: str = "17:00"
    days: tuple[int, ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        if minutes(self.opens) >= minutes(self.closes) or not set(self.days) & set(range(7)):
            raise ValueError(f"{self.opens} to {self.closes} on days {self.days} never opens")


def minutes(clock: str) -> int:
    """Minutes after midnight of ``HH:MM``.

    Examples
    --------
    >>> minutes("08:30")
    510
    """
    hour, _, minute = clock.partition(":")
    return 60 * int(hour) + int(minute)


def _at(day: datetime, clock: str, zone: ZoneInfo) -> int:
    return instant_ms(day + timedelta(minutes=minutes(clock)), zone)


def open_windows(hours: BusinessHours, from_ms: int) -> Iterator[Window]:
    """Spans in which it is open, from the one that holds or follows a moment on."""
    zone = ZoneInfo(hours.timezone)
    day = wall_clock(from_ms - DAY_MS, zone).replace(hour=0, minute=0, second=0)
    for _ in range(_MOST_DAYS):
        if day.weekday() in hours.days:
            start, end = _at(day, hours.opens, zone), _at(day, hours.closes, zone)
            if max(start, from_ms) < end:
                yield Window(max(start, from_ms), end)
        day += timedelta(days=1)


def after(hours: BusinessHours, start_ms: int, delay_ms: int) -> int:
    """The moment when so much open time has passed; always one at which it is open.

    Examples
    --------
    >>> hours = BusinessHours(timezone="UTC")
    >>> friday = instant_ms(datetime(2026, 3, 6, 16, 50), ZoneInfo("UTC"))
    >>> str(wall_clock(after(hours, friday, 30 * 60_000), ZoneInfo("UTC")))
    '2026-03-09 09:20:00'
    """
    left_ms = delay_ms
    for window in open_windows(hours, start_ms):
        length = window.end_ms - window.start_ms
        if left_ms < length:
            return window.start_ms + left_ms
        left_ms -= length
    raise ValueError(f"{delay_ms} ms of business hours are more than ten years")
