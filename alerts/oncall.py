"""Who is on call: a simple rotation or a calendar, and overrides that win over both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from alerts.hours import minutes
from alerts.recurrence import DAY_MS, Window, instant_ms, merged, wall_clock

Origin = Literal["override", "rotation", "calendar"]


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """People who take turns: ``days`` each, from ``first`` on, handing over at a time of day.

    Attributes
    ----------
    people : tuple of str
        In the order of their turns, as receivers understand them.
    first : str
        ISO date of the first turn; nobody is on call before it.
    hand_over : str
        ``HH:MM`` by the clock of the schedule's time zone, also across changes of the clock.
    days : int
    """

    people: tuple[str, ...]
    first: str
    hand_over: str = "08:00"
    days: int = 7


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who stands in, alone, for a span of time."""

    person: str
    start_ms: int
    end_ms: int


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call when: a rotation, or the text of an iCalendar file (RFC 5545)."""

    name: str
    timezone: str
    rotation: Rotation | None = None
    calendar: str | None = None
    overrides: tuple[Override, ...] = ()


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call in a span of time, and where it says so."""

    people: tuple[str, ...]
    start_ms: int
    end_ms: int
    origin: Origin


class _Turn(NamedTuple):
    start_ms: int
    end_ms: int
    person: str


def on_call(schedule: Schedule, at_ms: int) -> tuple[str, ...]:
    """People on call at a moment; none in a gap.

    Examples
    --------
    >>> turns = Rotation(people=("amal", "badr"), first="2026-03-01", hand_over="08:00")
    >>> team = Schedule(name="team", timezone="Asia/Riyadh", rotation=turns)
    >>> on_call(team, instant_ms(datetime(2026, 3, 9), ZoneInfo("Asia/Riyadh")))
    ('badr',)
    """
    return next((shift.people for shift in shifts(schedule, at_ms, at_ms + 1)), ())


def shifts(schedule: Schedule, from_ms: int, to_ms: int) -> list[Shift]:
    """Spans of ``from_ms <= t < to_ms`` in which the same people are on call, in order.

    Raises
    ------
    CalendarError
        If the calendar cannot be read.
    """
    origin: Origin = "rotation" if schedule.calendar is None else "calendar"
    usual = _within(_turns(schedule, from_ms, to_ms), from_ms, to_ms)
    instead = _within(
        (_Turn(o.start_ms, o.end_ms, o.person) for o in schedule.overrides), from_ms, to_ms
    )
    edges = sorted({t for turn in [*usual, *instead] for t in turn[:2]})
    found: list[Shift] = []
    for start, end in pairwise(edges):
        stand_ins, regular = _at(instead, start), _at(usual, start)
        people = stand_ins or regular
        if not people:
            continue
        whence: Origin = "override" if stand_ins else origin
        last = found[-1] if found else None
        if last and (last.end_ms, last.people, last.origin) == (start, people, whence):
            found[-1] = msgspec.structs.replace(last, end_ms=end)
        else:
            found.append(Shift(people=people, start_ms=start, end_ms=end, origin=whence))
    return found


def gaps(schedule: Schedule, from_ms: int, to_ms: int) -> list[Window]:
    """Spans in which nobody is on call."""
    held = merged(Window(s.start_ms, s.end_ms) for s in shifts(schedule, from_ms, to_ms))
    edges = [from_ms, *(t for window in held for t in (window.start_ms, window.end_ms)), to_ms]
    return [Window(a, b) for a, b in zip(edges[::2], edges[1::2]) if a < b]


def _within(turns: Iterator[_Turn], from_ms: int, to_ms: int) -> list[_Turn]:
    cut = (_Turn(max(t.start_ms, from_ms), min(t.end_ms, to_ms), t.person) for t in turns)
    return [turn for turn in cut if turn.start_ms < turn.end_ms]


def _at(turns: list[_Turn], at_ms: int) -> tuple[str, ...]:
    here = (turn.person for turn in turns if turn.start_ms <= at_ms < turn.end_ms)
    return tuple(dict.fromkeys(here))


def _turns(schedule: Schedule, from_ms: int, to_ms: int) -> Iterator[_Turn]:
    zone = ZoneInfo(schedule.timezone)
    if schedule.calendar is not None:
        from alerts.oncall_calendar import calendar_turns  # its library is needed by few

        turns = calendar_turns(schedule.calendar, zone, from_ms, to_ms)
        yield from (_Turn(*turn) for turn in turns)
    elif schedule.rotation is not None:
        yield from _rotation_turns(schedule.rotation, zone, from_ms, to_ms)


def _rotation_turns(
    rotation: Rotation, zone: ZoneInfo, from_ms: int, to_ms: int
) -> Iterator[_Turn]:
    first = datetime.combine(date.fromisoformat(rotation.first), time())
    first += timedelta(minutes=minutes(rotation.hand_over))
    # a turn early, and from there on by the clock: no change of it is more than a day
    ago = wall_clock(from_ms - DAY_MS, zone) - first
    number = max(0, ago // timedelta(days=rotation.days))
    while True:
        start = first + timedelta(days=number * rotation.days)
        start_ms = instant_ms(start, zone)
        if start_ms >= to_ms:
            return
        end_ms = instant_ms(start + timedelta(days=rotation.days), zone)
        yield _Turn(start_ms, end_ms, rotation.people[number % len(rotation.people)])
        number += 1
