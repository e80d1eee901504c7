"""``nadhir erase``, ``nadhir prune`` and ``nadhir export``: personal data in what is kept."""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import closing
from pathlib import Path

import click

from streams.cli.common import WRONG_USAGE, config_option, errors, fail, load_config, reports_errors

_LEAST_KEY_BYTES = 16


@click.command()
@click.option("--platform", required=True, help="Platform of the account, such as x.")
@click.option("--author", required=True, help="The account's id on that platform.")
@click.option("--handle", "handles", multiple=True, help="A handle of it; may be given often.")
@config_option
@reports_errors
def erase(platform: str, author: str, handles: tuple[str, ...], config_path: Path | None) -> None:
    """Erase what one author wrote, and who that was, in the engine and the response database.

    Handles that the kept evidence gives are found by themselves.  `nadhir run` must be stopped.
    """
    import msgspec

    from alerts.privacy import Author, plain
    from alerts.records import rfc3339
    from streams.desk import erase_in_response
    from streams.erasure import erase_author

    known = frozenset(plain(h) for h in handles if plain(h))
    whose = Author(platform=platform, id=author, handles=known)
    config = load_config(config_path)
    now = rfc3339(_now_ms())
    erased = erase_author(config, whose, now, lambda one: erase_in_response(config, one, _now_ms))
    for name, count in msgspec.structs.asdict(erased).items():
        click.echo(f"{name}\t{count}")
    if not erased.total:
        errors.print("Nothing of this author is kept here.")


@click.command()
@config_option
@reports_errors
def prune(config_path: Path | None) -> None:
    """Drop what is older than `retention` says.  `nadhir run` must be stopped.

    The response database is pruned by `nadhir run` and `nadhir api` themselves, once an hour.
    """
    from streams.desk import prune_response
    from streams.erasure import prune as prune_stores

    config = load_config(config_path)
    counts = prune_stores(config, config.retention.record(), _now_ms())
    answered = prune_response(config, _now_ms)
    told = counts | {f"response: {name}": count for name, count in answered.items()}
    for name, count in told.items():
        click.echo(f"{name}\t{count}")


@click.command()
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Secret that gives accounts the same pseudonyms as in earlier exports; else a new one.",
)
@config_option
@reports_errors
def export(key_file: Path | None, config_path: Path | None) -> None:
    """Write the alerts as JSON Lines, accounts under pseudonyms, to standard output."""
    import msgspec

    from alerts.pseudonyms import pseudonymous
    from streams.store import Store

    key = secrets.token_bytes(32) if key_file is None else key_file.read_bytes().strip()
    if len(key) < _LEAST_KEY_BYTES:
        fail(f"Error: {key_file}: has fewer than {_LEAST_KEY_BYTES} bytes", WRONG_USAGE)
    path = load_config(config_path).paths.data / "nadhir.db"
    if not path.exists():
        fail(f"Error: {path} is not there; nothing was found yet")
    with closing(Store(path)) as store:
        for case in store.cases():
            sys.stdout.buffer.write(msgspec.json.encode(pseudonymous(case.alert, key)) + b"\n")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
