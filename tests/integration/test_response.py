"""Alerts of a real topic are taken up by the API, once, also when it was away meanwhile."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaProducer

from alerts.records import Alert
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
