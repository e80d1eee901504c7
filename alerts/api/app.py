"""The application, composed in one place."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.api.depends import Viewer
from alerts.api.document import answers, openapi
from alerts.api.feed import Feed
from alerts.api.parts import ApiOptions, EngineView, Parts
from alerts.api.problems import answer, handlers
from alerts.api.routes import (
    acts,
    engine,
    erasures,
    events,
    health,
    indicators,
    link,
    lists,
    messages,
    notifications,
    silences,
    tokens,
)
from alerts.api.routes import alerts as alert_routes
from alerts.service import Desk

_ROUTES = (
    alert_routes, acts, messages, notifications, silences, lists, erasures, indicators, tokens,
    engine, events, health, link,
)  # fmt: skip
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create_api(desk: Desk, view: EngineView, options: ApiOptions) -> FastAPI:
    """The API over a desk and what the engine knows."""
    app = FastAPI(
        title="Nadhir",
        version="1",
        description="Alerts, and what people do about them.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers=handlers(),
    )
    app.state.parts = Parts(desk=desk, engine=view, options=options, feed=Feed(desk))
    for one in _ROUTES:
        app.include_router(one.router)

    @app.get("/openapi.json", responses=answers("This document.", media="application/json"))
    def openapi_document(_: Viewer) -> JSONResponse:
        """The OpenAPI document."""
        return JSONResponse(openapi(app))

    app.add_middleware(_Guard, most_bytes=options.max_body_bytes)
    return app


def end_streams(app: FastAPI) -> None:
    """End streams of events, so that the server can stop; from any thread."""
    app.state.parts.feed.stop()


class _Guard:
    """Limits bodies, and puts security headers on every answer; a route's own come first."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        received = 0

        async def within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise HTTPException(413, self._too_large)
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._most_bytes:
            await answer(413, f"{self._too_large}.")(scope, receive, with_headers)
            return
        await self._app(scope, within_limit, with_headers)

    @property
    def _too_large(self) -> str:
        return f"Send at most {self._most_bytes:,} bytes in one request"
