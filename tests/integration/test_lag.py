"""`nadhir lag` on a real broker: what the groups have not committed, by partition."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from kafka import TopicPartition

from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin
from streams.kafka.lag import measure
from streams.kafka.offsets import commit
from streams.kafka.produce import mentions_producer
from streams.kafka.topics import create, group, names, wanted_topics
from tests.integration.test_topics import variables
from tests.running import nadhir


def fill(kafka: KafkaSettings) -> None:
    """Three mentions in each of the three partitions; some of them committed as read."""
    topic = names(kafka).mentions
    with mentions_producer(kafka) as producer:
        for i in range(9):
            producer.send(topic, value=b"{}", partition=i % 3)
        producer.flush()
    with admin(kafka) as client:
        read = {TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 1}
        commit(client, group(kafka, "score"), read)


def test_lag_of_every_partition(kafka: KafkaSettings, tmp_path: Path) -> None:
    env = variables(kafka)
    missing = nadhir("lag", cwd=tmp_path, env=env)
    assert (missing.returncode, missing.stdout) == (1, b"")
    assert b"nadhir topics create" in missing.stderr

    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    fill(kafka)
    done = nadhir("lag", "--fail-above", "5", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    called = names(kafka)
    assert [(r["stage"], r["topic"], r["partition"]) for r in rows] == [
        (stage, topic, partition)
        for stage, topic in (
            ("score", called.mentions), ("detect", called.observations), ("alert", called.signals),
        )
        for partition in range(3)
    ]  # fmt: skip
    assert [(r["committed"], r["end"], r["lag"]) for r in rows[:4]] == [
        (3, 3, 0), (1, 3, 2), (None, 3, 3), (None, 0, 0),
    ]  # fmt: skip

    behind = nadhir("lag", "--fail-above", "4", cwd=tmp_path, env=env)
    assert (behind.returncode, behind.stdout) == (1, done.stdout)
    assert behind.stderr == b"Error: more than 4 records behind: score by 5\n"


def test_what_is_no_longer_kept_is_not_counted(kafka: KafkaSettings) -> None:
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
        fill(kafka)
        topic = names(kafka).mentions
        client.delete_records({TopicPartition(topic, p): 2 for p in range(3)})
    assert [row.lag for row in measure(kafka)[:3]] == [0, 1, 1]


def test_a_terminal_gets_a_table(kafka: KafkaSettings, tmp_path: Path) -> None:
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    fill(kafka)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", "lag"],
        cwd=tmp_path, env=variables(kafka) | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE, stderr=theirs, timeout=60,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 9
    assert "committed" in shown
    assert names(kafka).mentions in shown
