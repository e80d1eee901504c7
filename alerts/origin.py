"""Where a request comes from, and whether it shows a token of the configuration."""

from __future__ import annotations

import hmac
import re

from starlette.requests import Request

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_local(request: Request) -> bool:
    """Whether whoever asks believes to speak to its own machine."""
    # of the header itself: where that is no name, a request's URL has our own address
    return _LOOPBACK.fullmatch(request.headers.get("host", "")) is not None


def asks_itself(request: Request) -> bool:
    """Whether a request looks as if this machine asks itself.

    A proxy before us, or a page whose name was made to lead here, is no part of this machine.
    To be believed only where nothing else can reach the port.
    """
    return is_local(request) and not any(name in request.headers for name in _FORWARDED)


def shows(request: Request, token: str | None) -> bool:
    """Whether a request shows this token; where there is none, nobody does."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(shown.strip().encode(), token.encode())
