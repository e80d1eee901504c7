"""Settings of traces."""

from __future__ import annotations

from pydantic import Field

from streams.config.base import Settings
from streams.config.fields import Url, WholeNumber


class TracingSettings(Settings):
    """Where traces are sent, with the optional part `otel`."""

    endpoint: Url | None = Field(
        None,
        description="OpenTelemetry collector (OTLP over HTTP), such as `http://127.0.0.1:4318`; "
        "`null` traces nothing.",
    )
    percent: WholeNumber = Field(
        10, ge=0, le=100, description="How many of a hundred batches and requests are traced."
    )
