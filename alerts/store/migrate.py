"""Bringing a database to the newest schema, whoever starts first."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "0005"
"""The newest version; a test holds it to the files in migrations/versions."""
FOLDER = Path(__file__).with_name("migrations")
_LOCK = 0x6E616468  # of PostgreSQL's advisory locks; "nadh"


class NewerSchema(Exception):
    """The database was written by a newer Nadhir."""


def migrate(connection: Connection) -> bool:
    """Run what is missing, in the caller's transaction; whether something was.

    Several replicas may start at once: on PostgreSQL the others wait for an advisory lock, on
    SQLite for the write lock that the transaction holds.

    Raises
    ------
    NewerSchema
        If the database is ahead of this program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = current(connection)
    if version == HEAD:
        return False
    # imported when there is something to do: starting should stay quick
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(FOLDER))
    known = {revision.revision for revision in script.walk_revisions()}
    if version is not None and version not in known:
        raise NewerSchema(f"its schema is {version}, this program knows {HEAD}")
    context = MigrationContext.configure(
        connection, opts={"fn": lambda at, _: script._upgrade_revs("head", at)}
    )
    with Operations.context(context):
        context.run_migrations()
    return True


def current(connection: Connection) -> str | None:
    """The version of a database; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
