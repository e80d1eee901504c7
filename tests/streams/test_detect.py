"""The detect stage: what counts, when time passes, what is stored.  The shared checks over the
detectors are in tests/models/test_detectors.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baseline import HORIZONS_MIN
from models.detector import Finding, HourClose, Rolling, Segment
from models.records import Author, Bool, Brand, Mention
from streams.detect import DetectStage
from streams.detect_signal import TOP_MENTIONS
from streams.detect_state import MAX_PLATFORMS, settled
from tests.observing import (
    BRANDS,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    Store,
    Stream,
    burst,
    crisis,
    delayed,
    detect,
    merged,
    stage,
    stream,
    usual,
)

ONE = BRANDS[:1]
LATENESS_MS = 600_000


class Probe:
    """A detector that finds nothing and notes what it is told."""

    kind = "probe"

    def __init__(self, brands: int) -> None:
        self._brands = brands
        self.learned: list[HourClose] = []
        self.counts: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def observe(self, segment: Segment, rolling: Rolling) -> Iterator[Finding]:
        """Note the counts of every window that was raised."""
        cells = rolling.cells(segment)
        for i, cell in enumerate(zip(cells.brand.tolist(), cells.minute.tolist())):
            counts = cells.total[:, i].astype(int).tolist()
            self.counts[cell] = counts, cells.negative[:, i].astype(int).tolist()
        yield from ()

    def busy(self, hour: int) -> Bool:
        """Never."""
        return np.zeros(self._brands, dtype=np.bool_)

    def learn(self, close: HourClose, mask: Bool) -> None:
        """Note the hour."""
        self.learned.append(close)

    def snapshot(self) -> dict[str, bytes]:
        """Nothing."""
        return {}

    def changes(self) -> dict[str, bytes]:
        """Nothing."""
        return {}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Nothing."""


def probed(runs: DetectStage) -> Probe:
    probe = Probe(len(runs.brands))
    runs.detectors.append(probe)
    return probe


# what counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("behind_ms", "late"), [(LATENESS_MS, 0), (LATENESS_MS + 1, 1)])
def test_late_mentions_are_counted_as_late(behind_ms: int, late: int) -> None:
    events = stream(0, [START_MS, START_MS + HOUR_MS, START_MS + HOUR_MS - behind_ms])
    _, runs = detect(events.cut(1), stage())
    assert runs.counters.late == late
    assert runs.counters.counted == 3 - late
    assert runs.counters.seen == 3


def test_the_allowed_lateness_can_be_set() -> None:
    events = stream(0, [START_MS, START_MS + HOUR_MS, START_MS + HOUR_MS - LATENESS_MS])
    _, runs = detect(events.cut(3), stage(allowed_lateness_s=60))
    assert runs.counters.late == 1


def test_what_is_late_may_come_again_in_time_for_nobody() -> None:
    # a late mention is not remembered: nothing was counted that a repeat could double
    events = stream(0, [START_MS, START_MS + HOUR_MS, START_MS])
    again = events.take(np.array([2, 2, 1]))
    _, runs = detect(events.join(again).cut(2))
    assert (runs.counters.late, runs.counters.duplicates, runs.counters.counted) == (3, 1, 2)


def test_own_mentions_do_not_count() -> None:
    events = stream(0, START_MS + np.arange(10) * MINUTE_MS)
    events.own[::2] = True
    _, runs = detect(events.cut(3))
    assert (runs.counters.own, runs.counters.counted) == (5, 5)
    only_own = events.take(events.own)
    assert runs.detect(only_own.observations()) == []
    assert stage().detect(only_own.observations()) == []


def test_one_mention_counts_for_each_of_its_brands_once() -> None:
    events = stream([0, 1, 2, 1], [START_MS] * 4)
    events.key[:] = 7
    _, runs = detect(events.cut(4))
    assert (runs.counters.counted, runs.counters.duplicates) == (3, 1)


def test_a_repeat_after_two_days_is_a_new_mention() -> None:
    steps = START_MS + np.arange(50) * HOUR_MS
    events = stream(0, steps)
    events.key[-1] = events.key[0]
    _, runs = detect(events.cut(1))
    assert runs.counters.duplicates == 0


# the property ---------------------------------------------------------------------------------

times = st.lists(
    st.tuples(
        st.integers(0, 2),  # brand
        st.sampled_from([0, 1, 7, 45, 300, 599, 700, 4000, 80_000]),  # seconds to the next one
        st.sampled_from([0, 0, 0, 1, 30, 90, 599, 601]),  # seconds of delay
        st.integers(0, 2),  # label
        st.booleans(),  # a repeat of the one before
    ),
    min_size=1,
    max_size=40,
)


def random_stream(told: list[tuple[int, int, int, int, bool]]) -> Stream:
    now = START_MS + np.cumsum([step for _, step, *_ in told]) * 1000
    published = now - np.array([delay for _, _, delay, *_ in told]) * 1000
    events = stream([t[0] for t in told], published, [t[3] for t in told])
    for i, (*_, repeat) in enumerate(told):
        if repeat and i:
            events.key[i], events.brand[i] = events.key[i - 1], events.brand[i - 1]
            events.published_ms[i] = events.published_ms[i - 1]
    return events


@settings(max_examples=60, deadline=None)
@given(told=times, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_rolling_counts_are_those_of_a_plain_count(
    told: list[tuple[int, int, int, int, bool]], sizes: list[int]
) -> None:
    events = random_stream(told)
    seen: set[tuple[int, int]] = set()
    counted: list[tuple[int, int, bool]] = []
    watermark, late, repeats = 0, 0, 0
    columns = (events.brand, events.published_ms, events.key, events.label)
    for brand, published, key, label in zip(*(c.tolist() for c in columns)):
        watermark = max(watermark, published)
        if watermark - published > LATENESS_MS:
            late += 1
        elif (brand, key) in seen:
            repeats += 1
        else:
            seen.add((brand, key))
            counted.append((brand, published // MINUTE_MS, label == 0))
    step = iter(sizes * len(events))
    runs = stage()
    probe = probed(runs)
    detect(events.cut(lambda: next(step)), runs)
    assert runs.counters.late == late
    assert runs.counters.duplicates == repeats
    assert set(probe.counts) >= {(brand, minute) for brand, minute, _ in counted}
    last = max(minute for _, minute, _ in counted)
    for (brand, minute), (total, negative) in probe.counts.items():
        if last - minute > 8:
            continue  # late mentions may have raised it since, in a later cell of the same window
        for h, width in enumerate(HORIZONS_MIN):
            inside = [n for b, m, n in counted if b == brand and minute - width < m <= minute]
            assert total[h] == len(inside)
            assert negative[h] == sum(inside)


@settings(max_examples=25, deadline=None)
@given(
    told=times,
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    bursts=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 600), st.integers(4, 60), st.integers(1, 90)),
        max_size=3,
    ),
)
def test_batches_change_nothing(
    told: list[tuple[int, int, int, int, bool]],
    sizes: list[int],
    bursts: list[tuple[int, int, int, int]],
) -> None:
    days = merged(usual(0, 3.0, 36, seed=1), usual(1, 1.0, 36, seed=1))
    later = START_MS + 26 * HOUR_MS
    spikes = [burst(b, later + at * MINUTE_MS, n, width, seed=i)
              for i, (b, at, n, width) in enumerate(bursts)]  # fmt: skip
    events = delayed(merged(days, *spikes), seed=2).join(random_stream(told))
    step = iter([*sizes, 400] * len(events))
    whole, one = detect(events.cut(1_000_000))
    parts, other = detect(events.cut(lambda: next(step)))
    assert parts == whole
    assert one.counters == other.counters


# time -----------------------------------------------------------------------------------------


def test_an_idle_source_still_brings_what_waits_for_a_tick() -> None:
    start = START_MS + 2 * DAY_MS
    events = merged(usual(0, 16.0, 48, seed=1), burst(0, start, 60, 1, seed=1, negative=1.0)).take(
        slice(0, -1)
    )
    signals, runs = detect(events.cut(1000), stage(ONE))
    ticked = stage(ONE)
    expected, _ = detect(events.cut(1000), ticked)
    assert signals == expected
    waiting = runs.advance(runs.watermark_ms + 20_000)
    kinds = {s.kind for s in signals if s.at_ms >= start and s.phase == "fired"}
    assert "volume" in kinds
    told = [s for s in (*signals, *waiting) if s.kind == "negative_share" and s.phase == "fired"]
    assert told
    # one long step or several short ones
    again = [s for at in (5_000, 10_000, 20_000)
             for s in ticked.advance(int(events.published_ms.max()) + at)]  # fmt: skip
    assert again == waiting


def test_time_does_not_go_back_and_does_not_begin_by_itself() -> None:
    runs = stage()
    assert runs.advance(START_MS) == []
    assert runs.watermark_ms is None
    detect(usual(0, 5.0, 3, seed=1).cut(100), runs)
    reached = runs.watermark_ms
    assert runs.advance(START_MS) == []
    assert runs.watermark_ms == reached


def test_an_idle_source_closes_hours() -> None:
    runs = stage()
    probe = probed(runs)
    detect(usual(0, 10.0, 3, seed=1).cut(100), runs)
    assert [c.hour - START_MS // HOUR_MS for c in probe.learned] == [1]  # the first is not whole
    runs.advance(START_MS + 5 * HOUR_MS + LATENESS_MS)
    assert [c.hour - START_MS // HOUR_MS for c in probe.learned] == [1, 2, 3, 4]
    assert probe.learned[1].counts[0] > 0
    assert probe.learned[3].counts.sum() == 0


def test_only_whole_hours_are_learned() -> None:
    runs = stage()
    probe = probed(runs)
    events = stream(0, START_MS + 40 * MINUTE_MS + np.arange(200) * MINUTE_MS)
    detect(events.cut(7), runs)
    assert [c.hour - START_MS // HOUR_MS for c in probe.learned] == [1, 2]
    assert [c.counts[0] for c in probe.learned] == [60, 60]
    assert [c.fives[:, 0].tolist() for c in probe.learned] == [[5.0] * 12] * 2
    assert [c.peaks[:, 0].tolist() for c in probe.learned] == [[5, 60, 80, 80], [5, 60, 140, 140]]


def test_an_outage_of_the_source_is_not_learned() -> None:
    days = usual(0, 40.0, 24 * 4, seed=2, season=0.0)
    silent = (days.published_ms >= START_MS + 2 * DAY_MS) & (
        days.published_ms < START_MS + 2 * DAY_MS + 9 * HOUR_MS
    )
    runs = stage(ONE)
    probe = probed(runs)
    signals, _ = detect(days.take(~silent).cut(500), runs)
    hours = [c.hour - START_MS // HOUR_MS for c in probe.learned]
    assert hours == [h for h in range(1, 95) if not 48 <= h < 57]
    assert not [s for s in signals if s.phase == "fired"]


def test_a_gap_of_decades_is_stepped_over() -> None:
    first = stream(0, [0])  # in 1970, as broken clocks have it
    runs = stage()
    probe = probed(runs)
    detect(first.join(usual(0, 5.0, 30, seed=3)).cut(50), runs)
    assert len(probe.learned) < 500
    assert probe.learned[-1].hour == START_MS // HOUR_MS + 28


# what a signal quotes -------------------------------------------------------------------------


def test_platforms_are_bounded_and_none_is_lost() -> None:
    events = crisis().take(slice(None))
    events.platform[:] = [f"p{i % 40}" for i in range(len(events))]
    signals, _ = detect(events.cut(300))
    assert signals
    for signal in signals:
        assert len(signal.platforms) <= MAX_PLATFORMS
        assert sum(signal.platforms.values()) == signal.total
    assert any("other" in s.platforms for s in signals)


def test_a_platform_called_other_is_no_trouble() -> None:
    events = crisis()
    events = msgspec.structs.replace(events.observations(), platform=["other"] * len(events))
    signals, _ = detect([events])
    assert all(s.platforms == {"other": s.total} for s in signals)


HOSTILE = (
    "{{ 7*7 }} {% for x in ().__class__.__base__.__subclasses__() %}",
    "<script>alert(1)</script>\x1b]0;owned\x07\x1b[2J",
    "\u202eevil\u2066\u0000 nul",
    "a" * 20_000,
    "\u0627\u0644" * 10_000,
    "",
)


def test_hostile_text_passes_through() -> None:
    bad = burst(0, START_MS + 2 * DAY_MS, 200, 30, seed=4, negative=1.0)
    bad.mention[:] = [
        Mention(id=m.id, platform=m.platform, published_at=m.published_at,
                text=HOSTILE[i % len(HOSTILE)], author=Author(name="\x00" * 1024))
        for i, m in enumerate(bad.mention)
    ]  # fmt: skip
    signals, _ = detect(merged(usual(0, 10.0, 60, seed=4), bad).cut(50))
    fired = [s for s in signals if s.phase == "fired"]
    assert fired
    for signal in fired:
        assert len(signal.evidence) <= TOP_MENTIONS
        assert all(len(e.text) <= 400 for e in signal.evidence)


# state ----------------------------------------------------------------------------------------


def test_nothing_stored_is_a_fresh_stage() -> None:
    runs = stage()
    runs.restore({})
    assert runs.watermark_ms is None
    assert detect(crisis().cut(300), runs)[0] == detect(crisis().cut(300))[0]


def test_changes_hold_no_more_than_what_changed() -> None:
    runs, store = stage(), Store()
    detect(usual(0, 20.0, 30, seed=1).cut(100), runs)
    store.save(runs)
    full = sum(len(v or b"") for v in store.pieces.values())
    again = dict(runs.changes())
    assert sum(len(v or b"") for v in again.values()) < full / 20
    assert {k: v for k, v in again.items() if store.pieces.get(k) != v} == {}


def test_a_stage_that_is_stored_seldom_stores_the_same() -> None:
    events = delayed(merged(crisis(), usual(2, 3.0, 24 * 5, seed=9)), seed=4)
    often, seldom = Store(), Store()
    runs = stage()
    for batch in events.cut(60):
        runs.detect(batch)
        often.save(runs)
    _, rare = detect(events.cut(60))
    seldom.save(rare)  # keys and hours that were dropped meanwhile are not there either
    ends = events.take(slice(len(events) - 400, len(events)))
    shifted = Stream(
        ends.brand, ends.published_ms + 3 * HOUR_MS, ends.key, ends.label,
        ends.platform, ends.mention, ends.own,
    )  # fmt: skip
    one, first = detect(shifted.cut(50), often.load())
    two, second = detect(shifted.cut(50), seldom.load())
    assert one == two
    assert first.counters == second.counters
    assert _parts(often) == _parts(seldom)


def _parts(store: Store) -> set[str]:
    """Names of what is stored, without the numbers of evidence and key pieces."""
    return {
        k.rpartition("/")[0] if k.startswith(("evidence", "dedupe", "complaints")) else k
        for k in store.pieces
    }


def test_drops_come_before_the_pieces_that_outlive_them() -> None:
    changes = [("a/1", b"1"), ("a/", None), ("a/2", b"2"), ("b/1", b"3"), ("b/1", b"4")]
    assert settled(changes) == [("a/", None), ("a/2", b"2"), ("b/1", b"4")]


@pytest.mark.parametrize("brands", [1, 3])
def test_columns_stay_integers(brands: int) -> None:
    signals, _ = detect(usual(0, 20.0, 60, seed=12).cut(100), stage(BRANDS[:brands]))
    for signal in signals:
        msgspec.json.decode(msgspec.json.encode(signal), type=type(signal))


@pytest.mark.parametrize("brands", [BRANDS, BRANDS[::-1]])
def test_state_of_the_version_before_is_taken_up(brands: Sequence[Brand]) -> None:
    """Three dispersions in place of four, no peaks, no silence, nothing held back."""
    events = merged(*(usual(b, 20.0, 24 * 3, seed=b) for b in range(len(BRANDS))))
    runs, store = stage(BRANDS), Store()
    detect(events.cut(500), runs)
    store.save(runs)
    new = ("rarity_", "baseline_held", "baseline_feast", "baseline_moments", "held/")
    old = {
        name: blob
        for name, blob in store.pieces.items()
        if not name.partition("/")[2].startswith(new) and "source_silent" not in name
    }
    for kind in ("volume", "negative_count"):
        old[f"detector_{kind}/baseline_spread"] = np.ones((2, 3, len(BRANDS))).tobytes()
    taken = stage(brands)
    taken.restore(old)
    again = usual(0, 20.0, 6, seed=9, start_ms=START_MS + 3 * 24 * HOUR_MS)
    detect(again.cut(100), taken)
    assert taken._volume.baseline.hours.min() > 60
