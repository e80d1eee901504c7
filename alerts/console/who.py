"""Who looks at a page, and whether a form is really theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request

from alerts.api.depends import limit
from alerts.console.console import console, parts
from alerts.sessions import Session
from alerts.store.access import Role
from alerts.tokens import Bearer


class Visitor:
    """Somebody who is logged in.

    Attributes
    ----------
    session : Session
    bearer : Bearer
    mark : str
        What their forms must bring along.
    """

    def __init__(self, session: Session, bearer: Bearer, mark: str) -> None:
        self.session = session
        self.bearer = bearer
        self.mark = mark

    @property
    def name(self) -> str:
        """The name of their token, by which the audit trail knows them."""
        return self.bearer.name

    def may(self, role: Role) -> bool:
        """Whether they may do what a role may."""
        return self.bearer.may(role)


class LoginNeeded(Exception):
    """Nobody is logged in."""


class Refused(Exception):
    """A request that is not carried out; ``why`` is a word that `route` has a sentence for."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def cookie_name(request: Request) -> str:
    """The cookie of the session: of this host alone and never sent in the clear.

    On the machine itself there is no TLS, and browsers take no ``Secure`` cookie without it.
    """
    return "__Host-nadhir" if is_encrypted(request) else "nadhir-session"


def is_encrypted(request: Request) -> bool:
    """Whether the browser came by TLS, perhaps to a proxy before us."""
    if request.url.scheme == "https":
        return True
    public = urlsplit(parts(request).desk.links.base_url or "")
    return public.scheme == "https" and public.netloc == request.headers.get("host", "")


def visitor_of(request: Request) -> Visitor | None:
    """Who is logged in, if anybody is."""
    held = request.cookies.get(cookie_name(request))
    if held is None:
        return None
    sessions = console(request).sessions
    found = sessions.read(held, now_ms=parts(request).desk.clock())
    if found is None:
        return None
    session, bearer = found
    return Visitor(session, bearer, sessions.mark(session))


def require(role: Role) -> Callable[[Request], Visitor]:
    """Dependency: whoever is logged in with a role."""

    def check(request: Request) -> Visitor:
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        if visitor is None:  # the first who asks in this request
            visitor = visitor_of(request)
            if visitor is None:
                raise LoginNeeded
            request.state.visitor = visitor
            limit(request, f"session {visitor.session.nonce}")
        if not visitor.may(role):
            raise Refused(403, "role")
        return visitor

    return check


def same_origin(request: Request) -> None:
    """Refuse what a page of another site sent; every browser says where a form comes from."""
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(403, "elsewhere")
    if not host or origin.partition("://")[2] != host:
        raise Refused(403, "elsewhere")


Viewer = Annotated[Visitor, Depends(require("viewer"))]
Responder = Annotated[Visitor, Depends(require("responder"))]
Admin = Annotated[Visitor, Depends(require("admin"))]
