"""`nadhir rejected --kafka` on a real broker: listed with place and reason, retried once."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaTimeoutError

from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka import rejected as kafka_rejected
from streams.kafka.connection import admin, client_settings
from streams.kafka.score import rejected_record
from streams.kafka.topics import create, describe, names, wanted_topics
from tests.integration.test_produce import received
from tests.integration.test_topics import eventually, variables
from tests.running import nadhir


def parked(kafka: KafkaSettings, reason: str, raw: bytes, *, at: int = 7) -> bytes:
    """A rejected mention, as stage score parks it."""
    return rejected_record(reason, "Why.", names(kafka).mentions, 2, at, raw)


def park(kafka: KafkaSettings, *records: bytes) -> None:
    producer = KafkaProducer(**client_settings(kafka))
    for i, record in enumerate(records):
        producer.send(names(kafka).rejected, value=record, partition=i % kafka.partitions)
    producer.flush()
    producer.close()


@pytest.fixture
def filled(kafka: KafkaSettings) -> KafkaSettings:
    """Topics with mentions of two reasons, an observation, and two records nobody can read."""
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    body = {"reason": "bad_record", "detail": "Why.", "partition": 0, "offset": 3}
    body |= {"topic": names(kafka).observations, "raw": b64encode(b"\0packed").decode()}
    park(
        kafka,
        parked(kafka, "bad_time", b"early one"),
        parked(kafka, "not_json", b"{\x1b[2J", at=8),
        parked(kafka, "not_utf8", b"\xff"),
        parked(kafka, "bad_time", b"early two"),
        json.dumps(body | {"schema": 1}).encode(),
        json.dumps(body | {"schema": 9, "raw": 1}).encode(),
        b"no record",
    )
    return kafka


class Command:
    """`nadhir rejected … --kafka` for some topics."""

    def __init__(self, kafka: KafkaSettings, folder: Path) -> None:
        self._env = variables(kafka)
        self._folder = folder

    def __call__(self, *arguments: str) -> CompletedProcess[bytes]:
        return nadhir("rejected", *arguments, "--kafka", cwd=self._folder, env=self._env)

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        done = self("list", *arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout.isascii(), "nothing in it steers a terminal"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def retried(self, *arguments: str) -> str:
        done = self("retry", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr.decode()


def test_they_are_listed_with_reason_place_and_raw(filled: KafkaSettings, tmp_path: Path) -> None:
    command = Command(filled, tmp_path)
    mentions, observations = names(filled).mentions, names(filled).observations
    rows = command.listed()
    assert sorted((r["reason"], r["topic"], r["raw"]) for r in rows) == [
        ("bad_record", observations, "\0packed"),
        ("bad_time", mentions, "early one"),
        ("bad_time", mentions, "early two"),
        ("not_json", mentions, "{\x1b[2J"),
        ("not_utf8", mentions, "\\xff"),
    ]
    (row,) = command.listed("--reason", "not_json")
    assert row == {
        "reason": "not_json", "detail": "Why.", "source": f"{mentions}/2", "position": "8",
        "topic": mentions, "partition": 2, "offset": 8, "retried": False, "raw": "{\x1b[2J",
    }  # fmt: skip
    raw = command("list", "--raw")
    assert sorted(raw.stdout.splitlines()) == [b"early one", b"early two", b"{\x1b[2J", b"\xff"]
    said = raw.stderr.decode()
    assert "its schema is 9, not 1" in said
    assert said.count("is skipped: ") == 2


def test_a_retry_sends_each_once(filled: KafkaSettings, tmp_path: Path) -> None:
    command = Command(filled, tmp_path)
    said = command.retried()
    assert "4 sent in again" in said
    assert f"1 of topic {names(filled).observations} are no mentions; they are sent nowhere" in said
    assert said.count("is skipped: ") == 2
    sent = [b"early one", b"early two", b"{\x1b[2J", b"\xff"]
    assert sorted(received(filled)) == sent
    assert command.retried().startswith("0 sent in again")
    assert {(r["topic"], r["retried"]) for r in command.listed()} == {
        (names(filled).mentions, True), (names(filled).observations, False),
    }  # fmt: skip
    park(filled, parked(filled, "bad_time", b"later"))
    assert command.retried().startswith("1 sent in again")
    assert sorted(received(filled)) == sorted([*sent, b"later"])


def test_a_retry_of_one_reason_leaves_the_others(filled: KafkaSettings, tmp_path: Path) -> None:
    command = Command(filled, tmp_path)
    assert "2 sent in again" in command.retried("--reason", "bad_time")
    assert command.retried("--reason", "bad_time").startswith("0 sent in again")
    assert {r["reason"]: r["retried"] for r in command.listed()} == {
        "bad_time": True, "not_json": False, "not_utf8": False, "bad_record": False,
    }  # fmt: skip
    assert "2 sent in again" in command.retried()
    assert sorted(received(filled)) == [b"early one", b"early two", b"{\x1b[2J", b"\xff"]
    assert command.retried("--reason", "not_json").startswith("0 sent in again")


def test_what_was_acknowledged_is_not_sent_again_after_a_failure(
    filled: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, calls = kafka_rejected._send, 0

    def fails_at_the_third(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KafkaTimeoutError("not acknowledged")
        send(*arguments)

    monkeypatch.setattr(kafka_rejected, "_PART_LINES", 1)
    monkeypatch.setattr(kafka_rejected, "_send", fails_at_the_third)
    said: list[str] = []
    with pytest.raises(KafkaEngineError, match="not acknowledged"):
        kafka_rejected.retry(filled, reason=None, tell=said.append)
    kafka_rejected.retry(filled, reason=None, tell=said.append)
    assert sorted(received(filled)) == [b"early one", b"early two", b"{\x1b[2J", b"\xff"]


def test_a_store_and_kafka_are_not_both_meant(tmp_path: Path) -> None:
    (tmp_path / "nadhir.db").touch()
    for action in ("list", "retry"):
        done = nadhir("rejected", action, "--kafka", "--store", "nadhir.db", cwd=tmp_path)
        assert done.returncode == 2
        assert b"name one" in done.stderr


def test_what_the_topic_does_not_take_is_told(filled: KafkaSettings, tmp_path: Path) -> None:
    command = Command(filled, tmp_path)
    park(filled, parked(filled, "bad_time", b"x" * 200_000))
    topic = names(filled).mentions
    with admin(filled) as client:
        limit = {"max.message.bytes": "100000"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=limit)])
        eventually(
            lambda: describe(client, wanted_topics(filled))[topic].settings["max.message.bytes"],
            "100000",
        )
    done = command("retry")
    assert done.returncode == 1
    assert b"4 sent in again" in done.stderr
    assert b"1 are larger than the topic of mentions takes" in done.stderr
    assert len(received(filled)) == 4


def test_without_the_topics_it_says_so(kafka: KafkaSettings, tmp_path: Path) -> None:
    for action in ("list", "retry"):
        done = Command(kafka, tmp_path)(action)
        assert done.returncode == 1
        assert b"nadhir topics create" in done.stderr
