"""Health without a token; metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import SCHEME, DeskOf, PartsOf, require, shown
from alerts.api.document import answers
from alerts.service import Desk
from alerts.service.records import Ready

router = APIRouter(tags=["health"])
_TEXT = "text/plain; version=0.0.4"


@router.get("/health/live", responses=answers(Ready, open_=True))
def live() -> Response:
    """Whether the process answers."""
    return shown(Ready(status="ok", blind=None))


@router.get("/health/ready", responses=answers(Ready, open_=True))
def ready(desk: DeskOf, parts: PartsOf) -> Response:
    """Whether requests can be answered; being blind is no reason to restart, but is told."""
    desk.last_seq()
    blind = parts.engine.blind()
    return shown(Ready(status="ok", blind=None if blind is None else tuple(blind)))


@router.get("/metrics", responses=answers("Metrics for Prometheus.", media="text/plain"))
def metrics(
    request: Request,
    desk: DeskOf,
    parts: PartsOf,
    shown_token: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)],
) -> Response:
    """Metrics; a viewer's token is asked for unless only this machine reaches the address."""
    if not parts.options.open_metrics:
        require("viewer")(request, shown_token)
    registry = CollectorRegistry()
    for collector in (*parts.options.collectors, ResponseMetrics(desk)):
        registry.register(collector)
    return Response(generate_latest(registry), media_type=_TEXT)


class ResponseMetrics(Collector):
    """The response database in numbers, read when Prometheus asks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Alerts, notifications, audit rows."""
        states, notified = self._desk.counts()
        alerts = GaugeMetricFamily(
            "nadhir_response_alerts", "Alerts, drills aside.", labels=["state", "severity"]
        )
        for state, severity, count in states:
            alerts.add_metric([state, severity], count)
        yield alerts
        notifications = GaugeMetricFamily(
            "nadhir_notifications",
            "Notifications by receiver and what became of them.",
            labels=["receiver", "status"],
        )
        for receiver, status, count in notified:
            notifications.add_metric([receiver, status], count)
        yield notifications
        yield CounterMetricFamily(
            "nadhir_audit_rows", "Rows of the audit trail.", self._desk.last_seq()
        )
