"""Weeks of event time through a worker: its memory and what its changelog keeps stay bounded."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.cluster import cluster
from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin
from streams.kafka.topics import names
from tests.integration.workers import (
    Truth,
    Worker,
    published_ms,
    records,
    send,
    set_up,
    truth,
    until,
    watermark,
)


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


def parts(wanted: Truth) -> tuple[Path, Path]:
    """The mentions of the first three quarters of the time, and of the last."""
    lines = wanted.file.read_bytes().splitlines(keepends=True)
    times = [published_ms(line) for line in lines]
    cut = bisect_left(times, times[0] + (times[-1] - times[0]) * 3 // 4)
    files = wanted.folder / "first.jsonl", wanted.folder / "last.jsonl"
    files[0].write_bytes(b"".join(lines[:cut]))
    files[1].write_bytes(b"".join(lines[cut:]))
    return files


def weeks(tmp_path: Path, kafka: KafkaSettings, *, days: float, rate: float, pace: float) -> None:
    """So many days of 10 brands, ``rate`` mentions an hour each, ``pace`` days a second."""
    wanted = truth(tmp_path, brands=10, days=days, rate=rate)
    set_up(kafka)
    with admin(kafka) as client:  # what the broker compacts meanwhile, kept() cannot see
        lag = {"min.compaction.lag.ms": str(86_400_000)}
        topic = ConfigResource(ConfigResourceType.TOPIC, names(kafka).detect_state, configs=lag)
        client.alter_configs([topic])
    worker = Worker(tmp_path, kafka)
    memory = Memory(worker)
    first, last = parts(wanted)
    try:
        memory.start()
        send(kafka, first, rate=wanted.mentions / days * pace)  # so that memory is seen often
        # what came by then is told by event time: a slow machine writes fewer checkpoints
        until(lambda: watermark(kafka) >= published_ms(first.read_bytes().splitlines()[-1]))
        writes, seen = len(kept(kafka, journals=False)), len(memory.found)
        send(kafka, last, rate=wanted.mentions / days * pace)
        until(lambda: watermark(kafka) >= wanted.last_ms)
        resident = memory.end()
    finally:
        worker.kill()
    course, journals = kept(kafka, journals=False), kept(kafka, journals=True)
    before, after = max(course[:writes]), max(course[writes:])
    print("changelog keeps, bytes:", course[:: max(1, len(course) // 12)])
    print("at most in the first three quarters and in the last:", before, after)
    print("in journals at most, bytes:", max(journals))
    print("resident, kilobytes:", resident[:: max(1, len(resident) // 12)])
    # baselines and supporters take a week to fill; what never ceased to grow would be larger
    # by a third
    assert after <= 1.15 * before
    assert max(journals) <= max(course)
    assert max(resident[seen:]) <= 1.15 * max(resident[:seen])


def test_sixteen_days_leave_a_bounded_changelog(kafka: KafkaSettings, tmp_path: Path) -> None:
    weeks(tmp_path, kafka, days=16, rate=4, pace=1)


@pytest.mark.soak
def test_a_month_leaves_a_bounded_changelog(tmp_path: Path) -> None:
    with cluster(1) as running:
        kafka = KafkaSettings(bootstrap=tuple(running.bootstrap.split(",")), partitions=3)
        weeks(tmp_path, kafka, days=35, rate=20, pace=0.5)
        (partition,) = running.brokers[0].folder.glob("data/nadhir-detect-state-changelog-0")
        on_disk = sum(f.stat().st_size for f in partition.glob("*.log"))
        print("changelog of a partition on disk, bytes:", on_disk)
