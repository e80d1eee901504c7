"""Health, readiness and metrics of a running engine."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from streams.live import LiveEngine

TEXT = "text/plain; version=0.0.4"


def health_routes(
    engine: LiveEngine, registry: CollectorRegistry, opens: Callable[[Request], bool]
) -> list[Route]:
    """``/health/live``, ``/health/ready``, and ``/metrics`` for whom it opens."""

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> JSONResponse:
        if not engine.running or engine.stopping:
            return JSONResponse({"status": "not ready"}, 503)
        # blind is not calm, but a restart would not help
        return JSONResponse({"status": "ok", "blind": engine.pipeline.detect.silent()})

    def metrics(request: Request) -> Response:  # in a thread: the database may take its time
        if not opens(request):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(registry), media_type=TEXT)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]
