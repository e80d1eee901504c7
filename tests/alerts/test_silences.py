from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import alerts.texts
from alerts.records import Alert
from alerts.recurrence import RuleError, Window, check_rule, instant_ms, merged, starts, wall_clock
from alerts.silences import (
    Matchers,
    Recurring,
    Silence,
    active_at,
    check,
    expired,
    muted,
    next_windows,
    preview,
    windows,
)
from alerts.texts import load_phrases
from tests.alerts.build import only_alert, signal, stage

HOUR = 3_600_000
DAY = 24 * HOUR
PHRASES = load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))
ZONES = ("Asia/Riyadh", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe",
         "Pacific/Apia", "UTC")  # fmt: skip
BERLIN = "Europe/Berlin"
RULES = ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=FR,SA", "FREQ=WEEKLY;INTERVAL=2",
         "FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=-1TH", "FREQ=YEARLY",
         "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;COUNT=4")  # fmt: skip


def alert() -> Alert:
    return only_alert(stage().handle([signal()]))


def ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def local(at_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)).isoformat(timespec="minutes")


def silence(
    start: str,
    end: str,
    rule: str | None = None,
    minutes: int = 60,
    zone: str = "UTC",
    **fields: object,
) -> Silence:
    recurring = rule and Recurring(rule=rule, duration_min=minutes, timezone=zone)
    return msgspec.structs.replace(
        Silence(
            id="m-1",
            matchers=Matchers(brands=("rimal-bank",)),
            starts_ms=ms(start, zone),
            ends_ms=ms(end, zone),
            owner="amal",
            reason="maintenance",
            created_ms=0,
            recurring=recurring or None,
        ),
        **fields,
    )


# when -----------------------------------------------------------------------------------------


def test_a_silence_for_once_holds_from_its_start_to_before_its_end() -> None:
    one = silence("2026-03-01T10:00", "2026-03-01T12:00")
    start, end = ms("2026-03-01T10:00"), ms("2026-03-01T12:00")
    assert active_at(one, start - 1) is None
    assert active_at(one, start) == active_at(one, end - 1) == Window(start, end)
    assert active_at(one, end) is None
    assert not expired(one, end - 1)
    assert expired(one, end)


def test_ending_early_ends_it() -> None:
    stopped = silence("2026-03-01T10:00", "2026-03-09T10:00", ended_ms=ms("2026-03-02T00:00"))
    assert active_at(stopped, ms("2026-03-01T23:59")) is not None
    assert expired(stopped, ms("2026-03-02T00:00"))


def test_a_recurring_one_stays_at_its_hour_when_the_clock_is_changed() -> None:
    nightly = silence("2026-03-27T01:00", "2026-04-01T00:00", "FREQ=DAILY", 240, BERLIN)
    found = list(windows(nightly, nightly.starts_ms, nightly.ends_ms))
    assert [local(w.start_ms, BERLIN) for w in found] == [
        "2026-03-27T01:00+01:00",
        "2026-03-28T01:00+01:00",
        "2026-03-29T01:00+01:00",
        "2026-03-30T01:00+02:00",
        "2026-03-31T01:00+02:00",
    ]
    assert {w.end_ms - w.start_ms for w in found} == {4 * HOUR}  # exactly, RFC 5545 3.3.6
    assert local(found[2].end_ms, BERLIN) == "2026-03-29T06:00+02:00"


def test_a_start_that_the_clock_skips_or_shows_twice() -> None:
    spring = silence("2026-03-28T02:30", "2026-03-31T00:00", "FREQ=DAILY", 30, BERLIN)
    hours = [local(w.start_ms, BERLIN) for w in next_windows(spring, spring.starts_ms)]
    assert hours[:2] == ["2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"]
    autumn = silence("2026-10-24T02:30", "2026-10-27T00:00", "FREQ=DAILY", 30, BERLIN)
    hours = [local(w.start_ms, BERLIN) for w in next_windows(autumn, autumn.starts_ms)]
    assert hours[1:] == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_created_in_the_second_of_two_hours_it_does_not_begin_in_the_first() -> None:
    second = round(
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo(BERLIN)).timestamp() * 1000
    )
    recurring = Recurring(rule="FREQ=DAILY", duration_min=30, timezone=BERLIN)
    one = silence("2026-10-25T00:00", "2026-10-30T00:00", starts_ms=second, recurring=recurring)
    assert next_windows(one, 0)[0].start_ms == second


def test_a_leap_day_comes_every_four_years() -> None:
    leap = silence("2024-02-29T00:00", "2029-01-01T00:00", "FREQ=YEARLY", 60)
    assert [local(w.start_ms, "UTC")[:10] for w in next_windows(leap, 0)] == [
        "2024-02-29",
        "2028-02-29",
    ]


def test_windows_that_overlap_are_one_and_the_last_is_cut() -> None:
    long = silence("2026-03-01T00:00", "2026-03-04T12:00", "FREQ=DAILY", 26 * 60)
    assert next_windows(long, 0) == [Window(long.starts_ms, long.ends_ms)]


def test_next_windows_begin_with_the_one_that_runs() -> None:
    weekly = silence("2026-03-06T22:00", "2026-04-30T00:00", "FREQ=WEEKLY;BYDAY=FR", 480)
    at = ms("2026-03-14T03:00")
    found = next_windows(weekly, at, 2)
    assert [local(w.start_ms, "UTC") for w in found] == [
        "2026-03-13T22:00+00:00",
        "2026-03-20T22:00+00:00",
    ]
    assert active_at(weekly, at) == found[0]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.datetimes(datetime.fromisoformat("2011-01-01"), datetime.fromisoformat("2090-01-01")),
    days=st.integers(1, 400),
    length=st.integers(1, 2000),
    rule=st.sampled_from(RULES),
    probe=st.floats(0, 1),
)
@example(BERLIN, datetime.fromisoformat("2026-03-28T02:30"), 5, 60, "FREQ=DAILY", 0.3)
@example("Pacific/Apia", datetime.fromisoformat("2011-12-28T09:00"), 5, 60, "FREQ=DAILY", 0.5)
def test_windows_are_ordered_bounded_and_what_active_at_says(
    zone: str, first: datetime, days: int, length: int, rule: str, probe: float
) -> None:
    first = first.replace(microsecond=0)
    start = instant_ms(first, ZoneInfo(zone))
    end = start + days * DAY
    recurring = Recurring(rule=rule, duration_min=length, timezone=zone)
    span = {"starts_ms": start, "ends_ms": end}
    one = silence("2026-01-01T00:00", "2026-01-02T00:00", recurring=recurring, **span)
    found = list(windows(one, 0, 2**52))
    assert all(start <= w.start_ms < w.end_ms <= end for w in found)
    assert all(a.end_ms < b.start_ms for a, b in pairwise(found))
    at = start + round(probe * days * DAY)
    assert (active_at(one, at) is not None) == any(w.holds(at) for w in found)
    # asked about a part, the same windows are found
    part = [w for w in found if w.end_ms > at]
    near = [w.end_ms for w in windows(one, at, 2**52)]
    assert near == [w.end_ms for w in part]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    at=st.datetimes(datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2090-01-01")),
)
def test_the_clock_on_the_wall_and_back(zone: str, at: datetime) -> None:
    at = at.replace(microsecond=0)
    back = wall_clock(instant_ms(at, ZoneInfo(zone)), ZoneInfo(zone))
    exists = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
    assert back == exists.replace(tzinfo=None, fold=0)
    assert back == at or abs(back - at) <= timedelta(days=1)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_merged_covers_the_same_moments(pairs: list[tuple[int, int]]) -> None:
    spans = [Window(a, b) for a, b in pairs]
    once = merged(spans)
    for at in range(51):
        assert any(w.holds(at) for w in once) == any(w.holds(at) for w in spans)
    assert all(a.end_ms < b.start_ms for a, b in pairwise(once))


def test_a_rule_is_looked_through_for_five_years() -> None:
    steps = list(starts("FREQ=DAILY", 0, ZoneInfo("UTC"), 0, 2**45))
    assert len(steps) == 5 * 366  # and no further, however long it would go on


# what -----------------------------------------------------------------------------------------


def test_every_field_that_names_something_must_fit() -> None:
    both = Matchers(brands=("a", "b"), severities=("watch",))
    assert both.match("b", "rumour", "watch", "volume")
    assert not both.match("b", "rumour", "warning", "volume")
    assert not both.match("c", "rumour", "watch", "volume")


def test_a_rise_beyond_what_a_silence_names_is_told() -> None:
    crisis = alert()
    below = silence("2026-11-01T00:00", "2026-12-01T00:00")
    below = msgspec.structs.replace(below, matchers=Matchers(severities=("watch", "warning")))
    now = ms("2026-11-21T08:00")
    watch = msgspec.structs.replace(crisis, severity="watch")
    said = muted([below], watch, now, PHRASES)
    assert said is not None
    assert said.silence == "m-1"
    assert "maintenance" in said.sentence.en
    assert "maintenance" in said.sentence.ar
    assert (
        muted([below], msgspec.structs.replace(crisis, severity="critical"), now, PHRASES) is None
    )


def test_of_several_silences_the_one_that_lasts_longest_is_named() -> None:
    short = silence("2026-11-21T00:00", "2026-11-21T09:00")
    long = silence("2026-11-21T00:00", "2026-11-21T12:00", id="m-2")
    said = muted([long, short], alert(), ms("2026-11-21T08:00"), PHRASES)
    assert said is not None
    assert said.silence == "m-2"


def test_preview_tells_event_by_event_what_would_have_been_muted() -> None:
    crisis = alert()  # opened 2026-11-21 07:4x UTC, 10:4x in Riyadh
    events = crisis.timeline
    late = msgspec.structs.replace(events[0], event="raised", at="2026-11-21T13:00:00Z")
    crisis = msgspec.structs.replace(crisis, timeline=(*events, late))
    # begins next month, but weekly at this hour
    weekly = silence("2026-12-05T10:00", "2027-12-05T10:00", "FREQ=WEEKLY;COUNT=3", 120,
                     "Asia/Riyadh")  # fmt: skip
    found = preview(weekly, [crisis], ms("2026-10-22T00:00"), ms("2026-11-22T00:00"))
    assert [(p.alert, p.muted, p.told) for p in found] == [(crisis.id, events, (late,))]
    other = msgspec.structs.replace(weekly, starts_ms=weekly.starts_ms + DAY)
    assert preview(other, [crisis], ms("2026-10-22T00:00"), ms("2026-11-22T00:00")) == []


def test_preview_of_a_silence_for_once_is_about_what_it_names() -> None:
    once = silence("2026-12-05T10:00", "2026-12-06T10:00")
    span = ms("2026-10-22T00:00"), ms("2026-11-22T00:00")
    crisis = alert()
    assert [p.muted for p in preview(once, [crisis], *span)] == [crisis.timeline]
    others = msgspec.structs.replace(once, matchers=Matchers(brands=("saqr-air",)))
    assert preview(others, [crisis], *span) == []


@settings(max_examples=100, deadline=None)
@given(
    day=st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2032-01-01")),
    rule=st.sampled_from(RULES[:-1]),
    back=st.integers(1, 700),
)
@example(datetime.fromisoformat("2028-02-29T10:00"), "FREQ=YEARLY", 400)
@example(datetime.fromisoformat("2026-03-31T10:00"), "FREQ=MONTHLY", 40)
def test_taken_back_in_time_a_silence_keeps_its_rhythm(day: datetime, rule: str, back: int) -> None:
    """Preview over a span that begins before the start agrees with the silence after its start."""
    day = day.replace(microsecond=0)
    start = instant_ms(day, ZoneInfo("UTC"))
    span = {"starts_ms": start, "ends_ms": start + 300 * DAY}
    weekly = Recurring(rule=rule, duration_min=60, timezone="UTC")
    one = silence("2026-01-01T00:00", "2026-01-02T00:00", recurring=weekly, **span)
    own = [w.start_ms for w in windows(one, start, one.ends_ms)]
    assume(own)
    base = alert()
    event = base.timeline[0]
    at = [datetime.fromtimestamp(w / 1000, UTC).isoformat() for w in own[:5]]
    crisis = msgspec.structs.replace(
        base, timeline=tuple(msgspec.structs.replace(event, at=t) for t in at)
    )
    found = preview(one, [crisis], start - back * DAY, one.ends_ms)
    assert [len(p.muted) for p in found] == [len(at)]


RULE = "recurring.rule"
NEVER = [(RULE, "never")]
ZONE = ("recurring.timezone", "unknown_timezone")

# what somebody wrote ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"reason": " "}, [("reason", "blank")]),
        ({"owner": "x" * 501}, [("owner", "too_many_characters")]),
        ({"matchers": Matchers()}, [("matchers", "names_nothing")]),
        ({"ends_ms": 0}, [("ends", "ends_before_start")]),
        ({"ends_ms": ms("2029-03-01T00:00"), "recurring": None}, [("ends", "too_long")]),
        ({"ends_ms": ms("2036-03-01T00:00")}, [("ends", "too_long")]),
        ({"recurring": ("FREQ=DAILY", 0, "UTC")}, [("recurring.duration_min", "duration")]),
        ({"recurring": ("FREQ=DAILY", 9, "Mars/Base")}, [ZONE]),
        ({"recurring": ("FREQ=DAILY", 9, "../etc")}, [ZONE]),
        ({"recurring": ("every day", 9, "UTC")}, [(RULE, "rule_unreadable")]),
        ({"recurring": ("FREQ=SECONDLY", 9, "UTC")}, [(RULE, "rule_part")]),
        ({"recurring": ("FREQ=DAILY;BYHOUR=3", 9, "UTC")}, [(RULE, "rule_part")]),
        ({"recurring": ("FREQ=DAILY;UNTIL=20260101", 9, "UTC")}, [(RULE, "rule_part")]),
        ({"recurring": ("FREQ=DAILY;INTERVAL=0", 9, "UTC")}, [(RULE, "rule_part")]),
        ({"recurring": ("FREQ=WEEKLY;BYDAY=XX", 9, "UTC")}, [(RULE, "rule_unreadable")]),
        ({"recurring": ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 9, "UTC")}, [(RULE, "never")]),
        ({"recurring": ("FREQ=DAILY;COUNT=99999999", 9, "UTC")}, [(RULE, "rule_part")]),
        ({"recurring": ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9", 9, "UTC")}, NEVER),
    ],
)  # fmt: skip
def test_a_mistake_is_named(change: dict[str, object], expected: list[tuple[str, str]]) -> None:
    good = silence("2026-03-01T00:00", "2026-09-01T00:00", "FREQ=WEEKLY", 60)
    if isinstance(change.get("recurring"), tuple):
        rule, minutes, zone = change["recurring"]  # type: ignore[misc]
        change = {"recurring": Recurring(rule=rule, duration_min=minutes, timezone=zone)}
    found = check(msgspec.structs.replace(good, **change), PHRASES)
    assert [(f.field, f.code) for f in found] == expected
    assert all(f.sentence.ar and f.sentence.en for f in found)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_rule(text: str) -> None:
    for rule in (text, f"FREQ=DAILY;{text}", f"FREQ=MONTHLY;BYDAY={text}"):
        try:
            check_rule(rule)
        except RuleError:
            continue
        list(starts(rule, 0, ZoneInfo("UTC"), 0, 40 * DAY))
