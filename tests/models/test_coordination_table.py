"""What a window keeps of shared things, and what is computed of all of them at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from math import log10

import numpy as np
import pytest
from scipy import stats

from models.coordination import shared_runs
from models.coordination.ages import Ages
from models.coordination.chance import rarer
from models.coordination.copies import Copies
from models.coordination.pace import Pace
from models.coordination.shared_runs import validated
from models.coordination.sharing import Sharing
from models.coordination.table import HOUR_MS, Table
from models.coordination.text import Text, alike
from models.coordination.trace import FIRST_MS, MOST_ACCOUNTS, TIMES, WIDTH, Quote, Trace
from models.coordination.traces import BANDS, words_of
from models.coordination.window import DAY_MS, TraceWindow
from models.records import Author, Float32, Float64, Int64, Mention

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def shared(kind: str, at_ms: dict[int, int]) -> Trace:
    trace = Trace(kind, hash((kind, *at_ms)), "", min(at_ms.values()), max(at_ms.values()))
    for account, ms in at_ms.items():
        trace.join(Quote(f"{account}", account, ms, "", repost=kind == "repost"))
    return trace


def table_of(traces: list[Trace]) -> Table:
    """All that accounts did with some traces."""
    return Table.of_entries(
        [(t, np.argsort(t.rows[FIRST_MS::WIDTH], kind="stable")) for t in traces]
    )


def sharing_of(traces: list[Trace]) -> Sharing:
    sharing = Sharing()
    sharing.update(traces)
    return sharing


def window_of(*minutes: float, capacity: int = 100) -> TraceWindow:
    window = TraceWindow(capacity=capacity)
    mentions = [
        Mention(
            id=str(i), platform="x", published_at=BEGIN + timedelta(minutes=minute), text="",
            author=Author(id="a"),
        )
        for i, minute in enumerate(minutes)
    ]  # fmt: skip
    assert len(list(window.add(mentions, words_of([m.text for m in mentions])))) == len(minutes)
    return window


def at(minute: float) -> int:
    return int(BEGIN.timestamp() * 1000 + minute * 60_000)


def test_what_was_published_is_counted_while_it_is_held() -> None:
    window = window_of(0, 5, 3, 9)
    assert window.published(at(0), at(5)) == 3
    assert window.published(at(6), at(8)) == 0
    assert window_of(0, 5, 3, 9, capacity=2).published(at(0), at(9)) == 2
    assert window_of(0, 5, 3 * 1440).published(at(0), at(3 * 1440)) == 1


def test_a_trace_forgets_who_did_nothing_since_and_keeps_the_others() -> None:
    trace = shared("link", {1: 0, 2: 10, 3: 20})
    trace.join(Quote("1b", 1, 30, "", repost=False))
    changes = trace.changes
    trace.forget(15)
    assert list(trace.joined) == [1, 3]
    assert trace.rows[trace.joined[1] + TIMES] == 2
    assert trace.changes == changes + 1
    trace.join(Quote("2b", 2, 40, "", repost=False))
    assert [trace.rows[at + TIMES] for at in trace.joined.values()] == [2, 1, 1]
    trace.forget(15)
    assert trace.changes == changes + 2  # by the mention alone
    trace.forget(100)
    assert not trace.joined


def test_more_accounts_than_a_trace_has_room_for_are_counted() -> None:
    trace = shared("link", {account: account for account in range(MOST_ACCOUNTS + 5)})
    assert (len(trace.joined), trace.missed) == (MOST_ACCOUNTS, 5)
    assert trace.mentions == MOST_ACCOUNTS + 5


def test_what_is_old_is_found_as_if_all_were_asked() -> None:
    rng, ages, held = np.random.default_rng(4), Ages(), dict[int, Trace]()
    found = 0
    for turn in range(3_000):
        now_ms = 20_000 * turn
        at_ms = now_ms - int(rng.integers(0, 3 * HOUR_MS))  # some come late
        number = int(rng.integers(0, 300))
        trace = held.get(number)
        if trace is None:
            trace = held[number] = Trace("link", 1, "x", at_ms, at_ms, oldest_ms=at_ms)
            trace.number = turn
        trace.join(Quote(str(turn), int(rng.integers(0, 9)), at_ms, "", repost=False))
        ages.put(trace)
        if turn % 7 == 0:
            ages.remove(held.pop(number))
        if turn % 50 == 0:
            before_ms = now_ms - 2 * HOUR_MS
            older = [one for one in held.values() if one.oldest_ms < before_ms]
            assert ages.before(before_ms) == sorted(older, key=lambda one: one.number)
            for one in older:
                one.forget(before_ms)
                ages.put(one)
            found += len(older)
    assert found > 500
    for trace in held.values():
        ages.remove(trace)
    assert not ages.before(1 << 60)


def said(words: Int64, bits: Float64 | Float32, tells: float) -> Text:
    return Text(words.astype(np.uint32).tobytes(), bits.astype(np.float32).tobytes(), tells)


def test_pairs_of_texts_share_a_part_of_what_both_tell() -> None:
    def text(words: list[int], each: float) -> Text:
        return said(np.array(words), np.full(len(words), each), each * len(words))

    one, other, more = text([1, 2, 3, 4], 7.0), text([2, 3, 4, 5], 7.0), text([2, 3, 4, 9], 14.0)
    pairs = [(one, other), (other, more), (more, one), (one, text([7, 8, 9, 10], 7.0)), (one, one)]
    assert alike(pairs) == pytest.approx([21 / 35, 0.0, 0.0, 0.0, 1.0])
    assert alike([(more, text([2, 3, 4, 10], 14.0))]) == pytest.approx([42 / 70])
    assert alike([(text([1, 2], 9.0), text([1, 2], 9.0))]) == [0.0]  # too little in common


def test_a_pair_of_texts_is_compared_alone_as_among_others() -> None:
    """To the last digit, or how a stream is cut would tell."""
    rng = np.random.default_rng(2)
    usual = rng.uniform(2, 8, 24)

    def text() -> Text:
        words = rng.choice(24, rng.integers(4, 20), replace=False)
        bits = (usual[words] * rng.uniform(0.8, 1.0, len(words))).astype(np.float32)
        tells = np.bincount(np.zeros(len(words), np.int64), bits)
        return said(np.sort(words), bits, float(tells[0]))

    pairs = [(text(), text()) for _ in range(500)]
    shares = alike(pairs)
    assert shares == [one.alike(other) for one, other in pairs]
    assert 20 < np.count_nonzero(shares) < 480


def test_a_bound_says_of_chance_what_the_distribution_says() -> None:
    rng = np.random.default_rng(3)
    many, mean = rng.integers(1, 60, 3_000), 50 * rng.random(3_000) ** 2
    line = 10.0 ** -rng.uniform(1, 9, 3_000)
    told = [rarer(*one) for one in zip(many.tolist(), mean.tolist(), line.tolist())]
    assert told == (stats.poisson.sf(many - 1, mean) <= line).tolist()
    assert 300 < sum(told) < 2_700
    assert rarer(1, 0.0, 1e-9)


@pytest.mark.parametrize("begin", [0, 2**32 - 40])
def test_texts_find_the_latest_that_has_the_place_of_a_key(begin: int) -> None:
    """However they are cut, as if each were looked up and noted alone, past 32 bits too."""
    rng = np.random.default_rng(8)
    capacity, many = 6, 300
    keys = rng.integers(0, 1 << 62, (12, BANDS)).astype(np.uint64)
    bands = np.where(rng.random((many, BANDS)) < 0.5, keys[rng.integers(0, 12, many)], keys[0])
    bands[::17] = 0  # nothing in them tells more than others
    room = len(Copies(capacity)._places)

    def expected() -> list[list[int]]:
        there: dict[int, tuple[int, int]] = {}
        found = []
        for number, row in enumerate(bands.tolist(), begin + 1):
            own, met = set(), []
            for key in row:
                half, last = there.get(key % room, (0, 0))
                inside = key % room not in own and half == key >> 32
                met.append(last if inside and last >= number - capacity else 0)
                own.add(key % room)
            there |= {key % room: (key >> 32, number) for key in row}
            found.append(met)
        return found

    for cut in (1, 5):
        copies, found = Copies(capacity), []
        copies._last = copies._gone = begin
        for first in range(0, many, cut):
            rows = bands[first : first + cut]
            met = copies._met(rows.reshape(-1), copies._last + 1)
            found += met.reshape(rows.shape).tolist()
            copies._last += len(rows)
            copies._gone = max(begin, copies._last - capacity)
        alive = [
            [number if number > begin + i - capacity else 0 for number in row]
            for i, row in enumerate(found)
        ]
        assert alive == expected()


def test_places_in_a_day_count_what_came_late_and_not_what_came_too_late() -> None:
    rng = np.random.default_rng(6)
    pace, ten_ms, span_ms = Pace(DAY_MS), 600_000, DAY_MS
    counted = (np.arange(2_000) * 150_000 - rng.integers(0, 2 * span_ms, 2_000)).tolist()
    last = 0
    held = []
    for at_ms in counted:
        pace.count(at_ms)
        last = max(last, at_ms // ten_ms)
        held = [b for b in [*held, at_ms // ten_ms] if last - span_ms // ten_ms < b <= last]
    asked = [last * ten_ms - i * 7_654_321 for i in range(30)]
    expected = [
        sum(b < at // ten_ms for b in held) + held.count(at // ten_ms) * (at % ten_ms) / ten_ms
        for at in asked
    ]
    inside = [at // ten_ms > last - span_ms // ten_ms for at in asked]
    assert pace._places(asked) == [e if i else 0.0 for e, i in zip(expected, inside)]


def test_the_most_within_an_hour_is_that_of_each_thing() -> None:
    rng = np.random.default_rng(3)
    traces = [
        shared("link", dict(enumerate(rng.integers(0, 9 * HOUR_MS, size).tolist())))
        for size in (2, 40, 7)
    ]
    table = table_of(traces)
    times = [sorted(table.first_ms[table.of == thing].tolist()) for thing in range(3)]
    most = [max(sum(0 <= b - a <= HOUR_MS for a in t) for b in t) for t in times]
    assert table.densest().tolist() == most
    gaps = [b - a for t in times for a, b in pairwise(t)]
    assert sorted(table.gaps_ms().tolist()) == sorted(gaps)


def test_what_some_accounts_share_is_what_two_of_them_do() -> None:
    traces = [shared("link", {1: 0, 2: 1, 3: 2}), shared("link", {3: 0, 4: 1})]
    table = table_of(traces)
    own = table.shared(table.of_accounts({2, 3, 99}))
    assert own.traces == traces[:1]
    assert (own.sizes.tolist(), own.whole.tolist()) == ([2], [3])
    assert own.posts().tolist() == [2]


@pytest.mark.parametrize("most", [0, 1_000_000])
def test_pairs_share_more_than_the_line_and_no_others_do(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Against every pair counted one by one, whichever way the product is computed."""
    monkeypatch.setattr(shared_runs, "_MOST_CELLS", most)
    rng = np.random.default_rng(8)
    active, minute = 3000, 60_000
    things = [
        {int(a): HOUR_MS * i for a in rng.choice(40, rng.integers(2, 12), replace=False)}
        for i in range(60)
    ]
    pairs, proven = validated(sharing_of([shared("link", t) for t in things]), active)
    line = log10(active * active / 2) + 1
    told = {
        pair: sum(log10(active / len(t)) for t in things if pair[0] in t and pair[1] in t)
        for pair in combinations(range(40), 2)
    }
    expected = {pair for pair, bits in told.items() if bits >= line}
    assert set(pairs) == expected
    assert 0 < len(expected) < 700
    assert 0 < len(proven) <= len(things)
    apart = [{a: at + 20 * minute * a for a, at in t.items()} for t in things]
    assert validated(sharing_of([shared("link", t) for t in apart]), active)[0] == []


@pytest.mark.parametrize("kind", ["text", "repost", "tag"])
def test_what_is_kept_from_look_to_look_is_what_one_look_at_the_end_sees(kind: str) -> None:
    """Traces grow, out of order too, forget and end between looks."""
    rng = np.random.default_rng(6)
    traces = [shared(kind, {0: 0, 1: HOUR_MS}) for _ in range(12)]
    sharing = sharing_of(traces)
    for look in range(40):
        touched = [traces[i] for i in rng.choice(12, 5, replace=False)]
        for trace in touched:
            at_ms = HOUR_MS * look // 4 - int(rng.integers(0, HOUR_MS))
            who, repost = int(rng.integers(30)), kind == "repost" or rng.random() < 0.4
            trace.join(Quote(f"{look}", who, at_ms, "", repost=bool(repost)))
            trace.forget(at_ms - 3 * HOUR_MS)
        touched[0].held = look % 9 != 8
        sharing.update(touched)
        fresh = sharing_of([t for t in traces if t.held])
        assert seen(sharing) == seen(fresh)
        traces = [t if t.held else shared(kind, {0: 0, 1: 1}) for t in traces]
        sharing.update(traces)


def seen(sharing: Sharing) -> list[object]:
    """What a `Sharing` holds, in any order."""
    runs = {
        account: sorted((id(r.trace), r.accounts, r.entries) for r in sharing.runs_of(account))
        for account in range(30)
    }
    some = (sharing.copied, sharing.tags, sharing.amplified)
    return [runs, sharing.often, *(set(map(id, traces)) for traces in some)]
