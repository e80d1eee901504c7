"""Personal data in the files of the embedded engine: one author's erased, what is old pruned.

Works on the files while nothing else does.  Rows are rewritten in one transaction and the files
compacted after it, so that what was erased is in no free page either.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from alerts.cases import Case
from alerts.privacy import ERASED, Author, digest, erase, known, stripped
from alerts.records import Alert, Decision
from alerts.retention import Retention
from models.records import Signal
from streams.config import Config, JournalReceiver
from streams.erasure_state import erase_state, known_to_state
from streams.live import append_line
from streams.store import Store, locked

Record = TypeVar("Record")
Response: TypeAlias = Callable[[Author], tuple[Author, int]]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """How many things were rewritten, by what they are."""

    alerts: int = 0
    signals: int = 0
    outbox: int = 0
    state: int = 0
    rejected: int = 0
    waiting: int = 0
    journal: int = 0
    response: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(msgspec.structs.astuple(self))


class _Mention(msgspec.Struct):
    """What tells whose a line is; anything else in it does not matter here."""

    class Who(msgspec.Struct):
        id: str | None = None
        handle: str | None = None

    platform: str
    author: Who | None = None


def erase_author(
    config: Config, author: Author, at: str, response: Response | None = None
) -> Erased:
    """Erase one author's data in stores, waiting mentions and journals of this configuration.

    Parameters
    ----------
    config : Config
    author : Author
        Its handles are added to by what the stores know.
    at : str
        RFC 3339; goes into ``erasures.jsonl`` with the figures and a hash of who it was.
    response : callable, optional
        Does the same in the response database: gives back what that knows of the author, too, and
        how many things were rewritten.  Called first, so that a fault of it leaves nothing half
        done.

    Raises
    ------
    StoreError
        If `nadhir run` or a replay is using a store.
    """
    counts: dict[str, int] = {}
    with _stores(config) as paths:
        for path in paths:
            with _database(path) as db:
                author = _known_to(db, author)
        if response is not None:
            author, counts["response"] = response(author)
        for path in paths:
            with _database(path) as db:
                _add(counts, _erase_rows(db, author))
            _compact(path)
        intake = config.paths.data / "intake.db"
        if intake.exists():
            with _database(intake) as db:
                _add(counts, {"waiting": _erase_waiting(db, author)})
            _compact(intake)
        for receiver in config.receivers:
            if isinstance(receiver, JournalReceiver) and receiver.path.exists():
                _add(counts, {"journal": _erase_journal(receiver.path, author)})
        erased = Erased(**counts)
        who = digest([author.platform.casefold(), author.id])
        entry = {"at": at, "author": who, **msgspec.structs.asdict(erased)}
        append_line(config.paths.data / "erasures.jsonl", msgspec.json.encode(entry))
    return erased


def prune(config: Config, plan: Retention, now_ms: int) -> dict[str, int]:
    """Take evidence out of what is old, and drop what is older; how many of each.

    An alert that is open is kept whole, and so is the latest of a brand but for its evidence.
    """
    counts: dict[str, int] = {}
    with _stores(config) as paths:
        for path in paths:
            with _database(path) as db:
                _add(counts, _prune_rows(db, plan, now_ms))
            _compact(path)
    return counts


@contextmanager
def _stores(config: Config) -> Iterator[list[Path]]:
    """The stores there are, with nobody else at work on the main one or the intake."""
    data = config.paths.data
    data.mkdir(parents=True, exist_ok=True)
    main = data / "nadhir.db"
    with locked(main):
        found = [main] if main.exists() else []
        found += sorted((data / "replay").glob("*.db"))
        for path in found:
            Store(path).close()  # refuses what is no store of this version
        yield found


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A file, in one transaction."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")


def _compact(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


# one author -----------------------------------------------------------------------------------


def _known_to(db: sqlite3.Connection, author: Author) -> Author:
    for (body,) in db.execute("SELECT body FROM alerts"):
        case = msgspec.json.decode(body, type=Case)
        author = known(author, [case.alert, *case.latest.values()])
    for (body,) in db.execute("SELECT body FROM signals"):
        author = known(author, [msgspec.json.decode(body, type=Signal)])
    return known_to_state(db, author)


def _erase_rows(db: sqlite3.Connection, author: Author) -> dict[str, int]:
    def case(held: Case) -> Case:
        latest = {kind: erase(signal, author) for kind, signal in held.latest.items()}
        return Case(alert=erase(held.alert, author), latest=latest)

    return {
        "alerts": _rewrite(db, "alerts", Case, case),
        "signals": _rewrite(db, "signals", Signal, lambda s: erase(s, author)),
        "outbox": _rewrite(db, "outbox", Alert, lambda a: erase(a, author)),
        "state": erase_state(db, author),
        "rejected": _erase_rejected(db, author),
    }


def _rewrite(
    db: sqlite3.Connection, table: str, kind: type[Record], change: Callable[[Record], Record]
) -> int:
    count = 0
    for seq, body in db.execute(f"SELECT seq, body FROM {table}").fetchall():  # noqa: S608
        held = msgspec.json.decode(body, type=kind)
        changed = change(held)
        if changed != held:
            db.execute(
                f"UPDATE {table} SET body = ? WHERE seq = ?",  # noqa: S608 - names of ours
                (msgspec.json.encode(changed), seq),
            )
            count += 1
    return count


def _erase_rejected(db: sqlite3.Connection, author: Author) -> int:
    count = 0
    for number, raw in db.execute("SELECT id, raw FROM rejected").fetchall():
        if _is_theirs(raw, author):
            note = f"{ERASED}:{digest(raw)}".encode()
            db.execute(
                "UPDATE rejected SET raw = ?, detail = ? WHERE id = ?", (note, ERASED, number)
            )
            count += 1
    return count


def _erase_waiting(db: sqlite3.Connection, author: Author) -> int:
    count = 0
    for seq, data in db.execute("SELECT seq, data FROM intake").fetchall():
        lines = data.split(b"\n")
        # an empty line is passed over, and those after it keep their numbers
        changed = [b"" if _is_theirs(line, author) else line for line in lines]
        if changed != lines:
            db.execute("UPDATE intake SET data = ? WHERE seq = ?", (b"\n".join(changed), seq))
            count += sum(a != b for a, b in zip(lines, changed))
    return count


def _is_theirs(line: bytes, author: Author) -> bool:
    """Whether a line is of the author; of one that cannot be read, whether it may be."""
    try:
        mention = msgspec.json.decode(line, type=_Mention)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        lowered = line.lower()
        return any(f'"{n.casefold()}"'.encode() in lowered for n in (author.id, *author.handles))
    who = mention.author
    return who is not None and author.wrote(mention.platform, who.id, who.handle)


def _erase_journal(path: Path, author: Author) -> int:
    count = 0
    part = path.with_name(f"{path.name}.part")
    with path.open("rb") as lines, part.open("wb") as out:
        for line in lines:
            try:
                alert = msgspec.json.decode(line, type=Alert)
            except msgspec.MsgspecError:
                out.write(line)  # not ours, or cut by a crash
                continue
            changed = erase(alert, author)
            out.write(line if changed is alert else msgspec.json.encode(changed) + b"\n")
            count += changed is not alert
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, path)
    return count


# what is old ----------------------------------------------------------------------------------


def _prune_rows(db: sqlite3.Connection, plan: Retention, now_ms: int) -> dict[str, int]:
    counts = {"evidence": 0, "alerts": 0, "signals": 0, "decisions": 0}
    latest = {s for (s,) in db.execute("SELECT MAX(seq) FROM alerts GROUP BY brand")}
    for seq, body in db.execute("SELECT seq, body FROM alerts").fetchall():
        case = msgspec.json.decode(body, type=Case)
        what = plan.due(case.alert.last_signal_ms, now_ms)
        if case.alert.state == "open" or what == "keep":
            continue
        if what == "drop" and seq not in latest:
            db.execute("DELETE FROM alerts WHERE seq = ?", (seq,))
            counts["alerts"] += 1
            continue
        bare = Case(
            alert=stripped(case.alert),
            latest={kind: stripped(signal) for kind, signal in case.latest.items()},
        )
        if bare != case:
            db.execute("UPDATE alerts SET body = ? WHERE seq = ?", (msgspec.json.encode(bare), seq))
            counts["evidence"] += 1
    for seq, body in db.execute("SELECT seq, body FROM signals").fetchall():
        signal = msgspec.json.decode(body, type=Signal)
        what = plan.due(signal.at_ms, now_ms)
        if what == "drop":
            db.execute("DELETE FROM signals WHERE seq = ?", (seq,))
            counts["signals"] += 1
        elif what == "strip" and stripped(signal) != signal:
            bare_body = msgspec.json.encode(stripped(signal))
            db.execute("UPDATE signals SET body = ? WHERE seq = ?", (bare_body, seq))
            counts["evidence"] += 1
    counts["decisions"] = _prune_decisions(db, plan, now_ms)
    return counts


def _prune_decisions(db: sqlite3.Connection, plan: Retention, now_ms: int) -> int:
    count = 0
    for seq, body in db.execute("SELECT seq, body FROM decisions").fetchall():
        at = datetime.fromisoformat(msgspec.json.decode(body, type=Decision).at)
        if plan.due(round(at.timestamp() * 1000), now_ms) == "drop":
            db.execute("DELETE FROM decisions WHERE seq = ?", (seq,))
            count += 1
    return count
