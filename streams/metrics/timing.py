"""How long batches take, and how long an alert takes from a mention to its publication."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram

from alerts.records import Alert

STAGES = ("decode", "score", "detect", "alert", "store")
_BATCH_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0)


class Timing:
    """The `streams.meter.Meter` that counts into histograms.

    Parameters
    ----------
    registry : CollectorRegistry
    stages : sequence of str
        Of those that run in this process.
    latency : bool
        Whether alerts are published here.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        stages: tuple[str, ...] = STAGES,
        *,
        latency: bool = True,
    ) -> None:
        batches = Histogram(
            "nadhir_stage_batch_seconds",
            "How long a stage took for a batch.",
            ["stage"],
            buckets=_BATCH_S,
            registry=registry,
        )
        # found once here: looking a label up costs more than counting
        self._batches = {stage: batches.labels(stage) for stage in stages}
        mine = registry if latency else None
        self._from_publication = Histogram(
            "nadhir_alert_latency_from_publication_seconds",
            "From when the mention was published that completed the evidence to the alert.",
            buckets=_LATENCY_S,
            registry=mine,
        )
        self._from_arrival = Histogram(
            "nadhir_alert_latency_from_arrival_seconds",
            "From when that mention arrived to the alert.",
            buckets=_LATENCY_S,
            registry=mine,
        )

    def took(self, stage: str, duration_s: float) -> None:
        """A stage was done with a batch."""
        self._batches[stage].observe(duration_s)

    def published(self, alert: Alert, arrived_ms: int, now_ms: int) -> None:
        """News of an alert was published; the end of an alert is nothing anybody waits for."""
        if alert.timeline[-1].event == "resolved":
            return
        self._from_publication.observe(max(0, now_ms - alert.last_signal_ms) / 1000)
        self._from_arrival.observe(max(0, now_ms - arrived_ms) / 1000)
