"""Workers on Kafka give what the embedded engine gives, whatever is killed meanwhile."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from streams.config.schema import KafkaSettings
from tests.integration.workers import (
    Truth,
    Worker,
    counted,
    published,
    send,
    set_up,
    truth,
    until,
    watermark,
)


def check(kafka: KafkaSettings, wanted: Truth) -> None:
    """Alerts, events and counts are those of the embedded engine."""
    until(lambda: watermark(kafka) >= wanted.last_ms)
    until(lambda: published(kafka)[0] == wanted.alerts, 20)
    alerts, events = published(kafka)
    assert alerts == wanted.alerts
    assert set(events.values()) == {1}, "one event, one content"
    assert {key.split("/")[0] for key in events} == set(wanted.alerts)
    until(lambda: counted(kafka, wanted) == wanted.counts, 20)


def test_three_workers_publish_the_same_alerts(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    assert wanted.alerts
    set_up(kafka)
    workers = [Worker(tmp_path, kafka) for _ in range(3)]
    try:
        send(kafka, wanted.file)
        check(kafka, wanted)
        began = time.monotonic()
        assert [w.stop() for w in workers] == [0, 0, 0]
        print("three workers ended in", round(time.monotonic() - began, 1), "s")
    finally:
        for worker in workers:
            if worker.process.poll() is None:
                worker.kill()


def chaos(kafka: KafkaSettings, wanted: Truth, *, blows: int, rate: float, seed: int) -> None:
    """Kill and add workers at random moments while the stream is produced."""
    draw = random.Random(seed)
    set_up(kafka)
    workers = [Worker(wanted.folder, kafka) for _ in range(2)]
    producer = threading.Thread(target=send, args=(kafka, wanted.file, rate))
    try:
        producer.start()
        for _ in range(blows):
            time.sleep(draw.uniform(1.0, 6.0))
            victim = draw.randrange(len(workers))
            workers[victim].kill()
            workers[victim] = Worker(wanted.folder, kafka)
        producer.join()
        check(kafka, wanted)
    finally:
        for worker in workers:
            worker.kill()
        producer.join()


def test_killing_workers_changes_nothing(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=10, days=4, rate=15)
    chaos(kafka, wanted, blows=3, rate=1200, seed=1)


@pytest.mark.soak
def test_fifteen_kills_in_200_thousand_mentions(kafka: KafkaSettings, tmp_path: Path) -> None:
    wanted = truth(tmp_path, brands=20, days=4, rate=100)
    assert wanted.mentions > 180_000
    chaos(kafka, wanted, blows=15, rate=3000, seed=2)
