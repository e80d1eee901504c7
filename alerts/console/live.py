"""What tells a page that it is out of date: server-sent events, by the cookie of the session."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from alerts.console.console import parts
from alerts.console.route import ConsoleRoute
from alerts.console.who import Viewer, visitor_of
from alerts.service.records import AuditEntry
from alerts.store.errors import StoreFault

log = logging.getLogger("nadhir.console")

router = APIRouter(route_class=ConsoleRoute)
PAUSE_S = 15.0  # proxies close what is silent for long; so long a session outlives its end here


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """That something happened; pages fetch what they show of it."""

    alert: str | None
    action: str


@router.get("/live")
async def live(
    request: Request,
    visitor: Viewer,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,15}$")
    ] = None,
) -> Response:
    """Every change as it is written; browsers go on by themselves where they left off."""
    feed = parts(request).feed
    who = f"session {visitor.session.nonce}"  # not its token: a team may share one
    if feed.crowded or feed.has_enough(who):
        return Response(None, 503, {"Retry-After": "30"})
    after = None if last_event_id is None else int(last_event_id)
    stream = feed.follow(after, PAUSE_S, who)

    async def lines() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        asked_s = time.monotonic()
        try:
            async for entry in stream:
                now_s = time.monotonic()
                if entry is None or now_s - asked_s >= PAUSE_S:
                    if await run_in_threadpool(visitor_of, request) is None:
                        return
                    asked_s = now_s
                yield b": quiet\n\n" if entry is None else _event(entry)
        except StoreFault as error:  # browsers come back, and go on where they left off
            log.error("live updates: %s", error)

    return StreamingResponse(lines(), media_type="text/event-stream")


def _event(entry: AuditEntry) -> bytes:
    data = msgspec.json.encode(Changed(alert=entry.alert, action=entry.action))
    return b"id: %d\nevent: changed\ndata: %s\n\n" % (entry.seq, data)
