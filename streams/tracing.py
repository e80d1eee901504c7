"""OpenTelemetry traces: a span for each batch of a stage, and one for each request to the API.

Optional (``pip install 'nadhir[otel]'``) and off by default: then nothing of it is imported, and
no batch passes through it.  A span holds no text of a mention: names of stages and routes, ids of
alerts, and times.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alerts.records import Alert
from streams.config.tracing import TracingSettings
from streams.meter import Meter

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

log = logging.getLogger("nadhir.tracing")
_FLUSH_MS = 1_000  # an absent collector must not hold up the end


class TracingMissing(OSError):
    """The optional part is not installed."""


class Tracing:
    """Where spans go.

    Parameters
    ----------
    provider : TracerProvider or None
        None traces nothing.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self.provider = provider

    def metered(self, meter: Meter) -> Meter:
        """A meter that also makes a span of what it is told; without a provider the same one."""
        return meter if self.provider is None else _TracedMeter(meter, self.provider)


class _TracedMeter:
    """A `Meter` before another one: a span for each batch, made when the batch is done."""

    def __init__(
        self, meter: Meter, provider: TracerProvider, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._meter = meter
        self._tracer = provider.get_tracer("nadhir")
        self._clock_ns = clock_ns

    def took(self, stage: str, duration_s: float) -> None:
        """A stage was done with a batch."""
        ended = self._clock_ns()
        began = ended - round(duration_s * 1e9)
        span = self._tracer.start_span(
            f"stage {stage}", start_time=began, attributes={"nadhir.stage": stage}
        )
        span.end(ended)
        self._meter.took(stage, duration_s)

    def published(self, alert: Alert, arrived_ms: int, now_ms: int) -> None:
        """News of an alert was published: a span from the arrival of its mentions."""
        span = self._tracer.start_span(
            "alert published",
            start_time=arrived_ms * 1_000_000,
            attributes={
                "nadhir.alert": alert.id,
                "nadhir.brand": alert.brand,
                "nadhir.severity": alert.severity,
            },
        )
        span.end(now_ms * 1_000_000)
        self._meter.published(alert, arrived_ms, now_ms)


@contextmanager
def opened_tracing(
    settings: TracingSettings, part: str, *, processor: SpanProcessor | None = None
) -> Iterator[Tracing]:
    """Tracing as configured; what was not sent yet is sent at the end.

    Parameters
    ----------
    settings : TracingSettings
    part : str
        Which process it is, such as ``run`` or ``worker-score``.
    processor : SpanProcessor, optional
        Takes the spans instead of the collector of the settings.

    Raises
    ------
    TracingMissing
        If it is asked for and not installed.
    """
    if settings.endpoint is None:
        yield Tracing()
        return
    provider = _provider(settings, settings.endpoint, part, processor)
    log.info("traces go to %s", settings.endpoint)
    try:
        yield Tracing(provider)
    finally:
        provider.force_flush(_FLUSH_MS)
        provider.shutdown()


def _provider(
    settings: TracingSettings, endpoint: str, part: str, processor: SpanProcessor | None
) -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise TracingMissing(
            "tracing.endpoint is set, but not everything for it is installed: "
            "pip install 'nadhir[otel]'"
        ) from error
    about = Resource.create({"service.namespace": "nadhir", "service.name": f"nadhir-{part}"})
    sampler = ParentBased(TraceIdRatioBased(settings.percent / 100))
    provider = TracerProvider(resource=about, sampler=sampler, shutdown_on_exit=False)
    if processor is None:
        url = f"{endpoint.rstrip('/')}/v1/traces"
        processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=_FLUSH_MS / 1000))
    provider.add_span_processor(processor)
    return provider
