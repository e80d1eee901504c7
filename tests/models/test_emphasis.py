"""Intensity and reach of negative mentions: exact over all of a window, whatever the order."""

from __future__ import annotations

import numpy as np
import pytest

from models.emphasis import Emphasis, EmphasisSums
from models.records import Mention, Observations
from tests.observing import HOUR_MS, MINUTE_MS, START_MS, Store, burst, detect, merged, stage, usual

MINUTE = START_MS // MINUTE_MS
NOTHING = Emphasis(None, None, None)


def observed(*rows: tuple[int, int, float, int], brand: int = 0) -> Observations:
    """Mentions as (minutes after the start, label, probability of negative, reach)."""
    after, label, negative, reach = zip(*rows)
    n = len(rows)
    return Observations(
        brand=np.full(n, brand), published_ms=START_MS + np.array(after) * MINUTE_MS,
        key=np.arange(n, dtype=np.uint64), platform=["x"] * n,
        label=np.array(label, dtype=np.int8), negative=np.array(negative, dtype=np.float32),
        positive=np.zeros(n, dtype=np.float32), reach=np.array(reach, dtype=np.int64),
        own=np.zeros(n, dtype=np.bool_), lang=["en"] * n, mention=list[Mention](),
    )  # fmt: skip


def told(*batches: Observations) -> EmphasisSums:
    sums = EmphasisSums(2)
    for batch in batches:
        sums.add(batch, np.arange(len(batch)))
    return sums


def test_one_of_four_has_most_of_the_reach() -> None:
    few = observed((0, 0, 0.9, 710), (1, 1, 0.4, 100), (2, 2, 0.1, 90), (3, 1, 0.2, 100))
    assert told(few).window(0, MINUTE + 3, 5) == Emphasis(0.9, None, 0.71)


def test_intensity_is_the_mean_of_what_is_labelled_negative() -> None:
    few = observed((0, 0, 0.6, 0), (0, 0, 0.9, 0), (0, 1, 0.49, 0))
    assert told(few).window(0, MINUTE, 5) == Emphasis(0.75, None, None)


def test_windows_and_brands_are_kept_apart() -> None:
    old, new = (0, 0, 0.5, 10), (9, 0, 1.0, 30)
    sums = told(observed(old, new, (9, 1, 0.0, 10)), observed((9, 0, 0.7, 5), brand=1))
    assert sums.window(0, MINUTE + 9, 5) == Emphasis(1.0, None, 0.75)
    assert sums.window(0, MINUTE + 9, 60) == Emphasis(0.75, None, 0.8)
    assert sums.window(1, MINUTE + 9, 5) == Emphasis(0.7, None, 1.0)


def test_reach_does_not_overflow() -> None:
    most = 1 << 40
    sums = told(observed(*[(0, i % 2, 0.9, most) for i in range(1000)]))
    assert sums.window(0, MINUTE, 5).reach_share == 0.5


@pytest.mark.parametrize(("before", "known"), [(19, None), (20, 0.6)])
def test_the_usual_intensity_is_that_of_the_day_before(before: int, known: float | None) -> None:
    sums = told(
        observed(*[(-i, 0, 0.6, 1) for i in range(before)]),
        observed(*[(120, 0, 0.9, 1)] * 30),
    )
    assert sums.window(0, MINUTE + 120, 60) == Emphasis(0.9, known, 1.0)
    assert sums.window(0, MINUTE + 120, 1440).usual_intensity is None


def test_nothing_is_known_of_nothing() -> None:
    assert EmphasisSums(2).window(0, MINUTE, 5) == NOTHING
    assert told(observed((0, 0, 0.9, 5))).window(1, MINUTE, 5) == NOTHING


def test_signals_tell_it_of_all_mentions_of_the_window() -> None:
    """More mentions than evidence keeps: what is told is counted, not sampled."""
    begins = START_MS + 40 * HOUR_MS
    events = merged(usual(0, 16.0, 42, seed=3), burst(0, begins, 300, 40, seed=3, negative=0.7))
    signals, _ = detect(events.cut(300), stage())
    fired = [s for s in signals if s.phase == "fired" and s.window_min <= 180]
    checked = 0
    for s in fired:
        known = events.published_ms <= s.at_ms
        inside = (events.published_ms >= s.window_start_ms) & known
        reach = (events.key % np.uint64(1009)).astype(np.int64)[inside]
        bad = events.label[inside] == 0
        if bad.sum() != s.negative:  # others of the same moment have not been counted yet
            continue
        assert s.reach_share == round(int(reach[bad].sum()) / int(reach.sum()), 4)
        assert s.intensity == 0.9
        checked += 1
    assert checked >= 2
    assert any(s.usual_intensity == 0.9 for s in fired)


def test_a_store_keeps_it() -> None:
    events = burst(0, START_MS, 60, 30, seed=2)
    _, runs = detect(events.cut(7), stage())
    store = Store()
    store.save(runs)
    minute = int(events.published_ms.max()) // MINUTE_MS
    kept = runs._memory._emphasis.window(0, minute, 60)
    assert kept.intensity == 0.9
    assert store.load()._memory._emphasis.window(0, minute, 60) == kept
