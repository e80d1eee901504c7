"""``nadhir run``: the long-running embedded engine."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.common import (
    FAILED,
    WRONG_USAGE,
    config_option,
    fail,
    load_config,
    reports_errors,
    set_up_logging,
)

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from uvicorn import Server

    from streams.config import Config
    from streams.intake_store import IntakeLog
    from streams.live import LiveEngine, Receiver
    from streams.sources import Source

log = logging.getLogger("nadhir.run")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True, dir_okay=False))
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the HTTP intake.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--until-done", is_flag=True, help="End when every source is read, without intake.")
@reports_errors
def run(
    files: tuple[str, ...], config_path: Path | None, host: str, port: int, until_done: bool
) -> None:
    """Run the pipeline: the configured sources, FILES (- is standard input) and the HTTP intake.

    Alerts go to the configured receivers.  Ends on SIGTERM or Ctrl-C with everything stored.
    """
    from streams.intake_store import IntakeLog
    from streams.live import LiveEngine
    from streams.pipeline import open_pipeline
    from streams.store import Store

    set_up_logging()
    config = load_config(config_path)
    serves = config.intake.enabled and not until_done
    if serves and config.intake.token is None and host not in _LOOPBACK:
        fail(
            f"--host {host}: the intake would be open to the network without a token; "
            "set intake.token (NADHIR_INTAKE__TOKEN), or keep to 127.0.0.1",
            WRONG_USAGE,
        )
    receivers = _receivers(config)
    store = Store(config.paths.data / "nadhir.db")
    intake = IntakeLog(config.paths.data / "intake.db")
    pipeline = open_pipeline(config, store, receivers=tuple(receivers), clock=_now_ms)
    sources = [*_sources(config, files, intake), *([] if until_done else [intake])]
    engine = LiveEngine(pipeline, sources, receivers, _now_ms)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: engine.stop.set())
    server = _serve(config, engine, intake, host, port) if serves else None
    try:
        engine.run(until_done=until_done)
    finally:
        if server:
            server.should_exit = True
        intake.close()
        store.close()
    log.info("stopped; everything is stored")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _sources(config: Config, files: tuple[str, ...], intake: IntakeLog) -> list[Source]:
    from streams.config import FileSource
    from streams.sources import CsvMap, open_source

    sources: list[Source] = []
    for entry in config.sources:
        if isinstance(entry, FileSource):
            sources.append(open_source(str(entry.path), follow=entry.follow))
        else:
            csv = CsvMap(**entry.model_dump(exclude={"type", "path"}))
            sources.append(open_source(str(entry.path), csv=csv))
    for file in files:
        source = open_source(file)
        if file == "-":
            # what standard input gave cannot be read again: it is stored before it is used
            threading.Thread(target=_pump, args=(source, intake), daemon=True).start()
        else:
            sources.append(source)
    return sources


def _pump(source: Source, intake: IntakeLog) -> None:
    while not source.done:
        batch = source.poll(4096)
        if batch is None:
            time.sleep(0.02)
        else:
            intake.submit(batch.lines).result()
    log.info("standard input is read to its end")


def _receivers(config: Config) -> dict[str, Receiver]:
    from rich.console import Console

    from alerts.show.terminal import print_alert
    from streams.config import ConsoleReceiver
    from streams.live import Journal

    class Printer:
        """Prints alerts on standard output."""

        def deliver(self, alert: object) -> None:
            print_alert(alert, Console())  # type: ignore[arg-type]

    return {
        r.name: Printer() if isinstance(r, ConsoleReceiver) else Journal(r.path)
        for r in config.receivers
    }


def _serve(config: Config, engine: LiveEngine, intake: IntakeLog, host: str, port: int) -> Server:
    import uvicorn

    try:
        listener = socket.create_server((host, port), family=_family(host))
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port", FAILED)
    app = _app(config, engine, intake)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    )
    threading.Thread(target=server.run, args=([listener],), daemon=True, name="http").start()
    log.info("intake at http://%s:%d/v1/mentions", host, listener.getsockname()[1])
    return server


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _app(config: Config, engine: LiveEngine, intake: IntakeLog) -> Starlette:
    from starlette.applications import Starlette

    from streams.health import health_routes
    from streams.intake import IntakeOptions, intake_routes, problem_handlers

    token = config.intake.token
    options = IntakeOptions(
        now_ms=_now_ms,
        token=token.get_secret_value() if token else None,
        max_body_bytes=config.intake.max_body_mb << 20,
        max_future_ms=config.detect.max_future_s * 1000,
    )
    routes = [*intake_routes(intake, options), *health_routes(engine)]
    return Starlette(routes=routes, exception_handlers=problem_handlers())
