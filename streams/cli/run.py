"""``nadhir run``: the long-running embedded engine."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.common import (
    config_option,
    errors,
    fail,
    load_config,
    refuse_open_intake,
    reports_errors,
    same_everywhere,
    set_up_logging,
)

if TYPE_CHECKING:
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from alerts.records import Alert
    from alerts.service import Desk
    from streams.config import Config
    from streams.intake_store import IntakeLog
    from streams.live import LiveEngine, Receiver
    from streams.sources import Source
    from streams.store import Store
    from streams.tracing import Tracing

log = logging.getLogger("nadhir.run")
_GRACE_S = 5  # for requests in flight
_PAUSE_S = 0.02
_RETRY_S = 1.0


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True, dir_okay=False))
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of intake and API.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--until-done", is_flag=True, help="End when every source is read; serves no HTTP.")
@reports_errors
def run(
    files: tuple[str, ...], config_path: Path | None, host: str, port: int, until_done: bool
) -> None:
    """Run the pipeline: the configured sources, FILES (- is standard input), HTTP intake and API.

    Alerts go to the configured receivers, and to the people who answer them through the API.  Ends
    on SIGTERM or Ctrl-C with everything stored.
    """
    from alerts.metrics import ResponseMetrics
    from streams.desk import RECEIVER, Taker, answering, opened_desk
    from streams.drills.run import OneAtATime, running_drills
    from streams.intake_store import IntakeLog
    from streams.lists import following
    from streams.live import LiveEngine
    from streams.metrics.about import new_registry, register_models
    from streams.metrics.engine import EngineMetrics
    from streams.metrics.notified import NotificationMetrics
    from streams.metrics.timing import Timing
    from streams.pipeline import open_pipeline
    from streams.store import Store, locked
    from streams.tracing import opened_tracing

    set_up_logging()
    config = load_config(config_path)
    serves = (config.intake.enabled or config.api.enabled) and not until_done
    if serves and config.intake.enabled:
        refuse_open_intake(config, host)
    path = config.paths.data / "nadhir.db"
    registry = new_registry()
    register_models(registry, config)
    with ExitStack() as stack:
        tracing = stack.enter_context(opened_tracing(config.tracing, "run"))
        meter = tracing.metered(Timing(registry))
        stack.enter_context(locked(path))
        store = stack.enter_context(closing(Store(path)))
        intake = stack.enter_context(closing(IntakeLog(config.paths.data / "intake.db")))
        desk = stack.enter_context(opened_desk(config, _now_ms))
        registry.register(ResponseMetrics(desk))
        named = _receivers(config) | {RECEIVER: Taker(desk)}
        receivers = {name: OneAtATime(receiver) for name, receiver in named.items()}
        _take_up(store, desk)
        pipeline = open_pipeline(
            config, store, receivers=tuple(receivers), clock=_now_ms, meter=meter
        )
        stack.enter_context(following(desk.database, pipeline.relist))
        sources = [stack.enter_context(closing(s)) for s in _sources(config, files)]
        engine = LiveEngine(pipeline, [*sources, intake], receivers, _now_ms, meter)
        registry.register(EngineMetrics(engine, _now_ms))
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, lambda *_: engine.stop())
            stack.callback(signal.signal, number, before)
        if not until_done:  # also without HTTP: people are told by other ways
            dispatcher = stack.enter_context(answering(config, desk, _now_ms))
            registry.register(NotificationMetrics(dispatcher))
        if serves:
            serving = _serving(config, engine, intake, desk, registry, tracing, (host, port))
            stack.enter_context(serving)
        if "-" in files:
            stack.enter_context(_pumping(engine, intake, finish=until_done))
        elif until_done:
            intake.finish()
        if not until_done:
            stack.enter_context(running_drills(config, receivers, _now_ms))
        engine.run(until_done=until_done)
        if until_done:
            _send(config, desk, engine)
    log.info("stopped; everything is stored")
    if until_done:
        _refuse_unread(engine)


def _take_up(store: Store, desk: Desk) -> None:
    """Hand over what was open before there was a response database."""
    for case in store.latest_cases():
        desk.take(case.alert)


def _refuse_unread(engine: LiveEngine) -> None:
    """Fail where a source was not read to its end."""
    if engine.broken:
        fail(f"Error: not read to its end: {', '.join(engine.broken)}")


def _send(config: Config, desk: Desk, engine: LiveEngine) -> None:
    """Tell people what was found before the process ends; what cannot be told waits."""
    from streams.desk import send_waiting

    left = send_waiting(config, desk, _now_ms, lambda: engine.stopping)
    if left:
        errors.print(
            f"{left:,} notifications wait to be sent; `nadhir run` or `nadhir api` sends them."
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _sources(config: Config, files: tuple[str, ...]) -> list[Source]:
    from streams.config import FileSource
    from streams.sources import CsvMap, open_source

    sources: dict[str, Source] = {}  # by name, since positions are kept by name
    for entry in config.sources:
        name = same_everywhere(str(entry.path))
        if isinstance(entry, FileSource):
            sources[name] = open_source(name, follow=entry.follow)
        else:
            csv = CsvMap(**entry.model_dump(exclude={"type", "path"}))
            sources[name] = open_source(name, csv=csv)
    for name in map(same_everywhere, files):
        if name != "-" and name not in sources:
            sources[name] = open_source(name)
    return list(sources.values())


@contextmanager
def _pumping(engine: LiveEngine, intake: IntakeLog, *, finish: bool) -> Iterator[None]:
    """Move standard input into the intake meanwhile: it cannot be read again, so it is stored.

    ``finish`` ends the intake with it.
    """
    pump = threading.Thread(target=_pump, args=(engine, intake, finish), name="stdin")
    pump.start()
    try:
        yield
    finally:
        engine.stop()
        pump.join()


def _pump(engine: LiveEngine, intake: IntakeLog, finish: bool) -> None:
    from streams.sources import SourceError, open_source

    source = open_source("-")
    while not source.done and not engine.stopping:
        try:
            batch = source.poll(4096)
        except SourceError as error:
            log.error("standard input is given up: %s", error)
            engine.broken.append("-")
            break
        if batch is None:
            time.sleep(_PAUSE_S)
        else:
            _store(batch.lines, engine, intake)
    else:
        log.info("standard input is read %s", "to its end" if source.done else "no further")
    if finish:
        intake.finish()


def _store(lines: list[bytes], engine: LiveEngine, intake: IntakeLog) -> None:
    """Store lines; while that fails, try again, which makes the writer of the pipe wait."""
    from streams.store import StoreError

    while True:
        try:
            intake.submit(lines).result()
            return
        except StoreError as error:
            log.error("%s", error)
            if engine.stopping:
                log.error("%d lines of standard input are lost", len(lines))
                return
            time.sleep(_RETRY_S)


def _receivers(config: Config) -> dict[str, Receiver]:
    from streams.config import ConsoleReceiver, JournalReceiver
    from streams.live import Journal

    zones = {brand.id: brand.timezone for brand in config.brand_records()}
    receivers: dict[str, Receiver] = {}  # the dispatcher of notifications tells the others
    for entry in config.receivers:
        if isinstance(entry, ConsoleReceiver):
            receivers[entry.name] = _Printer(zones)
        elif isinstance(entry, JournalReceiver):
            receivers[entry.name] = Journal(entry.path)
    return receivers


class _Printer:
    """Prints alerts on standard output."""

    def __init__(self, timezones: dict[str, str]) -> None:
        self._timezones = timezones

    def deliver(self, alert: Alert) -> None:
        from rich.console import Console

        from alerts.drills import watched_brand
        from alerts.show.terminal import print_alert

        console = Console()
        # a console whose reader went away would end the process; a receiver may only fail
        with console.capture() as shown:
            print_alert(alert, console, timezone=self._timezones.get(watched_brand(alert.brand)))
        sys.stdout.write(shown.get())
        sys.stdout.flush()


@contextmanager
def _serving(
    config: Config,
    engine: LiveEngine,
    intake: IntakeLog,
    desk: Desk,
    registry: CollectorRegistry,
    tracing: Tracing,
    address: tuple[str, int],
) -> Iterator[None]:
    """Serve HTTP meanwhile; requests that have begun are answered before it ends."""
    from alerts.api import end_streams
    from streams.serve import beside, console_url, http_server, intake_url, listen

    listener = listen(address)
    app: ASGIApp = _engine_app(config, engine, intake, registry, address[0])
    stopping: Callable[[], None] | None = None
    with ExitStack() as stack:
        if config.api.enabled:
            served = _api(config, engine, desk, registry, tracing, address[0])
            api = stack.enter_context(served)
            stopping = partial(end_streams, api)
            app = beside(api, app)
        server = http_server(app, grace_s=_GRACE_S, stopping=stopping)
        http = threading.Thread(target=server.run, args=([listener],), daemon=True, name="http")
        http.start()
        log.info("intake at %s", intake_url(address[0], listener))
        if config.api.enabled:
            log.info("console at %s", console_url(address[0], listener))
        try:
            yield
        finally:
            server.should_exit = True
            http.join(2 * _GRACE_S)


@contextmanager
def _api(
    config: Config,
    engine: LiveEngine,
    desk: Desk,
    registry: CollectorRegistry,
    tracing: Tracing,
    host: str,
) -> Iterator[FastAPI]:
    from dataclasses import replace

    from alerts.console import create_app
    from streams.cli.common import is_local
    from streams.cli.tokens import tell_first
    from streams.engine_view import WatchedStore, api_options
    from streams.store import Store

    tell_first(desk)
    options = api_options(config, registry, local=is_local(host))
    options = replace(options, tracer_provider=tracing.provider)
    # the engine's own connection is in the middle of a transaction most of the time
    with closing(Store(engine.pipeline.store.path)) as store:
        yield create_app(desk, WatchedStore(config, store), options)


def _engine_app(
    config: Config, engine: LiveEngine, intake: IntakeLog, registry: CollectorRegistry, host: str
) -> Starlette:
    from starlette.applications import Starlette

    from alerts.origin import asks_itself, shows
    from streams.cli.common import is_local
    from streams.health import health_routes
    from streams.intake import intake_routes, problem_handlers
    from streams.serve import intake_options

    def opens(request: Request) -> bool:
        token = config.metrics.token
        return (is_local(host) and asks_itself(request)) or shows(
            request, token.get_secret_value() if token else None
        )

    routes = health_routes(engine, registry, opens)
    if config.intake.enabled:
        routes += intake_routes(intake, intake_options(config))
    return Starlette(routes=routes, exception_handlers=problem_handlers())
