"""Decisions: why a signal became an alert, and why not, in words."""

from __future__ import annotations

import re
from typing import get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.console.console import Page, parts
from alerts.console.language import N_
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer
from alerts.records import Reached

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/decisions", N_("Decisions"))
OUTCOMES: tuple[Reached, ...] = get_args(Reached)
_ROWS = 30
_CURSOR = re.compile(r"[0-9]{1,15}")


@router.get("/decisions")
def decisions(request: Request, visitor: Viewer) -> Response:
    """A page of decisions, the newest first."""
    engine, sent = parts(request).engine, request.query_params
    brands = [brand.id for brand in engine.brands]
    asked = {"brand": sent.get("brand", ""), "outcome": sent.get("outcome", "")}
    asked["brand"] = asked["brand"] if asked["brand"] in brands else ""
    asked["outcome"] = asked["outcome"] if asked["outcome"] in OUTCOMES else ""
    cursor = _CURSOR.fullmatch(sent.get("cursor", ""))
    found = engine.decisions(
        brand=asked["brand"] or None,
        outcome=asked["outcome"] or None,
        before=None if cursor is None else int(cursor[0]),
        limit=_ROWS + 1,
    )
    kept = {name: word for name, word in asked.items() if word}
    older = kept | {"cursor": str(found[_ROWS - 1][0])} if len(found) > _ROWS else None
    return show(
        request,
        "decisions.html.j2",
        visitor,
        asked=asked,
        decisions=[decision for _, decision in found[:_ROWS]],
        older=older and f"/decisions?{urlencode(older)}",
        newest=cursor and f"/decisions?{urlencode(kept)}",
        brands=brands,
        outcomes=OUTCOMES,
        known=engine.blind() is not None,
    )
