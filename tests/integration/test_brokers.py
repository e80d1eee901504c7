"""Brokers that end and come back while workers work."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from deploy.kafka.cluster import VERSIONS, Cluster, cluster
from streams.config.schema import KafkaSettings
from tests.integration.workers import Worker, check, send, set_up, through, truth, until, watermark

newest = max(VERSIONS)
older = [pytest.param(v, marks=pytest.mark.soak) for v in sorted(VERSIONS) if v != newest]
either = pytest.mark.parametrize("version", [newest, *older])


def settings(running: Cluster, *, replication: int = 1) -> KafkaSettings:
    bootstrap = tuple(running.bootstrap.split(","))
    return KafkaSettings(bootstrap=bootstrap, partitions=3, replication=replication)


def restart(running: Cluster) -> None:
    """End the only broker in order, and start it again."""
    broker = running.brokers[0]
    broker.stop()
    broker.start()
    broker.wait()


@either
def test_a_cluster_goes_on_without_one_of_its_brokers(tmp_path: Path, version: str) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    with cluster(3, VERSIONS[version]) as running:

        def kill_one(_: list[Worker]) -> None:
            time.sleep(8.0)
            running.brokers[1].kill()

        through(settings(running, replication=3), wanted, kill_one, rate=1000)


@either
def test_a_broker_is_restarted(tmp_path: Path, version: str) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    with cluster(1, VERSIONS[version]) as running:
        kafka = settings(running)

        def when_at_work(_: list[Worker]) -> None:
            until(lambda: watermark(kafka) > 0)
            restart(running)

        through(kafka, wanted, when_at_work, rate=500)


def test_a_broker_is_restarted_while_workers_start(tmp_path: Path) -> None:
    """It answers without some of the topics for a while, and workers join a group meanwhile."""
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    with cluster(1) as running:
        kafka = settings(running)
        set_up(kafka)
        workers = [Worker(tmp_path, kafka) for _ in range(2)]
        try:
            time.sleep(4.0)
            restart(running)
            send(kafka, wanted.file)
            check(kafka, wanted)
        finally:
            for worker in workers:
                worker.kill()


@pytest.mark.soak
@either
def test_chaos(tmp_path: Path, version: str) -> None:
    """15 kills, a storm of rebalances and two restarts of the broker in 200 thousand mentions."""
    wanted = truth(tmp_path, brands=20, days=4, rate=96)
    assert wanted.mentions >= 200_000
    draw = random.Random(6)
    with cluster(1, VERSIONS[version]) as running:
        kafka = settings(running)

        def trouble(workers: list[Worker]) -> None:
            workers.append(Worker(wanted.folder, kafka))
            for blow in range(15):
                time.sleep(draw.uniform(1.0, 6.0))
                victim = draw.randrange(len(workers))
                workers[victim].kill()
                workers[victim] = Worker(wanted.folder, kafka)
                if blow in (4, 9):
                    restart(running)
            for _ in range(4):
                guests = [Worker(wanted.folder, kafka) for _ in range(2)]
                time.sleep(draw.uniform(1.0, 4.0))
                for guest in guests:
                    guest.stop()

        through(kafka, wanted, trouble, rate=2000)
