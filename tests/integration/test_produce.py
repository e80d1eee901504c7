"""Producing to a real broker: every line arrives once, as it is; what is refused is told."""

from __future__ import annotations

import gzip
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin, client_settings
from streams.kafka.produce import produce
from streams.kafka.topics import create, describe, wanted_topics
from streams.sources import open_source
from tests.integration.test_topics import eventually, variables
from tests.running import nadhir


def received(kafka: KafkaSettings) -> list[bytes]:
    """Everything in the topic of mentions."""
    topic = wanted_topics(kafka)[0].name
    consumer = KafkaConsumer(**client_settings(kafka), auto_offset_reset="earliest")
    try:
        parts = [TopicPartition(topic, p) for p in range(kafka.partitions)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        values: list[bytes] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=1000).values():
                values.extend(record.value for record in records)
        return values
    finally:
        consumer.close()


@pytest.fixture
def topics(kafka: KafkaSettings) -> KafkaSettings:
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    return kafka


def test_every_line_arrives_once_and_as_it_is(topics: KafkaSettings, tmp_path: Path) -> None:
    lines = [f'{{"id":"{i}","text":"{"ط" * (i % 50)}"}}'.encode() for i in range(5000)]
    lines += [b"no JSON", b"\xff\xfe", b"{}"]
    file = tmp_path / "m.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    with closing(open_source(str(file))) as source:
        done = produce(source, topics)
    assert (done.lines, done.delivered, done.failed) == (5003, 5003, 0)
    assert Counter(received(topics)) == Counter(lines)


def test_a_line_that_is_too_large_is_told_and_the_rest_arrives(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    file = tmp_path / "m.jsonl"
    file.write_bytes(b"one\n" + b"x" * 500_000 + b"\nthree\n")
    with admin(topics) as client:
        name = wanted_topics(topics)[0].name
        limit = {"max.message.bytes": "100000"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=limit)])
        eventually(
            lambda: describe(client, wanted_topics(topics))[name].settings["max.message.bytes"],
            "100000",
        )
    done = nadhir("produce", str(file), cwd=tmp_path, env=variables(topics))
    assert done.returncode == 1
    assert b"line 2: MessageSizeTooLarge" in done.stderr
    assert b"2 of 3 lines delivered" in done.stderr
    assert sorted(received(topics)) == [b"one", b"three"]


def test_the_command_reads_standard_input(topics: KafkaSettings, tmp_path: Path) -> None:
    done = nadhir(
        "produce", "-", "--rate", "500", cwd=tmp_path, env=variables(topics), stdin=b"a\nb\n"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(received(topics)) == [b"a", b"b"]


def test_without_the_topic_nothing_is_sent(kafka: KafkaSettings, tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    file.write_bytes(b"one\n")
    with closing(open_source(str(file))) as source:
        with pytest.raises(KafkaEngineError, match="nadhir topics create"):
            produce(source, kafka)
        assert source.consumed_bytes == 0
