"""Erasing what one author wrote, and who that was."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.depends import Admin, DeskOf, Key, once, told
from alerts.api.document import answers
from alerts.api.requests import ErasureRequest
from alerts.service.kept_records import Erasure

router = APIRouter(prefix="/v1", tags=["privacy"])


@router.post("/erasures", responses=answers(Erasure, 413))
def erase_author(
    request: Request, desk: DeskOf, admin: Admin, key: Key, body: ErasureRequest
) -> Response:
    """Erase one author's data in the response database; `nadhir erase` reaches the engine, too."""
    same = once(request, key, body, None)
    return told(desk.erase(admin.name, body.record(), once=same))
