"""Rejected: what could not be read, why, and what to do about it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.console.console import Page, parts
from alerts.console.language import N_
from alerts.console.plain import visible
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/rejected", N_("Rejected"))
_ROWS = 30
_CURSOR = re.compile(r"[0-9]{1,15}")
_MOST_RAW = 2_000  # bytes of a line that are shown


class Reason(NamedTuple):
    """What a reason means, and what to do."""

    meaning: str
    remedy: str


REASONS = {
    "not_json": Reason(
        N_("The line is not JSON."),
        N_("Send one JSON object a line; look for cut lines and for quotes that are not escaped."),
    ),
    "not_utf8": Reason(
        N_("The line is not UTF-8."),
        N_("Make the sender write UTF-8; exports of spreadsheets are often in another encoding."),
    ),
    "too_deep": Reason(
        N_("The JSON is nested too deeply."),
        N_("Send the mention itself, not the whole answer of the platform around it."),
    ),
    "not_object": Reason(
        N_("The line is JSON, but not an object."),
        N_("Send one object a line, not a list or a text."),
    ),
    "missing_key": Reason(
        N_("A required key is missing."),
        N_("A mention needs id, platform, published_at and text; map the sender's names to these."),
    ),
    "wrong_type": Reason(
        N_("A value has the wrong type."),
        N_("Look at the key that the detail names; numbers stand without quotes, ids within."),
    ),
    "bad_value": Reason(
        N_("A value is out of range or not one of the allowed words."),
        N_("Look at the key that the detail names, and at docs/mention.md for what it may be."),
    ),
    "empty_id": Reason(
        N_("An id is empty."),
        N_("Give every mention the id that its platform gave it, or repeats are counted twice."),
    ),
    "text_too_long": Reason(
        N_("The text is too long."),
        N_("Texts may have 20,000 characters; cut them, or send articles by their first part."),
    ),
    "field_too_long": Reason(
        N_("A field or list is too long."),
        N_("Look at the key that the detail names; send fewer links or media."),
    ),
    "bad_time": Reason(
        N_("A time cannot be read."),
        N_("Write times as in 2026-01-31T09:30:00+03:00, always with the offset."),
    ),
    "time_in_future": Reason(
        N_("The mention lies in the future."),
        N_("Set the sender's clock; local times need their offset."),
    ),
    "time_too_old": Reason(
        N_("The mention is from before 2000."),
        N_("Check the unit: seconds and milliseconds are easily mistaken for each other."),
    ),
    "line_too_large": Reason(
        N_("The line is longer than 1 MiB."),
        N_("Send one mention a line; pictures and films stand as links."),
    ),
    "bad_row": Reason(
        N_("A row of a CSV file cannot be split."),
        N_("The detail says why; mostly a quote never closes, or the delimiter is another one."),
    ),
}
"""By reason code of docs/mention.md."""
OTHER = Reason(
    N_("The mention could not be read."), N_("Look at the detail; this console is older than it.")
)


class Shown(NamedTuple):
    """A rejected line as the page shows it."""

    number: int
    code: str
    reason: Reason
    detail: str
    source: str
    position: str
    retried: bool
    raw: str
    size: int


@router.get("/rejected")
def rejected(request: Request, visitor: Viewer) -> Response:
    """A page of rejected lines, the newest first."""
    engine, sent = parts(request).engine, request.query_params
    asked = sent.get("reason", "") if sent.get("reason", "") in REASONS else ""
    cursor = _CURSOR.fullmatch(sent.get("cursor", ""))
    before = None if cursor is None else int(cursor[0])
    found = engine.rejected(reason=asked or None, before=before, limit=_ROWS + 1)
    kept = {"reason": asked} if asked else {}
    older = kept | {"cursor": str(found[_ROWS - 1].number)} if len(found) > _ROWS else None
    rows = [
        Shown(
            one.number,
            one.reason,
            REASONS.get(one.reason, OTHER),
            one.detail,
            one.source,
            one.position,
            one.retried,
            visible(one.raw, _MOST_RAW),
            len(one.raw),
        )
        for one in found[:_ROWS]
    ]
    return show(
        request,
        "rejected.html.j2",
        visitor,
        asked=asked,
        rows=rows,
        older=older and f"/rejected?{urlencode(older)}",
        newest=cursor and f"/rejected?{urlencode(kept)}",
        reasons=REASONS,
        known=engine.blind() is not None,
        most=_MOST_RAW,
    )
