"""An application behind a real server on a free port of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from alerts.api import end_streams
from tests.running import eventually


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve it meanwhile; where."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        end_streams(app)
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()
