"""Server-sent events: every row of the audit trail as it is written, resumable by its number."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from alerts.api.depends import SCHEME, DeskOf, PartsOf, Viewer
from alerts.api.document import answers
from alerts.api.problems import ProblemError
from alerts.service.records import AuditEntry

router = APIRouter(prefix="/v1", tags=["events"])
PAUSE_S = 15.0  # proxies close what is silent for long
_HELD = r"^[0-9]{1,15}$"


@router.get(
    "/events", responses=answers("Events; data is an AuditEntry.", media="text/event-stream")
)
async def events(
    request: Request,
    desk: DeskOf,
    parts: PartsOf,
    bearer: Viewer,
    after: Annotated[str | None, Query(pattern=_HELD)] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", pattern=_HELD)] = None,
) -> Response:
    """Changes as they happen; ``Last-Event-ID`` (or ``after``) goes on where one left off."""
    if parts.feed.crowded:
        raise ProblemError(503, "Too many listen already.", {"Retry-After": "30"})
    if parts.feed.has_enough(bearer.name):
        detail = "This token listens too often already; close a stream."
        raise ProblemError(429, detail, {"Retry-After": "30"})
    held = last_event_id if last_event_id is not None else after
    stream = parts.feed.follow(None if held is None else int(held), PAUSE_S, bearer.name)
    secret = await SCHEME(request)

    async def lines() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        shown, asked_s = secret.credentials if secret else "", time.monotonic()
        async for entry in stream:
            now_s = time.monotonic()
            if entry is None or now_s - asked_s >= PAUSE_S:
                # a token that was revoked meanwhile opens nothing any more
                if await run_in_threadpool(desk.tokens.bearer, shown) is None:
                    return
                asked_s = now_s
            yield b": quiet\n\n" if entry is None else _event(entry)

    return StreamingResponse(lines(), media_type="text/event-stream")


def _event(entry: AuditEntry) -> bytes:
    data = msgspec.json.encode(entry)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (entry.seq, entry.action.encode(), data)
