"""``nadhir api``: the API alone, over the data of `nadhir run` or of workers on Kafka."""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import click

from streams.cli.common import config_option, is_local, load_config, reports_errors, set_up_logging

log = logging.getLogger("nadhir.api")
_GRACE_S = 5  # for requests in flight


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the API.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--kafka", "on_kafka", is_flag=True, help="Take alerts from the topic on Kafka.")
@reports_errors
def api(config_path: Path | None, host: str, port: int, on_kafka: bool) -> None:
    """Serve the console and the API alone; `nadhir run` serves it, too.

    It works over the response database: the file in paths.data, or the PostgreSQL of database.url.
    Any number may run over one PostgreSQL.
    """
    from alerts.api import end_streams
    from alerts.console import create_app
    from streams.cli.tokens import tell_first
    from streams.desk import answering, opened_desk
    from streams.engine_view import Watched, WatchedStore, api_options
    from streams.serve import console_url, http_server, listen
    from streams.store import Store

    set_up_logging()
    config = load_config(config_path)
    with ExitStack() as stack:
        desk = stack.enter_context(opened_desk(config, _now_ms, publishes=on_kafka))
        tell_first(desk)
        if on_kafka:
            from streams.kafka.alerts import taking
            from streams.kafka.states import publishing

            view = Watched(config)
            stack.enter_context(publishing(config.kafka, desk.database, _now_ms))
            stack.enter_context(taking(config.kafka, desk))
        else:
            store = stack.enter_context(closing(Store(config.paths.data / "nadhir.db")))
            view = WatchedStore(config, store)
        app = create_app(desk, view, api_options(config, local=is_local(host)))
        stack.enter_context(answering(config, desk, _now_ms))
        listener = stack.enter_context(listen((host, port)))
        server = http_server(app, grace_s=_GRACE_S, stopping=lambda: end_streams(app))
        log.info("API at http://%s:%d", host, listener.getsockname()[1])
        log.info("console at %s", console_url(host, listener))
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, lambda *_: setattr(server, "should_exit", True))
            stack.callback(signal.signal, number, before)
        # in a thread of its own: in this one, uvicorn would end the process by the signal itself
        http = threading.Thread(target=server.run, args=([listener],), daemon=True, name="http")
        http.start()
        http.join()
    log.info("stopped; everything is stored")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
