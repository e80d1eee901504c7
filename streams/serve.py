"""Serving the HTTP intake: what `nadhir run` and the intake on Kafka share."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.config import Config
from streams.intake import IntakeOptions

_INTAKE = ("/v1/mentions", "/v1/mentions/")


def listen(address: tuple[str, int]) -> socket.socket:
    """A socket that listens on a host and a port; port 0 is any that is free.

    Raises
    ------
    OSError
        If it cannot; the message says where and what to do.
    """
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise OSError(
            f"cannot listen on {host}:{port}: {reason}; choose another --host or --port"
        ) from error


def console_url(host: str, listener: socket.socket) -> str:
    """Where people reach the console."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/"


def intake_url(host: str, listener: socket.socket) -> str:
    """Where senders reach the intake.

    Examples
    --------
    >>> with listen(("127.0.0.1", 0)) as listener:
    ...     url = intake_url("127.0.0.1", listener)
    >>> url.startswith("http://127.0.0.1:") and url.endswith("/v1/mentions")
    True
    """
    return f"{console_url(host, listener)}v1/mentions"


def beside(api: ASGIApp, intake: ASGIApp) -> ASGIApp:
    """One application of two: the intake and health of the engine, and the API for all the rest."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path in _INTAKE or path.startswith("/health/"))
        await (intake if ours else api)(scope, receive, send)

    return app


class _Server(uvicorn.Server):
    """A server that first asks what never ends by itself to end."""

    def __init__(self, config: uvicorn.Config, stopping: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking connections, and end those that are open."""
        if self._stopping is not None:
            self._stopping()
        await super().shutdown(sockets)


def http_server(
    app: ASGIApp, *, grace_s: int, stopping: Callable[[], None] | None = None
) -> uvicorn.Server:
    """A server; when it ends, requests that have begun get ``grace_s`` seconds.

    ``stopping`` is called when it begins to end.
    """
    return _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace_s,
        ),
        stopping,
    )


def intake_options(config: Config) -> IntakeOptions:
    """The configured intake, by the clock of this machine."""
    token = config.intake.token
    return IntakeOptions(
        now_ms=lambda: time.time_ns() // 1_000_000,
        token=token.get_secret_value() if token else None,
        max_body_bytes=config.intake.max_body_mb << 20,
        max_future_ms=config.detect.max_future_s * 1000,
    )
