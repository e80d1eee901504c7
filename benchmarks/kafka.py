"""The Kafka engine on a real broker: ratios to a bare loop and to an idiomatic Faust agent.

``make bench-kafka``.  Broker, workers and measurement share the machine; times are wall time from
the first record to the last, taken from the records' own timestamps where there are any.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from alerts.records import Alert
from benchmarks.pipeline import Case, _simulate
from deploy.kafka.cluster import cluster
from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin, client_settings
from streams.kafka.lag import measure
from streams.kafka.parts import read_signal
from streams.kafka.produce import produce
from streams.kafka.topics import create, names, wanted_topics
from streams.sources import open_source

PARTITIONS = 4
CASE = Case(100, 100, 1, 200_000)
MANY = Case(1_000, 1_000, 1, 200_000)
SCORE_FILLS = 3  # times the mentions are produced for the rate of stage score
FAUST_RECORDS = 40_000
LIVE_S, BURSTS, BURST = 60, 40, 60
_LIMIT_S = 300.0
_NO_CORE_LEFT = 0.1  # of the machine idle


class _Setting:
    """Topics of their own, filled, with workers on them."""

    def __init__(self, bootstrap: str, folder: Path, name: str) -> None:
        self.folder = folder
        self.kafka = KafkaSettings(
            bootstrap=tuple(bootstrap.split(",")), prefix=f"{name}.", partitions=PARTITIONS
        )
        with admin(self.kafka) as client:
            create(client, wanted_topics(self.kafka))

    def fill(self) -> int:
        with closing(open_source(str(self.folder / "mentions.jsonl"))) as source:
            return produce(source, self.kafka).delivered

    @contextmanager
    def workers(self, stages: str, count: int = 1, instance: str | None = None) -> Iterator[None]:
        env = os.environ | {
            "NADHIR_KAFKA__BOOTSTRAP": json.dumps(list(self.kafka.bootstrap)),
            "NADHIR_KAFKA__PREFIX": self.kafka.prefix or "",
            "NADHIR_KAFKA__PARTITIONS": str(PARTITIONS),
            "NADHIR_LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        if instance:
            env["NADHIR_KAFKA__INSTANCE"] = instance
        command = [sys.executable, "-m", "streams.cli", "worker", "--stages", stages]
        quiet = subprocess.DEVNULL
        running = [
            subprocess.Popen(
                command, cwd=self.folder, env=env, stdout=quiet, stderr=quiet,
                start_new_session=True,
            )
            for _ in range(count)
        ]  # fmt: skip
        try:
            yield
        finally:
            for each in running:
                with suppress(ProcessLookupError):
                    os.killpg(each.pid, signal.SIGKILL)
                each.wait()

    def lag(self, stage: str) -> int:
        return sum(part.lag for part in measure(self.kafka) if part.stage == stage)

    def committed(self, stage: str) -> int:
        return sum(part.committed or 0 for part in measure(self.kafka) if part.stage == stage)

    def records(self, topic: str) -> list[Any]:
        consumer = KafkaConsumer(**client_settings(self.kafka), enable_auto_commit=False)
        try:
            parts = [TopicPartition(topic, p) for p in range(PARTITIONS)]
            consumer.assign(parts)
            consumer.seek_to_beginning()
            end = consumer.end_offsets(parts)
            found: list[Any] = []
            while any(consumer.position(part) < end[part] for part in parts):
                for some in consumer.poll(timeout_ms=1000).values():
                    found.extend(some)
            return found
        finally:
            consumer.close()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the workers do not come to the end")
        time.sleep(0.2)


# what is measured ---------------------------------------------------------------------------------


def _score_rate(setting: _Setting, workers: int) -> tuple[float, float]:
    """Mentions a second through stage score, everything on, and how much of the machine was idle.

    Of the middle three fifths: workers start one after the other, and end so.
    """
    mentions = sum(setting.fill() for _ in range(SCORE_FILLS))
    course = []

    def done_all() -> bool:
        course.append((time.time() * 1000, *_processors()))
        return setting.lag("score") == 0

    with setting.workers("score", workers):
        _until(done_all)
    written = [r for r in setting.records(names(setting.kafka).observations) if len(r.value) > 400]
    written.sort(key=lambda r: r.timestamp)
    done = np.cumsum([len(r.value) for r in written])
    first, last = (written[int(np.searchsorted(done, done[-1] * q))].timestamp for q in (0.2, 0.8))
    inside = np.array([each[1:] for each in course if first <= each[0] <= last])
    idle, every = inside[-1] - inside[0]
    return float(0.6 * mentions / (last - first) * 1000), float(idle / every)


def _processors() -> tuple[int, int]:
    """Time that all processors were idle since the start, and all their time."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks[:8])


def _whole_rate(setting: _Setting) -> float:
    """Mentions a second through all three stages, until event time has come to the end."""
    mentions = setting.fill()
    called = names(setting.kafka)
    with setting.workers("score,detect,alert"):
        _until(lambda: setting.lag("score") == 0)
        time.sleep(6.0)  # what waits for a partition to be seen empty
    began = min(r.timestamp for r in setting.records(called.observations))
    told = [r for r in setting.records(called.signals) if read_signal(r.value).watermark_ms]
    latest: dict[int, int] = {}
    for record in told:
        latest[record.partition] = max(latest.get(record.partition, 0), record.timestamp)
    # the last mentions wait for the others to be seen empty: that is latency, not work
    spent = max(latest.values()) - began - setting.kafka.settle_ms
    return float(mentions / spent * 1000)


def _recovery_s(setting: _Setting, instance: str | None) -> float:
    """From ``kill -9`` of the only worker to the first record that the next one has done.

    With a name, as the units in deploy/ give it, the next one takes the partitions over at once;
    without, Kafka first waits until the session of the dead one is over.
    """
    setting.fill()
    with setting.workers("score,detect,alert", instance=instance):
        _until(lambda: setting.lag("score") == 0 and setting.committed("detect") > 0)
        time.sleep(5.0)
    before, began = setting.committed("detect"), time.monotonic()
    with setting.workers("score,detect,alert", instance=instance):
        _until(lambda: setting.committed("detect") > before)
        return time.monotonic() - began


def _latencies(setting: _Setting, rate: float) -> list[float]:
    """Seconds until alerts are published, at a rate.

    A first brand takes the load; others burst, each sixty mentions in two seconds.
    """
    brands = json.loads((setting.folder / "nadhir.yaml").read_text())["brands"]
    producer = KafkaProducer(**client_settings(setting.kafka), acks="all", linger_ms=5)
    topic = names(setting.kafka).mentions

    def say(brand: dict[str, Any], number: int, at_s: float) -> None:
        moment = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
        line = {"id": f"{brand['id']}-{number}", "platform": "x", "published_at": moment}
        line["text"] = f"{brand['names'][0]} is down again, nothing works, terrible service"
        producer.send(topic, orjson.dumps(line))

    now = time.time()
    history = [(now - 72 * 3600 + k * 1200, b) for b in brands[: BURSTS + 1] for k in range(215)]
    for number, (at_s, brand) in enumerate(sorted(history, key=lambda each: each[0])):
        say(brand, number, at_s)
    producer.flush()
    with setting.workers("score,detect,alert"):
        _until(lambda: setting.lag("score") == 0)
        time.sleep(8.0)
        began, number = time.time(), 1_000_000
        starts = np.linspace(5, LIVE_S - 10, BURSTS)
        told = [0] * BURSTS
        while (passed := time.time() - began) < LIVE_S:
            for _ in range(int(passed * rate) - (number - 1_000_000)):
                say(brands[0], number, time.time())
                number += 1
            for i, start in enumerate(starts.tolist()):
                due = min(BURST, int((passed - start) * BURST / 2.0)) if passed > start else 0
                for _ in range(due - told[i]):
                    say(brands[i + 1], 5_000_000 + told[i], time.time())
                    told[i] += 1
            time.sleep(0.005)
        producer.flush()
        time.sleep(6.0)
    producer.close()
    return _measured(setting, int(began * 1000))


def _measured(setting: _Setting, since_ms: int) -> list[float]:
    """Seconds from what completed the evidence of an alert to the published alert.

    That is a mention, whose time is that of producing it, or the tick at which a share is judged.
    """
    called = names(setting.kafka)
    signals = [read_signal(r.value).signal for r in setting.records(called.signals)]
    moment = {signal.id: signal.at_ms for signal in signals if signal is not None}
    found: list[float] = []
    for record in setting.records(called.alerts):
        alert = msgspec.json.decode(record.value, type=Alert)
        opened = dict(record.headers)["event"] == b"opened"
        if opened and moment[alert.signals[0]] >= since_ms:
            found.append((record.timestamp - moment[alert.signals[0]]) / 1000)
    return found


def _child_rate(what: str, setting: _Setting) -> float:
    """Records a second of a loop in a process of its own."""
    arguments = [what, ",".join(setting.kafka.bootstrap), names(setting.kafka).mentions]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.kafka", *arguments], check=True, stdout=subprocess.PIPE
    )
    return float(done.stdout.split()[-1])


# the loops that are compared ----------------------------------------------------------------------


async def _bare(bootstrap: str, topic: str) -> float:
    from aiokafka import AIOKafkaConsumer
    from aiokafka import TopicPartition as Part

    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    parts = [Part(topic, p) for p in range(PARTITIONS)]
    consumer.assign(parts)
    left = sum((await consumer.end_offsets(parts)).values())
    total, began = left, 0.0
    while left > 0:
        polled = await consumer.getmany(timeout_ms=1000, max_records=5000)
        began = began or time.perf_counter()
        for records in polled.values():
            for record in records:
                orjson.loads(record.value)
            left -= len(records)
    spent = time.perf_counter() - began
    await consumer.stop()
    return float(total / spent)


async def _faust_count(bootstrap: str, topic: str) -> float:
    import faust

    app = faust.App(
        f"bench-{topic}", broker=f"kafka://{bootstrap}", store="memory://", web_enabled=False,
        topic_partitions=PARTITIONS, consumer_auto_offset_reset="earliest",
        topic_disable_leader=True, stream_wait_empty=False,
    )  # fmt: skip
    source = app.topic(topic, value_type=bytes, value_serializer="raw")
    table = app.Table("counts", default=int, partitions=PARTITIONS).tumbling(60.0)
    seen: list[float] = []
    done = asyncio.Event()

    async def count(stream: Any) -> None:
        async for value in stream:
            table[orjson.loads(value)["platform"]] += 1
            seen.append(time.perf_counter())
            if len(seen) >= FAUST_RECORDS:
                done.set()

    app.agent(source, concurrency=1, name="count")(count)
    await app.start()
    await done.wait()
    await app.stop()
    return FAUST_RECORDS / (seen[FAUST_RECORDS - 1] - seen[0])


# the table ----------------------------------------------------------------------------------------


def run() -> list[str]:
    """Measure; the lines of a Markdown table."""
    with tempfile.TemporaryDirectory() as root, cluster(1) as broker:
        folder, many = Path(root) / "some", Path(root) / "many"
        for each, case in ((folder, CASE), (many, MANY)):
            each.mkdir()
            _simulate(each, case)

        def setting(name: str, where: Path = folder) -> _Setting:
            return _Setting(broker.bootstrap, where, name)

        one = setting("one")
        score, _ = _score_rate(one, 1)
        bare = _child_rate("bare", one)
        faust = _child_rate("faust", one)
        two, idle = _score_rate(setting("two"), 2)
        whole = _whole_rate(setting("whole"))
        waits = sorted(_latencies(setting("live"), whole / 2))
        recovery = _recovery_s(setting("many", many), "bench")
        nameless = _recovery_s(setting("nameless", many), None)
    rows = [
        ("bare aiokafka + orjson loop, mentions/s", f"{bare:,.0f}", ""),
        ("Faust agent with a windowed count, mentions/s", f"{faust:,.0f}", ""),
        ("stage score, mentions/s", f"{score:,.0f}", f"1/{bare / score:.1f} of the bare loop, "
         f"{score / faust:.1f} times the Faust agent"),
        ("stage score, two workers", f"{two:,.0f}", f"{two / score:.2f} times one, "
         f"{idle:.0%} of the machine idle"),
        ("all stages, one worker, mentions/s", f"{whole:,.0f}",
         f"{whole / 1000:.0f} times real time of 1,000/s"),
        (f"produce to alert at {whole / 2:,.0f}/s, {len(waits)} alerts",
         f"p50 {_quantile(waits, 0.5):.2f} s", f"p99 {_quantile(waits, 0.99):.2f} s"),
        ("recovery with 1,000 brands after kill -9", f"{recovery:.1f} s",
         f"{nameless:.1f} s if the worker has no name"),
    ]  # fmt: skip
    return [
        "| what | figure | ratio |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows),
        "",
        _goals(
            {
                "score ≥ 1/20 of the bare loop": bare <= 20 * score,
                "score ≥ 3 times the Faust agent": score >= 3 * faust,
                # the broker and the measurement have the same cores
                "two workers ≥ 1.7 times one, where cores allow": two >= 1.7 * score
                or idle < _NO_CORE_LEFT,
                "≥ 10 times real time": whole >= 10_000,
                "p50 ≤ 0.5 s": _quantile(waits, 0.5) <= 0.5,
                "p99 ≤ 2 s": _quantile(waits, 0.99) <= 2.0,
                "recovery ≤ 15 s": recovery <= 15.0,
            }
        ),
    ]


def _goals(reached: dict[str, bool]) -> str:
    missed = [goal for goal, held in reached.items() if not held]
    return f"Goals: {'**missed** ' + '; '.join(missed) if missed else 'all reached'}."


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if values else float("nan")


if __name__ == "__main__":
    loops = {"bare": _bare, "faust": _faust_count}
    print(asyncio.run(loops[sys.argv[1]](*sys.argv[2:4])))
