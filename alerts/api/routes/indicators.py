"""Impostors as threat intelligence."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import DeskOf, PartsOf, Viewer
from alerts.api.document import answers
from alerts.api.requests import Name
from alerts.explain import brand_names

router = APIRouter(prefix="/v1", tags=["indicators"])
MEDIA = "application/stix+json;version=2.1"


Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str, Query(pattern=r"^[A-Za-z0-9._~-]{1,80}$")]
_DONE = answers("A STIX 2.1 bundle.", media=MEDIA)
_DONE[200]["headers"] = {
    "Link": {
        "description": 'The page after, as `<...>; rel="next"`; missing on the last one.',
        "schema": {"type": "string"},
    }
}


@router.get("/indicators", responses=_DONE)
def list_indicators(
    request: Request,
    desk: DeskOf,
    parts: PartsOf,
    _: Viewer,
    brand: Annotated[Name | None, Query()] = None,
    since: AwareDatetime | None = None,
    tlp: Literal["white", "green", "amber", "red"] = "amber",
    cursor: Cursor | None = None,
    limit: Limit = 200,
) -> Response:
    """Accounts and domains that pose as a brand, drills aside: a bundle of at most ``limit``."""
    from alerts.indicators import indicator_bundle  # its library is slow to load

    names = {one.id: brand_names(one) for one in parts.engine.brands}
    found, after = desk.impostors(brand=brand, after=cursor or "", limit=limit)
    bundle = indicator_bundle(found, names, brand=brand, since=since, tlp=tlp)
    headers = {}
    if after is not None:
        url = request.url.include_query_params(cursor=after)
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    return Response(bundle, headers=headers, media_type=MEDIA)
