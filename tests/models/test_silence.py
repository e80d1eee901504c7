"""Silence of a source: told, kept out of learning, and ended by the first mention."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.records import SOURCE_SILENT, Signal
from streams.detect import DetectStage
from tests.observing import (
    BRANDS,
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    Store,
    Stream,
    detect,
    merged,
    singles,
    stage,
    usual,
)

DAYS = 5
OUT_MS = START_MS + 4 * 24 * HOUR_MS + 10 * HOUR_MS  # nothing of the first brand from here
BACK_MS = OUT_MS + 5 * HOUR_MS


def outage(rate: float = 120.0, seed: int = 1) -> Stream:
    """The first brand falls silent for five hours, the second one does not."""
    first, second = (usual(b, rate, 24 * DAYS, seed=seed + b) for b in (0, 1))
    keep = (first.published_ms < OUT_MS) | (first.published_ms >= BACK_MS)
    return merged(first.take(np.flatnonzero(keep)), second)


def silences(signals: list[Signal]) -> list[Signal]:
    return [s for s in signals if s.kind == SOURCE_SILENT]


def test_it_is_told_within_the_hour_and_again_and_ends() -> None:
    runs = stage(BRANDS[:2])
    signals = silences(detect(outage().cut(300), runs)[0])
    assert {s.brand for s in signals} == {BRANDS[0].id}
    fired = [s for s in signals if s.phase == "fired"]
    assert len(fired) == 1
    assert OUT_MS < fired[0].at_ms <= OUT_MS + 65 * MINUTE_MS
    assert fired[0].observed == 0 < fired[0].expected
    updates = [s.at_ms for s in signals if s.phase == "update"]
    assert len(updates) > 10
    assert max(updates) < BACK_MS + MINUTE_MS
    assert runs.silent() == []


def test_a_quiet_brand_is_never_missed() -> None:
    assert silences(detect(outage(rate=1.0).cut(300), stage(BRANDS[:2]))[0]) == []


def test_nothing_is_learned_of_it() -> None:
    runs = stage(BRANDS[:2])
    detect(outage().cut(300), runs)
    whole = stage(BRANDS[:2])
    first, second = (usual(b, 120.0, 24 * DAYS, seed=1 + b) for b in (0, 1))
    detect(merged(first, second).cut(300), whole)
    hours = np.arange(START_MS // HOUR_MS + 24 * DAYS, START_MS // HOUR_MS + 24 * DAYS + 24)
    for stages in (runs, whole):
        assert isinstance(stages, DetectStage)
    here, there = (
        np.array([s._volume.baseline.rate(int(h))[0] for h in hours]) for s in (runs, whole)
    )
    assert here == pytest.approx(there, rel=0.2)


@pytest.mark.parametrize("size", [singles(), 37, 5000], ids=["1", "37", "5000"])
def test_batches_change_nothing(size: int | Callable[[], int]) -> None:
    part = outage(rate=60.0)
    part = part.take(np.flatnonzero(part.published_ms < BACK_MS + 2 * HOUR_MS))
    told = silences(detect(part.cut(size), stage(BRANDS[:2]))[0])
    assert told
    assert told == silences(detect(part.cut(400), stage(BRANDS[:2]))[0])


def test_idle_time_alone_tells_it() -> None:
    runs = stage(BRANDS[:1])
    signals, _ = detect(usual(0, 120.0, 24 * 4, seed=3).cut(500), runs)
    assert silences(signals) == []
    end_ms = START_MS + 4 * 24 * HOUR_MS
    told = [s for m in range(1, 90) for s in runs.advance(end_ms + m * MINUTE_MS)]
    assert silences(told)
    assert runs.silent() == [BRANDS[0].id]


def of_hours(stream: Stream, talks: set[int]) -> Stream:
    """Only what was published in some hours of the day."""
    hour = stream.published_ms // HOUR_MS % 24
    return stream.take(np.flatnonzero(np.isin(hour, list(talks))))


def test_a_night_without_talk_is_learned() -> None:
    nights = of_hours(usual(0, 120.0, 24 * 12, seed=4, season=0.0), set(range(7, 24)))
    runs = stage(BRANDS[:2])
    signals = silences(detect(merged(nights, usual(1, 120.0, 24 * 12, seed=5)).cut(500), runs)[0])
    late = START_MS + 4 * 24 * HOUR_MS
    assert not [s for s in signals if s.brand == BRANDS[0].id and s.at_ms > late]
    at_three = (START_MS + 12 * 24 * HOUR_MS) // HOUR_MS // 24 * 24 + 3
    assert runs._volume.baseline.rate(at_three)[0] < 40


def test_a_fall_for_good_is_learned() -> None:
    before = usual(0, 60.0, 24 * 6, seed=6)
    after = usual(0, 0.5, 24 * 15, seed=7, start_ms=START_MS + 6 * 24 * HOUR_MS)
    other = usual(1, 60.0, 24 * 21, seed=8)
    runs = stage(BRANDS[:2])
    signals = silences(detect(merged(before, after, other).cut(500), runs)[0])
    assert runs._volume.baseline.level()[0] < 15
    late = START_MS + 14 * 24 * HOUR_MS
    assert not [s for s in signals if s.brand == BRANDS[0].id and s.at_ms > late]


def test_a_restart_changes_nothing() -> None:
    part = outage(rate=60.0)
    part = part.take(np.flatnonzero(part.published_ms < BACK_MS + 30 * HOUR_MS))
    whole = silences(detect(part.cut(400), stage(BRANDS[:2]))[0])
    running, store, told = stage(BRANDS[:2]), Store(), []
    for batch in part.cut(400):
        told += running.detect(batch)
        store.save(running)
        running = store.load(BRANDS[:2])
    assert silences(told) == whole


def test_a_checkpoint_holds_no_more_than_what_changed() -> None:
    runs = stage(BRANDS[:2])
    detect(usual(0, 60.0, 24 * 3, seed=3).cut(500), runs)
    runs.changes()
    again = usual(0, 60.0, 1, seed=4, start_ms=START_MS + 3 * 24 * HOUR_MS)
    detect(again.cut(500), runs)
    assert not [name for name, _ in runs.changes() if "source_silent/hours" in name]
