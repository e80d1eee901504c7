"""Workers on a real broker: streams with known truth, processes to kill, results to compare."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from kafka import KafkaConsumer, TopicPartition

from alerts.records import Alert
from models.counts import CumulativeCounts
from models.records import Brand
from streams.config import load
from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin, client_settings
from streams.kafka.packing import partition_of
from streams.kafka.parts import read_signal
from streams.kafka.produce import produce
from streams.kafka.topics import create, names, wanted_topics
from streams.replay import replay
from streams.simulate import SimulationSpec, synthetic_brands, write
from streams.sources import open_source
from streams.store import Store

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Truth:
    """A stream in a file, and what the embedded engine makes of it."""

    folder: Path
    mentions: int
    last_ms: int
    alerts: dict[str, Alert]
    counts: Counter[tuple[str, int]]  # by brand and minute

    @property
    def file(self) -> Path:
        return self.folder / "mentions.jsonl"

    @property
    def brands(self) -> list[Brand]:
        return list(load(self.folder / "nadhir.yaml", {}).brand_records())


def truth(folder: Path, *, brands: int, days: float, rate: float, seed: int = 3) -> Truth:
    """A tenth of the brands in an outage, the others calm; times in the order of the file."""
    every = synthetic_brands(brands)
    tenth = max(1, brands // 10)
    specs = [
        SimulationSpec(scenario=name, seed=seed, brands=some, days=days, rate_per_hour=rate)
        for name, some in (("outage", every[:tenth]), ("calm", every[tenth:]))
    ]
    file = folder / "mentions.jsonl"
    with BytesIO() as lines:
        write(specs, lines, truth=None, config=None)
        file.write_bytes(b"".join(_in_order(lines.getvalue().splitlines())))
    (folder / "nadhir.yaml").write_text(json.dumps({"brands": [b.config() for b in every]}))
    config = load(folder / "nadhir.yaml", {})
    with closing(open_source(str(file))) as source:
        result = replay(source, config, folder / "truth.db")
    store = Store(folder / "truth.db")
    alerts = {case.alert.id: case.alert for case in store.cases()}
    state = store.state()
    store.close()
    times = [published_ms(line) for line in file.read_bytes().splitlines()]
    index = [b.id for b in config.brand_records()]
    last_ms = max(times)
    counts = _counts({k: v for k, v in state.items() if k.startswith("all/")}, index, last_ms)
    return Truth(folder, result.counters.mentions, last_ms, alerts, counts)


def _in_order(lines: list[bytes]) -> Iterator[bytes]:
    """Each at a millisecond of its own: no partition can tell the order of simultaneous ones."""
    before = ""
    ms = 0
    for line in lines:
        mention = json.loads(line)
        second = mention["published_at"].removesuffix("Z")
        assert second >= before
        before, ms = second, ms + 1 if second == before else 0
        mention["published_at"] = f"{second}.{ms:03d}Z"
        yield json.dumps(mention, ensure_ascii=False).encode() + b"\n"


def published_ms(line: bytes) -> int:
    """When a line of mentions was published, in ms of event time."""
    return int(datetime.fromisoformat(json.loads(line)["published_at"]).timestamp() * 1000)


def _counts(pieces: dict[str, bytes], brands: list[str], last_ms: int) -> Counter[tuple[str, int]]:
    """Mentions by brand and minute, of the last 23 hours."""
    counts = CumulativeCounts(len(brands))
    counts.restore({k.removeprefix("all/"): v for k, v in pieces.items()})
    assert counts.now is not None
    series = np.arange(len(brands))
    found: Counter[tuple[str, int]] = Counter()
    last = last_ms // MINUTE_MS
    for minute in range(last - 23 * 60, last + 1):
        row = counts.window(np.full(len(brands), minute), series, 1)
        for brand, n in zip(brands, row.tolist()):
            if n:
                found[brand, minute] = n
    return found


def secured(kafka: KafkaSettings) -> dict[str, str]:
    """Environment variables of what the settings say about security."""
    given = {"PROTOCOL": kafka.protocol, "SASL_MECHANISM": kafka.sasl_mechanism}
    if kafka.username and kafka.password:
        given |= {"USERNAME": kafka.username, "PASSWORD": kafka.password.get_secret_value()}
    if kafka.ca_file:
        given["CA_FILE"] = str(kafka.ca_file)
    return {f"NADHIR_KAFKA__{name}": value for name, value in given.items()}


class Worker:
    """``nadhir worker`` in processes of its own."""

    def __init__(
        self, folder: Path, kafka: KafkaSettings, stages: str = "score,detect,alert", *more: str
    ) -> None:
        self._log = (folder / "workers.log").open("ab")
        env = {"NADHIR_KAFKA__BOOTSTRAP": json.dumps(list(kafka.bootstrap))}
        env |= {"NADHIR_KAFKA__PREFIX": kafka.prefix or "", "PATH": os.environ["PATH"]}
        env |= {"NADHIR_KAFKA__PARTITIONS": str(kafka.partitions)}
        env |= secured(kafka)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker", "--stages", stages, *more],
            cwd=folder,
            env=env | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def stage(self, name: str) -> int:
        """Process of a stage."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                status = dict(
                    line.split(":\t", 1) for line in (folder / "status").read_text().splitlines()
                )
                if (status["Name"], status["PPid"]) == (f"nadhir-{name}", str(self.process.pid)):
                    return int(folder.name)
        raise AssertionError(f"{name} does not run")

    def kill(self) -> None:
        """All its processes at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def stop(self) -> int:
        """End in order; the exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self._log.close()
        return code


def set_up(kafka: KafkaSettings) -> None:
    """The topics."""
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))


def send(kafka: KafkaSettings, file: Path, rate: float | None = None) -> None:
    """All lines of a file."""
    with closing(open_source(str(file))) as source:
        done = produce(source, kafka, rate=rate)
    assert done.delivered == done.lines


@contextmanager
def _reading(
    kafka: KafkaSettings, topic: str
) -> Iterator[tuple[KafkaConsumer, list[TopicPartition]]]:
    consumer = KafkaConsumer(**client_settings(kafka), enable_auto_commit=False)
    try:
        parts = [TopicPartition(topic, p) for p in range(kafka.partitions)]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        yield consumer, parts
    finally:
        consumer.close()


def records(kafka: KafkaSettings, topic: str) -> list[Any]:
    """Everything in a topic, in order within each partition."""
    with _reading(kafka, topic) as (consumer, parts):
        ends = consumer.end_offsets(parts)
        found: list[Any] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for some in consumer.poll(timeout_ms=1000).values():
                found.extend(some)
        return found


def published(kafka: KafkaSettings) -> tuple[dict[str, Alert], Counter[str]]:
    """The latest of each alert, and how often each event was sent, by its idempotency key."""
    latest: dict[str, Alert] = {}
    events: dict[str, set[bytes]] = {}
    for record in records(kafka, names(kafka).alerts):
        alert = msgspec.json.decode(record.value, type=Alert)
        latest[alert.id] = alert
        key = dict(record.headers)["idempotency-key"].decode()
        events.setdefault(key, set()).add(record.value)
    return latest, Counter({key: len(values) for key, values in events.items()})


def watermark(kafka: KafkaSettings) -> int:
    """Event time that every partition of signals has come to."""
    reached = dict.fromkeys(range(kafka.partitions), 0)
    for record in records(kafka, names(kafka).signals):
        try:
            told = read_signal(record.value).watermark_ms
        except KafkaEngineError:
            continue  # a test sent it
        if told is not None:
            partition = record.partition
            reached[partition] = max(reached[partition], told)
    return min(reached.values())


def until(condition: Callable[[], bool], limit_s: float = 240.0) -> None:
    """Wait for a condition, within a bound that only a fault exceeds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.5)


def counted(kafka: KafkaSettings, wanted: Truth) -> Counter[tuple[str, int]]:
    """Counts by brand and minute, of the last 23 hours, as the changelog of detect holds them."""
    pieces: dict[int, dict[str, bytes]] = {p: {} for p in range(kafka.partitions)}
    for record in records(kafka, names(kafka).detect_state):
        partition, _, rest = record.key.decode().partition("|")
        name = rest.rpartition("#")[0]
        if name.startswith("all/"):
            value = record.value
            if value is None:
                pieces[int(partition)].pop(name, None)
            else:
                pieces[int(partition)][name] = value[1:]
    found: Counter[tuple[str, int]] = Counter()
    for partition, own in pieces.items():
        index = [b.id for b in wanted.brands if partition_of(b.id, kafka.partitions) == partition]
        if index:
            found += _counts(own, index, wanted.last_ms)
    return found


def check(kafka: KafkaSettings, wanted: Truth) -> None:
    """Alerts, events and counts are those of the embedded engine."""
    until(lambda: watermark(kafka) >= wanted.last_ms)
    until(lambda: published(kafka)[0] == wanted.alerts)
    alerts, events = published(kafka)
    assert alerts == wanted.alerts
    assert set(events.values()) == {1}, "one event, one content"
    assert {key.split("/")[0] for key in events} == set(wanted.alerts)
    until(lambda: counted(kafka, wanted) == wanted.counts)


def three_workers(kafka: KafkaSettings, folder: Path) -> None:
    """Three workers publish what the embedded engine does, and end in order."""
    wanted = truth(folder, brands=10, days=4, rate=15)
    assert wanted.alerts
    set_up(kafka)
    workers = [Worker(folder, kafka) for _ in range(3)]
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


def through(
    kafka: KafkaSettings, wanted: Truth, trouble: Callable[[list[Worker]], None], rate: float
) -> None:
    """Produce a stream to two workers while something happens to them, and compare."""
    set_up(kafka)
    workers = [Worker(wanted.folder, kafka) for _ in range(2)]
    try:
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(send, kafka, wanted.file, rate)
            trouble(workers)
            sent.result()
        check(kafka, wanted)
    finally:
        for worker in workers:
            worker.kill()
