"""Tokens, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from alerts.api.depends import Admin, DeskOf, shown
from alerts.api.document import answers
from alerts.api.problems import ProblemError
from alerts.api.requests import TokenRequest
from alerts.service.records import NewToken, TokenList

router = APIRouter(prefix="/v1", tags=["tokens"])


@router.get("/tokens", responses=answers(TokenList))
def list_tokens(desk: DeskOf, _: Admin) -> Response:
    """Tokens without their secrets, revoked ones too."""
    return shown(desk.list_tokens())


@router.post("/tokens", status_code=201, responses=answers(NewToken, 409, 413, status=201))
def create_token(desk: DeskOf, admin: Admin, body: TokenRequest) -> Response:
    """Make a token; its secret is told this once."""
    return shown(desk.create_token(admin.name, body.name, body.role), status=201)


@router.delete("/tokens/{name}", status_code=204, responses=answers(None, 404, 409, status=204))
def revoke_token(
    desk: DeskOf,
    admin: Admin,
    name: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.@-]{0,62}$")],
) -> Response:
    """Revoke a token at once."""
    if not desk.tokens.revoke(name, by=admin.name, now_ms=desk.clock()):
        raise ProblemError(404, "There is no such token that still opens anything.")
    return Response(status_code=204)
