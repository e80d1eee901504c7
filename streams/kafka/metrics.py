"""The stages of a worker in numbers, read by the thread that works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.records import SEVERITIES
from streams.decode import REASONS
from streams.detect import DetectCounters
from streams.kafka.parts import AlertPart, DetectPart
from streams.metrics import families

if TYPE_CHECKING:  # each stage imports its own alone
    from streams.kafka.agents import StatefulWorker
    from streams.kafka.score import ScoreWorker

Clock = Callable[[], int]


class ScoreMetrics(Collector):
    """Stage score."""

    def __init__(self, worker: ScoreWorker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """The counters as they are now."""
        found = self._worker.counters
        rejected = dict.fromkeys(REASONS, 0) | found.rejected
        yield from families.received(found.mentions, rejected, found.observations)
        yield _lag("score", self._worker.lag)


class DetectMetrics(Collector):
    """Stage detect; ``counters`` are those that its parts share."""

    def __init__(self, worker: StatefulWorker, counters: DetectCounters, clock: Clock) -> None:
        self._worker = worker
        self._counters = counters
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """The partitions that are here now."""
        parts = [part for part in self._worker.parts if isinstance(part, DetectPart)]
        kinds = sorted({kind for part in parts for kind in part.stage.kinds})
        yield from families.detected(self._counters, kinds)
        yield from _stateful("detect", self._worker)
        watermarks = [part.stage.watermark_ms for part in parts]
        yield from families.event_time("detect", _least(watermarks), self._clock())
        figures = [part.stage.figures() for part in parts]
        yield from families.brands([each for each in figures if each is not None])
        count = sum(len(part.stage.impostors.store) for part in parts)
        yield GaugeMetricFamily("nadhir_impostors", "Impostors kept.", count)


class AlertMetrics(Collector):
    """Stage alert; ``opened`` is what its parts count on, ``types`` all that may be opened."""

    def __init__(
        self,
        worker: StatefulWorker,
        opened: Counter[tuple[str, str]],
        types: Sequence[str],
        clock: Clock,
    ) -> None:
        self._worker = worker
        self._opened = opened
        self._types = types
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """The partitions that are here now."""
        parts = [part for part in self._worker.parts if isinstance(part, AlertPart)]
        none = dict.fromkeys(product(self._types, SEVERITIES), 0)
        yield families.opened(none | dict(self._opened))
        yield from _stateful("alert", self._worker)
        watermarks = [part.watermark_ms for part in parts]
        yield from families.event_time("alert", _least(watermarks), self._clock())
        found: dict[str, int] = {}
        for part in parts:
            found |= part.stage.scores()
        yield families.scores(found)


def _stateful(stage: str, worker: StatefulWorker) -> Iterator[Metric]:
    yield families.counter(
        "nadhir_records_unreadable",
        "Records between the stages that could not be read.",
        worker.unreadable,
    )
    yield _lag(stage, worker.lag())
    yield families.state(worker.state_bytes())


def _lag(stage: str, partitions: Mapping[int, int]) -> Metric:
    family = GaugeMetricFamily(
        "nadhir_kafka_lag_records",
        "Records that a stage has to read in each of its partitions.",
        labels=["stage", "partition"],
    )
    for partition, count in sorted(partitions.items()):
        family.add_metric([stage, str(partition)], count)
    return family


def _least(watermarks: Sequence[int | None]) -> int | None:
    """The partition that is furthest behind speaks for all."""
    return min((each for each in watermarks if each is not None), default=None)
