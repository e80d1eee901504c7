"""Metrics of the processes of a worker at one address.

Each stage answers on a Unix socket with its metrics as they are now; one process more asks all of
them when it is asked.  So nothing is left of a process that ended, neither its gauges nor files.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alerts.origin import asks_itself, shows
from streams.health import TEXT
from streams.metrics import families
from streams.serve import http_server

log = logging.getLogger("nadhir.worker")

METRICS = "metrics"  # the process that serves what the stages tell
ASK_S = 4.0  # a stage that does not answer within is told as down
_GRACE_S = 1
_END = b"# EOF\n"  # an answer without it was cut off


@asynccontextmanager
async def answering_metrics(registry: CollectorRegistry, path: Path | None) -> AsyncIterator[None]:
    """Give a stage's metrics to whoever connects to a Unix socket, meanwhile."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # in the thread that works, so that nothing changes while it is read
            writer.write(generate_latest(registry) + _END)
        except Exception:  # whoever asked is told that the stage does not answer
            log.exception("the metrics of this stage cannot be told")
        finally:
            writer.close()
            with suppress(ConnectionError):  # it may have gone already
                await writer.wait_closed()

    if path is None:
        yield
        return
    async with await asyncio.start_unix_server(answer, path):
        yield


class Gathered(Collector):
    """Metrics of all stages, each with a label that names its process.

    Parameters
    ----------
    stages : sequence of str
    folder : Path
        Where their sockets are, named as they are.
    """

    def __init__(self, stages: Sequence[str], folder: Path) -> None:
        self._stages = stages
        self._folder = folder

    def up(self) -> dict[str, bool]:
        """Which stages answer."""
        return {stage: text is not None for stage, text in self._ask().items()}

    def collect(self) -> Iterator[Metric]:
        """What the stages answer now."""
        told = self._ask()
        up = {stage: text is not None for stage, text in told.items()}
        yield families.gauges(
            "nadhir_worker_stage_up", "1 if the process of the stage answers.", "stage", up
        )
        merged: dict[str, Metric] = {}
        for stage, text in told.items():
            for family in text_string_to_metric_families(text or ""):
                into = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                into.samples += [
                    sample._replace(labels={**sample.labels, "process": stage})
                    for sample in family.samples
                ]
        yield from merged.values()

    def _ask(self) -> dict[str, str | None]:
        """All at the same time: one that hangs holds up no other."""
        with ThreadPoolExecutor(len(self._stages)) as pool:
            return dict(zip(self._stages, pool.map(self._ask_one, self._stages)))

    def _ask_one(self, stage: str) -> str | None:
        try:
            with socket.socket(socket.AF_UNIX) as asked:
                asked.settimeout(ASK_S)
                asked.connect(str(self._folder / stage))
                with asked.makefile("rb") as answer:
                    told = answer.read()
                return told.decode() if told.endswith(_END) else None
        except OSError as error:
            log.debug("stage %s does not answer: %s", stage, error)
            return None


def serve_gathered(
    stages: Sequence[str], folder: Path, listener: socket.socket, token: SecretStr | None
) -> None:
    """Serve metrics and health of some stages until SIGTERM, in a process of its own.

    The supervisor forks, and so must have no threads.
    """
    shown = token.get_secret_value() if token else None
    server = http_server(gathering_app(Gathered(stages, folder), shown), grace_s=_GRACE_S)
    log.info("metrics at port %d", listener.getsockname()[1])
    server.run([listener])


def gathering_app(gathered: Gathered, token: str | None) -> Starlette:
    """``/metrics``, ``/health/live`` and ``/health/ready``.

    Metrics are for those who show the token; without one, for this machine alone.
    """
    registry = CollectorRegistry()
    registry.register(gathered)

    def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    def ready(_: Request) -> JSONResponse:
        silent = sorted(stage for stage, up in gathered.up().items() if not up)
        if silent:
            return JSONResponse({"status": "not ready", "stages": silent}, 503)
        return JSONResponse({"status": "ok"})

    def metrics(request: Request) -> Response:
        if not (shows(request, token) if token else asks_itself(request)):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(registry), media_type=TEXT)

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/metrics", metrics),
        ]
    )
