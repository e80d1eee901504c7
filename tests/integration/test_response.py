"""Alerts of a real topic are taken up by the API, once, also when it was away meanwhile."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer

from alerts.records import Alert
from alerts.service.publishing import AlertState
from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin, client_settings
from streams.kafka.topics import create, names, wanted_topics
from tests.alerts.responding import copies, first, later
from tests.integration.test_topics import variables
from tests.running import Running, eventually, write_config


@pytest.fixture
def topics(kafka: KafkaSettings) -> KafkaSettings:
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    return kafka


def publish(kafka: KafkaSettings, *some: Alert | None) -> None:
    producer = KafkaProducer(**client_settings(kafka), acks="all")
    for alert in some:
        value = None if alert is None else msgspec.json.encode(alert)
        producer.send(
            names(kafka).alerts, key=b"a" if alert is None else alert.id.encode(), value=value
        )
    producer.flush()
    producer.close()


def states(process: Running, headers: dict[str, str]) -> dict[str, tuple[str, int]]:
    found = process.http.get("/v1/alerts", headers=headers).json()["alerts"]
    return {alert["id"]: (alert["state"], alert["version"]) for alert in found}


def latest_states(kafka: KafkaSettings) -> dict[str, tuple[str, str | None]]:
    """State of each alert, and who acknowledged it, as a reader of the topic sees them."""
    consumer = KafkaConsumer(
        names(kafka).states,
        **client_settings(kafka),
        auto_offset_reset="earliest",
        consumer_timeout_ms=1_500,
    )
    found = [msgspec.json.decode(record.value, type=AlertState) for record in consumer]
    consumer.close()
    return {one.id: (one.state, one.acknowledged_by) for one in found}


def test_what_people_do_is_published(topics: KafkaSettings, tmp_path: Path) -> None:
    write_config(tmp_path)
    (other,) = copies(1)
    publish(topics, first(), other)
    with Running(tmp_path, "--kafka", command="api", env=variables(topics)) as process:
        secret = eventually(lambda: re.findall(r"^nadhir_[\w-]+$", "".join(process.log), re.M))[0]
        headers = {"authorization": f"Bearer {secret}"}
        eventually(lambda: len(states(process, headers)) == 2)
        answer = process.http.post(
            f"/v1/alerts/{first().id}/acknowledge", json={}, headers=headers | {"if-match": "*"}
        )
        assert answer.status_code == 200
        then = {first().id: ("acknowledged", "first-admin"), other.id: ("open", None)}
        eventually(lambda: latest_states(topics) == then)
        assert process.stop() == 0, "".join(process.log)


def test_alerts_of_the_topic_are_taken_once(topics: KafkaSettings, tmp_path: Path) -> None:
    write_config(tmp_path)
    one, two = copies(2)
    publish(topics, first(), one, None, first())
    env = variables(topics)
    with Running(tmp_path, "--kafka", command="api", env=env) as process:
        secret = eventually(lambda: re.findall(r"^nadhir_[\w-]+$", "".join(process.log), re.M))[0]
        headers = {"authorization": f"Bearer {secret}"}
        eventually(
            lambda: states(process, headers) == {first().id: ("open", 1), one.id: ("open", 1)}
        )
        assert process.stop() == 0, "".join(process.log)
    publish(topics, later(first(), "resolved"), two)
    with Running(tmp_path, "--kafka", command="api", env=env) as process:
        then = {first().id: ("resolved", 2), one.id: ("open", 1), two.id: ("open", 1)}
        eventually(lambda: states(process, headers) == then)
        brands = process.http.get("/v1/brands", headers=headers).json()["brands"]
        assert {brand["blind"] for brand in brands} == {None}, "nobody can tell here"
        assert process.stop() == 0, "".join(process.log)
