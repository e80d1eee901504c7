"""Workers on Kafka give what the embedded engine gives, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin, client_settings
from streams.kafka.topics import group, names
from tests.integration.workers import (
    Truth,
    Worker,
    check,
    records,
    send,
    set_up,
    three_workers,
    through,
    truth,
    until,
)


def test_three_workers_publish_the_same_alerts(kafka: KafkaSettings, tmp_path: Path) -> None:
    three_workers(kafka, tmp_path)


def chaos(kafka: KafkaSettings, wanted: Truth, *, blows: int, rate: float, seed: int) -> None:
    """Kill and add workers at random moments while the stream is produced."""
    draw = random.Random(seed)

    def strike(workers: list[Worker]) -> None:
        for _ in range(blows):
            time.sleep(draw.uniform(1.0, 6.0))
            victim = draw.randrange(len(workers))
            workers[victim].kill()
            workers[victim] = Worker(wanted.folder, kafka)

    through(kafka, wanted, strike, rate)


def test_killing_workers_changes_nothing(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    chaos(kafka, wanted, blows=3, rate=1200, seed=1)


@pytest.mark.soak
def test_fifteen_kills_in_200_thousand_mentions(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=20, days=4, rate=100)
    assert wanted.mentions > 180_000
    chaos(kafka, wanted, blows=15, rate=3000, seed=2)


def test_poison_is_parked_and_the_stream_goes_on(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    set_up(kafka)
    called = names(kafka)
    large = ConfigResource(
        ConfigResourceType.TOPIC, called.mentions, configs={"max.message.bytes": str(12 << 20)}
    )
    with admin(kafka) as client:
        client.alter_configs([large])
    producer = KafkaProducer(**client_settings(kafka), acks="all", max_request_size=12 << 20)
    lines = wanted.file.read_bytes().splitlines()
    poison = [
        *([b"no JSON", b"\xff\xfe{}", b'{"id":"x"}', b"[1]", b"{" * 5000] * 30),
        b'{"id":"big","platform":"x","published_at":"2026-01-05T00:00:00Z","text":"'
        + b"a" * (10 << 20)
        + b'"}',
        None,
    ]
    draw = random.Random(4)
    where = {draw.randrange(len(lines)): value for value in poison}
    worker = Worker(tmp_path, kafka)
    try:
        for i, line in enumerate(lines):
            producer.send(called.mentions, line)
            if i in where:
                producer.send(called.mentions, where[i], key=b"k")
        for topic in (called.observations, called.signals):
            for value in (b"\x63future", b'{"schema":99}', b"", b"garbage"):
                producer.send(topic, value, partition=0)
        producer.flush()
        check(kafka, wanted)
        parked = Counter(json.loads(r.value)["reason"] for r in records(kafka, called.rejected))
        whole = Counter({"line_too_large": 1, "unknown_version": 4, "bad_record": 4})
        assert {k: parked[k] for k in whole} == whole
        assert sum(parked.values()) == len(where) + 8
        assert worker.stop() == 0
    finally:
        producer.close()
        if worker.process.poll() is None:
            worker.kill()


def test_a_stage_that_was_killed_comes_back_under_its_name(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    wanted = truth(tmp_path, brands=2, days=1, rate=15)
    set_up(kafka)
    worker = Worker(tmp_path, kafka)
    try:
        send(kafka, wanted.file)
        check(kafka, wanted)
        before = {stage: _members(kafka, stage) for stage in ("score", "detect", "alert")}
        for stage, ((member, name),) in before.items():
            os.kill(worker.stage(stage), signal.SIGKILL)
            until(lambda stage=stage, member=member: _other(_members(kafka, stage), member))  # type: ignore[misc]
            # nobody waited for the dead one, whose place it took
            assert [called for _, called in _members(kafka, stage)] == [name]
            assert name
        check(kafka, wanted)
        assert worker.stop() == 0
        # who ends in order leaves nothing for others to wait for
        assert not any(_members(kafka, stage) for stage in before)
    finally:
        if worker.process.poll() is None:
            worker.kill()


def _members(kafka: KafkaSettings, stage: str) -> list[tuple[str, str | None]]:
    """Id and name of each member of a stage's group."""
    with admin(kafka) as client:
        found = client.describe_groups([group(kafka, stage)])[group(kafka, stage)]
    return [(each["member_id"], each["group_instance_id"]) for each in found["members"]]


def _other(members: list[tuple[str, str | None]], than: str) -> bool:
    return bool(members) and than not in dict(members)
