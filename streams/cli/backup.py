"""``nadhir backup``: a copy of what the embedded engine keeps, taken while it runs."""

from __future__ import annotations

import time
from pathlib import Path

import click

from streams.cli.common import config_option, errors, load_config, reports_errors


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--keep", type=click.IntRange(min=1), help="Delete older backups but so many.")
@config_option
@reports_errors
def backup(folder: Path, keep: int | None, config_path: Path | None) -> None:
    """Copy the databases of paths.data into FOLDER, under the time in UTC; prints where.

    `nadhir run` may run meanwhile.  A response database in PostgreSQL is not among them: use
    pg_dump.
    """
    from streams.backup import backup as copy

    config = load_config(config_path)
    made = copy(config.paths.data, folder, time.time_ns() // 1_000_000, keep=keep)
    click.echo(made)
    if config.database.url is not None:
        errors.print("The response database is in PostgreSQL: back it up with pg_dump.")
