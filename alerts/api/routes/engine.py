"""What the engine knows: brands, playbooks, decisions, what could not be read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from alerts.api.depends import DeskOf, PartsOf, Viewer, shown
from alerts.api.document import answers
from alerts.api.requests import Name, Outcome
from alerts.service.records import (
    BrandList,
    BrandView,
    DecisionPage,
    PlaybookList,
    RejectedItem,
    RejectedPage,
)

router = APIRouter(prefix="/v1", tags=["engine"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,15}$")]
_MOST_RAW = 4_000  # bytes of a rejected line that are shown


@router.get("/brands", responses=answers(BrandList))
def list_brands(desk: DeskOf, parts: PartsOf, _: Viewer) -> Response:
    """What is watched: how many alerts are not resolved, and whether we are blind."""
    unresolved, blind = desk.unresolved(), parts.engine.blind()
    views = (
        BrandView(
            id=brand.id,
            names=brand.names,
            handles=brand.handles,
            domains=brand.domains,
            languages=brand.languages,
            timezone=brand.timezone,
            unresolved=unresolved.get(brand.id, 0),
            blind=None if blind is None else brand.id in blind,
        )
        for brand in parts.engine.brands
    )
    return shown(BrandList(brands=tuple(views)))


@router.get("/playbooks", responses=answers(PlaybookList))
def list_playbooks(parts: PartsOf, _: Viewer) -> Response:
    """The playbooks in use, as templates; alerts hold them filled in."""
    return shown(PlaybookList(playbooks=tuple(parts.engine.playbooks)))


@router.get("/decisions", responses=answers(DecisionPage))
def list_decisions(
    parts: PartsOf,
    _: Viewer,
    brand: Annotated[Name | None, Query()] = None,
    outcome: Outcome | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Why signals became alerts, and why not; the newest first."""
    before = None if cursor is None else int(cursor)
    found = parts.engine.decisions(brand=brand, outcome=outcome, before=before, limit=limit + 1)
    page = DecisionPage(
        decisions=tuple(decision for _, decision in found[:limit]),
        next=str(found[limit - 1][0]) if len(found) > limit else None,
    )
    return shown(page)


@router.get("/rejected", responses=answers(RejectedPage))
def list_rejected(
    parts: PartsOf,
    _: Viewer,
    reason: Annotated[Name | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """What could not be read, the newest first; ``raw`` is cut, and was written by strangers."""
    before = None if cursor is None else int(cursor)
    found = parts.engine.rejected(reason=reason, before=before, limit=limit + 1)
    items = (
        RejectedItem(
            number=one.number,
            reason=one.reason,
            detail=one.detail,
            source=one.source,
            position=one.position,
            retried=one.retried,
            raw=one.raw[:_MOST_RAW].decode("utf-8", "backslashreplace"),
        )
        for one in found[:limit]
    )
    more = len(found) > limit
    return shown(
        RejectedPage(rejected=tuple(items), next=str(found[limit - 1].number) if more else None)
    )
