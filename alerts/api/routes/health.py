"""Health without a token; metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import generate_latest
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import SCHEME, DeskOf, PartsOf, require, shown
from alerts.api.document import answers
from alerts.origin import asks_itself, shows
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
    parts: PartsOf,
    shown_token: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)],
) -> Response:
    """Metrics; a viewer's token is asked for unless this machine asks itself."""
    options = parts.options
    open_ = options.open_metrics and asks_itself(request)
    if not open_ and not shows(request, options.metrics_token):
        require("viewer")(request, shown_token)
    return Response(generate_latest(options.registry), media_type=_TEXT)
