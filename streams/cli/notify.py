"""``nadhir notify``: whether a receiver can be reached, and what could not be delivered."""

from __future__ import annotations

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
)

if TYPE_CHECKING:
    from alerts.notify.channel import Channel
    from alerts.notify.records import Why
    from streams.config import Config


_SOME = 200


@click.group()
def notify() -> None:
    """Try receivers of notifications, and send again what could not be delivered."""


@notify.command("test")
@click.argument("receiver")
@config_option
@click.option("--resolve", is_flag=True, help="Send the end of the test alert after it, too.")
@reports_errors
def notify_test(receiver: str, config_path: Path | None, resolve: bool) -> None:
    """Send a test alert, marked TEST / تجربة, through RECEIVER, and say what happened.

    Filters, quiet hours and limits do not hold it back.  Exit code 0: it was taken; 1: it was not;
    2: there is no such receiver.
    """
    from alerts.notify.errors import DeliveryError

    config = load_config(config_path)
    try:
        channel = _channel(config, receiver)
    except DeliveryError as error:
        fail(f"{receiver}: {error.reason}", WRONG_USAGE)
    now_ms = time.time_ns() // 1_000_000
    try:
        _send(channel, config, receiver, now_ms, "test")
        if resolve:
            _send(channel, config, receiver, now_ms, "resolved")
    except DeliveryError as error:
        hint = "it may work later" if error.retry else "it will not work without a change"
        fail(f"{receiver}: not sent: {error.reason} ({hint})", FAILED)


@notify.group()
def dead() -> None:
    """Notifications that were given up."""


_receiver_option = click.option("--receiver", help="Only those to this receiver.")


@dead.command("list")
@_receiver_option
@config_option
@reports_errors
def dead_list(receiver: str | None, config_path: Path | None) -> None:
    """Print what was given up as JSON Lines, the newest first."""
    import msgspec

    from streams.desk import opened_desk

    before: int | None = None
    with opened_desk(load_config(config_path), _now_ms) as desk:
        while True:
            page = desk.notifications(status="dead", receiver=receiver, before=before, limit=_SOME)
            for one in page.notifications:
                click.echo(msgspec.json.encode(one))
            if page.next is None:
                return
            before = int(page.next)


@dead.command("replay")
@_receiver_option
@config_option
@reports_errors
def dead_replay(receiver: str | None, config_path: Path | None) -> None:
    """Send again what was given up, as soon as `nadhir run` or `nadhir api` runs.

    What asks somebody to come to an alert that somebody has by now is cancelled instead.
    """
    import msgspec

    from alerts.service.kept_records import Replayed
    from streams.cli.tokens import BY
    from streams.desk import opened_desk

    with opened_desk(load_config(config_path), _now_ms) as desk:
        answer = desk.replay(BY, receiver, once=None)
    done = msgspec.json.decode(answer.body, type=Replayed)
    click.echo(f"queued\t{done.queued}\ncancelled\t{done.cancelled}")


def _channel(config: Config, name: str) -> Channel:
    from streams.notify import notified, open_channel

    known = {receiver.name: receiver for receiver in notified(config)}
    if name in known:
        return open_channel(known[name], config.notifications, _now_ms)
    if any(receiver.name == name for receiver in config.receivers):
        fail(f"{name} is of a type that needs no test: console and journal are local", WRONG_USAGE)
    names = ", ".join(known) or "none; add one under receivers"
    return fail(f"{name} is no receiver in the configuration; there are: {names}", WRONG_USAGE)


def _send(channel: Channel, config: Config, receiver: str, now_ms: int, why: Why) -> None:
    from alerts.notify.example import example_notification

    detail = channel.send([example_notification(receiver, config.brands[0].id, now_ms, why)])
    click.echo(f"{receiver}: {why} sent: {detail}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
