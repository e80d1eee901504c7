"""Notifications in numbers, as the dispatcher of this process sent them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.notify.dispatcher import Dispatcher

OUTCOMES = ("sent", "retried", "dead", "delayed", "dropped", "unwanted")


class NotificationMetrics(Collector):
    """Notifications by receiver and outcome."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def collect(self) -> Iterator[Metric]:
        """The counts as they are now."""
        family = CounterMetricFamily(
            "nadhir_notifications",
            "Notifications by receiver and what came of an attempt.",
            labels=["receiver", "outcome"],
        )
        for receiver, counts in sorted(self._dispatcher.counts().items()):
            for outcome in OUTCOMES:
                family.add_metric([receiver, outcome], counts[outcome])
        yield family
