"""Serving the HTTP intake: what `nadhir run` and the intake on Kafka share."""

from __future__ import annotations

import socket
import time

import uvicorn
from starlette.applications import Starlette

from streams.config import Config
from streams.intake import IntakeOptions


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


def intake_url(host: str, listener: socket.socket) -> str:
    """Where senders reach the intake.

    Examples
    --------
    >>> with listen(("127.0.0.1", 0)) as listener:
    ...     url = intake_url("127.0.0.1", listener)
    >>> url.startswith("http://127.0.0.1:") and url.endswith("/v1/mentions")
    True
    """
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}/v1/mentions"


def http_server(app: Starlette, *, grace_s: int) -> uvicorn.Server:
    """A server; when it ends, requests that have begun get ``grace_s`` seconds."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace_s,
        )
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
