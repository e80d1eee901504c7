"""Impostors as threat intelligence."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from alerts.api.depends import DeskOf, PartsOf, Viewer
from alerts.api.document import answers
from alerts.api.requests import Name
from alerts.explain import brand_names

router = APIRouter(prefix="/v1", tags=["indicators"])
MEDIA = "application/stix+json;version=2.1"


@router.get("/indicators", responses=answers("A STIX 2.1 bundle.", media=MEDIA))
def list_indicators(
    desk: DeskOf,
    parts: PartsOf,
    _: Viewer,
    brand: Annotated[Name | None, Query()] = None,
    since: AwareDatetime | None = None,
    tlp: Literal["white", "green", "amber", "red"] = "amber",
) -> Response:
    """Accounts and domains that pose as a brand, drills aside, as one bundle."""
    from alerts.indicators import indicator_bundle  # its library is slow to load

    names = {one.id: brand_names(one) for one in parts.engine.brands}
    found = desk.impostors()
    bundle = indicator_bundle(found, names, brand=brand, since=since, tlp=tlp)
    return Response(bundle, media_type=MEDIA)
