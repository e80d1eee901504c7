"""The OpenAPI document: our records are its schemas, every status that can come is in it."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from alerts.api.problems import MEDIA, Problem
from alerts.service import kept_records as kept
from alerts.service import list_records as lists
from alerts.service import message_records as said
from alerts.service import records as views

_REF = "#/components/schemas/{name}"
_ALWAYS = (401, 403, 422, 429, 500, 503)
_ETAG = {
    "ETag": {
        "description": "The version of what the body shows, for If-Match.",
        "schema": {"type": "string"},
    }
}
_SAID = {
    400: "The request cannot be read.",
    401: "No token, or one that opens nothing.",
    403: "The token's role may not do this.",
    404: "There is no such thing.",
    409: "The state does not allow it; the body may hold the current one.",
    412: "It was changed meanwhile; the body holds the current state.",
    413: "The body is too large.",
    422: "The request makes no sense; the body says which fields.",
    428: "If-Match is missing.",
    429: "Too many requests; Retry-After says how long to wait.",
    500: "A fault of ours.",
    503: "The database cannot be used just now.",
}
_DOCUMENTS = (
    views.AlertPage, views.Detail, views.AuditPage, views.AuditEntry, views.BulkResult,
    views.Judged, views.SilenceView, views.SilenceList, views.SilencePreview, views.TokenList,
    views.NewToken, views.DecisionPage, views.BrandList, views.RejectedPage, views.Summary,
    views.PlaybookList, views.Ready, said.MessageView, said.MessageList,
    kept.NotificationPage, kept.ToldOf, kept.Replayed, kept.Erasure, lists.ListEntry,
    lists.ListPage, Problem,
)  # fmt: skip


def answers(
    document: type[msgspec.Struct] | str | None,
    *errors: int,
    status: int = 200,
    etag: bool = False,
    media: str = "application/json",
    open_: bool = False,
) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route.

    Parameters
    ----------
    document : type or str or None
        Record of the body, or what it is in words; None for no body.
    *errors : int
        Statuses beside those that every route can answer.
    etag : bool
        Whether it has a version.
    open_ : bool
        Whether no token is asked for.
    """
    found: dict[int | str, dict[str, Any]] = {status: {"description": "Done."}}
    if isinstance(document, str):
        kind = "object" if "json" in media else "string"
        content = {media: {"schema": {"type": kind}}}
        found[status] = {"description": document, "content": content}
    elif document is not None:
        found[status]["content"] = {media: {"schema": _reference(document)}}
        found[status]["description"] = (document.__doc__ or "Done.").partition("\n")[0]
    if etag:
        found[status]["headers"] = _ETAG
    always = (500, 503) if open_ else _ALWAYS
    for code in sorted({*always, *errors}):
        content = {MEDIA: {"schema": _reference(Problem)}}
        found[code] = {"description": _SAID[code], "content": content}
    return found


def _reference(document: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": _REF.format(name=document.__name__)}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The document, made when it is first asked for."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=app.description,
            routes=app.routes,
        )
        _, components = msgspec.json.schema_components(_DOCUMENTS, ref_template=_REF)
        made["components"].setdefault("schemas", {}).update(components)
        app.openapi_schema = made
    return app.openapi_schema
