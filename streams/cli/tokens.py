"""``nadhir tokens``: who may use the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from streams.cli.common import FAILED, config_option, errors, fail, load_config, reports_errors

if TYPE_CHECKING:
    from alerts.service import Desk
    from alerts.store.access import Role
    from alerts.tokens import Tokens

BY = "nadhir"  # who acts where nobody showed a token: whoever may read the database


@contextmanager
def _tokens(config_path: Path | None) -> Iterator[Tokens]:
    from alerts.store.database import Database
    from alerts.tokens import Tokens
    from streams.desk import database_place

    with closing(Database(database_place(load_config(config_path)))) as database:
        yield Tokens(database)


@click.group()
def tokens() -> None:
    """Create, list or revoke tokens of the API."""


@tokens.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "responder", "admin"]),
    required=True,
    help="viewer reads, responder also acts, admin also makes tokens.",
)
@config_option
@reports_errors
def tokens_create(name: str, role: Role, config_path: Path | None) -> None:
    """Make a token and print it, alone on standard output; it is shown this once."""
    from alerts.tokens import TokenError

    with _tokens(config_path) as held:
        try:
            secret = held.create(name, role, by=BY, now_ms=_now_ms())
        except TokenError as error:
            fail(f"Error: {error}")
    click.echo(secret)


@tokens.command("list")
@config_option
@reports_errors
def tokens_list(config_path: Path | None) -> None:
    """Print tokens without their secrets as JSON Lines, revoked ones too."""
    from alerts.records import rfc3339

    with _tokens(config_path) as held:
        rows = held.rows()
    for row in rows:
        shown = {
            "name": row.name,
            "role": row.role,
            "created_at": rfc3339(row.created_ms),
            "created_by": row.created_by,
            "revoked_at": None if row.revoked_ms is None else rfc3339(row.revoked_ms),
        }
        click.echo(orjson.dumps(shown))
    if not rows:
        errors.print("No tokens yet: `nadhir tokens create NAME --role admin` makes one.")


@tokens.command("revoke")
@click.argument("name")
@config_option
@reports_errors
def tokens_revoke(name: str, config_path: Path | None) -> None:
    """Revoke a token at once."""
    from alerts.tokens import TokenError

    with _tokens(config_path) as held:
        try:
            revoked = held.revoke(name, by=BY, now_ms=_now_ms())
        except TokenError as error:
            fail(f"Error: {error}")
    if not revoked:
        fail(f"Error: there is no token {name} that still opens anything", FAILED)
    errors.print(f"{name} is revoked.")


def tell_first(desk: Desk) -> None:
    """Where there never was a token, make an administrator's and say it, this once."""
    secret = desk.tokens.create_first(now_ms=desk.clock())
    if secret is not None:
        errors.print(
            "The first token of console and API, for an administrator; it is shown this once. "
            f"`nadhir tokens` makes others and revokes it.\n{secret}"
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
