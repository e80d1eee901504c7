"""Notifications and receivers for the tests of notifications."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from msgspec.structs import replace

from alerts.notify.queue import Queued
from alerts.notify.records import Notification, Why
from alerts.records import Alert, Event, State
from tests.alerts.build import only_alert, signal, stage, story_alerts
from tests.alerts.test_fusion import HOSTILE, hostile_signal

BANK, AIRLINE = story_alerts()
ATTACKS = (
    *HOSTILE,
    "<!channel> <!here> <!everyone> <@U012AB3CD> <#C1|x> <https://evil.example|your bank>",
    "</b></blockquote><a href='tg://user?id=1'>x</a> &lt;b&gt;",
    "[click](https://evil.example) ![x](https://evil.example/a.png) <at>everyone</at>",
    "x\r\nBcc: all@evil.example\r\n\r\n<h1>body</h1>",
    "style=\"x\" onmouseover='alert(1)' </style></title></head><body onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><svg/onload=alert(1)>",
    "\u202eevil \u2067rtl\u2069 \u061c\u200e\u200f",
)


def hostile_alerts() -> list[Alert]:
    """Alerts whose every mention is an attack; each shows three of them."""
    alert = only_alert(stage().handle([hostile_signal()]))
    first = alert.evidence[0]
    evil = [replace(first, text=t, handle=t[:256], platform=t[:64]) for t in ATTACKS]
    return [replace(alert, evidence=tuple(evil[i : i + 3])) for i in range(0, len(evil), 3)]


EVILS = hostile_alerts()
EVIL = EVILS[0]
CALM = only_alert(stage().handle([signal()]))


def told(why: Why = "opened", alert: Alert = BANK, **other: Any) -> Notification:
    """A notification about the bank's outage."""
    receiver, version = other.get("receiver", "team"), other.get("version", 1)
    states = {"resolved": "resolved", "acknowledged": "acknowledged"}
    fields: dict[str, Any] = {
        "key": f"{alert.id}:{version}:{why}:{receiver}",
        "receiver": receiver,
        "why": why,
        "alert": alert,
        "state": states.get(why, "open"),
        "version": version,
        "at": "2026-11-21T08:00:00Z",
        "url": f"https://nadhir.example/alerts/{alert.id}",
        "acknowledge_url": "https://nadhir.example/acknowledge?token=Abc.def_ghi",
    }
    return Notification(**(fields | other))


def queued(number: int = 1, notification: Notification | None = None, **other: Any) -> Queued:
    """A notification that was claimed."""
    fields = {"id": number, "notification": notification or told(), "attempts": 0} | other
    return Queued(first_at_ms=fields.pop("first_at_ms", 0), **fields)


def alert_of(number: int, state: State = "open", **other: Any) -> Alert:
    """Another alert of the bank."""
    return replace(BANK, id=f"rimal-bank-{number}", state=state, **other)


def raised(alert: Alert, *severities: Any) -> Alert:
    """The alert after it went through these severities."""
    events = [
        Event(at=alert.opened_at, event="opened" if i == 0 else "raised", severity=severity,
              score=50, type=alert.type)
        for i, severity in enumerate(severities)
    ]  # fmt: skip
    return replace(alert, severity=severities[-1], timeline=tuple(events))


class Received(NamedTuple):
    """A request that a fake receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[BaseHTTPRequestHandler, Received], None]


class FakeReceiver:
    """An HTTP server that keeps what it gets and answers as it is told.

    Attributes
    ----------
    received : list of Received
        In the order in which requests were read.
    reading : int
        Requests that were accepted and not yet read.
    """

    def __init__(
        self, behaviour: Behaviour | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.received: list[Received] = []
        self.reading = 0
        self._lock = threading.Lock()
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            read = False

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Received(self.path, headers, self.rfile.read(length))
                outer.received.append(got)
                self._read()
                (behaviour or answer(200))(self, got)

            def _read(self) -> None:
                if not self.read:
                    self.read = True
                    outer.count(-1)

            def finish(self) -> None:
                self._read()  # its sender may have been killed before it said anything
                super().finish()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def process_request(self, request: Any, client_address: Any) -> None:
                outer.count(1)
                super().process_request(request, client_address)

            def handle_error(self, *_: object) -> None:
                pass  # a sender that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def count(self, change: int) -> None:
        with self._lock:
            self.reading += change

    def __enter__(self) -> FakeReceiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def blackhole(port: int) -> Iterator[str]:
    """An address on which connecting never ends, as where a network drops what goes to IPv6."""
    with socket.create_server(("127.0.0.2", port), backlog=0) as full, ExitStack() as stack:
        for _ in range(2):  # what is beyond its queue is dropped
            waits = stack.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(full.getsockname())
        yield "127.0.0.2"


def answer(status: int, body: bytes = b"ok", headers: Sequence[tuple[str, str]] = ()) -> Behaviour:
    """Answer with a status."""

    def behave(handler: BaseHTTPRequestHandler, _: Received) -> None:
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def strings(value: Any) -> Iterator[str]:
    """Every text in JSON, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield key
            yield from strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings(below)


@contextmanager
def waiting(within_s: float = 20.0) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Wait for things to hold; fails if one never does."""
    end = time.monotonic() + within_s

    def until(holds: Callable[[], Any]) -> None:
        while not holds():
            assert time.monotonic() < end, "never came"
            time.sleep(0.01)

    yield until
