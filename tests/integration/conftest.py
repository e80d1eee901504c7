"""A real Kafka for the tests of this folder; NADHIR_TEST_KAFKA=host:port uses one that runs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from deploy.kafka.cluster import cluster
from streams.config.schema import KafkaSettings


@pytest.fixture(scope="session")
def bootstrap() -> Iterator[str]:
    """Address of a broker; started once for each process of the test run."""
    running = os.environ.get("NADHIR_TEST_KAFKA")
    if running:
        yield running
        return
    with cluster() as started:
        yield started.bootstrap


@pytest.fixture
def kafka(bootstrap: str) -> KafkaSettings:
    """Settings with topics of the test's own."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    return KafkaSettings(bootstrap=tuple(bootstrap.split(",")), prefix=prefix, partitions=3)
