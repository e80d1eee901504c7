"""Routes of the console: whatever goes wrong in one is told as a page, in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alerts.api.problems import ProblemError
from alerts.console.language import N_
from alerts.console.show import show
from alerts.console.who import LoginNeeded, Refused
from alerts.service.errors import Conflict, Invalid, Missing, ServiceError, Stale
from alerts.store.errors import DatabaseUnavailable, StoreFault

log = logging.getLogger("nadhir.console")

SENTENCES = {
    "over": N_("Your session is over, and nothing was changed. Log in again."),
    "role": N_("Your token may look but not do this. Ask an administrator for another role."),
    "elsewhere": N_(
        "This form did not come from this console, or is too old. Open the page again."
    ),
    "form": N_("The form cannot be read as it was filled in. Go back and look at it again."),
    "missing": N_("There is no such page, or no longer."),
    "stale": N_("Somebody changed it meanwhile. Open the page again and look at what changed."),
    "conflict": N_("How it stands now does not allow that. Open the page again."),
    "busy": N_("Too many requests. Wait a little and try again."),
    "database": N_("The database cannot be used just now. Nothing was changed; try again."),
    "fault": N_("Something failed inside the server. Nothing was changed; try again."),
    "large": N_("That is more than fits into one request."),
}
_STATUS = {403: "elsewhere", 404: "missing", 405: "missing", 413: "large", 422: "form", 429: "busy"}


class ConsoleRoute(APIRoute):
    """A route that answers with a page, also where it fails."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with everything it may raise told as a page."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except LoginNeeded:
                return entrance(request)
            except (
                Refused, ProblemError, ServiceError, StoreFault, RequestValidationError,
                HTTPException,
            ) as error:  # fmt: skip
                return failed(request, error)

        return told


def entrance(request: Request) -> Response:
    """The way to the login, and back."""
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        # who follows a link of a chat comes without the cookie, which goes with what this site
        # asks for itself alone: so this site asks once more
        return show(request, "again.html.j2", None, headers={"Vary": "Sec-Fetch-Site"})
    if request.method != "GET":
        return show(request, "failed.html.j2", None, status=401, said=SENTENCES["over"], faults=[])
    if "text/html" not in request.headers.get("accept", ""):
        return Response(None, 401)  # to a script of ours
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login?next={quote(request.url.path + query, safe='')}", 303)


def failed(request: Request, error: Exception) -> Response:
    """The page of a request that was not carried out."""
    status, why = _told(error)
    headers = dict(error.headers) if isinstance(error, ProblemError) else {}
    if isinstance(error, StoreFault):
        log.error("%s", error)
    visitor = getattr(request.state, "visitor", None)
    faults = error.faults if isinstance(error, (Invalid, Conflict)) else ()
    return show(
        request,
        "failed.html.j2",
        visitor,
        status=status,
        headers=headers,
        said=SENTENCES[why],
        faults=[sentence for _, _, sentence in faults],
    )


def _told(error: Exception) -> tuple[int, str]:
    """Status and word of a failure."""
    if isinstance(error, Refused):
        return error.status, error.why
    if isinstance(error, ProblemError):
        return error.status, _STATUS.get(error.status, "fault")
    if isinstance(error, HTTPException):
        return error.status_code, _STATUS.get(error.status_code, "fault")
    if isinstance(error, DatabaseUnavailable):
        return 503, "database"
    kinds: tuple[tuple[type[Exception], int, str], ...] = (
        (Missing, 404, "missing"),
        (Stale, 412, "stale"),
        (Conflict, 409, "conflict"),
        (Invalid, 422, "form"),
        (RequestValidationError, 404, "missing"),
    )
    return next(
        ((code, why) for kind, code, why in kinds if isinstance(error, kind)), (500, "fault")
    )
