"""What every detector must hold: the shared checks, over all that ``create_detectors`` makes.

A detector runs inside the stage, as in production; its signals are those of its kind.  A new
detector is covered as soon as it is registered: if ``test_it_finds_the_crisis`` fails for it, add
to ``crisis`` in tests/observing.py what it is to find.  What holds for whatever learns and tells
is asked of the detectors of other protocols, too (tests/protocols.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from models.detectors import create_detectors
from models.records import (
    SOURCE_SILENT,
    SURPRISE_LINES,
    Author,
    Brand,
    Int64,
    Mention,
    Signal,
)
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
    singles,
    stage,
    stream,
    usual,
)
from tests.protocols import (
    FIRST_MS,
    SECOND_MS,
    SERIES,
    STAGE,
    World,
    noted,
    state_bytes,
    swapped,
    world_of,
)

KINDS = tuple(detector.kind for detector in create_detectors(BRANDS))
ONE = BRANDS[:1]
each_kind = pytest.mark.parametrize("kind", KINDS)
each_in_the_stage = pytest.mark.parametrize("kind", [*KINDS, SOURCE_SILENT])
every_kind = pytest.mark.parametrize("kind", [*KINDS, SOURCE_SILENT, SERIES])


@cache
def found(world: World = STAGE) -> tuple[Signal, ...]:
    """Signals of what happens in a world, arriving with some disorder."""
    return tuple(detect(delayed(world.events(), seed=1).cut(500), world.make())[0])


@cache
def in_order(world: World = STAGE) -> tuple[Signal, ...]:
    """The same, arriving as it was published."""
    return tuple(detect(world.events().cut(400), world.make())[0])


def of(signals: list[Signal] | tuple[Signal, ...], kind: str, phase: str = "") -> list[Signal]:
    return [s for s in signals if s.kind == kind and (not phase or s.phase == phase)]


def sizes(seed: int, most: int) -> Callable[[], int]:
    rng = np.random.default_rng(seed)
    return lambda: int(rng.integers(1, most))


# finding --------------------------------------------------------------------------------------


@every_kind
def test_it_finds_the_crisis(kind: str) -> None:
    world = world_of(kind)
    fired = of(found(world), kind, "fired")
    assert {s.brand for s in fired} == {"acme", "bolt"}
    for signal in fired:
        begins = FIRST_MS if signal.brand == "acme" else SECOND_MS
        assert begins <= signal.at_ms < begins + (world.found_min + 15) * MINUTE_MS
        assert signal.window_start_ms < signal.at_ms


@each_kind
def test_a_finding_holds_together(kind: str) -> None:
    signals = of(found(), kind)
    assert len({s.id for s in signals}) == len(signals)
    for s in signals:
        assert s.window_end_ms - s.window_start_ms == s.window_min * MINUTE_MS
        assert s.window_start_ms < s.at_ms
        assert s.lower <= s.expected <= s.upper
        assert s.observed > s.upper
        assert 0 <= s.negative <= s.total
        assert (s.score >= 0.5) == (s.surprise >= SURPRISE_LINES["balanced"])
        assert (s.observed >= s.threshold) == (s.phase != "weak")
        assert sum(s.platforms.values()) == s.total
        assert s.evidence
        assert all(s.window_start_ms <= e.published_ms < s.window_end_ms for e in s.evidence)
        assert all(e.published_ms <= s.at_ms for e in s.evidence)


@every_kind
def test_quiet_traffic_fires_nothing(kind: str) -> None:
    # an alarm of a series has no other gate, and promises no more than once in two weeks of each
    fired = of(quiet(world_of(kind)), kind, "fired")
    assert len(fired) <= (QUIET_DAYS * len(BRANDS) / 14 if kind == SERIES else 0)


QUIET_DAYS = 10


@cache
def quiet(world: World) -> list[Signal]:
    rates = (8, 2, 0.5)
    days = merged(*(usual(b, rate, 24 * QUIET_DAYS, seed=3) for b, rate in enumerate(rates)))
    return detect(days.cut(5000), world.make())[0]


@every_kind
def test_a_cold_start_is_quiet(kind: str) -> None:
    bursts = (burst(0, START_MS + hour * HOUR_MS, 150, 20, seed=hour) for hour in (1, 5, 11))
    events = merged(usual(0, 12.0, 12, seed=5), *bursts)
    signals, _ = detect(events.cut(500), world_of(kind).make(ONE))
    assert not of(signals, kind)


@each_kind
@pytest.mark.parametrize("seed", range(5))
def test_it_is_useful_after_a_day(kind: str, seed: int) -> None:
    begins = START_MS + 30 * HOUR_MS
    fired = of(second_day(seed), kind, "fired")
    assert [s for s in fired if begins <= s.at_ms < begins + HOUR_MS]
    assert not [s for s in fired if s.at_ms < begins]


@cache
def second_day(seed: int) -> list[Signal]:
    """A day and a half, ten times the usual in one hour of it."""
    ten_times = burst(0, START_MS + 30 * HOUR_MS, 120, 50, seed=seed, negative=0.9)
    events = merged(usual(0, 12.0, 40, seed=seed), ten_times)
    return detect(events.cut(500), stage(ONE))[0]


# learning -------------------------------------------------------------------------------------


@every_kind
def test_it_scores_before_it_learns(kind: str) -> None:
    world = world_of(kind)
    runs = world.make()
    notes = noted(runs, kind)
    detect(delayed(world.events(), seed=2).cut(300), runs)
    learned: list[int] = []
    looked: set[int] = set()
    for word, hour in notes:
        if word == "learns":
            assert hour in looked  # no hour is learned that was not seen
            learned.append(hour)
        else:
            assert not learned or hour > learned[-1]
            looked.add(hour)
    assert learned == sorted(set(learned))
    assert len(learned) >= 90


@each_kind
def test_a_crisis_does_not_become_normal(kind: str) -> None:
    with_crisis, without = (of(eight_days(c), kind, "fired") for c in (True, False))
    assert len(with_crisis) == 2
    assert len(without) == 1
    assert with_crisis[1].expected == pytest.approx(without[0].expected, rel=0.25)
    assert abs(with_crisis[1].at_ms - without[0].at_ms) < 20 * MINUTE_MS


@cache
def eight_days(crisis_of_hours: bool) -> list[Signal]:
    """A crisis on the eighth day, and perhaps one of six hours two days before."""
    days = usual(0, 12.0, 24 * 8, seed=6)
    again = burst(0, START_MS + 7 * DAY_MS + 9 * HOUR_MS, 150, 60, seed=7, negative=0.7)
    if crisis_of_hours:
        begins = START_MS + 5 * DAY_MS + 8 * HOUR_MS
        again = again.join(burst(0, begins, 12 * 30, 6 * 60, seed=6, negative=0.7))
    return detect(merged(days, again).cut(800), stage(ONE))[0]


@every_kind
@pytest.mark.parametrize("later_min", [-45, 0, 20])
def test_the_future_changes_nothing(kind: str, later_min: int) -> None:
    world = world_of(kind)
    now_ms = FIRST_MS + (world.found_min + later_min) * MINUTE_MS
    expected = [s for s in of(found(world), kind) if s.at_ms < now_ms]
    other = [s for s in of(another_future(world, now_ms), kind) if s.at_ms < now_ms]
    assert other == expected
    if later_min >= 0:
        assert expected


@cache
def another_future(world: World, now_ms: int) -> list[Signal]:
    """The crisis up to a moment, then something else, in the very batch that ends the past."""
    events = delayed(world.events(), seed=1)
    past = events.take(np.maximum.accumulate(events.published_ms) < now_ms)
    return detect(past.join(burst(0, now_ms, 400, 90, seed=9)).cut(10_000), world.make())[0]


# faults ---------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize(
    "size", [singles(), 37, sizes(4, 300), 1_000_000], ids=["1", "37", "any", "all"]
)
def test_batches_change_nothing(kind: str, size: int | Callable[[], int]) -> None:
    world = world_of(kind)
    assert tuple(of(cut_into(world, size), kind)) == tuple(of(found(world), kind))


@cache
def cut_into(world: World, size: int | Callable[[], int]) -> tuple[Signal, ...]:
    return tuple(detect(delayed(world.events(), seed=1).cut(size), world.make())[0])


@every_kind
def test_a_detector_resumes_anywhere(kind: str) -> None:
    rng = np.random.default_rng(5)
    world = world_of(kind)
    runs, signals = world.make(), []
    for batch in delayed(world.events(), seed=1).cut(sizes(6, 60)):
        signals += runs.detect(batch)
        if rng.random() < 0.3:
            swapped(runs, kind)
    assert tuple(signals) == found(world)


@cache
def resumed(world: World, seed: int) -> tuple[Signal, ...]:
    """What happens, through a store, with a new stage now and then."""
    rng = np.random.default_rng(seed)
    runs, store, signals = world.make(), Store(), []
    for batch in delayed(world.events(), seed=1).cut(sizes(seed, 240)):
        signals += runs.detect(batch)
        if rng.random() < 0.5:
            store.save(runs)
            if rng.random() < 0.5:
                runs = world.make()
                runs.restore(dict(store.pieces))
    return tuple(signals)


@every_kind
@pytest.mark.parametrize("seed", [1, 2])
def test_the_stage_resumes_anywhere(kind: str, seed: int) -> None:
    world = world_of(kind)
    assert of(resumed(world, seed), kind) == of(found(world), kind)


@cache
def repeated(world: World) -> tuple[Signal, ...]:
    """What happens, each mention sent one to three times, the repeats up to a day later."""
    events = delayed(world.events(), seed=1)
    rng = np.random.default_rng(8)
    times = rng.integers(0, 3, len(events))
    again = np.repeat(np.arange(len(events)), times)
    moment = np.maximum.accumulate(events.published_ms)
    later = moment[again] + rng.integers(0, DAY_MS - 2 * HOUR_MS, len(again))
    later[: len(again) // 2] = moment[again[: len(again) // 2]]  # half of them at once
    rows = np.concatenate((np.arange(len(events)), again))
    order = np.argsort(np.concatenate((moment, later)), kind="stable")
    return tuple(detect(events.take(rows[order]).cut(400), world.make())[0])


@every_kind
def test_repeats_change_nothing(kind: str) -> None:
    world = world_of(kind)
    assert of(repeated(world), kind) == of(found(world), kind)


@each_in_the_stage
def test_repeats_of_a_mention_with_a_new_time_count_once(kind: str) -> None:
    world = world_of(kind)
    signals, duplicates, sent_again = edited(world)
    assert duplicates == sent_again
    once = of(in_order(world), kind, "fired")
    assert [s.brand for s in of(signals, kind, "fired")] == [s.brand for s in once]


@cache
def edited(world: World) -> tuple[list[Signal], int, int]:
    """Every other mention sent again with a later time: signals, duplicates, sent."""
    again = world.events().take(np.arange(0, len(world.events()), 2))
    again.published_ms[:] += 90_000
    signals, runs = detect(merged(world.events(), again).cut(400), world.make())
    return signals, runs.counters.duplicates, len(again)


@every_kind
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_order_changes_when_but_not_whether(kind: str, seed: int) -> None:
    world = world_of(kind)
    late_ones = of(jittered(world, seed), kind, "fired")
    sooner_ones = of(in_order(world), kind, "fired")
    assert [s.brand for s in late_ones] == [s.brand for s in sooner_ones]
    for late, sooner in zip(late_ones, sooner_ones):
        assert abs(late.at_ms - sooner.at_ms) <= world.order_min * MINUTE_MS


@cache
def jittered(world: World, seed: int) -> list[Signal]:
    return detect(delayed(world.events(), seed, share=1.0).cut(600), world.make())[0]


# places ---------------------------------------------------------------------------------------


def rush_hours(days: int, seed: int) -> Int64:
    """Minutes of local time since the first day's midnight: busy from 9 to 11, else quiet."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson([60.0 if h % 24 in (9, 10) else 8.0 for h in range(24 * days)])
    at = np.repeat(np.arange(24 * days) * 60, counts) + rng.integers(0, 60, counts.sum())
    # at night, where one hour is left out or comes twice when clocks change, nothing is said
    return np.sort(at[(at // 60 % 24 < 1) | (at // 60 % 24 >= 4)])


def in_zone(zone: str, first_day: datetime, local_min: Int64) -> Int64:
    """Milliseconds since the epoch of minutes on a wall clock."""
    days, rest = np.divmod(local_min, 1440)
    midnight = np.datetime64(first_day.date().isoformat()) + days
    naive = midnight.astype("datetime64[m]") + rest
    return np.array(
        [m.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000 for m in naive.tolist()],
        dtype=np.int64,
    )


CRISIS_MIN = 15 * 1440 + 20 * 60


def local_story(seed: int) -> tuple[Int64, Int64]:
    """Minutes and labels: 16 days of rush hours and a crisis on the last, in the quiet time."""
    minutes = rush_hours(16, seed)
    rng = np.random.default_rng(seed + 1)
    extra = CRISIS_MIN + rng.integers(0, 40, 90)
    labels = np.concatenate(
        (rng.choice(3, len(minutes), p=[0.15, 0.55, 0.3]), np.zeros(len(extra), dtype=np.int64))
    )
    order = np.argsort(np.concatenate((minutes, extra)), kind="stable")
    return np.concatenate((minutes, extra))[order], labels[order]


@cache
def told_in(zone: str, first_day: datetime, configured: str = "") -> list[Signal]:
    minutes, labels = local_story(seed=21)
    events = stream(0, in_zone(zone, first_day, minutes), labels)
    brand = msgspec.structs.replace(BRANDS[0], timezone=configured or zone)
    return detect(events.cut(2000), stage([brand]))[0]


def local_times(signals: list[Signal], kind: str, zone: str, first_day: datetime) -> list[int]:
    """Local minutes since the first day at which a kind fired."""
    start = first_day.replace(tzinfo=ZoneInfo(zone)).replace(tzinfo=None)
    times = [
        datetime.fromtimestamp(s.at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for s in of(signals, kind, "fired")
    ]
    return [round((t - start).total_seconds() / 60) for t in times]


IN_MAY = datetime(2023, 5, 2)  # noqa: DTZ001  a day on the wall
# clocks change on the 13th day: back on 5 November, forward on 10 March
BACK, FORWARD = datetime(2023, 10, 24), datetime(2024, 2, 27)  # noqa: DTZ001


@each_kind
def test_zones_shift_findings_and_nothing_else(kind: str) -> None:
    zones = ("UTC", "Asia/Riyadh", "America/New_York")
    first, *others = ([_plain(s) for s in of(told_in(z, IN_MAY), kind)] for z in zones)
    assert first
    for other in others:
        assert other == first


def _plain(s: Signal) -> tuple[object, ...]:
    return s.phase, s.window_min, s.observed, s.expected, s.surprise, s.threshold, s.at_ms % HOUR_MS


@each_kind
@pytest.mark.parametrize("first_day", [BACK, FORWARD], ids=["back", "forward"])
def test_a_change_of_clocks_is_no_news(kind: str, first_day: datetime) -> None:
    expected = local_times(told_in("UTC", IN_MAY), kind, "UTC", IN_MAY)
    zone = "America/New_York"
    got = local_times(told_in(zone, first_day), kind, zone, first_day)
    # chance may add one before it, in both alike
    assert len(got) == len(expected) <= 2
    assert got == pytest.approx(expected, abs=5)
    assert CRISIS_MIN <= got[-1] < CRISIS_MIN + 40


def test_a_wrong_time_zone_makes_a_change_of_clocks_news() -> None:
    zone = "America/New_York"
    wrong = told_in(zone, FORWARD, configured="UTC")
    assert len(of(wrong, "volume", "fired")) > 1


# bounds ---------------------------------------------------------------------------------------


def flood(count: int, hours: int) -> Stream:
    """Mentions of one brand, each with an author, platform, link, handle and text of its own."""
    rng = np.random.default_rng(count)
    times = np.sort(START_MS + rng.integers(0, hours * HOUR_MS, count))
    base = stream(0, times, rng.integers(0, 3, count))
    mentions = [
        Mention(
            id=f"m{i}",
            platform=f"platform-{i}",
            published_at=m.published_at,
            text=chr(0x627 + i % 40) * 20_000 + str(i),
            author=Author(id=f"u{i}", handle=f"h{i}", followers=i),
            url=f"https://evil{i}.example/{i}",
            links=(f"https://evil{i}.example/{i}",),
        )
        for i, m in enumerate(base.mention)
    ]
    platforms = [m.platform for m in mentions]
    # the reach grows from one mention to the next, and the keys fall: each wants to be kept
    keys = np.uint64(2**63) - np.arange(count, dtype=np.uint64)
    return Stream(base.brand, times, keys, base.label, platforms, mentions, base.own)


def stored_after(count: int) -> tuple[int, dict[str, int]]:
    runs, store = stage(ONE), Store()
    for batch in flood(count, hours=30).cut(250):
        runs.detect(batch)
        store.save(runs)
    return store.size(), state_bytes(runs)


def test_memory_is_bounded_whatever_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    (small, state), (large, state_large) = stored_after(12_000), stored_after(24_000)
    with capsys.disabled():
        print(f"\nstored for one flooded brand: {small:,} bytes after 12,000 mentions, "
              f"{large:,} after 24,000; detectors {state_large}")  # fmt: skip
    assert state == state_large
    assert set(state) == {*KINDS, SOURCE_SILENT}
    assert max(state.values()) < 14_000
    # posts and evidence samples fill up, then stop to grow
    assert large < 1.3 * small
    assert large < 4_000_000


def test_a_series_is_bounded_whatever_is_counted() -> None:
    for hours in (30, 120):
        assert flooded_series(3_000, hours) == flooded_series(12_000, hours)
    # after ten weeks nothing is left to fill up
    assert flooded_series(3_000, 70 * 24) < 40_000


def flooded_series(count: int, hours: int) -> int:
    """Bytes that a series holds after so many mentions."""
    runs = world_of(SERIES).make(ONE)
    detect(flood(count, hours).cut(5_000), runs)
    return state_bytes(runs)[SERIES]


# brands ---------------------------------------------------------------------------------------

NEW = Brand(id="new", names=("New",), timezone="Asia/Dubai")
LISTED = (*BRANDS, NEW)


@each_in_the_stage
@pytest.mark.parametrize(
    "order",
    [(2, 1, 0), (3, 0, 1, 2), (1, 3), (1, 3, 2), (1, 0, 3, 2)],
    ids=["moved", "one more", "two gone", "one gone", "both"],
)
def test_brands_keep_their_state(kind: str, order: tuple[int, ...]) -> None:
    got = of(moved(world_of(kind), order), kind)
    left = {LISTED[i].id for i in order}
    if left >= {b.id for b in BRANDS}:
        assert got == of(in_order(world_of(kind)), kind)
        return
    # ticks come with the mentions of all brands: without some, a finding may come a little later
    fired = [s.brand for s in of(got, kind, "fired")]
    if kind == SOURCE_SILENT and not left & {"acme", "calm"}:
        assert not fired  # when nobody speaks, no time passes but what the engine tells
        return
    assert fired == [
        s.brand for s in of(in_order(world_of(kind)), kind, "fired") if s.brand in left
    ]
    assert fired


@cache
def moved(world: World, order: tuple[int, ...]) -> list[Signal]:
    """Signals of the brands that are left when others come and go in the middle of the crisis."""
    events = world.events()
    middle = int(np.searchsorted(events.published_ms, FIRST_MS + 20 * MINUTE_MS))
    before, runs = detect(events.take(slice(0, middle)).cut(400))
    store = Store()
    store.save(runs)
    moved_to = np.array([order.index(b) if b in order else -1 for b in range(3)])
    rest = events.take(slice(middle, len(events)))
    rest = rest.take(moved_to[rest.brand] >= 0)
    rest.brand[:] = moved_to[rest.brand]
    after, _ = detect(rest.cut(400), store.load([LISTED[i] for i in order]))
    left = {LISTED[i].id for i in order}
    return [s for s in before + after if s.brand in left]


def test_what_moved_brands_store_is_whole() -> None:
    # at once after the move, before a day has overwritten what was stored of the old list
    events = crisis()
    middle = int(np.searchsorted(events.published_ms, FIRST_MS + 20 * MINUTE_MS))
    before, runs = detect(events.take(slice(0, middle)).cut(400))
    store = Store()
    for brands in (BRANDS, (NEW, *BRANDS), BRANDS[::-1], BRANDS):
        store.save(runs)
        runs = store.load(brands)
    after, _ = detect(events.take(slice(middle, len(events))).cut(400), runs)
    assert before + after == list(in_order())
