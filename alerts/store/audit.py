"""The audit trail: rows that are only ever added, chained by hash.

Each row's hash is SHA-256 over the hash before it and the row's own canonical JSON, so that a row
that is changed, dropped or put in between breaks every row after it.  The head of the chain is kept
apart: a tail that was cut off shows too.  Whoever can write the whole database can write a new
chain; keep the head elsewhere now and then (`head`) where that matters.

Retention drops rows from the beginning.  The anchor keeps number and hash of the last of them: what
follows is verified from there, and a row of the trail itself says that they went.

Numbers have no gaps, and follow the order of commits: a reader that has seen row n misses nothing
when it goes on with n + 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from alerts.store.tables import audit, chain

ORIGIN = "0" * 64  # what the first row follows
PRUNED = "audit_pruned"
_HEAD, _ANCHOR = 1, 2  # rows of the table of the chain
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
    connection.execute(chain.update().where(chain.c.id == _HEAD).values(seq=seq + 1, hash=own))
    return seq + 1


def lock(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row, which nobody else moves before the transaction ends."""
    query = select(chain.c.seq, chain.c.hash).where(chain.c.id == _HEAD)
    row = connection.execute(query.with_for_update()).one()
    return int(row.seq), str(row.hash)


def entries(
    connection: Connection, *, after: int = 0, alert: str | None = None, limit: int = 500
) -> list[Entry]:
    """Rows after a number, in order."""
    query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    if alert is not None:
        query = query.where(audit.c.alert == alert)
    return [_entry(row) for row in connection.execute(query)]


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row."""
    query = select(chain.c.seq, chain.c.hash).where(chain.c.id == _HEAD)
    row = connection.execute(query).one()
    return int(row.seq), str(row.hash)


def anchor(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last row that retention dropped; of none, what the first follows."""
    query = select(chain.c.seq, chain.c.hash).where(chain.c.id == _ANCHOR)
    row = connection.execute(query).one_or_none()
    return (0, ORIGIN) if row is None else (int(row.seq), str(row.hash))


def prune(connection: Connection, *, before_ms: int, at_ms: int, actor: str, most: int) -> int:
    """Drop rows of before a moment from the beginning, ``most`` at a time; how many.

    The row that says so is added in the same transaction, and stays itself for its own time.
    """
    lock(connection)
    first, _ = anchor(connection)
    query = select(audit.c.seq, audit.c.at_ms, audit.c.hash).where(audit.c.seq > first)
    old = []
    for row in connection.execute(query.order_by(audit.c.seq).limit(most)):
        if row.at_ms >= before_ms:
            break
        old.append(row)
    if not old:
        return 0
    upto, own = int(old[-1].seq), str(old[-1].hash)
    moved = chain.update().where(chain.c.id == _ANCHOR).values(seq=upto, hash=own)
    if not connection.execute(moved).rowcount:
        connection.execute(chain.insert().values(id=_ANCHOR, seq=upto, hash=own))
    details = {"upto": upto, "hash": own}
    append(connection, at_ms=at_ms, actor=actor, action=PRUNED, details=details)
    connection.execute(audit.delete().where(audit.c.seq <= upto))
    return len(old)


def verify(connection: Connection) -> int:
    """Check every row that is kept; the number of the last one.

    Raises
    ------
    BrokenChain
        If a row was changed, dropped or added, or retention did not drop those before the first.
    """
    while True:
        beginning = anchor(connection)
        try:
            return _verified(connection, beginning)
        except BrokenChain:
            if anchor(connection) == beginning:
                raise  # else retention dropped rows meanwhile: once more


def _verified(connection: Connection, beginning: tuple[int, str]) -> int:
    last, previous = beginning
    dropped = (0, ORIGIN)  # as the trail itself says
    end = head(connection)  # read first: rows may be added meanwhile
    for row in _all(connection, end[0]):
        if row["seq"] != last + 1:
            raise BrokenChain(f"row {last + 1} is missing")
        if row["previous"] != previous or row["hash"] != digest(previous, row):
            raise BrokenChain(f"row {row['seq']} is not what was written")
        last, previous = row["seq"], row["hash"]
        if row["action"] == PRUNED:
            said = msgspec.json.decode(row["details"])
            dropped = said["upto"], said["hash"]
    if (last, previous) != end:
        raise BrokenChain(f"rows after {last} are missing")
    if dropped != beginning:
        raise BrokenChain(f"nothing says that rows up to {beginning[0]} were dropped")
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
