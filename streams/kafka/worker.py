"""What a stage of a worker is made of, and how it runs in its process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.texts import load_phrases
from models.records import Brand
from models.terms import load_topics
from streams.config import Config
from streams.detect import DetectStage
from streams.kafka import KafkaEngineError
from streams.kafka.connection import admin
from streams.kafka.merge import Merge
from streams.kafka.parts import AlertPart, DetectPart, Part
from streams.kafka.topics import check, describe, names, wanted_topics
from streams.score import ScoreStage
from streams.sentiment import open_sentiment

STAGES = ("score", "detect", "alert", "intake")
_CLUSTER_MS = 60_000  # what starts them starts the brokers at the same time


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


async def run_stage(stage: str, config: Config, address: tuple[str, int]) -> None:
    """Run one stage in this process until SIGTERM or SIGINT; ``address`` is that of the intake."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if stage == "intake":
        from streams.kafka.intake import serve_intake

        await serve_intake(config, address, stopped)
        return
    brands, kafka, called = config.brand_records(), config.kafka, names(config.kafka)
    if stage == "score":
        await _score(config, stopped)
        return
    from streams.kafka.agents import StatefulWorker

    if stage == "detect":
        topics = load_topics()

        def make(partition: int, some: Sequence[Brand]) -> Part:
            detect = DetectStage(
                some,
                topics,
                allowed_lateness_s=config.detect.allowed_lateness_s,
                corrected=config.sentiment.model == "builtin",
            )
            merge = Merge([b.id for b in some], kafka.partitions, kafka.settle_ms)
            return DetectPart(detect, merge, called.signals, partition)

        source = called.observations
    else:
        settings = AlertSettings(
            min_mentions=config.alerts.min_mentions,
            cooldown_min=config.alerts.cooldown_min,
            resolve_after_quiet_min=config.alerts.resolve_after_quiet_min,
        )
        playbooks, phrases = load_playbooks(config.paths.playbooks), load_phrases()

        def make(partition: int, some: Sequence[Brand]) -> Part:
            return AlertPart(AlertStage(some, settings, playbooks, phrases), called.alerts)

        source = called.signals
    await StatefulWorker(stage, source, brands, kafka, make).run(stopped)


async def _score(config: Config, stopped: asyncio.Event) -> None:
    from streams.kafka.score import ScoreWorker
    from streams.lists import following_elsewhere

    brands = config.brand_records()
    stage = ScoreStage(brands, open_sentiment(config.sentiment))
    scorer = ScoreWorker(
        stage,
        [brand.id for brand in brands],
        config.kafka,
        max_future_ms=config.detect.max_future_s * 1000,
    )
    with following_elsewhere(config, stage.relist):
        work = asyncio.create_task(scorer.run())
        stop = asyncio.create_task(stopped.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        scorer.stopping = True
        stop.cancel()
        await work


def import_stages(stages: Sequence[str]) -> None:
    """Import what stages need, for all processes that are forked afterwards."""
    if "score" in stages:
        import streams.kafka.score
        import streams.lists
    if {"detect", "alert"} & {*stages}:
        import streams.kafka.agents
    if "intake" in stages:
        import streams.kafka.intake  # noqa: F401
