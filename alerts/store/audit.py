"""The audit trail: rows that are only ever added, chained by hash.

Each row's hash is SHA-256 over the hash before it and the row's own canonical JSON, so that a row
that is changed, dropped or put in between breaks every row after it.  The head of the chain is kept
apart: a tail that was cut off shows too.  Whoever can write the whole database can write a new
chain; keep the head elsewhere now and then (`head`) where that matters.

Numbers have no gaps, and follow the order of commits: a reader that has seen row n misses nothing
when it goes on with n + 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from alerts.store.tables import audit, chain

ORIGIN = "0" * 64  # what the first row follows
_SOME = 1_000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row: who did what, when, to which alert.

    Attributes
    ----------
    seq : int
        1, 2, 3 ... without gaps.
    details : dict
        What the action changed; plain JSON.
    """

    seq: int
    at_ms: int
    actor: str
    action: str
    alert: str | None
    details: dict[str, Any]
    hash: str


class BrokenChain(Exception):
    """The audit trail is not what was written; the message says from which row on."""


def digest(previous: str, row: Mapping[str, Any]) -> str:
    """Hash of a row.

    Examples
    --------
    >>> row = {"seq": 1, "at_ms": 0, "actor": "amal", "action": "open", "alert": None,
    ...        "details": "{}"}
    >>> digest(ORIGIN, row)[:12], digest(ORIGIN, row | {"actor": "omar"})[:12]
    ('626f8d5ea6dd', '81fbd2bf72f1')
    """
    fields = {name: row[name] for name in ("seq", "at_ms", "actor", "action", "alert", "details")}
    return hashlib.sha256(f"{previous}\n{canonical(fields)}".encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def append(
    connection: Connection,
    *,
    at_ms: int,
    actor: str,
    action: str,
    alert: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Add a row in the caller's transaction; its number.

    The head stays locked until the transaction ends: call it after everything else was locked.
    """
    seq, previous = lock(connection)
    row = {
        "seq": seq + 1,
        "at_ms": at_ms,
        "actor": actor,
        "action": action,
        "alert": alert,
        "details": canonical(dict(details or {})),
    }
    own = digest(previous, row)
    connection.execute(audit.insert().values(**row, previous=previous, hash=own))
    connection.execute(chain.update().values(seq=seq + 1, hash=own))
    return seq + 1


def lock(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row, which nobody else moves before the transaction ends."""
    row = connection.execute(select(chain.c.seq, chain.c.hash).with_for_update()).one()
    return int(row.seq), str(row.hash)


def entries(
    connection: Connection, *, after: int = 0, alert: str | None = None, limit: int = 500
) -> list[Entry]:
    """Rows after a number, in order."""
    query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    if alert is not None:
        query = query.where(audit.c.alert == alert)
    return [_entry(row) for row in connection.execute(query)]


def of_actions(
    connection: Connection, actions: Sequence[str], *, after: int, upto: int, limit: int
) -> list[Entry]:
    """Rows of some actions between two numbers, in order."""
    query = select(audit).where(audit.c.seq.between(after + 1, upto), audit.c.action.in_(actions))
    return [_entry(row) for row in connection.execute(query.order_by(audit.c.seq).limit(limit))]


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row."""
    row = connection.execute(select(chain.c.seq, chain.c.hash)).one()
    return int(row.seq), str(row.hash)


def verify(connection: Connection) -> int:
    """Check every row; how many there are.

    Raises
    ------
    BrokenChain
        If a row was changed, dropped or added.
    """
    last, previous = 0, ORIGIN
    end = head(connection)  # read first: rows may be added meanwhile
    for row in _all(connection, end[0]):
        if row["seq"] != last + 1:
            raise BrokenChain(f"row {last + 1} is missing")
        if row["previous"] != previous or row["hash"] != digest(previous, row):
            raise BrokenChain(f"row {row['seq']} is not what was written")
        last, previous = row["seq"], row["hash"]
    if (last, previous) != end:
        raise BrokenChain(f"rows after {last} are missing")
    return last


def _all(connection: Connection, until: int) -> Iterator[dict[str, Any]]:
    """Rows up to a number, read some at a time."""
    after = -1
    query = select(audit).order_by(audit.c.seq).limit(_SOME)
    while some := connection.execute(query.where(audit.c.seq.between(after + 1, until))).all():
        for row in some:
            yield dict(row._mapping)
        after = int(some[-1].seq)


def _entry(row: Any) -> Entry:
    return Entry(
        seq=row.seq,
        at_ms=row.at_ms,
        actor=row.actor,
        action=row.action,
        alert=row.alert,
        details=msgspec.json.decode(row.details, type=dict[str, Any]),
        hash=row.hash,
    )
