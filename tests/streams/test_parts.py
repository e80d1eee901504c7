"""The stateful stages on one partition: what they take, send and store, and old records."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from alerts.cases import Case
from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.records import Alert
from alerts.texts import load_phrases
from models.records import Signal
from streams.kafka import KafkaEngineError
from streams.kafka.merge import Merge
from streams.kafka.packing import UnknownVersion, unpack
from streams.kafka.parts import AlertPart, DetectPart, Outgoing, SignalRecord, read_signal
from tests.observing import BRANDS, HOUR_MS, START_MS, Store, crisis, detect, stage
from tests.streams.test_merge import IDS, SETTLE_MS, SOURCES, TO, empty, scored

RECORDS = Path(__file__).parents[1] / "fixtures" / "records-v1.jsonl"
NOW_MS = 1_800_000_000_000


def old_records(topic: str) -> Iterator[bytes]:
    """Records of version 1, as the first release wrote them."""
    for line in RECORDS.read_text().splitlines():
        record = json.loads(line)
        if record["topic"] == topic:
            yield b64decode(record["value"])


def test_observations_of_version_1_are_read() -> None:
    read = [unpack(value) for value in old_records("observations")]
    assert sum(len(r.rows) for r in read) == 40
    assert {b for r in read for b in r.brands} <= {"acme", "bolt", "calm"}
    merge = Merge(IDS, SOURCES, SETTLE_MS)
    for offset, record in enumerate(read):
        merge.add(offset, record)
    assert len(merge) > 40


def test_signals_of_version_1_are_read() -> None:
    first, second, mark = [read_signal(value) for value in old_records("signals")]
    assert first.signal is not None
    assert first.signal.brand in IDS
    assert second.signal is not None
    assert mark.watermark_ms == 5


@pytest.mark.parametrize("value", [None, b"", b"{}", b'{"schema":"1"}', b"\xff"])
def test_signals_that_cannot_be_read(value: bytes | None) -> None:
    with pytest.raises(KafkaEngineError):
        read_signal(value)


def test_a_later_version_is_told_from_rubbish() -> None:
    with pytest.raises(UnknownVersion, match="version 2"):
        read_signal(b'{"schema":2,"new":true}')


def alert_part() -> AlertPart:
    settings = AlertSettings(min_mentions=5)
    return AlertPart(AlertStage(BRANDS, settings, load_playbooks(None), load_phrases()), "alerts")


def signal_records() -> list[bytes]:
    signals, _ = detect(crisis().cut(4096))
    return [msgspec.json.encode(SignalRecord(schema=1, signal=s)) for s in signals]


def take(part: AlertPart, records: list[bytes]) -> list[Outgoing]:
    return [out for i, record in enumerate(records) for out in part.take(i, record, NOW_MS)]


def test_a_signal_that_comes_twice_counts_once() -> None:
    once, twice = alert_part(), alert_part()
    records = signal_records()
    events = take(once, records)
    assert events
    assert take(twice, [record for each in records for record in (each, each)]) == events


def test_an_alert_stage_goes_on_from_what_it_stored() -> None:
    records = signal_records()
    whole = take(alert_part(), records)
    for cut in range(0, len(records), max(1, len(records) // 7)):
        before, after = alert_part(), alert_part()
        events = take(before, records[:cut])
        changes, _ = before.checkpoint()
        after.restore({k: v for k, v in changes if v is not None})
        # what was not acknowledged comes again
        events += take(after, records[max(0, cut - 3) :])
        assert events == whole


def test_events_carry_a_key_by_which_they_count_once() -> None:
    end = msgspec.json.encode(SignalRecord(schema=1, watermark_ms=START_MS + 100 * HOUR_MS))
    part = alert_part()
    events = take(part, [*signal_records(), end])
    keys = [dict(e.headers)["idempotency-key"] for e in events]
    assert len(set(keys)) == len(keys)
    happened = [dict(e.headers)["event"] for e in events]
    assert happened[0] == b"opened"
    assert happened[-1] == b"resolved"
    assert {e.key for e in events} == {
        msgspec.json.decode(e.value, type=Alert).id.encode() for e in events
    }


def test_alerts_that_went_on_without_news_are_published_with_the_checkpoint() -> None:
    part = alert_part()
    latest: dict[bytes | None, bytes] = {}
    for offset, record in enumerate(signal_records()):
        for event in part.take(offset, record, NOW_MS):
            latest[event.key] = event.value
    changes, told = part.checkpoint()
    latest |= {event.key: event.value for event in told}
    stored = [msgspec.json.decode(v, type=Case).alert for k, v in changes if v and k != "ids"]
    assert stored
    assert [msgspec.json.decode(latest[a.id.encode()], type=Alert) for a in stored] == stored
    assert {dict(event.headers)["event"] for event in told} == {b"went_on"}
    assert part.checkpoint()[1] == []


def test_one_key_has_one_content_whenever_checkpoints_are_written() -> None:
    """Figures that rise in the same minute may be in one checkpoint, or in two."""
    contents: dict[bytes, set[bytes]] = {}
    records = signal_records()
    for every in (1, 2, 3, len(records)):
        part = alert_part()
        for offset, record in enumerate(records):
            events = part.take(offset, record, NOW_MS)
            if offset % every == every - 1:
                events += part.checkpoint()[1]
            for event in events:
                key = dict(event.headers)["idempotency-key"]
                contents.setdefault(key, set()).add(event.value)
    assert contents
    assert {len(each) for each in contents.values()} == {1}


def detect_part(partition: int) -> DetectPart:
    brands = [b for b, to in zip(BRANDS, TO.tolist()) if to == partition]
    merge = Merge([b.id for b in brands], SOURCES, SETTLE_MS)
    return DetectPart(stage(brands), merge, "signals", partition)


def test_a_detect_stage_goes_on_from_what_it_stored() -> None:
    partition = int(TO[0])
    pieces = [crisis().take(slice(i, i + 100)) for i in range(0, len(crisis()), 100)]
    values = [v for i, p in enumerate(pieces) for n, v in scored(p, i % SOURCES, i) if n == TO[0]]
    values += [v for n, v in empty(len(pieces) + SETTLE_MS) if n == TO[0]]

    def signals(outgoing: list[Outgoing]) -> list[Signal]:
        read = [read_signal(out.value).signal for out in outgoing]
        return [signal for signal in read if signal is not None]

    whole = detect_part(partition)
    wanted = [s for i, v in enumerate(values) for s in signals(whole.take(i, v, NOW_MS + 99 * i))]
    assert wanted
    part, store, found = detect_part(partition), Store(), {}
    for i, value in enumerate(values):
        found |= {s.id: s for s in signals(part.take(i, value, NOW_MS + 99 * i))}
        if i % 11 == 10:  # it ends, and another one reads again what was not done
            store.save(part.stage)
            done = part.done
            part = detect_part(partition)
            part.restore(dict(store.pieces))
            for again in range(done + 1, i + 1):
                found |= {
                    s.id: s
                    for s in signals(part.take(again, values[again], NOW_MS + 99 * i + again))
                }
    assert list(found.values()) == wanted
    assert part.done == len(values) - 1


def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    part = detect_part(0)
    with pytest.raises(KafkaEngineError):
        part.take(7, b"\x01rubbish", NOW_MS)
    assert part.done == 7


def test_event_time_follows_the_clock_when_nothing_comes() -> None:
    partition = int(TO[0])
    part = detect_part(partition)
    events = crisis().take(slice(0, 50))
    end = int(events.published_ms[-1])
    for source in range(SOURCES):
        for number, value in scored(events.take(slice(source, 50, SOURCES)), source, end):
            if number == partition:
                part.take(source, value, end)
    for i, later in enumerate(range(end, end + 120_000, 250)):
        for number, value in empty(later):
            if number == partition:
                part.take(10 + i, value, later)
    assert part.stage.watermark_ms is not None
    assert end + 60_000 <= part.stage.watermark_ms <= end + 90_000
