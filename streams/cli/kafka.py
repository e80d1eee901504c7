"""``nadhir topics``, ``nadhir produce``, ``nadhir lag`` and ``nadhir worker``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import orjson

from streams.cli.common import (
    FAILED,
    SourceProgress,
    config_option,
    errors,
    fail,
    load_config,
    refuse_open_intake,
    refuse_open_metrics,
    reports_errors,
    set_up_logging,
)

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from streams.kafka.lag import Lag
    from streams.kafka.topics import Topic


@contextmanager
def _cluster(config_path: Path | None) -> Iterator[tuple[KafkaAdminClient, list[Topic]]]:
    """The configured cluster, and the topics that it should have."""
    from streams.kafka.connection import admin
    from streams.kafka.topics import wanted_topics

    kafka = load_config(config_path).kafka
    with admin(kafka) as client:
        yield client, wanted_topics(kafka)


@click.group()
def topics() -> None:
    """Create, check or describe the topics on Kafka."""


@topics.command("create")
@click.option("--update", is_flag=True, help="Also set what differs on topics that exist.")
@config_option
@reports_errors
def topics_create(update: bool, config_path: Path | None) -> None:
    """Create the topics that are missing."""
    from streams.kafka import topics as kafka_topics

    with _cluster(config_path) as (client, wanted):
        created = kafka_topics.create(client, wanted)
        for name in created:
            click.echo(f"{name}: created")
        if update:
            for name in kafka_topics.update(client, wanted, kafka_topics.describe(client, wanted)):
                click.echo(f"{name}: updated")
        differences = kafka_topics.check(wanted, kafka_topics.describe(client, wanted))
    for difference in differences:
        errors.print(str(difference))
    if not differences:
        errors.print(f"{len(wanted)} topics are as configured.")


@topics.command("check")
@config_option
@reports_errors
def topics_check(config_path: Path | None) -> None:
    """Say what differs on the cluster from what is configured, and how to mend it."""
    from streams.kafka import topics as kafka_topics

    with _cluster(config_path) as (client, wanted):
        differences = kafka_topics.check(wanted, kafka_topics.describe(client, wanted))
    for difference in differences:
        click.echo(str(difference))
    if differences:
        raise SystemExit(FAILED)
    errors.print(f"{len(wanted)} topics are as configured.")


@topics.command("describe")
@config_option
@reports_errors
def topics_describe(config_path: Path | None) -> None:
    """Print the topics as they are on the cluster, as JSON Lines."""
    from streams.kafka import topics as kafka_topics

    with _cluster(config_path) as (client, wanted):
        found = kafka_topics.describe(client, wanted)
    for topic in wanted:
        if topic.name in found:
            is_ = found[topic.name]
            settings = {name: is_.settings.get(name) for name in topic.settings}
            row = {"topic": topic.name, "partitions": is_.partitions}
            line = row | {"replication": is_.replication, "settings": settings}
            click.echo(orjson.dumps(line).decode())


@click.command()
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Mentions a second.")
@config_option
@reports_errors
def produce(file: str, rate: float | None, config_path: Path | None) -> None:
    """Send FILE (JSON Lines, gz too; - is standard input) to the topic of mentions.

    Lines are sent as they are; ends when the brokers have acknowledged them.
    """
    from streams.kafka.produce import produce as send
    from streams.sources import open_source

    kafka = load_config(config_path).kafka
    with closing(open_source(file)) as source, SourceProgress("producing") as bar:
        produced = send(source, kafka, rate=rate, progress=bar.update)
    for failure in produced.failures:
        errors.print(failure)
    errors.print(f"{produced.delivered:,} of {produced.lines:,} lines delivered")
    if produced.failed:
        fail(f"Error: {produced.failed:,} lines were not taken")


@click.command()
@click.option(
    "--fail-above",
    type=click.IntRange(min=0),
    metavar="N",
    help="Exit code 1 if a stage is more than N records behind.",
)
@config_option
@reports_errors
def lag(fail_above: int | None, config_path: Path | None) -> None:
    """Print how many records each stage is behind, by partition, as JSON Lines."""
    from streams.kafka.lag import measure

    rows = measure(load_config(config_path).kafka)
    for row in rows:
        click.echo(orjson.dumps(row).decode())
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.stage] = totals.get(row.stage, 0) + row.lag
    if errors.is_terminal:
        _print_lag(rows, totals)
    if fail_above is not None:
        behind = [f"{s} by {total:,}" for s, total in totals.items() if total > fail_above]
        if behind:
            fail(f"Error: more than {fail_above:,} records behind: {', '.join(behind)}")


def _print_lag(rows: list[Lag], totals: dict[str, int]) -> None:
    from rich.table import Table

    table = Table("stage", "topic")
    for title in ("partition", "committed", "end", "lag"):
        table.add_column(title, justify="right")
    for stage, total in totals.items():
        mine = [row for row in rows if row.stage == stage]
        for row in mine:
            offset = "none" if row.committed is None else f"{row.committed:,}"
            numbers = (str(row.partition), offset, f"{row.end:,}", f"{row.lag:,}")
            table.add_row(stage, row.topic, *numbers)
        table.add_row(stage, mine[0].topic, "all", "", "", f"{total:,}", end_section=True)
    errors.print(table)


def _stages(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    from streams.kafka.worker import STAGES

    stages = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    unknown = [name for name in stages if name not in STAGES]
    if unknown or not stages:
        raise click.BadParameter(f"{value!r}: name some of {','.join(STAGES)}")
    return stages


@click.command()
@click.option(
    "--stages",
    default="score,detect,alert",
    show_default=True,
    callback=_stages,
    help="Which stages, with commas; each gets a process.  One more is intake, for HTTP.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of stage intake.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Its port."
)
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="Address of /metrics and /health.",
)
@click.option(
    "--metrics-port",
    default=0,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Its port; 0 serves neither.",
)
@config_option
@reports_errors
def worker(
    stages: tuple[str, ...],
    host: str,
    port: int,
    metrics_host: str,
    metrics_port: int,
    config_path: Path | None,
) -> None:
    """Work on Kafka: read mentions, find what is unusual, publish alerts.

    Any number of workers share the partitions; ends in order on SIGTERM.
    """
    from streams.kafka.gather import METRICS, serve_gathered
    from streams.kafka.supervisor import supervise
    from streams.kafka.worker import check_topics, import_stages, named, run_stage
    from streams.serve import listen

    config = named(load_config(config_path))
    set_up_logging()
    address = (host, port)
    if metrics_port:
        refuse_open_metrics(config, metrics_host)
    if "intake" in stages:
        refuse_open_intake(config, host)
        listen(address).close()  # an address in use is told at once
    check_topics(config)
    import_stages(stages)
    with ExitStack() as stack:
        folder: Path | None = None
        if metrics_port:
            listener = stack.enter_context(listen((metrics_host, metrics_port)))
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="nadhir-")))

        @reports_errors
        def run(stage: str) -> None:
            if folder is None:
                asyncio.run(run_stage(stage, config, address))
            elif stage == METRICS:
                serve_gathered(stages, folder, listener, config.metrics.token)
            else:
                asyncio.run(run_stage(stage, config, address, folder / stage))

        ended = supervise((*stages, METRICS) if folder else stages, run)
    if ended:
        fail(f"Error: a stage ended again and again with exit code {ended}; its log says why")
