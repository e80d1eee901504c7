"""Weeks of event time through a worker: its memory and what its changelog keeps stay bounded."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.cluster import cluster
from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin
from streams.kafka.topics import names
from tests.integration.workers import Worker, records, send, set_up, truth, until, watermark


def kept(kafka: KafkaSettings, journals: bool) -> list[int]:
    """Bytes that compaction keeps of the changelog of detect, over its course.

    Journals apart: each is a copy of a checkpoint, which is as large as the clock made it.
    """
    live: dict[tuple[int, bytes], int] = {}
    course: list[int] = []
    whole = 0
    every = sorted(records(kafka, names(kafka).detect_state), key=lambda r: r.timestamp)
    for record in every:
        if (b"|journal" in record.key) is not journals:
            continue
        key = record.partition, record.key
        whole -= live.pop(key, 0)
        if record.value is not None:
            live[key] = len(record.key) + len(record.value)
            whole += live[key]
        course.append(whole)
    return course


class Memory(threading.Thread):
    """Resident kilobytes of the process of stage detect, now and then."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(daemon=True)
        self.found: list[int] = []
        self._group = worker.process.pid
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(1.0):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it has ended
                    mine = os.getpgid(int(process.name)) == self._group
                    if mine and b"nadhir-detect" in (process / "comm").read_bytes():
                        self.found.append(int((process / "statm").read_text().split()[1]) * 4)

    def end(self) -> list[int]:
        self._over.set()
        self.join()
        return self.found


def weeks(tmp_path: Path, kafka: KafkaSettings, *, days: float, rate: float) -> None:
    wanted = truth(tmp_path, brands=10, days=days, rate=rate)
    set_up(kafka)
    with admin(kafka) as client:  # what the broker compacts meanwhile, kept() cannot see
        lag = {"min.compaction.lag.ms": str(86_400_000)}
        topic = ConfigResource(ConfigResourceType.TOPIC, names(kafka).detect_state, configs=lag)
        client.alter_configs([topic])
    worker = Worker(tmp_path, kafka)
    memory = Memory(worker)
    try:
        memory.start()
        send(kafka, wanted.file, rate=wanted.mentions / days / 2)  # so that memory is seen often
        until(lambda: watermark(kafka) >= wanted.last_ms)
        resident = memory.end()
    finally:
        worker.kill()
    course, journals = kept(kafka, journals=False), kept(kafka, journals=True)
    print("changelog keeps, bytes:", course[:: max(1, len(course) // 12)])
    print("in journals at most, bytes:", max(journals))
    print("resident, kilobytes:", resident[:: max(1, len(resident) // 12)])
    last = len(course) * 3 // 4
    # a day's evidence and two generations of keys come and go, so that eight days are five of
    # growth and three of standing; what never ceased to grow would be a third larger at the end
    assert max(course[last:]) <= 1.15 * max(course[:last])
    assert max(journals) <= max(course)
    assert max(resident[-5:]) <= 1.15 * max(resident[len(resident) // 2 : -5])


def test_eight_days_leave_a_bounded_changelog(kafka: KafkaSettings, tmp_path: Path) -> None:
    weeks(tmp_path, kafka, days=8, rate=8)


@pytest.mark.soak
def test_a_month_leaves_a_bounded_changelog(tmp_path: Path) -> None:
    with cluster(1) as running:
        kafka = KafkaSettings(bootstrap=tuple(running.bootstrap.split(",")), partitions=3)
        weeks(tmp_path, kafka, days=35, rate=20)
        (partition,) = running.brokers[0].folder.glob("data/nadhir-detect-state-changelog-0")
        on_disk = sum(f.stat().st_size for f in partition.glob("*.log"))
        print("changelog of a partition on disk, bytes:", on_disk)
