"""Who is on call, from an iCalendar file (RFC 5545): one event a shift, recurring ones laid out.

People are the attendees of an event, by their address, or else the names in its summary.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.recurrence import RuleError, instant_ms, local_times, wall_clock

MOST_EVENTS, MOST_SHIFTS = 5_000, 20_000
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_SLACK = timedelta(days=2)


class CalendarError(ValueError):
    """An iCalendar file that cannot be used; the message says why."""


class _Event(NamedTuple):
    """An event by the clock of its zone; times naive, ``length`` by the same clock or exact."""

    uid: str
    people: tuple[str, ...]
    zone: tzinfo
    start: datetime
    length: timedelta
    exact: bool  # the length was given as a duration, not as an end
    rule: str | None
    until: datetime | None
    more: tuple[datetime, ...]
    without: frozenset[datetime]
    instead_of: datetime | None  # the start of the occurrence that this one replaces
    cancelled: bool


def calendar_turns(
    text: str, zone: ZoneInfo, from_ms: int, to_ms: int
) -> Iterator[tuple[int, int, str]]:
    """Start, end and person of every shift that touches a span of time.

    Parameters
    ----------
    text : str
        The file.
    zone : ZoneInfo
        Of days, and of times that name none.

    Raises
    ------
    CalendarError
        If it cannot be read, or holds more than `MOST_SHIFTS` shifts there.
    """
    events = _read(text, zone.key)
    replaced = {(e.uid, e.instead_of) for e in events if e.instead_of is not None}
    count = 0
    for event in events:
        if event.cancelled:
            continue
        for start in _starts(event, from_ms, to_ms):
            if event.instead_of is None and (event.uid, start) in replaced:
                continue
            start_ms, end_ms = _span(event, start)
            if start_ms >= to_ms or end_ms <= from_ms:
                continue
            count += len(event.people)
            if count > MOST_SHIFTS:
                raise CalendarError(f"holds more than {MOST_SHIFTS:,} shifts in the time looked at")
            yield from ((start_ms, end_ms, person) for person in event.people)


def check_calendar(text: str, zone: ZoneInfo) -> None:
    """Read a calendar for its faults alone.

    Raises
    ------
    CalendarError
        If it cannot be used.
    """
    if not _read(text, zone.key):
        raise CalendarError("holds no event (VEVENT)")


def _starts(event: _Event, from_ms: int, to_ms: int) -> Iterator[datetime]:
    begin = wall_clock(from_ms, event.zone) - event.length - _SLACK
    end = wall_clock(to_ms, event.zone) + _SLACK
    single = [event.start] if event.rule is None else []
    found = {t for t in [*single, *event.more] if begin <= t <= end}
    if event.rule is not None:
        until = end if event.until is None else min(end, event.until)
        found.update(local_times(event.rule, event.start, begin, until))
    yield from sorted(found - event.without)


def _span(event: _Event, start: datetime) -> tuple[int, int]:
    start_ms = instant_ms(start, event.zone)
    if event.exact:
        return start_ms, start_ms + round(event.length.total_seconds() * 1000)
    # a shift until 08:00 ends at 08:00 also in the night in which the clock is changed
    return start_ms, instant_ms(start + event.length, event.zone)


@lru_cache(maxsize=64)
def _read(text: str, zone_name: str) -> tuple[_Event, ...]:
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
        found = calendar.walk("VEVENT")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise CalendarError(f"is no iCalendar file ({str(error)[:120]})") from error
    if len(found) > MOST_EVENTS:
        raise CalendarError(f"holds {len(found):,} events; at most {MOST_EVENTS:,}")
    return tuple(_event(event, ZoneInfo(zone_name)) for event in found)


def _event(event: Any, zone: ZoneInfo) -> _Event:
    name = str(event.get("SUMMARY", "")).strip()[:80] or "an event without summary"
    try:
        return _parsed(event, zone, name)
    except RuleError as error:
        raise CalendarError(f"{name!a}: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise CalendarError(f"{name!a} cannot be read ({str(error)[:120]})") from error


def _parsed(event: Any, zone: ZoneInfo, name: str) -> _Event:
    start, event_zone = _local(event.decoded("DTSTART"), zone)
    length, exact = _length(event, start, event_zone)
    rule, until = _rule(event, event_zone)
    instead = event.get("RECURRENCE-ID")
    if instead is not None and "RANGE" in instead.params:
        raise RuleError("cannot be used", "RANGE of a RECURRENCE-ID; change each shift by itself")
    people = _people(event)
    if not people:
        raise RuleError("names nobody", "give it an attendee or a summary")

    def dates(key: str) -> Iterator[datetime]:
        held = event.get(key, [])
        for group in held if isinstance(held, list) else [held]:
            for one in group.dts:
                yield _moved(one.dt, zone, event_zone)

    return _Event(
        uid=str(event.get("UID", name)),
        people=people,
        zone=event_zone,
        start=start,
        length=length,
        exact=exact,
        rule=rule,
        until=until,
        more=tuple(dates("RDATE")),
        without=frozenset(dates("EXDATE")),
        instead_of=None if instead is None else _moved(instead.dt, zone, event_zone),
        cancelled=str(event.get("STATUS", "")).upper() == "CANCELLED",
    )


def _local(when: date | datetime, zone: tzinfo) -> tuple[datetime, tzinfo]:
    """A time by the clock of its own zone, and that zone."""
    if not isinstance(when, datetime):
        return datetime.combine(when, time()), zone
    return when.replace(tzinfo=None, fold=0), when.tzinfo or zone


def _moved(when: date | datetime, zone: tzinfo, to: tzinfo) -> datetime:
    """A time by the clock of another zone."""
    local, own = _local(when, zone)
    return local if own == to else wall_clock(instant_ms(local, own), to)


def _length(event: Any, start: datetime, zone: tzinfo) -> tuple[timedelta, bool]:
    if "DTEND" in event:
        length, exact = _moved(event.decoded("DTEND"), zone, zone) - start, False
    elif "DURATION" in event:
        length = event.decoded("DURATION")
        exact = length % timedelta(days=1) != timedelta()
    else:
        whole_day = not isinstance(event.decoded("DTSTART"), datetime)
        length, exact = timedelta(days=1 if whole_day else 0), False
    if not timedelta() < length <= timedelta(days=366):
        raise RuleError("lasts", f"{length}; a shift lasts more than nothing, and a year at most")
    return length, exact


def _rule(event: Any, zone: tzinfo) -> tuple[str | None, datetime | None]:
    held = event.get("RRULE")
    if held is None:
        return None, None
    if isinstance(held, list):
        raise RuleError("cannot be used", "more than one RRULE")
    rule = {key: value for key, value in held.items() if key != "UNTIL"}
    frequency = str(rule.get("FREQ", [""])[0])
    if frequency not in _FREQUENCIES or int(rule.get("INTERVAL", [1])[0]) < 1:
        raise RuleError("cannot be used", f"an RRULE of FREQ={frequency}")
    until = held.get("UNTIL")
    text = type(held)(rule).to_ical().decode()
    return text, None if until is None else _until(until[0], zone)


def _until(until: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(until, datetime):
        return datetime.combine(until, time(23, 59, 59))
    return _moved(until.astimezone(UTC) if until.tzinfo else until, zone, zone)


def _people(event: Any) -> tuple[str, ...]:
    held = event.get("ATTENDEE", [])
    attendees = [str(a) for a in (held if isinstance(held, list) else [held])]
    if attendees:
        names = [a[7:] if a.lower().startswith("mailto:") else a for a in attendees]
    else:
        names = str(event.get("SUMMARY", "")).replace("،", ",").split(",")
    return tuple(dict.fromkeys(name.strip()[:200] for name in names if name.strip()))
