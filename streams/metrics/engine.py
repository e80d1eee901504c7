"""The embedded engine in numbers, read when Prometheus asks, from another thread."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.decode import REASONS
from streams.live import LiveEngine
from streams.metrics import families
from streams.store import state_bytes

_SIZES_S = 30.0  # between two measurements of the state


class EngineMetrics(Collector):
    """Counters and figures of an engine.

    Parameters
    ----------
    engine : LiveEngine
    clock : callable
        Milliseconds since the epoch.
    """

    def __init__(self, engine: LiveEngine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock
        self._sizes: dict[str, int] = {}
        self._measured_s = 0.0
        self._turn = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """The counters as they are now."""
        engine, pipeline = self._engine, self._engine.pipeline
        counters, detect = pipeline.counters, pipeline.detect
        # copied first: the engine goes on meanwhile
        rejected = dict.fromkeys(REASONS, 0) | dict(counters.rejected)
        yield from families.received(
            counters.mentions + sum(rejected.values()), rejected, counters.observations
        )
        yield from families.detected(detect.counters, detect.kinds)
        yield families.opened(dict(counters.opened))
        yield from self._impostors()
        yield from families.event_time("detect", detect.watermark_ms, self._clock())
        if (figures := engine.figures) is not None:
            if figures.brands is not None:
                yield from families.brands([figures.brands])
            yield families.scores(figures.scores)
        yield families.state(self._state())
        yield GaugeMetricFamily(
            "nadhir_sources_broken", "Sources that were given up.", len(engine.broken)
        )
        text = "1 if the receiver did not take what was last given to it."
        yield families.gauges("nadhir_receiver_failing", text, "receiver", engine.failing)

    def _impostors(self) -> Iterator[Metric]:
        watch = self._engine.pipeline.detect.impostors
        yield GaugeMetricFamily("nadhir_impostors", "Impostors kept.", len(watch.store))
        for name, text, count in (
            ("nadhir_impostors_cut", "Impostors not kept: there were too many.", watch.store.cut),
            ("nadhir_sightings_late", "Impostors seen too late to count.", watch.late),
        ):
            yield families.counter(name, text, count)

    def _state(self) -> dict[str, int]:
        """Sizes by part, measured now and then."""
        with self._turn:
            now_s = time.monotonic()
            if not self._sizes or now_s - self._measured_s >= _SIZES_S:
                try:
                    self._sizes = state_bytes(self._engine.pipeline.store.path)
                except sqlite3.Error:
                    self._sizes = {}  # the engine itself tells what is wrong with its file
                self._measured_s = now_s
            return self._sizes
