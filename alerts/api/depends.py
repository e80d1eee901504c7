"""What routes ask of a request: who sent it, which version it saw, which key it came with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Header, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from alerts.api.parts import Parts
from alerts.api.problems import ProblemError
from alerts.service import Answer, Desk, Once
from alerts.store.access import Role
from alerts.tokens import Bearer

SCHEME = HTTPBearer(auto_error=False, description="A token of `nadhir tokens create`.")


def parts(request: Request) -> Parts:
    """What the application is made of."""
    found = request.app.state.parts
    assert isinstance(found, Parts)
    return found


def desk(request: Request) -> Desk:
    """The use cases."""
    return parts(request).desk


def limit(request: Request, key: str) -> None:
    """Let a request go on, or ask its sender to wait."""
    wait_s = parts(request).limits.wait_s(key)
    if wait_s:
        raise ProblemError(429, "Too many requests; wait.", {"Retry-After": str(wait_s)})


def address(request: Request) -> str:
    """Where a request comes from, as the key of a limit."""
    return f"from {request.client.host if request.client else 'nowhere'}"


def require(role: Role) -> Callable[..., Bearer]:
    """Dependency: whoever shows a token that holds a role."""

    def check(
        request: Request,
        shown: Annotated[HTTPAuthorizationCredentials | None, Depends(SCHEME)],
    ) -> Bearer:
        found = None if shown is None else desk(request).tokens.bearer(shown.credentials)
        if found is None:
            # whoever guesses is slowed down; those with a token who come through the same proxy,
            # and so from the same address, are not
            limit(request, address(request))
            challenge = {"WWW-Authenticate": 'Bearer realm="nadhir"'}
            raise ProblemError(401, "Show a token: Authorization: Bearer <token>.", challenge)
        limit(request, f"token {found.name}")
        if not found.may(role):
            raise ProblemError(403, f"This asks for the role {role}; yours is {found.role}.")
        return found

    return check


def if_match(
    value: Annotated[
        str | None,
        Header(
            alias="If-Match",
            pattern=r'^(\*|"[0-9]{1,9}")$',
            description='The ETag that was seen, such as `"3"`; `*` for whatever it is now.',
        ),
    ] = None,
) -> int | None:
    """The version that the sender saw; None for any."""
    if value is None:
        raise ProblemError(428, 'Say which version you saw: If-Match: "3", or * for any.')
    return None if value == "*" else int(value.strip('"'))


def key(
    value: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[!-~]{1,255}$",
            description="Chosen by the sender; the same request with it is carried out once.",
        ),
    ] = None,
) -> str | None:
    """The idempotency key."""
    return value


DeskOf = Annotated[Desk, Depends(desk)]
PartsOf = Annotated[Parts, Depends(parts)]
Viewer = Annotated[Bearer, Depends(require("viewer"))]
Responder = Annotated[Bearer, Depends(require("responder"))]
Admin = Annotated[Bearer, Depends(require("admin"))]
Version = Annotated[int | None, Depends(if_match)]
Key = Annotated[str | None, Depends(key)]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9._~-]{1,80}$")]


def once(
    request: Request, key: str | None, body: BaseModel | None, version: int | None
) -> Once | None:
    """What makes a request the same as another with its key."""
    if key is None:
        return None
    said = body.model_dump_json() if body is not None else ""
    whole = "\n".join((request.method, request.url.path, str(version), said))
    return Once(key=key, fingerprint=hashlib.sha256(whole.encode()).hexdigest())


class Write:
    """What a responder's write to one thing brings along, beside its body.

    Attributes
    ----------
    desk : Desk
    name : str
        Of the token.
    id : str
        What it is about.
    version : int or None
        What the sender saw; None is any.
    """

    def __init__(
        self,
        request: Request,
        desk: DeskOf,
        bearer: Responder,
        id: Id,  # noqa: A002
        version: Version,
        key: Key,
    ) -> None:
        self.desk = desk
        self.name = bearer.name
        self.id = id
        self.version = version
        self._request = request
        self._key = key

    def once(self, body: BaseModel | None) -> Once | None:
        """What makes it the same as another with its key."""
        return once(self._request, self._key, body, self.version)


Written = Annotated[Write, Depends(Write)]


def told(answer: Answer) -> Response:
    """The response of a write."""
    headers = {} if answer.version is None else {"ETag": f'"{answer.version}"'}
    return Response(answer.body, answer.status, headers, "application/json")


def shown(document: msgspec.Struct, version: int | None = None, status: int = 200) -> Response:
    """The response with a document."""
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return Response(msgspec.json.encode(document), status, headers, "application/json")
