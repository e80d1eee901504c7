"""Bodies of the HTTP intake, read and inflated within limits, and the problems they may be."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

RETRY_AFTER_S = 1


class Problem(Exception):
    """A request that fails, as the answer tells it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            **(extra or {}),
        }

    def response(self) -> Response:
        """The answer, ``application/problem+json``."""
        return Response(
            orjson.dumps(self.body), self.status, self.headers, "application/problem+json"
        )


def overloaded(detail: str) -> Problem:
    """The problem of a sender that should try again."""
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


class Budget:
    """Bytes of all requests in flight, at most ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    def take(self, size: int) -> None:
        """Count ``size`` more bytes, or raise a `Problem` (503)."""
        if self._used + size > self._limit:
            raise overloaded("Too many requests are in flight; send this one again.")
        self._used += size

    def give_back(self, size: int) -> None:
        """Count ``size`` bytes less."""
        self._used -= size


class BodyReader:
    """Reads and inflates a body within the limits; ``held`` bytes are taken from the budget."""

    def __init__(self, request: Request, limit: int, budget: Budget) -> None:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            detail = "Send the body plain or with Content-Encoding: gzip."
            raise Problem(415, detail, headers={"Accept-Encoding": "gzip"})
        self.held = 0
        self._request = request
        self._limit = limit
        self._budget = budget
        self._inflate = zlib.decompressobj(31) if encoding == "gzip" else None
        self._parts: list[bytes] = []
        self._size = 0

    async def read(self) -> None:
        """Read to the end; raises `Problem` (400, 413, 503)."""
        length = self._request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._limit:
            raise self._too_large()
        received = 0
        async for chunk in self._request.stream():
            received += len(chunk)
            if received > self._limit:
                raise self._too_large()
            self._take(len(chunk))
            if self._inflate is None:
                self._parts.append(chunk)
            else:
                self._inflated(chunk)

    def body(self) -> bytes:
        """The whole body, inflated; raises `Problem` (400)."""
        if self._inflate is not None and not self._inflate.eof:
            raise Problem(400, "The gzip body is cut short.")
        return b"".join(self._parts)

    def _inflated(self, chunk: bytes) -> None:
        assert self._inflate is not None
        while chunk:
            if self._inflate.eof:  # a gzip stream may have several members
                self._inflate = zlib.decompressobj(31)
            room = self._limit - self._size
            try:
                part = self._inflate.decompress(chunk, room + 1)
            except zlib.error:
                raise Problem(400, "The body is not valid gzip.") from None
            if len(part) > room:
                raise self._too_large()
            self._take(len(part))
            self._parts.append(part)
            self._size += len(part)
            chunk = self._inflate.unused_data

    def _take(self, size: int) -> None:
        self._budget.take(size)
        self.held += size

    def _too_large(self) -> Problem:
        return Problem(413, f"Send at most {self._limit:,} bytes, inflated, in one request.")
