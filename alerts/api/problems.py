"""Errors in one shape: problem details (RFC 9457), which never repeat what was sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from alerts.playbook.records import Bilingual
from alerts.service.errors import (
    Conflict,
    Fault,
    Invalid,
    KeyReused,
    Missing,
    ServiceError,
    Stale,
)
from alerts.service.records import Summary
from alerts.store.errors import DatabaseUnavailable, StoreFault
from alerts.tokens import TokenError

log = logging.getLogger("nadhir.api")

MEDIA = "application/problem+json"
_MOST_CHARS = 120  # of a field's name that a stranger may have made up
_STATUS: tuple[tuple[type[ServiceError], int], ...] = (
    (Missing, 404),
    (Conflict, 409),
    (Stale, 412),
    (Invalid, 422),
    (KeyReused, 422),
)


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one part of a request; ``sentence`` where we have it in both languages."""

    field: str
    code: str
    sentence: Bilingual | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error; ``current`` is the alert as it is now, where that is why it failed."""

    title: str
    status: int
    detail: str
    type: str = ""
    current: Summary | None = None
    version: int | None = None
    errors: tuple[FieldError, ...] = ()


class ProblemError(Exception):
    """A request that fails, as the answer tells it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


def answer(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The response of a problem."""
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail, **more
    )
    return Response(msgspec.json.encode(problem), status, dict(headers or {}), MEDIA)


async def _raised(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return answer(error.status, str(error), error.headers)


async def _service(_: Request, error: Exception) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    detail = f"{str(error)[:1].upper()}{str(error)[1:]}."
    if isinstance(error, Stale):
        headers = {"ETag": f'"{error.version}"'}
        return answer(status, detail, headers, current=error.current, version=error.version)
    if isinstance(error, Conflict):
        return answer(status, detail, current=error.current, errors=_fields(error.faults))
    if isinstance(error, Invalid):
        return answer(status, "The request makes no sense.", errors=_fields(error.faults))
    return answer(status, detail)


def _fields(faults: Sequence[Fault]) -> tuple[FieldError, ...]:
    return tuple(FieldError(field=f, code=c, sentence=s) for f, c, s in faults)


async def _token(_: Request, error: Exception) -> Response:
    return answer(409, f"{str(error)[:1].upper()}{str(error)[1:]}.")


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = tuple(
        FieldError(field=_name(fault["loc"]), code=str(fault["type"]))
        for fault in error.errors()[:20]
    )
    return answer(
        422, "The request is not what the document /openapi.json asks for.", errors=faults
    )


def _name(place: tuple[int | str, ...]) -> str:
    name = ".".join(map(str, place))[:_MOST_CHARS]
    return name.encode("utf-8", "backslashreplace").decode()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = f"{str(error.detail).rstrip('.')}."
    return answer(error.status_code, detail, error.headers)


async def _unavailable(_: Request, error: Exception) -> Response:
    log.error("%s", error)
    return answer(503, "The database cannot be used just now; try again.", {"Retry-After": "1"})


async def _fault(_: Request, error: Exception) -> Response:
    if isinstance(error, StoreFault):
        log.error("%s", error)
    detail = "The request failed inside the server; it is safe to send it again."
    return answer(500, detail)


def handlers() -> dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
]:
    """Exception handlers of the application."""
    return {
        ProblemError: _raised,
        ServiceError: _service,
        TokenError: _token,
        RequestValidationError: _invalid,
        HTTPException: _http,
        DatabaseUnavailable: _unavailable,
        StoreFault: _fault,
        Exception: _fault,
    }
