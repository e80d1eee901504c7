"""Where pages find their files."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alerts.console.console import console

_KEEP = "public, max-age=31536000, immutable"

router = APIRouter()


@router.get("/static/{named}")
def static_file(request: Request, named: str) -> Response:
    """A style sheet, script or picture; none of them is anybody's secret."""
    found = console(request).files.find(named)
    if found is None:
        raise HTTPException(404)
    return Response(found.content, 200, {"Cache-Control": _KEEP}, found.media)
