"""HTTP intake: ``POST /v1/mentions``, answered 202 only once the mentions are durable.

A body is one mention, an array of them, or NDJSON, plain or gzip.  Every item is decoded before
anything is stored, so that the answer can say which ones will be rejected; those are stored all
the same and reach the rejected store.  Errors are problem details (RFC 9457) and, like the
decoder's, never repeat what was sent.  The interface is documented in docs/mention.md.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from models.records import Rejection
from streams.decode import MAX_LINE_BYTES, decode_batch
from streams.intake_body import BodyReader, Budget, Problem, overloaded

MAX_ITEMS = 10_000  # in one request
MAX_ERRORS = 100  # described in one answer

_JSON_TYPES = frozenset({"", "application/json"})
_NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_UNREADABLE = frozenset({"not_json", "not_utf8", "too_deep"})
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_ONE = msgspec.json.Decoder(msgspec.Raw)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class IntakeUnavailable(Exception):
    """The store cannot take more just now; the sender is asked to try again."""


class ItemTooLarge(Exception):
    """An item is larger than the store takes: its index, and the most bytes of an item."""

    def __init__(self, index: int, most_bytes: int) -> None:
        super().__init__(f"item {index} has more than {most_bytes} bytes")
        self.index = index
        self.most_bytes = most_bytes


class IntakeStore(Protocol):
    """Where lines are kept until the engine reads them."""

    async def append(self, lines: list[bytes]) -> int:
        """Store all lines; return how many, once they are durable.

        Raises
        ------
        IntakeUnavailable
            If not all lines are known to be stored, and trying again may help.
        ItemTooLarge
            If nothing was stored, since a line is too large.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeOptions:
    """Settings of the intake.

    Attributes
    ----------
    now_ms : callable
        The clock, milliseconds since the epoch.
    token : str or None
        Bearer token that senders must show; None lets everybody in.
    max_body_bytes : int
        Largest body, as sent and as inflated.
    max_in_flight_bytes : int
        Bodies held in memory at one time, as sent and as inflated; beyond, senders get 503.
    body_timeout_s : float
        Time a sender has to deliver its body.
    max_future_ms : int
        How far ahead of the clock ``published_at`` may be.
    """

    now_ms: Callable[[], int]
    token: str | None = None
    max_body_bytes: int = 8 << 20
    max_in_flight_bytes: int = 64 << 20
    body_timeout_s: float = 30.0
    max_future_ms: int = 300_000


def create_intake(store: IntakeStore, options: IntakeOptions) -> Starlette:
    """Application that holds nothing but the intake."""
    return Starlette(routes=intake_routes(store, options), exception_handlers=problem_handlers())


def intake_routes(store: IntakeStore, options: IntakeOptions) -> list[Route]:
    """Routes of the intake, for an application that holds more; see `problem_handlers`."""
    return [Route("/v1/mentions", _Intake(store, options).post, methods=["POST"])]


def problem_handlers() -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    """Exception handlers that answer errors of the framework as problem details too."""
    return {HTTPException: _framework_error, Exception: _server_error}


async def _framework_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Problem(error.status_code, f"{error.detail}.", headers=error.headers).response()


async def _server_error(_request: Request, _error: Exception) -> Response:
    detail = "The request failed inside the server; it is safe to send it again."
    return Problem(500, detail).response()


class _Intake:
    def __init__(self, store: IntakeStore, options: IntakeOptions) -> None:
        self._store = store
        self._options = options
        self._budget = Budget(options.max_in_flight_bytes)

    async def post(self, request: Request) -> Response:
        try:
            self._authorise(request)
            ndjson = _is_ndjson(request)
            reader = BodyReader(request, self._options.max_body_bytes, self._budget)
            try:
                async with asyncio.timeout(self._options.body_timeout_s):
                    await reader.read()
                return await self._accept(reader.body(), ndjson)
            finally:
                self._budget.give_back(reader.held)
        except Problem as problem:
            return problem.response()
        except TimeoutError:
            return Problem(408, "The body did not arrive in time; send it again.").response()
        except ClientDisconnect:
            return Problem(400, "The sender went away before the body was complete.").response()
        except ItemTooLarge as error:
            most = f"the most that is taken here is {error.most_bytes:,}"
            detail = f"The item at index {error.index} has too many bytes, {most}; none was stored."
            return Problem(413, detail).response()
        except IntakeUnavailable:
            return overloaded("The store cannot take more just now; send this again.").response()

    def _authorise(self, request: Request) -> None:
        token = self._options.token
        if token is None:
            # a web page open on this machine may send, too; senders of mentions have no origin
            if "origin" in request.headers:
                raise Problem(403, "Web pages may not send mentions; set a token to allow them.")
            return
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(shown.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not same:
            raise Problem(
                401,
                "Show the intake's token: Authorization: Bearer <token>.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def _accept(self, body: bytes, ndjson: bool) -> Response:
        items = _split(body, ndjson)
        if len(items) > MAX_ITEMS:
            raise Problem(413, f"Send at most {MAX_ITEMS:,} mentions in one request.")
        out = decode_batch(
            items,
            source="http",
            positions=range(len(items)),
            now_ms=self._options.now_ms(),
            max_future_ms=self._options.max_future_ms,
        )
        if items and all(r.reason in _UNREADABLE for r in out.rejections) and not out.mentions:
            raise Problem(400, out.rejections[0].detail)
        if items:
            await self._store.append(items)
        result = _result(len(out.mentions), out.rejections)
        if items and not out.mentions:
            detail = "No item is a valid mention; all were stored as rejected, do not send again."
            raise Problem(422, detail, extra=result)
        return Response(orjson.dumps(result), 202, media_type="application/json")


def _is_ndjson(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _JSON_TYPES | _NDJSON_TYPES:
        raise Problem(
            415,
            "Send Content-Type: application/json (one mention or an array) or "
            "application/x-ndjson (one mention a line).",
        )
    return media in _NDJSON_TYPES


def _split(body: bytes, ndjson: bool) -> list[bytes]:
    """Items of a body, each as one line that the decoder may accept or reject."""
    text = body.removeprefix(_BOM).strip(_BLANK)
    if not text:
        raise Problem(400, "The body is empty; send a mention, an array of them, or NDJSON.")
    try:
        if ndjson:
            parts = text.split(b"\n")
        elif text.startswith(b"["):
            parts = [bytes(item) for item in _ARRAY.decode(text)]
        else:
            parts = [bytes(_ONE.decode(text))]
    except (msgspec.DecodeError, RecursionError):
        if text.startswith(b"["):
            raise Problem(400, "The body is not a valid JSON array.") from None
        parts = text.split(b"\n")  # NDJSON by its content, or not JSON at all
    lines = (part.replace(b"\n", b" ").replace(b"\r", b" ") for part in parts)
    return [line[: MAX_LINE_BYTES + 1] for line in lines if line.strip(_BLANK)]


def _result(accepted: int, rejections: Sequence[Rejection]) -> dict[str, Any]:
    return {
        "accepted": accepted,
        "rejected": len(rejections),
        "errors": [
            {"index": int(r.position), "reason": r.reason, "detail": r.detail}
            for r in rejections[:MAX_ERRORS]
        ],
    }
