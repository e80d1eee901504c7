"""The expected level, its dispersion, and the two tail probabilities, against scipy and by
simulation; and how often the detectors fire on a usual month."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.baseline import Baseline, interval, surprise, threshold
from models.calendar import Calendar
from models.negativity import share_surprise
from models.records import Brand, Float64, Mention, Observations, Signal
from tests.observing import START_MS, detect, stage

HOUR_MS = 3_600_000
FIRST_HOUR = START_MS // HOUR_MS
means = st.floats(0.01, 5000)
alphas = st.floats(0.01, 4.0)


def chance(observed: int, expected: float, alpha: float) -> float:
    """P(X >= observed) by scipy."""
    r = 1 / alpha
    return float(stats.nbinom.sf(observed - 1, r, r / (r + expected)))


# the negative binomial ------------------------------------------------------------------------


@given(observed=st.integers(0, 20_000), expected=means, alpha=alphas)
def test_surprise_is_the_tail_of_the_negative_binomial(
    observed: int, expected: float, alpha: float
) -> None:
    got = float(surprise(np.array([float(observed)]), np.array([expected]), np.array([alpha]))[0])
    tail = chance(observed, expected, alpha)
    if tail > 1e-290:
        assert got == pytest.approx(-np.log10(tail), rel=1e-6, abs=1e-9)
    else:
        assert got > 280


@given(expected=means, alpha=alphas, line=st.sampled_from([3.5, 5.0, 6.5, 9.0]))
def test_the_threshold_is_the_least_count_that_reaches_the_line(
    expected: float, alpha: float, line: float
) -> None:
    least = threshold(expected, alpha, line)
    at = surprise(np.array([least, least - 1.0]), np.array([expected] * 2), np.array([alpha] * 2))
    assert at[0] >= line > at[1]


@given(expected=means, alpha=alphas)
def test_the_interval_leaves_out_no_more_than_its_tails(expected: float, alpha: float) -> None:
    lower, upper = interval(expected, alpha)
    assert 0 <= lower <= upper
    assert chance(upper + 1, expected, alpha) <= 0.025 + 1e-9
    assert 1 - chance(lower, expected, alpha) <= 0.025 + 1e-9
    # and is not wider than it must be
    assert chance(upper, expected, alpha) > 0.025 - 1e-9 or upper == 0
    assert 1 - chance(lower + 1, expected, alpha) > 0.025 - 1e-9


# the negative share ---------------------------------------------------------------------------


@settings(deadline=None)
@given(
    total=st.integers(1, 4000),
    part=st.floats(0, 1),
    share=st.floats(0.02, 0.9),
    rho=st.floats(0.005, 0.6),
)
def test_share_surprise_is_the_tail_of_the_beta_binomial(
    total: int, part: float, share: float, rho: float
) -> None:
    negative = round(part * total)
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    mass = stats.betabinom.pmf(np.arange(negative, total + 1), total, a, b).sum()
    got = share_surprise(negative, total, share, rho)
    if mass > 1e-250:
        assert got == pytest.approx(-np.log10(mass), rel=1e-5, abs=1e-6)
    else:
        assert got > 240


@pytest.mark.parametrize(("share", "rho"), [(0.15, 0.05), (0.4, 0.02), (0.25, 0.3), (0.05, 0.01)])
@pytest.mark.parametrize("part", [0.2, 0.4, 0.6, 0.9])
def test_share_surprise_does_not_jump_where_it_changes_its_way(
    share: float, rho: float, part: float
) -> None:
    exact = share_surprise(round(part * 4000), 4000, share, rho)
    limit = share_surprise(round(part * 4001), 4001, share, rho)
    assert limit == pytest.approx(exact, rel=0.03, abs=0.02)


# learning -------------------------------------------------------------------------------------


def season(hours: Float64, weekend: tuple[int, ...]) -> Float64:
    """A daily rhythm, quieter on the weekend; mean near 1."""
    day = 1 + 0.6 * np.sin(2 * np.pi * (hours % 24) / 24)
    weekday = (hours // 24 + 2) % 7  # START_MS is a Wednesday
    factor: Float64 = day * np.where(np.isin(weekday, weekend), 0.6, 1.0)
    return factor


def learned(rates: Float64, hours: int, shape: float, seed: int) -> tuple[Baseline, Float64]:
    """A baseline after so many hours of gamma-Poisson counts, and the counts."""
    n = len(rates)
    baseline = Baseline(Calendar(["UTC"] * n, [(4, 5)] * n), n)
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)
    mean = np.outer(season(hour.astype(np.float64), (4, 5)), rates)
    counts = rng.poisson(rng.gamma(shape, mean / shape)).astype(np.float64)
    for h in hour.tolist():
        fives = rng.multinomial(counts[h].astype(int), [1 / 12] * 12).T.astype(np.float64)
        three, day = (counts[max(0, h - back) : h + 1].sum(axis=0) for back in (2, 23))
        baseline.learn(FIRST_HOUR + h, fives, three, day, np.ones(n, dtype=np.bool_))
    return baseline, counts


@pytest.mark.parametrize("rate", [2.0, 20.0, 200.0])
def test_it_recovers_a_known_season(rate: float) -> None:
    rates = np.full(40, rate)
    baseline, _ = learned(rates, 24 * 28, shape=10.0, seed=1)
    week = np.arange(168)
    truth = rate * season(week.astype(np.float64), (4, 5))
    got = np.stack([baseline.rate(FIRST_HOUR + 24 * 28 + h) for h in week.tolist()])
    bias = got.mean(axis=1) / truth - 1
    error = np.sqrt(((got / truth[:, None] - 1) ** 2).mean())
    assert abs(got.mean() / truth.mean() - 1) < 0.05
    if rate >= 20:
        assert np.abs(bias).max() < 0.25  # each hour of the week
        assert error < 0.3  # and each brand
    else:
        assert np.abs(bias).max() < 0.7  # a quiet brand keeps a flatter season


@pytest.mark.parametrize("shape", [4.0, 20.0])
def test_it_recovers_the_dispersion_of_hours(shape: float) -> None:
    baseline, _ = learned(np.full(40, 50.0), 24 * 28, shape, seed=2)
    alpha = baseline.alpha(np.arange(40), np.full((4, 40), 1e6))[1]  # clumps matter no more
    # what the season is not known by widens it; what is cut at three deviations narrows it
    # and what the clumps may be is taken off
    assert 0.3 / shape < np.median(alpha) < 1.6 / shape + 0.05


def test_a_young_series_is_uncertain() -> None:
    ages = [learned(np.full(3, 20.0), hours, 10.0, seed=3)[0] for hours in (12, 24, 72, 300)]
    wide = np.full((4, 3), 1e6)
    alphas = [baseline.alpha(np.arange(3), wide)[1].mean() for baseline in ages]
    assert alphas == sorted(alphas, reverse=True)
    assert alphas[0] > 3 * alphas[-1]
    assert [bool(b.known(np.array([0]))[-1, 0]) for b in ages] == [False, False, True, True]


def test_the_interval_covers_a_usual_month() -> None:
    rates = np.full(30, 30.0)
    baseline, _ = learned(rates, 24 * 21, shape=8.0, seed=4)
    inside = total = 0
    rng = np.random.default_rng(5)
    everything = np.arange(30)
    for h in range(24 * 21, 24 * 28):
        minute = np.full(30, (FIRST_HOUR + h + 1) * 60 - 1)
        every = baseline.expected(minute, everything)
        expected, alpha = every[1], baseline.alpha(everything, every)[1]
        mean = 30.0 * season(np.array([float(h)]), (4, 5))
        observed = rng.poisson(rng.gamma(8.0, mean / 8.0, 30))
        for x, mu, a in zip(observed.tolist(), expected.tolist(), alpha.tolist()):
            lower, upper = interval(mu, a)
            inside += lower <= x <= upper
            total += 1
    assert 0.93 < inside / total < 0.995


def test_what_is_masked_is_not_learned() -> None:
    baseline, _ = learned(np.full(2, 20.0), 48, 10.0, seed=6)
    before = [baseline.rate(FIRST_HOUR + 48 + h).copy() for h in range(24)]
    crisis = np.full(2, 2000.0)
    for h in range(6):
        fives = np.tile(crisis / 12, (12, 1))
        baseline.learn(FIRST_HOUR + 48 + h, fives, crisis, crisis, np.array([False, True]))
    after = [baseline.rate(FIRST_HOUR + 48 + h) for h in range(24)]
    assert all(a[0] == b[0] for a, b in zip(after, before))
    # and what is learned of one hour is cut: six hours a hundredfold do not make it usual
    assert max(a[1] / b[1] for a, b in zip(after, before)) < 10
    assert baseline.hours.tolist() == [48, 54]


def test_a_snapshot_is_whole_and_changes_are_what_differs() -> None:
    rates = np.array([1.0, 30.0])
    baseline, _ = learned(rates, 200, 10.0, seed=7)
    stored = baseline.snapshot()
    baseline.changes()
    more, _ = learned(rates, 0, 10.0, seed=7)
    more.restore(stored)
    assert more.snapshot() == stored
    fives = np.ones((12, 2))
    for b in (baseline, more):
        b.learn(FIRST_HOUR + 200, fives, rates * 3, rates * 24, np.array([True, True]))
    assert more.snapshot() == baseline.snapshot()
    changed = baseline.changes()
    assert stored | changed == baseline.snapshot()
    assert len(changed) < 10
    assert baseline.changes() == {}


def test_calendar_knows_zones_weekends_and_clock_changes() -> None:
    zones = ["UTC", "Asia/Riyadh", "America/New_York", "Asia/Kolkata"]
    calendar = Calendar(zones, [(4, 5), (4, 5), (5, 6), ()])

    def at(text: str) -> tuple[list[int], list[int]]:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        how, day = calendar.of(int(moment.timestamp()) // 3600)
        return how.tolist(), day.tolist()

    how, day = at("2024-03-08 21:00")  # a Friday; Saturday in Riyadh
    assert how == [4 * 24 + 21, 5 * 24, 4 * 24 + 16, 5 * 24 + 2]
    assert day == [21 + 24, 0 + 24, 16, 2]
    how, day = at("2024-03-11 21:00")  # a Monday; New York is on summer time
    assert how == [21, 24, 17, 26]
    assert day == [21, 0, 17, 2]


# calibration ----------------------------------------------------------------------------------

RATES = (0.5, 2.0, 8.0, 30.0, 100.0, 200.0)
BRANDS_OF_RATE = (14, 14, 12, 12, 5, 3)
HOURS = 24 * 30


def usual_month(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brand, time and label of a month of independent gamma-Poisson brands with a rhythm."""
    rng = np.random.default_rng(seed)
    rates = np.repeat(RATES, BRANDS_OF_RATE)
    n, hour = len(rates), np.arange(HOURS)
    mean = np.outer(rates, season(hour.astype(np.float64), (4, 5)))
    counts = rng.poisson(rng.gamma(8.0, mean / 8.0)).ravel()
    cell = np.repeat(np.arange(n * HOURS), counts)
    times = START_MS + cell % HOURS * HOUR_MS + rng.integers(0, HOUR_MS, len(cell))
    # the negative share of an hour scatters about 20 %
    share = rng.beta(6.0, 24.0, n * HOURS)[cell]
    labels = np.where(rng.random(len(cell)) < share, 0, 1).astype(np.int8)
    order = np.argsort(times, kind="stable")
    return (cell // HOURS)[order], times[order], labels[order]


def test_a_usual_month_fires_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    brand, times, labels = usual_month(seed=1)
    brands = [
        Brand(id=f"b{i}", names=(f"n{i}",), timezone="UTC") for i in range(sum(BRANDS_OF_RATE))
    ]
    mention = Mention(
        id="1",
        platform="x",
        published_at=datetime.fromtimestamp(START_MS / 1000, UTC),
        text="hello",
    )

    def batches() -> list[Observations]:
        parts = []
        for first in range(0, len(brand), 20_000):
            part = slice(first, first + 20_000)
            n = len(brand[part])
            parts.append(
                Observations(
                    brand=brand[part], published_ms=times[part],
                    key=np.arange(first + 1, first + n + 1).astype(np.uint64),
                    platform=["x"] * n, label=labels[part],
                    negative=np.full(n, 0.5, dtype=np.float32),
                    positive=np.zeros(n, dtype=np.float32), reach=np.zeros(n, dtype=np.int64),
                    own=np.zeros(n, dtype=np.bool_), lang=["en"] * n, mention=[mention] * n,
                )
            )  # fmt: skip
        return parts

    signals, runs = detect(batches(), stage(brands))
    edges = np.concatenate(([0], np.cumsum(BRANDS_OF_RATE)))
    rows = []
    for kind in [d.kind for d in runs.detectors]:
        fired = [_fired(signals, kind, first, last) for first, last in pairwise(edges)]
        rows.append(f"{kind:15}" + "".join(
            f"{count / brands_:9.2f}" for count, brands_ in zip(fired, BRANDS_OF_RATE)
        ))  # fmt: skip
        assert sum(fired) / len(brands) <= 0.3
    with capsys.disabled():
        head = "".join(f"{f'{rate:g}/h':>9}" for rate in RATES)
        print("\n".join(["", f"{'fired a month':15}{head}", *rows]))


def _fired(signals: list[Signal], kind: str, first: int, last: int) -> int:
    ids = {f"b{i}" for i in range(first, last)}
    return sum(s.kind == kind and s.phase == "fired" and s.brand in ids for s in signals)
