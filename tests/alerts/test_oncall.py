from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.oncall import Override, Rotation, Schedule, gaps, on_call, shifts
from alerts.oncall_calendar import CalendarError, check_calendar
from alerts.recurrence import Window, instant_ms

HOUR = 3_600_000
DAY = 24 * HOUR
ZONES = ("Asia/Riyadh", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe",
         "Pacific/Apia", "UTC")  # fmt: skip
BERLIN = "Europe/Berlin"


def ms(text: str, zone: str = BERLIN) -> int:
    return instant_ms(datetime.fromisoformat(text), ZoneInfo(zone))


def local(at_ms: int, zone: str = BERLIN) -> str:
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).isoformat(timespec="minutes")


def weekly(*people: str, first: str = "2026-03-02", days: int = 7, zone: str = BERLIN) -> Schedule:
    turns = Rotation(people=people, first=first, hand_over="08:00", days=days)
    return Schedule(name="team", timezone=zone, rotation=turns)


def test_turns_change_at_the_hour_on_the_wall_across_both_changes_of_the_clock() -> None:
    for first, before, after in (
        ("2026-03-23", "+01:00", "+02:00"),  # the clock goes forward on the 29th
        ("2026-10-19", "+02:00", "+01:00"),  # and back on the 25th
    ):
        team = weekly("amal", "badr", first=first)
        start = ms(f"{first}T08:00")
        found = shifts(team, start, start + 15 * DAY)
        turn = datetime.fromisoformat(f"{first}T08:00")
        expected = [
            f"{(turn + timedelta(days=7 * i)).isoformat(timespec='minutes')}{offset}"
            for i, offset in enumerate((before, after, after))
        ]
        assert [local(s.start_ms) for s in found] == expected
        assert [s.people for s in found] == [("amal",), ("badr",), ("amal",)]
        assert on_call(team, found[1].start_ms - 1) == ("amal",)
        assert on_call(team, found[1].start_ms) == ("badr",)


def test_nobody_is_on_call_before_the_first_turn() -> None:
    team = weekly("amal")
    start = ms("2026-03-02T08:00")
    assert on_call(team, start - 1) == ()
    assert gaps(team, start - DAY, start + 90 * DAY) == [Window(start - DAY, start)]


def test_an_override_stands_in_alone_and_ends() -> None:
    team = weekly("amal", "badr")
    begin, end = ms("2026-03-05T12:00"), ms("2026-03-05T18:00")
    team = msgspec.structs.replace(
        team, overrides=(Override(person="dina", start_ms=begin, end_ms=end),)
    )
    assert [on_call(team, t) for t in (begin - 1, begin, end - 1, end)] == [
        ("amal",),
        ("dina",),
        ("dina",),
        ("amal",),
    ]
    found = shifts(team, begin - HOUR, end + HOUR)
    assert [s.origin for s in found] == ["rotation", "override", "rotation"]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(
        datetime.fromisoformat("2005-01-01").date(), datetime.fromisoformat("2080-01-01").date()
    ),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 30]),
    days=st.integers(1, 30),
    people=st.integers(1, 4),
    after_days=st.integers(0, 2000),
)
@example(BERLIN, datetime.fromisoformat("2026-03-28").date(), 2, 30, 1, 2, 0)
@example("Pacific/Apia", datetime.fromisoformat("2011-12-29").date(), 8, 0, 1, 3, 0)
@example("UTC", datetime.fromisoformat("2028-02-28").date(), 0, 0, 1, 3, 0)
def test_a_rotation_has_no_gap_and_everybody_his_turn(
    zone: str, first: object, hour: int, minute: int, days: int, people: int, after_days: int
) -> None:
    names = tuple(f"p{i}" for i in range(people))
    turns = Rotation(people=names, first=str(first), hand_over=f"{hour:02}:{minute:02}", days=days)
    team = Schedule(name="t", timezone=zone, rotation=turns)
    begin = instant_ms(datetime.fromisoformat(f"{first}T{hour:02}:{minute:02}"), ZoneInfo(zone))
    start = begin + after_days * DAY
    assert gaps(team, start, start + 40 * DAY) == []
    found = shifts(team, start, start + 40 * DAY)
    assert all(a.end_ms == b.start_ms for a, b in pairwise(found))
    for shift in found:
        assert on_call(team, shift.start_ms) == on_call(team, shift.end_ms - 1) == shift.people
    # a turn is days long by the clock: at noon of each of them it is the one counted on fingers
    for step in range(40):
        noon = datetime.fromisoformat(f"{first}T{hour:02}:{minute:02}")
        noon += timedelta(days=after_days + step, hours=2)
        turn = (after_days + step) // days
        who = on_call(team, instant_ms(noon, ZoneInfo(zone)))
        assert who == (names[turn % people],) or zone == "Pacific/Apia"  # a day was left out there


# calendars ------------------------------------------------------------------------------------

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"


def calendar(*events: str, zone: str = BERLIN) -> Schedule:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{i}@test\r\nDTSTAMP:20260101T000000Z\r\n"
        + "\r\n".join(line.strip() for line in event.strip().splitlines())
        + "\r\nEND:VEVENT\r\n"
        for i, event in enumerate(events)
    )
    return Schedule(name="c", timezone=zone, calendar=f"{HEAD}{body}END:VCALENDAR\r\n")


NIGHTS = """
    SUMMARY:Amal
    DTSTART;TZID=Europe/Berlin:20260301T200000
    DTEND;TZID=Europe/Berlin:20260302T080000
    RRULE:FREQ=DAILY
"""
DAYS = """
    SUMMARY:Badr، Dina
    DTSTART;TZID=Europe/Berlin:20260301T080000
    DTEND;TZID=Europe/Berlin:20260301T200000
    RRULE:FREQ=DAILY
"""


def test_shifts_of_a_calendar_meet_without_gap_when_the_clock_is_changed() -> None:
    team = calendar(NIGHTS, DAYS)
    for day in ("2026-03-28", "2026-10-24", "2028-02-28", "2036-03-28"):
        start = ms(f"{day}T12:00")
        assert gaps(team, start, start + 4 * DAY) == []
        found = shifts(team, start, start + 4 * DAY)
        assert all(len({*s.people} & {"Amal", "Badr"}) == 1 for s in found)
    assert on_call(team, ms("2026-03-29T07:59")) == ("Amal",)
    assert on_call(team, ms("2026-03-29T08:00")) == ("Badr", "Dina")


def test_what_is_cancelled_moved_or_left_out_is_a_gap() -> None:
    team = calendar(
        NIGHTS + "EXDATE;TZID=Europe/Berlin:20260310T200000",
        DAYS,
        "SUMMARY:Nobody\nSTATUS:CANCELLED\n"
        "DTSTART;TZID=Europe/Berlin:20260310T200000\nDTEND;TZID=Europe/Berlin:20260311T080000",
    )
    start = ms("2026-03-09T00:00")
    assert gaps(team, start, start + 5 * DAY) == [
        Window(ms("2026-03-10T20:00"), ms("2026-03-11T08:00"))
    ]


def test_a_changed_occurrence_stands_in_for_the_one_it_changes() -> None:
    assert calendar(NIGHTS).calendar is not None
    text = str(calendar(NIGHTS).calendar).replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:0@test\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Dina\r\n"
        "RECURRENCE-ID;TZID=Europe/Berlin:20260305T200000\r\n"
        "DTSTART;TZID=Europe/Berlin:20260305T210000\r\n"
        "DTEND;TZID=Europe/Berlin:20260306T080000\r\nEND:VEVENT\r\nEND:VCALENDAR",
    )
    team = Schedule(name="c", timezone=BERLIN, calendar=text)
    assert on_call(team, ms("2026-03-05T20:30")) == ()
    assert on_call(team, ms("2026-03-05T21:30")) == ("Dina",)
    assert on_call(team, ms("2026-03-06T21:30")) == ("Amal",)


def test_attendees_come_before_the_summary_and_days_are_those_of_the_schedule() -> None:
    team = calendar(
        "SUMMARY:Week 10\nATTENDEE:mailto:amal@acme.example\nATTENDEE:mailto:badr@acme.example\n"
        "DTSTART;VALUE=DATE:20260302\nDTEND;VALUE=DATE:20260304",
        zone="Asia/Riyadh",
    )
    both = ("amal@acme.example", "badr@acme.example")
    begin, end = ms("2026-03-02T00:00", "Asia/Riyadh"), ms("2026-03-04T00:00", "Asia/Riyadh")
    found = shifts(team, begin - DAY, end + DAY)
    assert [(s.people, s.start_ms, s.end_ms, s.origin) for s in found] == [
        (both, begin, end, "calendar")
    ]


def test_until_in_utc_and_a_length_given_as_duration() -> None:
    team = calendar(
        "SUMMARY:Amal\nDTSTART;TZID=Europe/Berlin:20260301T200000\nDURATION:PT12H\n"
        "RRULE:FREQ=DAILY;UNTIL=20260303T190000Z"
    )
    found = shifts(team, ms("2026-03-01T00:00"), ms("2026-03-09T00:00"))
    assert [local(s.start_ms) for s in found] == [
        f"2026-03-0{day}T20:00+01:00" for day in (1, 2, 3)
    ]
    assert {s.end_ms - s.start_ms for s in found} == {12 * HOUR}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no iCalendar file"),
        ("hello", "no iCalendar file"),
        (f"{HEAD}END:VCALENDAR\r\n", "no event"),
        (calendar("SUMMARY:A\nDTSTART:soon").calendar, "'A' cannot be read"),
        (calendar("SUMMARY:A").calendar, "'A' cannot be read"),
        (calendar("SUMMARY: ,\nDTSTART:20260301T080000\nDURATION:PT1H").calendar, "names nobody"),
        (calendar("SUMMARY:A\nDTSTART:20260301T080000").calendar, "lasts"),
        (calendar("SUMMARY:A\nDTSTART:20260301T080000\nDURATION:-PT1H").calendar, "lasts"),
        (calendar("SUMMARY:A\nDTSTART:20260301T080000\nDURATION:PT1H\nRRULE:FREQ=SECONDLY").calendar,
         "FREQ=SECONDLY"),
        (calendar("SUMMARY:A\nDTSTART:20260301T080000\nDURATION:PT1H\n"
                  "RECURRENCE-ID;RANGE=THISANDFUTURE:20260301T080000").calendar, "RANGE"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_used_says_why(text: str, said: str) -> None:
    with pytest.raises(CalendarError, match=said):
        check_calendar(text, ZoneInfo("UTC"))


_LINES = [line for line in str(calendar(NIGHTS, DAYS).calendar).splitlines() if line]


@settings(max_examples=100, deadline=None)
@given(
    drop=st.sets(st.integers(0, len(_LINES) - 1), max_size=4),
    put=st.dictionaries(st.integers(0, len(_LINES) - 1), st.text(max_size=20), max_size=2),
)
def test_a_mangled_calendar_raises_nothing_else(drop: set[int], put: dict[int, str]) -> None:
    lines = [put.get(i, line) for i, line in enumerate(_LINES) if i not in drop]
    team = Schedule(name="c", timezone=BERLIN, calendar="\r\n".join(lines) + "\r\n")
    with suppress(CalendarError):
        shifts(team, ms("2026-03-01T00:00"), ms("2026-03-09T00:00"))
