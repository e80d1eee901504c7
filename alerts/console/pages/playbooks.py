"""Playbooks: who does what by when, and the prepared messages filled with an example."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.console.console import Page, parts
from alerts.console.language import N_
from alerts.console.rendered import example_facts, prepared
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer
from alerts.playbook import render
from alerts.playbook.records import Facts
from alerts.service.errors import Missing

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/playbooks", N_("Playbooks"))


@router.get("/playbooks")
def playbooks(request: Request, visitor: Viewer) -> Response:
    """The playbooks in use."""
    here = parts(request)
    facts = {p.type: _example(request, "", p.type) for p in here.engine.playbooks}
    filled = [render(p, facts[p.type]) for p in here.engine.playbooks]
    return show(request, "playbooks.html.j2", visitor, playbooks=filled)


@router.get("/playbooks/{type_}")
def playbook(request: Request, visitor: Viewer, type_: str) -> Response:
    """One playbook, filled with made-up facts about one of the brands."""
    here = parts(request)
    found = next((p for p in here.engine.playbooks if p.type == type_), None)
    if found is None:
        raise Missing(f"there is no playbook {type_}")
    brands = [brand.id for brand in here.engine.brands]
    asked = request.query_params.get("brand", "")
    facts = _example(request, asked, type_)
    return show(
        request,
        "playbook.html.j2",
        visitor,
        playbook=render(found, facts),
        messages=prepared(found, facts),
        brands=brands,
        asked=asked if asked in brands else brands[0],
    )


def _example(request: Request, asked: str, type_: str) -> Facts:
    here = parts(request)
    brands = {brand.id: brand for brand in here.engine.brands}
    chosen = brands.get(asked, here.engine.brands[0])
    now = datetime.fromtimestamp(here.desk.clock() / 1000, UTC)
    return example_facts(chosen, type_, now.astimezone(ZoneInfo(chosen.timezone)))
