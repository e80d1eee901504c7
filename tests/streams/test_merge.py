"""The same signals, however a stream is spread over partitions, workers and moments."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.records import Signal
from streams.kafka import KafkaEngineError
from streams.kafka.merge import Merge
from streams.kafka.packing import (
    Slice,
    UnknownVersion,
    marks_of,
    pack,
    partition_of,
    unpack,
)
from tests.observing import BRANDS, Stream, crisis, detect, stage

SOURCES, PARTITIONS, SETTLE_MS = 4, 2, 2_000
IDS = [b.id for b in BRANDS]
TO = np.array([partition_of(b, PARTITIONS) for b in IDS], dtype=np.int64)


class Part:
    """What a worker does with one partition of brands."""

    def __init__(self, number: int, most: int = 200_000) -> None:
        self.brands = [b for b, to in zip(BRANDS, TO.tolist()) if to == number]
        self.merge = Merge([b.id for b in self.brands], SOURCES, SETTLE_MS, most)
        self.stage = stage(self.brands)
        self.signals: list[Signal] = []
        self.offset = 0

    def take(self, value: bytes) -> None:
        """Go on by one record."""
        self.merge.add(self.offset, unpack(value))
        self.offset += 1
        if (released := self.merge.release()) is not None:
            self.signals += self.stage.detect(released)


def scored(events: Stream, source: int, scored_ms: int) -> Iterator[tuple[int, bytes]]:
    """Records of a micro-batch of one source."""
    observations = events.observations()
    slices = [Slice(source, int(events.published_ms.max()), None, marks_of(events.published_ms))]
    return pack(observations, IDS, TO, PARTITIONS, slices, scored_ms)


def spread(events: Stream, seed: int, largest: int) -> Iterator[tuple[int, bytes]]:
    """Records as several workers send them, who read at speeds of their own."""
    draw = random.Random(seed)
    of = np.random.default_rng(seed).integers(0, SOURCES, len(events))
    queues = [events.take(np.flatnonzero(of == source)) for source in range(SOURCES)]
    at = [0] * SOURCES
    now = 0
    while open_ := [s for s in range(SOURCES) if at[s] < len(queues[s])]:
        source = draw.choice(open_[:2])  # the others are far behind
        size = draw.randint(1, largest)
        batch = queues[source].take(slice(at[source], at[source] + size))
        at[source] += size
        now += draw.randint(0, 1000)
        yield from scored(batch, source, now)
    yield from empty(now + SETTLE_MS)


def empty(now_ms: int) -> Iterator[tuple[int, bytes]]:
    """Records that tell that every source was read to its end."""
    nothing = crisis().take(slice(0, 0)).observations()
    slices = [Slice(source, None, now_ms, []) for source in range(SOURCES)]
    return pack(nothing, IDS, TO, PARTITIONS, slices, now_ms)


def by_brand(signals: list[Signal]) -> dict[str, list[Signal]]:
    return {b.id: [s for s in signals if s.brand == b.id] for b in BRANDS}


@pytest.fixture(scope="module")
def whole() -> dict[str, list[Signal]]:
    signals, _ = detect(crisis().cut(4096))
    assert {s.brand for s in signals} >= {"acme", "bolt"}
    return by_brand(signals)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31), largest=st.sampled_from([8, 40, 700]))
def test_partitions_and_workers_change_nothing(
    whole: dict[str, list[Signal]], seed: int, largest: int
) -> None:
    parts = [Part(number) for number in range(PARTITIONS)]
    for number, value in spread(crisis(), seed, largest):
        parts[number].take(value)
    assert by_brand([s for p in parts for s in p.signals]) == whole
    assert all(len(p.merge) == 0 and p.merge.done == p.offset - 1 for p in parts)
    assert sum(p.stage.counters.counted for p in parts) == len(crisis())


def test_what_was_told_already_changes_nothing(whole: dict[str, list[Signal]]) -> None:
    """A worker died between sending and committing: another one sends the same once more."""
    draw = random.Random(5)
    parts = [Part(number) for number in range(PARTITIONS)]
    sent: list[tuple[int, bytes]] = []
    for number, value in spread(crisis(), 9, 200):
        parts[number].take(value)
        sent.append((number, value))
        if draw.random() < 0.02:
            for again, old in sent[-6:]:
                parts[again].take(old)
    assert by_brand([s for p in parts for s in p.signals]) == whole
    assert sum(p.stage.counters.duplicates for p in parts) > 50
    assert sum(p.stage.counters.counted for p in parts) == len(crisis())


def test_an_observation_waits_for_a_source_whose_reader_is_gone() -> None:
    part = Part(int(TO[0]))
    first = crisis().take(np.flatnonzero(crisis().brand == 0)[:50])
    for source in range(SOURCES - 1):
        for number, value in scored(first, source, 1000):
            if number == TO[0]:
                part.take(value)
    assert not part.signals
    assert part.stage.watermark_ms is None
    assert part.merge.done == -1


def test_a_source_that_was_seen_empty_is_not_waited_for() -> None:
    part = Part(int(TO[0]))
    events = crisis().take(np.flatnonzero(crisis().brand == 0)[:50])

    def tell(value: Iterator[tuple[int, bytes]]) -> None:
        for number, record in value:
            if number == TO[0]:
                part.take(record)

    tell(scored(events, 0, 1000))
    tell(empty(1000 + SETTLE_MS - 1))
    assert part.stage.counters.counted == 0
    tell(empty(1000 + SETTLE_MS))
    assert part.stage.counters.counted == 50


def test_what_is_held_is_bounded() -> None:
    part = Part(int(TO[0]), most=100)
    events = crisis().take(np.flatnonzero(crisis().brand == 0)[:1000])
    for i in range(0, 1000, 50):
        for number, value in scored(events.take(slice(i, i + 50)), 0, i):
            if number == TO[0]:
                part.take(value)
    assert len(part.merge) <= 250
    assert part.merge.forced > 500
    assert part.merge.done > 0


def test_records_are_cut_to_a_size() -> None:
    events = crisis().take(np.flatnonzero(crisis().brand == 0)[:800])
    long = [m.__class__(**{**{f: getattr(m, f) for f in m.__struct_fields__}, "url": "u" * 4000})
            for m in events.mention]  # fmt: skip
    events.mention[:] = long
    records = [value for number, value in scored(events, 1, 5) if number == TO[0]]
    assert len(records) > 4
    assert max(map(len, records)) < 640 << 10
    read = [unpack(value) for value in records]
    assert sum(len(r.rows) for r in read) == 800
    assert [bool(r.slices) for r in read] == [False] * (len(read) - 1) + [True]


def test_brands_that_are_watched_nowhere_are_counted() -> None:
    merge = Merge(["other"], SOURCES, SETTLE_MS)
    for number, value in scored(crisis().take(slice(0, 100)), 0, 5):
        merge.add(number, unpack(value))
    assert merge.unknown == 100


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (None, KafkaEngineError, "empty"),
        (b"", KafkaEngineError, "empty"),
        (b"\x07abc", UnknownVersion, "version 7"),
        (b"\x01abc", KafkaEngineError, "cannot be read"),
    ],
)
def test_records_that_cannot_be_read(
    value: bytes | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        unpack(value)


def test_columns_must_fit_together() -> None:
    good = next(v for n, v in scored(crisis().take(slice(0, 100)), 0, 5) if n == TO[0])
    body = msgspec.msgpack.decode(good[1:])
    body[2] = []  # names of brands
    with pytest.raises(KafkaEngineError, match="do not fit"):
        unpack(good[:1] + msgspec.msgpack.encode(body))
