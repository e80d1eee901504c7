"""The demo through a real Kafka: ``python -m deploy.kafka.demo``, or ``make demo-kafka``.

The embedded engine runs over the mentions of ``nadhir demo`` first, then three workers on a broker
over the same.  The alerts that came through Kafka go to standard output as ``nadhir demo`` shows
them, all else to standard error.  The exit code is 1 if they differ from the embedded engine's.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec
from kafka import KafkaConsumer, TopicPartition

from alerts.records import Alert
from deploy.kafka.cluster import ClusterError, cluster
from streams.config import load
from streams.config.schema import KafkaSettings
from streams.demo import DemoStream, print_alerts, replay_demo, simulate_demo
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin, client_settings, reached
from streams.kafka.packing import partition_of
from streams.kafka.parts import read_signal
from streams.kafka.produce import produce
from streams.kafka.topics import create, names, wanted_topics
from streams.sources import open_source
from streams.store import StoreError

WORKERS = 3
_LIMIT_S = 300.0  # it takes some seconds
_GRACE_S = 20.0  # for the last signals to become alerts
_QUIET_S = 2.0  # the alerts must stay what they should be for so long
_PAUSE_S = 0.5
_STOP_S = 10.0


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


# workers ------------------------------------------------------------------------------------------


@contextmanager
def workers(count: int, config: Path, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run ``nadhir worker`` in processes that end with the block, whatever ends it."""
    # the configuration of the demo is all that counts, as with nadhir demo
    kept = {k: v for k, v in os.environ.items() if not k.startswith("NADHIR_")}
    running: list[subprocess.Popen[bytes]] = []
    with log.open("wb") as out:
        try:
            for _ in range(count):
                running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "streams.cli", "worker", "--config", str(config)],
                        env=kept,
                        stdout=out,
                        stderr=out,
                        start_new_session=True,  # Ctrl-C is for us; we end them
                    )
                )
            yield running
        finally:
            for process in running:
                process.terminate()
            end = time.monotonic() + _STOP_S
            for process in running:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, end - time.monotonic()))
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


# what comes out -----------------------------------------------------------------------------------


class Outcome:
    """What the topics of signals and alerts hold, read as it grows.

    Parameters
    ----------
    kafka : KafkaSettings
    brands : sequence of str
        Ids of those that are watched.
    """

    def __init__(self, kafka: KafkaSettings, brands: Sequence[str]) -> None:
        self._alerts: dict[str, Alert] = {}
        self._kafka = kafka
        self._times = {partition_of(brand, kafka.partitions): 0 for brand in brands}
        called = names(kafka)
        self._consumer = KafkaConsumer(**client_settings(kafka), enable_auto_commit=False)
        self._parts = [
            TopicPartition(topic, p)
            for topic in (called.signals, called.alerts)
            for p in range(kafka.partitions)
        ]
        self._consumer.assign(self._parts)
        self._consumer.seek_to_beginning()

    def close(self) -> None:
        """Leave the cluster."""
        self._consumer.close()

    def sorted(self) -> list[Alert]:
        """The latest of each alert so far, in order of opening."""
        return sorted(self._alerts.values(), key=lambda alert: (alert.opened_at, alert.id))

    def read(self) -> int:
        """Take in what there is up to now; the event time that all brands have come to."""
        ends = self._consumer.end_offsets(self._parts)
        alerts = names(self._kafka).alerts
        while any(self._consumer.position(part) < ends[part] for part in self._parts):
            for part, records in self._consumer.poll(timeout_ms=500).items():
                for record in records:
                    if part.topic == alerts:
                        alert = msgspec.json.decode(record.value, type=Alert)
                        self._alerts[alert.id] = alert
                    elif (told := read_signal(record.value).watermark_ms) is not None:
                        seen = self._times.get(part.partition, told)
                        self._times[part.partition] = max(seen, told)
        return min(self._times.values())


def through_kafka(stream: DemoStream, wanted: Sequence[Alert]) -> list[Alert]:
    """The alerts that three workers on a broker make of a demo, in order of opening.

    Parameters
    ----------
    stream : DemoStream
    wanted : sequence of Alert
        Once these are there and stay, nothing more is waited for.

    Raises
    ------
    DemoError
        If a worker ends, or the mentions are not worked off in time.
    """
    out = stream.mentions.parent
    log = out / "workers.log"
    brands = [brand.id for brand in load(stream.config, {}).brand_records()]
    with cluster(1) as broker:
        kafka = KafkaSettings(bootstrap=tuple(broker.bootstrap.split(",")), partitions=WORKERS)
        with admin(kafka) as client:
            create(client, wanted_topics(kafka))
        config = out / "kafka.yaml"
        settings = json.loads(stream.config.read_text(encoding="utf-8"))
        settings["kafka"] = {"bootstrap": list(kafka.bootstrap), "partitions": kafka.partitions}
        config.write_text(json.dumps(settings, ensure_ascii=False, indent=2), encoding="utf-8")
        tell(f"Kafka runs at {broker.bootstrap}; starting {WORKERS} workers, their log: {log}")
        with workers(WORKERS, config, log) as running:
            began = time.monotonic()
            with closing(open_source(str(stream.mentions))) as source:
                sent = produce(source, kafka)
            tell(f"{sent.delivered:,} of {sent.lines:,} mentions are on Kafka")
            if sent.failed:
                raise DemoError("; ".join(sent.failures))
            with reached(kafka), closing(Outcome(kafka, brands)) as outcome:
                _wait(outcome, _last_ms(stream.mentions), wanted, running)
            tell(f"The alerts are there {time.monotonic() - began:.0f} s after the workers' start")
    return outcome.sorted()


def _wait(
    outcome: Outcome,
    last_ms: int,
    wanted: Sequence[Alert],
    running: Sequence[subprocess.Popen[bytes]],
) -> None:
    """Read until every mention is worked off and the alerts do not change any more."""
    limit = time.monotonic() + _LIMIT_S
    while outcome.read() < last_ms:
        if time.monotonic() > limit:
            raise DemoError(f"not done after {_LIMIT_S:.0f} s; see workers.log")
        if any(process.poll() is not None for process in running):
            raise DemoError("a worker has ended; see workers.log")
        time.sleep(_PAUSE_S)
    # every signal is there; the alert stage may still be at work on the last ones
    limit = time.monotonic() + _GRACE_S
    since = time.monotonic()
    while time.monotonic() < limit:
        outcome.read()
        if differences(wanted, outcome.sorted()):
            since = time.monotonic()
        elif time.monotonic() - since > _QUIET_S:
            return
        time.sleep(_PAUSE_S)


def _last_ms(mentions: Path) -> int:
    lines = mentions.read_bytes().splitlines()  # in order of time
    return int(datetime.fromisoformat(json.loads(lines[-1])["published_at"]).timestamp() * 1000)


# the same? ----------------------------------------------------------------------------------------


def differences(embedded: Sequence[Alert], published: Sequence[Alert]) -> list[str]:
    """What differs between the alerts of two engines, one sentence each."""
    ours = {alert.id: alert for alert in embedded}
    theirs = {alert.id: alert for alert in published}
    found = [f"{i}: only by the embedded engine" for i in ours if i not in theirs]
    found += [f"{i}: only through Kafka" for i in theirs if i not in ours]
    for i in ours.keys() & theirs.keys():
        for name in Alert.__struct_fields__:
            one, other = getattr(ours[i], name), getattr(theirs[i], name)
            if one != other:
                found.append(f"{i}: {name} is {other!r} through Kafka, not {one!r}")
    return sorted(found)


def tell(message: str) -> None:
    """Say how it goes, on standard error."""
    print(message, file=sys.stderr, flush=True)


def _end(number: int, _: FrameType | None) -> NoReturn:
    # only once: what cleans up must not be interrupted
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(out: Path, seed: int) -> bool:
    """Run the demo; whether Kafka gave the alerts of the embedded engine.

    Parameters
    ----------
    out : Path
        Folder for what ``nadhir demo`` writes, and for ``alerts-kafka.jsonl`` and ``workers.log``.
    seed : int
        Of the simulation.
    """
    stream = simulate_demo(out, seed)
    mentions, embedded = replay_demo(stream)
    tell(f"The embedded engine: {len(embedded)} alert(s) of {mentions:,} mentions")
    published = through_kafka(stream, embedded)
    lines = (msgspec.json.encode(alert) + b"\n" for alert in published)
    (out / "alerts-kafka.jsonl").write_bytes(b"".join(lines))
    print_alerts(stream, published)
    sys.stdout.flush()
    if found := differences(embedded, published):
        for difference in found:
            tell(difference)
        tell("NOT the same alerts as the embedded engine's")
        return False
    for alert in published:
        tell(f"{alert.id}: the same in every field")
    tell(f"Kafka gave the {len(published)} alert(s) of the embedded engine; see {out}/")
    return True


def main() -> None:
    """Run the demo; exit code 1 if the alerts differ, 70 if it cannot run."""
    parser = argparse.ArgumentParser(description="The demo through a real Kafka, on loopback.")
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="default: demo-out")
    parser.add_argument("--seed", type=int, default=7, help="default: 7")
    asked = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        same = run(asked.out, asked.seed)
    except KeyboardInterrupt:
        tell("Interrupted; no worker and no broker is left.")
        sys.exit(128 + signal.SIGINT)
    except (ClusterError, DemoError, KafkaEngineError, StoreError, OSError) as error:
        tell(f"Error: {error}")
        sys.exit(os.EX_SOFTWARE)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
