"""Brands: how each stands, and the settings that decide what is told of it."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.console.console import Page, parts
from alerts.console.language import N_
from alerts.console.pages.now import Stand, stand_of
from alerts.console.route import ConsoleRoute
from alerts.console.show import show
from alerts.console.who import Viewer
from models.records import Brand

router = APIRouter(route_class=ConsoleRoute)
PAGE = Page(router, "/brands", N_("Brands"))


class Watched(NamedTuple):
    """A brand, and how it stands; its blindness is None where nobody can tell."""

    brand: Brand
    stand: Stand
    blind: bool | None
    unresolved: dict[str, int]


@router.get("/brands")
def brands(request: Request, visitor: Viewer) -> Response:
    """All brands."""
    here = parts(request)
    blind, standing = here.engine.blind(), here.desk.standing()
    watched = [
        Watched(
            brand,
            stand_of(standing.get(brand.id, {}), blind=brand.id in (blind or ())),
            None if blind is None else brand.id in blind,
            standing.get(brand.id, {}),
        )
        for brand in here.engine.brands
    ]
    return show(request, "brands.html.j2", visitor, watched=watched)
