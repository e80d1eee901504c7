"""Rolling counts against a plain count, through gaps, late additions and the ring's end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.counts import DAY_MIN, RING_MIN, CumulativeCounts, MinuteCounts

SERIES = 3
WIDTHS = (1, 5, 60, 1440)
START = 28_333_440

Told = list[tuple[int, list[tuple[int, int]]]]

# batches: minutes to go on, and for each mention how many minutes ago and of which series
batches: st.SearchStrategy[Told] = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, 30, 59, 1440, RING_MIN - 1, RING_MIN, RING_MIN + 1, 9999]),
        st.lists(st.tuples(st.integers(0, 70), st.integers(0, SERIES - 1)), max_size=6),
    ),
    max_size=12,
)  # fmt: skip


def fold(counts: CumulativeCounts | MinuteCounts, told: Told) -> tuple[int, list[tuple[int, int]]]:
    """Add batches; the last minute, and all that was added."""
    now, added = START, []
    counts.advance(now)
    for step, mentions in told:
        now += step
        counts.advance(now)
        batch = [(now - ago, series) for ago, series in mentions if now - ago > START - 30]
        if batch:
            minutes, series = np.array(batch, dtype=np.int64).T
            counts.add(minutes, series)
        added += batch
    return now, added


def minute_counts(
    counts: CumulativeCounts | MinuteCounts,
    minute: int,
    series: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> list[int]:
    if isinstance(counts, MinuteCounts):
        return counts.window(minute, series, 1).tolist()
    return counts.window(np.full(len(series), minute), series, 1).tolist()


def plain(added: list[tuple[int, int]], series: int, last: int, width: int) -> int:
    return sum(s == series and last - width < m <= last for m, s in added)


@settings(deadline=None)
@given(told=batches, ago=st.integers(0, 60))
def test_cumulative_windows(told: Told, ago: int) -> None:
    counts = CumulativeCounts(SERIES)
    now, added = fold(counts, told)
    series = np.arange(SERIES)
    for width in WIDTHS:
        last = now - ago
        got = counts.window(np.full(SERIES, last), series, width).tolist()
        assert got == [plain(added, s, last, width) for s in range(SERIES)]
    assert (counts.row(now) - counts.row(now - 60)).tolist() == [
        plain(added, s, now, 60) for s in range(SERIES)
    ]


@settings(deadline=None)
@given(told=batches, ago=st.integers(0, 60))
def test_plain_windows(told: Told, ago: int) -> None:
    counts = MinuteCounts(SERIES)
    now, added = fold(counts, told)
    for width in WIDTHS:
        got = counts.window(now - ago, np.arange(SERIES), width).tolist()
        assert got == [plain(added, s, now - ago, width) for s in range(SERIES)]


@pytest.mark.parametrize("kind", [CumulativeCounts, MinuteCounts])
@settings(deadline=None)
@given(told=batches, cut=st.integers(0, 12))
def test_restored_counts_go_on_alike(
    kind: type[CumulativeCounts | MinuteCounts], told: Told, cut: int
) -> None:
    whole, first, second = kind(SERIES), kind(SERIES), kind(SERIES)
    fold(whole, told)
    now, _ = fold(first, told[:cut])
    stored = {name: blob for name, blob in first.changes() if blob is not None}
    second.restore(stored)
    assert second.changes() == [("now", np.int64(now).tobytes())]
    for step, mentions in told[cut:]:
        now += step
        second.advance(now)
        batch = [(now - ago, s) for ago, s in mentions if now - ago > START - 30]
        if batch:
            minutes, series = np.array(batch, dtype=np.int64).T
            second.add(minutes, series)
    assert second.now == whole.now
    if whole.now is not None:
        series, minutes = np.arange(SERIES), range(whole.now - DAY_MIN + 1, whole.now + 1)
        for minute in minutes:
            got, want = (minute_counts(c, minute, series) for c in (second, whole))
            assert got == want


def test_totals_may_wrap() -> None:
    counts = CumulativeCounts(1)
    counts.advance(START)
    counts.rows[:] = np.uint32(2**32 - 2)
    counts.add(np.full(5, START + 1), np.zeros(5, dtype=np.int64))
    assert counts.window(np.array([START + 1]), np.array([0]), 5).tolist() == [5]
    assert counts.row(START + 1).tolist() == [3]


def test_changes_are_told_once() -> None:
    counts = MinuteCounts(2)
    counts.add(np.array([START, START + 1]), np.array([0, 1]))
    assert [name for name, _ in counts.changes()] == [
        *sorted((str(START % RING_MIN), str((START + 1) % RING_MIN)), key=int), "now"
    ]  # fmt: skip
    assert [name for name, _ in counts.changes()] == ["now"]
    counts.add(np.array([START]), np.array([0]))
    assert [name for name, _ in counts.changes()] == [str(START % RING_MIN), "now"]


def test_what_is_older_than_the_ring_is_not_counted() -> None:
    for counts in (CumulativeCounts(1), MinuteCounts(1)):
        counts.advance(START)
        counts.add(np.array([START, START - RING_MIN]), np.array([0, 0]))
        assert counts.rows[START % RING_MIN].tolist() == [1]


def test_nothing_is_nothing() -> None:
    empty = np.empty(0, dtype=np.int64)
    counts = CumulativeCounts(2)
    counts.add(empty, empty)
    assert counts.now is None
    assert counts.changes() == []
