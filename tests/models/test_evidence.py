"""Evidence: what is kept does not depend on order, batches or restarts, and is bounded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from models.evidence import HOURLY_SAMPLE, HOURLY_TOP, SAMPLE, TOP, EvidenceStore
from models.kept import TEXT_CHARS
from models.records import Author, Evidence, Mention, Observations
from streams.detect_state import settled
from tests.observing import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Stream, merged, stream, usual

BRANDS = 3


def keep(batches: Iterable[Observations], into: EvidenceStore | None = None) -> EvidenceStore:
    into = EvidenceStore(BRANDS) if into is None else into
    for batch in batches:
        into.add(batch, np.arange(len(batch)))
    return into


def window(store: EvidenceStore, brand: int, start_ms: int, end_ms: int) -> list[Evidence]:
    sample = store.window(brand, start_ms, end_ms)
    return [sample.evidence(i) for i in range(len(sample))]


def held(store: EvidenceStore, last_ms: int = 10 * DAY_MS) -> list[list[Evidence]]:
    return [window(store, brand, 0, START_MS + last_ms) for brand in range(BRANDS)]


def busy(hours: int, seed: int = 1, rate: float = 300.0) -> Stream:
    return merged(
        usual(0, rate, hours, seed), usual(1, 5.0, hours, seed), usual(2, 0.5, hours, seed)
    )


def test_order_and_batches_change_nothing() -> None:
    events = busy(3)
    expected = held(keep([events.observations()]))
    rng = np.random.default_rng(1)
    for size in (1, 17, 400):
        shuffled = events.take(rng.permutation(len(events)))
        assert held(keep(shuffled.cut(size))) == expected
    assert all(expected)


def test_the_sample_is_the_first_by_key_and_the_widest() -> None:
    events = busy(1)
    inside = events.take((events.brand == 0) & (events.published_ms < START_MS + 10 * MINUTE_MS))
    rows = inside.observations()
    by_key = np.argsort(rows.key)[:SAMPLE]
    by_reach = np.lexsort((rows.key, -rows.reach))[:TOP]
    chosen = {rows.mention[i].id for i in {*by_key.tolist(), *by_reach.tolist()}}
    store = keep(events.cut(100))
    got = window(store, 0, START_MS, START_MS + 10 * MINUTE_MS)
    assert {e.id for e in got} == chosen
    assert [e.published_ms for e in got] == sorted(e.published_ms for e in got)


def test_a_window_holds_what_is_inside() -> None:
    events = stream(0, START_MS + np.arange(100) * MINUTE_MS, platform="x")
    store = keep(events.cut(10))
    got = window(store, 0, START_MS + 30 * MINUTE_MS, START_MS + 40 * MINUTE_MS)
    assert [e.published_ms for e in got] == [START_MS + m * MINUTE_MS for m in range(30, 40)]
    assert window(store, 1, 0, START_MS + DAY_MS) == []


def test_old_evidence_is_thinned_and_dropped() -> None:
    events = busy(30)
    store = EvidenceStore(BRANDS)
    for hour in range(30):
        inside = events.published_ms // HOUR_MS == START_MS // HOUR_MS + hour
        keep(events.take(inside).cut(500), store)
        store.thin(START_MS + (hour + 1) * HOUR_MS)
    end = START_MS + 30 * HOUR_MS
    assert len(window(store, 0, end - HOUR_MS, end)) > 6 * SAMPLE
    for hours_ago in (5, 20):
        old = window(store, 0, end - hours_ago * HOUR_MS, end - (hours_ago - 1) * HOUR_MS)
        assert HOURLY_SAMPLE <= len(old) <= HOURLY_SAMPLE + HOURLY_TOP
    assert window(store, 0, 0, end - 27 * HOUR_MS) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_restored_evidence_is_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events, pieces = busy(28, seed, rate=120.0), {}
    live, resumed = EvidenceStore(BRANDS), EvidenceStore(BRANDS)
    hour = START_MS // HOUR_MS
    for batch in events.cut(25):
        now = int(batch.published_ms[-1]) // HOUR_MS
        for store in (live, resumed):
            if now > hour:
                store.thin(now * HOUR_MS)
            keep([batch], store)
        hour = now
        if rng.random() < 0.1:
            for name, blob in settled(resumed.changes()):
                if blob is None:
                    pieces = {k: v for k, v in pieces.items() if not k.startswith(name)}
                else:
                    pieces[name] = blob
            resumed = EvidenceStore(BRANDS)
            resumed.restore(pieces)
            assert held(resumed) == held(live)
    assert held(resumed) == held(live)


def test_a_flood_of_ever_wider_mentions_is_bounded() -> None:
    count = 30_000
    events = stream(0, np.full(count, START_MS))
    rows = events.observations()
    rows.reach[:] = np.arange(count)
    rows.key[:] = np.arange(count, 0, -1)
    store = keep([rows])
    kept = window(store, 0, START_MS, START_MS + 1)
    assert len(kept) == SAMPLE  # the widest are also the first by key
    assert {e.reach for e in kept} == set(range(count - SAMPLE, count))
    pieces = store.changes()
    assert len(pieces) == 1
    assert len(pieces[0][1] or b"") < 20_000


def test_long_fields_are_cut() -> None:
    author = Author(id="1", bio="b" * 10_000, name="n")
    events = stream(0, [START_MS])
    mention = events.mention[0]
    events.mention[0] = Mention(
        id="1", platform="x", published_at=mention.published_at, text="ط" * 20_000,
        links=("https://x.example",) * 100, author=author,
    )  # fmt: skip
    store = keep(events.cut(1))
    (only,) = window(store, 0, 0, START_MS + 1)
    assert only.text == "ط" * TEXT_CHARS
    assert (only.author_id, only.name) == ("1", "n")
    assert sum(len(blob or b"") for _, blob in store.changes()) < 2_000
