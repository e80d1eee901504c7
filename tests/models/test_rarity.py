"""Return periods of peaks: what they promise, and what of a day's scatter is learned."""

from __future__ import annotations

import numpy as np
import pytest

from models.calendar import Calendar
from models.quarantine import Quarantine
from models.rarity import RARE, Rarity, excess, return_hours
from models.records import Float64
from models.series import SeriesDetector

ONE = np.zeros(1, dtype=np.int64)


def filled(peaks: Float64) -> Rarity:
    """Blocks with these peaks, of one series."""
    rarity = Rarity(1, 1)
    for block, peak in enumerate(peaks.tolist()):
        rarity.turn(block)
        rarity.see(np.array([[peak]]), ONE)
    rarity.turn(len(peaks))
    return rarity


def test_the_line_is_two_weeks() -> None:
    assert return_hours(RARE) == pytest.approx(14 * 24)


@pytest.mark.parametrize("shape", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("decades", [1.0, RARE])
def test_the_return_period_is_about_what_it_says(shape: float, decades: float) -> None:
    """Pareto tails beyond the threshold: peaks to come exceed a score as often as it claims."""
    rng = np.random.default_rng(3)
    draw = 2.0 * (1 - rng.random(6240)) ** -shape
    rarity = filled(draw[:240])
    scores = rarity.score(draw[None, 240:], np.zeros(6000, dtype=np.int64))[0]
    often = (scores >= decades).mean() / 10**-decades
    assert 1 / 3 < often < 3


def test_nothing_is_rare_on_the_first_day_nor_below_the_threshold() -> None:
    assert filled(np.full(3, 2.0)).score(np.array([[1e6]]), ONE) == 0
    assert not filled(np.full(3, 2.0)).known(0)
    known = filled(np.full(4, 2.0))
    assert known.known(0)
    assert known.score(np.array([[2.0], [2.1]]).T, np.array([0, 0])).tolist()[0][0] == 0
    assert known.score(np.array([[1e6]]), ONE) > 10


def test_one_crisis_does_not_make_the_next_one_usual() -> None:
    calm = np.tile([1.0, 1.5, 2.0, 2.5, 3.0], 40)
    crisis = np.append(calm, 1e5)
    before, after = (filled(each).score(np.array([[30.0]]), ONE).item() for each in (calm, crisis))
    assert before > after > RARE


def test_a_burst_at_night_weighs_as_one_in_the_day() -> None:
    usual = np.array([20.0])
    night = excess(np.array([42.0]), np.array([2.0]), usual)
    day = excess(np.array([80.0]), np.array([40.0]), usual)
    assert night == day


def test_series_do_not_touch_one_another() -> None:
    alone, both = Rarity(2, 1), Rarity(2, 2)
    rng = np.random.default_rng(5)
    for block in range(30):
        z = rng.gamma(2.0, 1.0, (2, 1))
        alone.turn(block)
        alone.see(z, ONE)
        both.turn(block)
        both.see(np.hstack([z * 50, z]), np.array([0, 1]))
    asked = np.array([[4.0], [9.0]])
    assert alone.score(asked, ONE).tolist() == both.score(asked, np.array([1])).tolist()


def test_a_restored_one_goes_on_alike() -> None:
    rng = np.random.default_rng(9)
    first = filled(rng.gamma(2.0, 1.0, 100))
    second = Rarity(1, 1)
    second.restore(first.snapshot())
    first.changes()
    for block in range(101, 130):
        for each in (first, second):
            each.turn(block)
            each.see(np.array([[block % 7 / 2]]), ONE)
    assert first.snapshot() == second.snapshot()
    third = Rarity(1, 1)
    third.restore(first.snapshot() | first.changes())
    assert third.score(np.array([[8.0]]), ONE) == first.score(np.array([[8.0]]), ONE)


def test_what_an_episode_follows_is_forgotten() -> None:
    held = Quarantine(1, 2)
    calm = np.array([True, True])
    told = []
    for hour in range(60):
        mask = np.array([True, hour != 30])
        told.append(held.exchange(hour, np.full((1, 2), float(hour)), mask if hour == 30 else calm))
    first, second = np.array(told)[:, 0].T
    assert first.tolist() == [0.0] * 24 + list(map(float, range(36)))
    # hours 7 to 30 of the other were held when its episode came
    assert second.tolist()[30:55] == [0.0] * 25
    assert second.tolist()[55:] == [31.0, 32.0, 33.0, 34.0, 35.0]


def scored(values: Float64, width_s: float = 300.0) -> Float64:
    detector = SeriesDetector(Calendar(["UTC"], [(5, 6)]), width_s)
    return np.array([detector.step(width_s * i, v).score for i, v in enumerate(values.tolist())])


def test_a_silent_source_is_blindness_and_its_backlog_no_spike() -> None:
    rng = np.random.default_rng(2)
    values = rng.poisson(20.0, 288 * 8).astype(float)
    at = 288 * 7
    missed = values[at : at + 36].sum()
    values[at : at + 36] = 0.0
    values[at + 36 : at + 39] += missed / 3  # what was held back comes in a quarter of an hour
    assert scored(values).max() < 0.5
    values[at : at + 36] = 20.0  # the same without a silence before it
    assert scored(values)[at + 36 :].max() > 0.5


def test_blindness_is_told_and_ends() -> None:
    detector = SeriesDetector(Calendar(["UTC"], [(5, 6)]), 3600.0)
    for hour in range(200):
        detector.step(3600.0 * hour, 10.0)
    assert not detector.blind
    for hour in range(200, 204):
        detector.step(3600.0 * hour, 0.0)
    assert detector.blind
    for hour in range(204, 206):
        detector.step(3600.0 * hour, 10.0)
    assert not detector.blind
