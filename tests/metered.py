"""What the stages of a worker tell, without a broker: they do their work in this process.

tests/integration/test_worker_metrics.py asks real processes on a real broker for the same names.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.texts import load_phrases
from models.sentiment import load
from models.terms import load_topics
from streams.config import Config
from streams.detect import DetectCounters, DetectStage
from streams.kafka.gather import Gathered, answering_metrics, gathering_app
from streams.kafka.merge import Merge
from streams.kafka.metrics import AlertMetrics, DetectMetrics, ScoreMetrics
from streams.kafka.packing import pack
from streams.kafka.parts import AlertPart, DetectPart, Outgoing
from streams.kafka.score import ScoreCounters, score_records
from streams.metrics.about import new_registry, register_models
from streams.metrics.timing import Timing
from streams.score import ScoreStage
from streams.serve import http_server
from streams.simulate import ready_brands
from tests.running import crisis

NOW_MS = 1_800_000_000_000
ARRIVED_MS = NOW_MS - 7_000
STAGES = ("score", "detect", "alert")
_BATCH = 500


class Stages:
    """Three stages of one partition that worked through a crisis, and their registries."""

    def __init__(self) -> None:
        found = Config.model_validate({"brands": [b.config() for b in ready_brands()[:2]]})
        self.brands = found.brand_records()
        self.registries = {stage: new_registry() for stage in STAGES}
        self.worker = SimpleNamespace(
            counters=ScoreCounters(), lag=lambda: {0: 3}, parts=[], unreadable=2,
            state_bytes=lambda: {"all": 4_096},
        )  # fmt: skip
        self.detect = self._detect(self.registries["detect"])
        self.alert = self._alert(self.registries["alert"])
        register_models(self.registries["score"], found)
        self._feed(Timing(self.registries["score"], ("score",), latency=False))
        scorer: Any = SimpleNamespace(counters=self.worker.counters, lag={0: 3})
        self.registries["score"].register(ScoreMetrics(scorer))

    def _has(self, part: DetectPart | AlertPart) -> Any:
        return SimpleNamespace(**{**vars(self.worker), "parts": [part]})

    def _detect(self, registry: CollectorRegistry) -> DetectPart:
        counters = DetectCounters()
        stage = DetectStage(self.brands, load_topics(), counters=counters)
        merge = Merge([b.id for b in self.brands], 1, 0)
        meter = Timing(registry, ("detect", "store"), latency=False)
        part = DetectPart(stage, merge, "signals", 0, meter)
        registry.register(DetectMetrics(self._has(part), counters, lambda: NOW_MS))
        return part

    def _alert(self, registry: CollectorRegistry) -> AlertPart:
        opened: Counter[tuple[str, str]] = Counter()
        playbooks = load_playbooks(None)
        stage = AlertStage(self.brands, AlertSettings(), playbooks, load_phrases())
        part = AlertPart(stage, "alerts", opened, Timing(registry, ("alert", "store")))
        types = tuple(playbooks)
        registry.register(AlertMetrics(self._has(part), opened, types, lambda: NOW_MS))
        return part

    def _feed(self, meter: Timing) -> None:
        stage = ScoreStage(self.brands, load())
        lines = [*crisis(), b"{"]
        signals: list[Outgoing] = []
        to = np.zeros(len(self.brands), dtype=np.int64)
        ids = [brand.id for brand in self.brands]
        for offset, first in enumerate(range(0, len(lines), _BATCH)):
            now_ms = NOW_MS + 100 * offset
            values = list(enumerate(lines[first : first + _BATCH], first))
            scored = score_records(
                stage, "mentions", {0: values}, now_ms=now_ms, max_future_ms=300_000
            )
            meter.took("score", 0.01)
            found = self.worker.counters
            found.mentions += len(values)
            found.observations += len(scored.observations)
            for rejection in scored.rejections:
                found.rejected[rejection.reason] = found.rejected.get(rejection.reason, 0) + 1
            records = pack(scored.observations, ids, to, 1, scored.slices, now_ms, ARRIVED_MS)
            for _, value in records:
                signals += self.detect.take(offset, value, now_ms)
        signals += self.detect.checkpoint()[1]
        for offset, signal in enumerate(signals):
            self.alert.take(offset, signal.value, NOW_MS)


@cache
def stages() -> Stages:
    """The stages, made once."""
    return Stages()


@contextmanager
def answering(told: dict[str, CollectorRegistry], folder: Any) -> Iterator[None]:
    """Answer on the sockets of a folder meanwhile, as the processes of stages do."""
    ready, ended = threading.Event(), threading.Event()

    async def answer() -> None:
        async with AsyncExitStack() as stack:
            for stage, registry in told.items():
                await stack.enter_async_context(answering_metrics(registry, folder / stage))
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(answer()))
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def stages_of_a_worker(token: str | None = None, only: Sequence[str] = STAGES) -> Iterator[str]:
    """Serve what the stages tell; host and port."""
    told = {stage: stages().registries[stage] for stage in only}
    with (
        TemporaryDirectory(prefix="nadhir-") as name,
        answering(told, Path(name)),
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        host, port = listener.getsockname()
        app = gathering_app(Gathered(STAGES, Path(name)), token)
        server = http_server(app, grace_s=1)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
