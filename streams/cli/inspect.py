"""``nadhir rejected``, ``nadhir decisions`` and ``nadhir schema``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from streams.cli.common import config_option, errors, fail, load_config, reports_errors

if TYPE_CHECKING:
    from streams.kafka.rejected import Rejected
    from streams.store import Store

_BRANDS_TOLD = 10
_RETRY_LINES, _RETRY_BYTES = 1_000, 4 << 20  # sent in together

store_option = click.option(
    "--store",
    "store_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Store to look into.  [default: that of `nadhir run`]",
)
kafka_option = click.option(
    "--kafka", "on_kafka", is_flag=True, help="The topic of rejected mentions, not a store."
)


@contextmanager
def open_store(store_path: Path | None, config_path: Path | None) -> Iterator[Store]:
    """The store that is named, else that of `nadhir run`."""
    from streams.store import Store

    path = store_path or load_config(config_path).paths.data / "nadhir.db"
    if not path.exists():
        fail(f"Error: there is no store {path} yet; `nadhir run` makes it, or name one by --store")
    store = Store(path)
    try:
        yield store
    finally:
        store.close()


@click.group()
def rejected() -> None:
    """What could not be read: list it, or send it in again."""


@rejected.command("list")
@config_option
@store_option
@kafka_option
@click.option("--reason", help="Only this reason code.")
@click.option("--raw", is_flag=True, help="Print the raw lines alone, to mend and send in again.")
@reports_errors
def rejected_list(
    config_path: Path | None, store_path: Path | None, on_kafka: bool, reason: str | None, raw: bool
) -> None:
    """Print rejected mentions as JSON Lines."""
    if raw and sys.stdout.isatty():
        raise click.UsageError("--raw prints what strangers sent, as it is; send it to a file")
    _one_place(store_path, on_kafka)
    if on_kafka:
        _list_kafka(config_path, reason, raw)
        return
    with open_store(store_path, config_path) as store:
        for number, rejection, retried in store.rejected(reason=reason):
            if raw:
                click.echo(rejection.raw)
                continue
            shown = msgspec.to_builtins(rejection) | {"number": number, "retried": retried}
            _print_rejected(shown, rejection.raw)


@rejected.command("retry")
@config_option
@store_option
@kafka_option
@click.option("--reason", help="Only this reason code.")
@reports_errors
def rejected_retry(
    config_path: Path | None, store_path: Path | None, on_kafka: bool, reason: str | None
) -> None:
    """Send rejected mentions in again, as they were: to the intake of `nadhir run`, or to Kafka.

    Each is sent once.  On Kafka that is remembered by consumer groups, and with --reason by one of
    that reason: what has another reason stays to be retried.  Brokers forget it some days after the
    last retry (offsets.retention.minutes, 7 days by default).  Records of other topics than that of
    mentions are sent nowhere.
    """
    _one_place(store_path, on_kafka)
    if on_kafka:
        _retry_kafka(config_path, reason)
    else:
        _retry_stored(config_path, store_path, reason)


def _one_place(store_path: Path | None, on_kafka: bool) -> None:
    if on_kafka and store_path is not None:
        raise click.UsageError("--store and --kafka are two places; name one")


def _print_rejected(shown: dict[str, Any], raw: bytes) -> None:
    text = raw.decode("utf-8", "backslashreplace")
    click.echo(json.dumps(shown | {"raw": text}, ensure_ascii=True))


def _list_kafka(config_path: Path | None, reason: str | None, raw: bool) -> None:
    from streams.kafka import rejected as kafka_rejected
    from streams.kafka.topics import names

    kafka = load_config(config_path).kafka
    mentions = names(kafka).mentions
    for found, retried in kafka_rejected.rejected(kafka, reason=reason, tell=errors.print):
        if not raw:
            _print_rejected(_shown(found) | {"retried": retried}, found.raw)
        elif found.topic == mentions:  # what others hold are no lines
            click.echo(found.raw)


def _shown(found: Rejected) -> dict[str, Any]:
    """The keys of the store, and those of Kafka."""
    return {
        "reason": found.reason,
        "detail": found.detail,
        "source": f"{found.topic}/{found.partition}",
        "position": str(found.offset),
        "topic": found.topic,
        "partition": found.partition,
        "offset": found.offset,
    }


def _retry_kafka(config_path: Path | None, reason: str | None) -> None:
    from streams.kafka.rejected import retry

    done = retry(load_config(config_path).kafka, reason=reason, tell=errors.print)
    for topic, count in done.elsewhere.items():
        errors.print(f"{count:,} of topic {topic} are no mentions; they are sent nowhere")
    errors.print(f"{done.sent:,} sent in again; stage score reads them next")
    if done.too_large:
        fail(f"Error: {done.too_large:,} are larger than the topic of mentions takes; not sent")


def _retry_stored(config_path: Path | None, store_path: Path | None, reason: str | None) -> None:
    from streams.intake_store import IntakeLog

    config = load_config(config_path)
    sent = 0
    # one connection keeps reading what was there at first, whatever the other and the engine write
    with open_store(store_path, config_path) as store, open_store(store_path, config_path) as marks:
        intake = IntakeLog(config.paths.data / "intake.db")
        try:
            found = ((n, r.raw) for n, r, retried in store.rejected(reason=reason) if not retried)
            for part in _parts(found):
                intake.submit([raw for _, raw in part]).result()
                with marks.step():
                    marks.mark_retried(n for n, _ in part)
                sent += len(part)
        finally:
            intake.close()
    errors.print(f"{sent:,} sent in again; `nadhir run` reads them next")


def _parts(found: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Lines cut into parts of bounded size."""
    part: list[tuple[int, bytes]] = []
    size = 0
    for number, raw in found:
        part.append((number, raw))
        size += len(raw)
        if len(part) == _RETRY_LINES or size >= _RETRY_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


@click.command()
@config_option
@store_option
@click.option("--brand", help="Only this brand.")
@click.option(
    "--outcome",
    type=click.Choice(["opened", "updated", "reopened", "not_alerted"]),
    help="Only this outcome.",
)
@click.option("--lang", type=click.Choice(["ar", "en"]), help="Print sentences instead of JSON.")
@reports_errors
def decisions(
    config_path: Path | None,
    store_path: Path | None,
    brand: str | None,
    outcome: str | None,
    lang: str | None,
) -> None:
    """Print why signals became alerts, and why not."""
    from alerts.records import Decision

    with open_store(store_path, config_path) as store:
        found = False
        for body in store.decisions(brand, outcome):
            found = True
            if lang is None:
                click.echo(body)
                continue
            decision = msgspec.json.decode(body, type=Decision)
            sentence = getattr(decision.sentence, lang)
            click.echo(f"{decision.at} {decision.brand} {decision.kind}: {sentence}")
        if not found:
            _tell_none(brand, outcome, store.decided_brands())


def _tell_none(brand: str | None, outcome: str | None, decided: list[str]) -> None:
    """Say why nothing is printed; a name may be mistyped."""
    if brand is not None and decided and brand not in decided:
        some = ", ".join(decided[:_BRANDS_TOLD]) + (", …" if len(decided) > _BRANDS_TOLD else "")
        errors.print(f"No decisions about {brand!r}; there are some about {some}.")
        return
    of = " of that kind" if brand or outcome else ""
    errors.print(f"No decisions{of} yet: no signal has asked for one.")


@click.command()
@click.argument("name", type=click.Choice(["mention", "alert"]))
@reports_errors
def schema(name: str) -> None:
    """Print the JSON Schema of a record."""
    from alerts.records import alert_schema
    from streams.schema import mention_schema

    document = mention_schema() if name == "mention" else alert_schema()
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
