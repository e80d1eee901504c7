"""What a stage of a worker is made of, and how it runs in its process."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from prometheus_client import CollectorRegistry

from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.texts import load_phrases
from models.records import Brand
from models.terms import load_topics
from streams.config import Config
from streams.detect import DetectCounters, DetectStage
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin
from streams.kafka.gather import answering_metrics
from streams.kafka.merge import Merge
from streams.kafka.metrics import AlertMetrics, DetectMetrics, ScoreMetrics
from streams.kafka.parts import AlertPart, DetectPart, Part
from streams.kafka.topics import check, describe, names, wanted_topics
from streams.metrics.about import new_registry, register_models
from streams.metrics.timing import Timing
from streams.score import ScoreStage
from streams.sentiment import open_sentiment
from streams.tracing import opened_tracing

STAGES = ("score", "detect", "alert", "intake")
_CLUSTER_MS = 60_000  # what starts them starts the brokers at the same time


def named(config: Config) -> Config:
    """Give this worker a name if it has none: a stage that was killed comes back under it."""
    name = config.kafka.instance or uuid4().hex
    return config.model_copy(update={"kafka": config.kafka.model_copy(update={"instance": name})})


def check_topics(config: Config) -> None:
    """Refuse to begin on topics that would lose or scatter mentions.

    Raises
    ------
    KafkaEngineError
        A topic is missing or has another number of partitions than configured.
    """
    wanted = wanted_topics(config.kafka)
    with admin(config.kafka, _CLUSTER_MS) as client:
        found = describe(client, wanted)
    faults = [d for d in check(wanted, found) if d.found == "missing" or "partitions" in d.what]
    if faults:
        raise KafkaEngineError("; ".join(map(str, faults)))


async def run_stage(
    stage: str, config: Config, address: tuple[str, int], metrics: Path | None = None
) -> None:
    """Run one stage in this process until SIGTERM or SIGINT.

    Parameters
    ----------
    stage : str
    config : Config
    address : tuple of str and int
        Of the intake.
    metrics : Path, optional
        Unix socket on which the stage tells its metrics.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    registry = new_registry()
    async with answering_metrics(registry, metrics):
        if stage == "intake":
            from streams.kafka.intake import serve_intake

            await serve_intake(config, address, stopped)
        elif stage == "score":
            await _score(config, registry, stopped)
        elif stage == "detect":
            await _detect(config, registry, stopped)
        else:
            await _alert(config, registry, stopped)


async def _score(config: Config, registry: CollectorRegistry, stopped: asyncio.Event) -> None:
    from streams.kafka.score import ScoreWorker
    from streams.lists import following_elsewhere

    brands = config.brand_records()
    timing = Timing(registry, ("score",), latency=False)
    stage = ScoreStage(brands, open_sentiment(config.sentiment))
    with (
        opened_tracing(config.tracing, "worker-score") as tracing,
        following_elsewhere(config, stage.relist),
    ):
        scorer = ScoreWorker(
            stage,
            [brand.id for brand in brands],
            config.kafka,
            max_future_ms=config.detect.max_future_s * 1000,
            meter=tracing.metered(timing),
        )
        register_models(registry, config)
        registry.register(ScoreMetrics(scorer))
        work = asyncio.create_task(scorer.run())
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        scorer.stopping = True
        stop.cancel()
        await work


async def _detect(config: Config, registry: CollectorRegistry, stopped: asyncio.Event) -> None:
    from streams.kafka.agents import StatefulWorker

    kafka, called, topics = config.kafka, names(config.kafka), load_topics()
    timing = Timing(registry, ("detect", "store"), latency=False)
    counters = DetectCounters()  # of all partitions: what was counted stays when one goes

    def make(partition: int, some: Sequence[Brand]) -> Part:
        detect = DetectStage(
            some,
            topics,
            allowed_lateness_s=config.detect.allowed_lateness_s,
            corrected=config.sentiment.model == "builtin",
            counters=counters,
        )
        merge = Merge([b.id for b in some], kafka.partitions, kafka.settle_ms)
        return DetectPart(detect, merge, called.signals, partition, meter)

    brands = config.brand_records()
    with opened_tracing(config.tracing, "worker-detect") as tracing:
        meter = tracing.metered(timing)  # before any part is made
        worker = StatefulWorker("detect", called.observations, brands, kafka, make, meter=meter)
        registry.register(DetectMetrics(worker, counters, now_ms))
        await worker.run(stopped)


async def _alert(config: Config, registry: CollectorRegistry, stopped: asyncio.Event) -> None:
    from streams.kafka.agents import StatefulWorker

    kafka, called = config.kafka, names(config.kafka)
    settings = AlertSettings(
        min_mentions=config.alerts.min_mentions,
        cooldown_min=config.alerts.cooldown_min,
        resolve_after_quiet_min=config.alerts.resolve_after_quiet_min,
    )
    playbooks, phrases = load_playbooks(config.paths.playbooks), load_phrases()
    timing = Timing(registry, ("alert", "store"))
    opened: Counter[tuple[str, str]] = Counter()

    def make(partition: int, some: Sequence[Brand]) -> Part:
        stage = AlertStage(some, settings, playbooks, phrases)
        return AlertPart(stage, called.alerts, opened, meter)

    brands = config.brand_records()
    with opened_tracing(config.tracing, "worker-alert") as tracing:
        meter = tracing.metered(timing)  # before any part is made
        worker = StatefulWorker("alert", called.signals, brands, kafka, make, meter=meter)
        registry.register(AlertMetrics(worker, opened, tuple(playbooks), now_ms))
        await worker.run(stopped)


def now_ms() -> int:
    """The clock."""
    return time.time_ns() // 1_000_000


def import_stages(stages: Sequence[str]) -> None:
    """Import what stages need, for all processes that are forked afterwards."""
    if "score" in stages:
        import streams.kafka.score
        import streams.lists
    if {"detect", "alert"} & {*stages}:
        import streams.kafka.agents
    if "intake" in stages:
        import streams.kafka.intake  # noqa: F401
