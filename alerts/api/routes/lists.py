"""Allow and block lists: accounts and domains that somebody has judged."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import (
    DeskOf,
    Id,
    Key,
    PartsOf,
    Responder,
    Viewer,
    Written,
    once,
    shown,
    told,
)
from alerts.api.document import answers
from alerts.api.requests import ListRequest, Name
from alerts.service.list_records import ListEntry, ListPage
from models.records import ListName

router = APIRouter(prefix="/v1", tags=["lists"])

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(pattern=r"^[0-9]{1,15}\.[A-Za-z0-9._~-]{1,80}$")]


@router.get("/lists", responses=answers(ListPage))
def read_lists(
    desk: DeskOf,
    parts: PartsOf,
    _: Viewer,
    brand: Annotated[Name | None, Query()] = None,
    list: Annotated[ListName | None, Query()] = None,  # noqa: A002
    removed: bool = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Entries that hold (``removed``: the others too), the newest first."""
    before = None
    if cursor is not None:
        created_ms, id_ = cursor.split(".", 1)
        before = int(created_ms), id_
    found = desk.lists(
        parts.engine.brands, brand=brand, list_=list, removed=removed, before=before, limit=limit
    )
    return shown(found)


@router.post(
    "/lists", status_code=201, responses=answers(ListEntry, 409, 413, status=201, etag=True)
)
def add_to_list(
    request: Request, desk: DeskOf, parts: PartsOf, bearer: Responder, key: Key, body: ListRequest
) -> Response:
    """Put an account or a domain on a list of a brand; the entry is owned by the token."""
    same = once(request, key, body, None)
    brands = parts.engine.brands
    return told(desk.add_listing(bearer.name, body.brand, brands, body.draft(), once=same))


@router.get("/lists/{id}", responses=answers(ListEntry, 404, etag=True))
def read_list_entry(desk: DeskOf, _: Viewer, id: Id) -> Response:  # noqa: A002
    """One entry, also one that was taken away."""
    found = desk.listing(id)
    return shown(found, found.version)


@router.delete("/lists/{id}", responses=answers(ListEntry, 404, 412, 428, etag=True))
def remove_from_list(write: Written) -> Response:
    """Take an entry away; it stays to be read."""
    same = write.once(None)
    return told(write.desk.remove_listing(write.name, write.id, version=write.version, once=same))
