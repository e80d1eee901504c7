"""Health, readiness and metrics of a running engine."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.live import LiveEngine


def health_routes(engine: LiveEngine) -> list[Route]:
    """``/health/live``, ``/health/ready`` and ``/metrics``."""
    registry = CollectorRegistry()
    registry.register(EngineMetrics(engine))

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> JSONResponse:
        if not engine.running or engine.stopping:
            return JSONResponse({"status": "not ready"}, 503)
        # blind is not calm, but a restart would not help
        return JSONResponse({"status": "ok", "blind": engine.pipeline.detect.silent()})

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]


class EngineMetrics(Collector):
    """The engine's counters, read when Prometheus asks."""

    def __init__(self, engine: LiveEngine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """The counters as they are now."""
        pipeline = self._engine.pipeline
        counters, detect = pipeline.counters, pipeline.detect.counters
        watch = pipeline.detect.impostors
        for name, text, value in (
            ("nadhir_lines", "Lines read from sources.", counters.lines),
            ("nadhir_mentions", "Mentions decoded.", counters.mentions),
            ("nadhir_observations", "Mentions about a brand.", counters.observations),
            ("nadhir_duplicates", "Mentions seen before.", detect.duplicates),
            ("nadhir_late_mentions", "Mentions too late to count.", detect.late),
            ("nadhir_alerts", "Alerts opened.", counters.alerts),
            ("nadhir_late_sightings", "Impostors seen too late to count.", watch.late),
            ("nadhir_impostors_cut", "Impostors not kept: there were too many.", watch.store.cut),
        ):
            yield CounterMetricFamily(name, text, value)
        rejected = CounterMetricFamily(
            "nadhir_rejected_mentions", "Mentions rejected.", labels=["reason"]
        )
        for reason, count in sorted(counters.rejected.items()):
            rejected.add_metric([reason], count)
        yield rejected
        signals = CounterMetricFamily("nadhir_signals", "Signals found.", labels=["kind"])
        for kind, count in sorted(detect.signals.items()):
            signals.add_metric([kind], count)
        yield signals
        yield GaugeMetricFamily("nadhir_impostors", "Impostors kept.", len(watch.store))
        if pipeline.detect.watermark_ms is not None:
            yield GaugeMetricFamily(
                "nadhir_watermark_timestamp_seconds",
                "Event time reached.",
                pipeline.detect.watermark_ms / 1000,
            )
