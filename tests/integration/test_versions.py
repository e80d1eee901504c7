"""The last Apache Kafka before 4 does as well as the one that the other tests run on."""

from __future__ import annotations

from pathlib import Path

from deploy.kafka.cluster import VERSIONS, cluster
from streams.config.schema import KafkaSettings
from tests.integration.workers import three_workers


def test_three_workers_publish_the_same_alerts_on_3_9(tmp_path: Path) -> None:
    jars = VERSIONS["3.9"]
    assert list(jars.glob("kafka_*-3.9.*.jar"))
    with cluster(1, jars) as running:
        three_workers(KafkaSettings(bootstrap=(running.bootstrap,), partitions=3), tmp_path)
