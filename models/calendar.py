"""Local time of brands: hour of the week, weekend, holidays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from models.records import Bool, Int64

_HOURS_KEPT = 256  # of which it is known whether they are a holiday's


class Calendar:
    """Local hour of the week and weekend, for each series.

    Parameters
    ----------
    timezones : sequence of str
        IANA names, one a series.
    weekends : sequence of tuple of int
        Weekend days, Monday is 0.
    holidays : sequence of sequence of (str, str), optional
        First and last day, ISO dates, of times in which the usual week does not hold.
    """

    def __init__(
        self,
        timezones: Sequence[str],
        weekends: Sequence[tuple[int, ...]],
        holidays: Sequence[Sequence[tuple[str, str]]] = (),
    ) -> None:
        zones = sorted(set(timezones))
        self._zones = [ZoneInfo(z) for z in zones]
        self._zone_of = np.array([zones.index(z) for z in timezones], dtype=np.int64)
        self._is_weekend = np.zeros((len(timezones), 7), dtype=np.int64)
        for i, days in enumerate(weekends):
            self._is_weekend[i, list(days)] = 1
        self._held: dict[int, Bool] = {}
        self._holidays = [
            (i, zones.index(timezones[i]), date.fromisoformat(a), date.fromisoformat(b))
            for i, spans in enumerate(holidays)
            for a, b in spans
        ]

    def of(self, hour: int) -> tuple[Int64, Int64]:
        """Hour of week (0 to 167) and day class (hour + 24 on weekends), for each series."""
        local = np.array([_local_hour(zone, hour) for zone in self._zones], dtype=np.int64)
        how = local[self._zone_of]
        weekend = self._is_weekend[np.arange(len(how)), how // 24]
        return how, how % 24 + 24 * weekend

    def holiday(self, hour: int) -> Bool:
        """Which series have a holiday in that hour."""
        if hour not in self._held:
            held = np.zeros(len(self._zone_of), dtype=np.bool_)
            for i, zone, first, last in self._holidays:
                held[i] |= first <= _local(self._zones[zone], hour).date() <= last
            if len(self._held) >= _HOURS_KEPT:
                self._held.clear()
            self._held[hour] = held
        return self._held[hour]


@lru_cache(maxsize=4096)
def _local(zone: ZoneInfo, hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone)


@lru_cache(maxsize=4096)
def _local_hour(zone: ZoneInfo, hour: int) -> int:
    local = _local(zone, hour)
    return local.weekday() * 24 + local.hour
