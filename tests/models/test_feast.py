"""Holidays: other habits are learned while they last, and leave no trace in the usual week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from models.baseline import Baseline
from models.calendar import Calendar
from models.records import Float64, Holiday
from tests.observing import BRANDS, DAY_MS, HOUR_MS, START_MS, detect, merged, stage, usual

FIRST_HOUR = START_MS // HOUR_MS
HOUR = np.arange(24 * 60)
WEEK = 1 + 0.5 * np.sin(2 * np.pi * (HOUR % 24) / 24)
NIGHT = 1 + 0.8 * np.sin(2 * np.pi * (HOUR % 24 - 12) / 24)
DAYS = slice(24 * 28, 24 * 42)  # two weeks of other habits


def iso(day: int) -> str:
    return (datetime.fromtimestamp(START_MS / 1000, UTC).date() + timedelta(days=day)).isoformat()


def calendars() -> tuple[Calendar, Calendar]:
    """One that knows of the two weeks, and one that does not."""
    known = [[(iso(28), iso(41))]]
    return Calendar(["UTC"], [(4, 5)], known), Calendar(["UTC"], [(4, 5)])


def learned(calendar: Calendar, until: int, level: float = 40.0) -> tuple[Baseline, Float64]:
    """A baseline, and what it expected of each hour before it was told."""
    mean = level * WEEK
    mean[DAYS] = level * 2.5 * NIGHT[DAYS]
    rng = np.random.default_rng(8)
    counts = rng.poisson(mean).astype(np.float64)
    baseline, told = Baseline(calendar, 1), []
    for h in range(until):
        told.append(baseline.rate(FIRST_HOUR + h)[0])
        fives = rng.multinomial(int(counts[h]), [1 / 12] * 12)[:, None].astype(np.float64)
        three, day = (counts[max(0, h - back) : h + 1].sum()[None] for back in (2, 23))
        baseline.learn(FIRST_HOUR + h, fives, three, day, np.array([True]))
    return baseline, np.array(told) / mean[:until]


def test_the_hours_are_known_in_the_brands_zone() -> None:
    calendar = Calendar(["Asia/Riyadh", "UTC"], [(), ()], [[("2026-03-20", "2026-03-22")], []])
    at = [int(datetime(2026, 3, 19, h, tzinfo=UTC).timestamp()) // 3600 for h in (20, 21)]
    assert [calendar.holiday(hour).tolist() for hour in at] == [[False, False], [True, False]]
    end = int(datetime(2026, 3, 22, 21, tzinfo=UTC).timestamp()) // 3600
    assert calendar.holiday(end - 1)[0]
    assert not calendar.holiday(end)[0]


def test_other_habits_are_learned_within_days() -> None:
    known, unknown = (learned(each, 24 * 42)[1][24 * 32 :] for each in calendars())
    assert abs(known.mean() - 1) < 0.15
    assert np.abs(known - 1).mean() < 0.5 * np.abs(unknown - 1).mean()


def test_the_usual_week_is_as_it_was() -> None:
    known, unknown = (learned(each, 24 * 42)[0] for each in calendars())
    after = [FIRST_HOUR + 24 * 42 + h for h in range(168)]
    truth = 40.0 * WEEK[:168]
    got = np.array([known.rate(h)[0] for h in after])
    spoiled = np.array([unknown.rate(h)[0] for h in after])
    assert got == pytest.approx(truth, rel=0.35)
    assert np.abs(got / truth - 1).mean() < np.abs(spoiled / truth - 1).mean() / 3


def test_each_holiday_begins_anew_and_state_is_whole() -> None:
    baseline, _ = learned(calendars()[0], 24 * 35)
    restored = Baseline(calendars()[0], 1)
    restored.restore(baseline.snapshot())
    hours = [FIRST_HOUR + 24 * 35 + h for h in range(24)]
    assert [restored.rate(h)[0] for h in hours] == [baseline.rate(h)[0] for h in hours]
    assert baseline.rate(hours[0])[0] != learned(calendars()[1], 24 * 35)[0].rate(hours[0])[0]


def test_a_holiday_rush_that_was_announced_is_quiet() -> None:
    """A third more on a usual day is nothing; eight times as much at midnight is, unless told."""
    calm = usual(0, 60.0, 24 * 14, seed=2)
    rush = usual(0, 240.0, 24 * 2, seed=3, start_ms=START_MS + 12 * DAY_MS)
    stream = merged(calm, rush)
    announced = Holiday(name="Eid", first=iso(12), last=iso(13))
    brand = BRANDS[0]
    with_it = msgspec.structs.replace(brand, holidays=(announced,))
    fired = [
        sum(
            s.kind == "volume" and s.phase == "fired"
            for s in detect(stream.cut(800), stage((b,)))[0]
        )
        for b in (brand, with_it)
    ]
    assert fired[0] > fired[1]


def test_the_end_of_a_holiday_is_no_surge() -> None:
    calm = usual(0, 60.0, 24 * 16, seed=2, season=0.0)
    rush = usual(0, 180.0, 24 * 3, seed=3, start_ms=START_MS + 12 * DAY_MS, season=0.0)
    holiday = Holiday(name="Eid", first=iso(12), last=iso(14))
    brand = msgspec.structs.replace(BRANDS[0], holidays=(holiday,))
    signals, _ = detect(merged(calm, rush).cut(800), stage((brand,)))
    end = START_MS + 15 * DAY_MS
    fired = [s for s in signals if s.phase == "fired" and end <= s.at_ms < end + 12 * HOUR_MS]
    assert not fired
