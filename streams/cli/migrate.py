"""``nadhir migrate``: the response database brought to this version's schema."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from streams.cli.common import config_option, errors, load_config, reports_errors


@click.command()
@config_option
@reports_errors
def migrate(config_path: Path | None) -> None:
    """Bring the response database to the schema of this version, and end.

    `nadhir run` and `nadhir api` do so by themselves; this is for doing it before they start.
    Doing it again does nothing.
    """
    from alerts.store.database import Database
    from alerts.store.migrate import HEAD
    from streams.desk import database_place

    with closing(Database(database_place(load_config(config_path)))) as database:
        errors.print(f"{database.name}: the schema is {HEAD}.")
