"""The embedded engine's memory: one SQLite file, one transaction a step.

Positions, detection state, rejections, signals, alerts, decisions and what is to be published are
committed together.  After ``kill -9`` the file holds exactly what the last whole step left, and
the sources go on from there: nothing is lost and nothing counted twice.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from alerts.cases import Case
from alerts.records import Alert, Decision
from models.records import Rejection, Signal

SCHEMA_VERSION = 2
BLIND = "blind"  # key of what is remembered: brands of which nothing comes, as JSON
TALK = "talk"  # likewise: what was said of each brand over the last day, as JSON
_PAGE_BYTES, _WAL_BYTES = 1 << 14, 1 << 26
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected (
    id INTEGER PRIMARY KEY, reason TEXT NOT NULL, detail TEXT NOT NULL, source TEXT NOT NULL,
    position TEXT NOT NULL, raw BLOB NOT NULL, retried INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, position));
CREATE TABLE IF NOT EXISTS signals (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, brand TEXT NOT NULL, state TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS decisions (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE, brand TEXT NOT NULL, outcome TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_receiver ON outbox (receiver, seq);
"""


class StoreError(Exception):
    """The store cannot be used; the message says which file and what to do."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other process from feeding the store at ``path`` meanwhile.

    The lock is a file beside the store; the kernel drops it however the process ends.

    Raises
    ------
    StoreError
        If another process holds it, or the directory cannot be written.
    """
    beside = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = beside.open("ab")
    except OSError as error:
        raise StoreError(f"{beside}: cannot be written ({error.strerror})") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"{path} is in use by another nadhir; stop that one, or choose another paths.data"
            ) from None
        except OSError as error:
            raise StoreError(
                f"{beside}: cannot be locked ({error.strerror}); keep it on a local disk"
            ) from error
        yield


def make_private(path: Path) -> None:
    """Make an empty file that its owner alone reads, unless it is there; its directory, too.

    SQLite gives the files beside it the same mode.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():  # people's words are in it
        path.touch(mode=0o600)


def state_bytes(path: Path) -> dict[str, int]:
    """Size of the stored state by part, read beside whoever uses the store."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "SELECT substr(key, 1, instr(key || '/', '/') - 1), SUM(length(value)) FROM state"
            " GROUP BY 1"
        )
        return dict(rows.fetchall())


class Store:
    """One SQLite database file.

    Parameters
    ----------
    path : Path
        Created with its directory if missing.

    Raises
    ------
    StoreError
        If the file is not a store of this version, or is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            make_private(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA busy_timeout = 10000")
            self._refuse_foreign()
            # state is few large pieces; the same ones change again and again between checkpoints
            self._db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_BYTES // _PAGE_BYTES}")
            self._db.execute("PRAGMA secure_delete = ON")  # what was dropped is not left to be read
            self._db.execute("PRAGMA journal_mode = WAL")
            # FULL: what a step committed survives a power cut, not only the end of the process
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
            held = self.meta("schema")
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{path}: cannot be used as a store ({error}); if it is damaged, move it away"
            ) from error
        if held is None:
            with self.step():
                self.set_meta("schema", str(SCHEMA_VERSION))
        elif held != str(SCHEMA_VERSION):
            raise StoreError(
                f"{path}: a store of version {held}, this Nadhir reads {SCHEMA_VERSION}; "
                "move it away, or use the version that wrote it"
            )

    def _refuse_foreign(self) -> None:
        tables = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        if tables and "meta" not in tables:
            raise StoreError(f"{self.path}: a database of another program, not a store of Nadhir")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One transaction: all of it, or nothing."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot be written ({error})") from error
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    # writing, inside a step -----------------------------------------------------------------

    def set_meta(self, key: str, value: str) -> None:
        """Remember a word about the store itself."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def set_position(self, source: str, position: str) -> None:
        """Where to continue with a source."""
        self._db.execute(
            "INSERT OR REPLACE INTO positions VALUES (?, ?)", (_storable(source), position)
        )

    def apply(self, changes: Iterable[tuple[str, bytes | None]]) -> None:
        """Store pieces of state; ``None`` drops all pieces whose key begins with the name."""
        keep: list[tuple[str, bytes]] = []
        for key, value in changes:
            if value is None:
                end = key[:-1] + chr(ord(key[-1]) + 1)
                self._db.execute("DELETE FROM state WHERE key >= ? AND key < ?", (key, end))
            else:
                keep.append((key, value))
        self._db.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", keep)

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Keep what could not be read."""
        self._db.executemany(
            "INSERT OR IGNORE INTO rejected (reason, detail, source, position, raw)"
            " VALUES (?, ?, ?, ?, ?)",
            ((r.reason, r.detail, _storable(r.source), r.position, r.raw) for r in rejections),
        )

    def add_signals(self, signals: Iterable[Signal]) -> None:
        """Keep signals."""
        self._db.executemany(
            "INSERT OR IGNORE INTO signals (id, body) VALUES (?, ?)",
            ((s.id, msgspec.json.encode(s)) for s in signals),
        )

    def put_cases(self, cases: Iterable[Case]) -> None:
        """Keep alerts as they are now."""
        self._db.executemany(
            "INSERT INTO alerts (id, brand, state, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body",
            ((c.alert.id, c.alert.brand, c.alert.state, msgspec.json.encode(c)) for c in cases),
        )

    def add_decisions(self, decisions: Iterable[Decision]) -> None:
        """Keep decisions."""
        self._db.executemany(
            "INSERT OR IGNORE INTO decisions (id, brand, outcome, body) VALUES (?, ?, ?, ?)",
            ((d.id, d.brand, d.outcome, msgspec.json.encode(d)) for d in decisions),
        )

    def post(self, receivers: Iterable[str], alert: Alert) -> None:
        """Note that an alert is to be published to receivers."""
        body = msgspec.json.encode(alert)
        self._db.executemany(
            "INSERT INTO outbox (receiver, body) VALUES (?, ?)", ((r, body) for r in receivers)
        )

    def delivered(self, seq: int) -> None:
        """Take a delivered note out of the outbox."""
        self._db.execute("DELETE FROM outbox WHERE seq = ?", (seq,))

    def mark_retried(self, ids: Iterable[int]) -> None:
        """Remember which rejections were sent in again."""
        self._db.executemany("UPDATE rejected SET retried = 1 WHERE id = ?", ((i,) for i in ids))

    # reading --------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """What ``set_meta`` remembered."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def position(self, source: str) -> str | None:
        """Where to continue with a source; ``None`` is its beginning."""
        row = self._db.execute(
            "SELECT position FROM positions WHERE source = ?", (_storable(source),)
        ).fetchone()
        return row[0] if row else None

    def state(self) -> dict[str, bytes]:
        """All pieces of state."""
        return dict(self._db.execute("SELECT key, value FROM state"))

    def cases(self) -> list[Case]:
        """All alerts, in order of opening."""
        return self._cases("SELECT body FROM alerts ORDER BY seq")

    def latest_cases(self) -> list[Case]:
        """The last alert of each brand and of each impostor: what fusion goes on with."""
        return self._cases(
            "SELECT body FROM alerts WHERE seq IN (SELECT MAX(seq) FROM alerts GROUP BY brand,"
            " json_extract(CAST(body AS TEXT), '$.alert.subject'))"
        )

    def _cases(self, query: str) -> list[Case]:
        try:
            return [msgspec.json.decode(body, type=Case) for (body,) in self._db.execute(query)]
        except msgspec.MsgspecError as error:
            raise StoreError(
                f"{self.path}: holds alerts that this Nadhir cannot read ({error}); "
                "move it away, or use the version that wrote it"
            ) from error

    def signals(self) -> Iterator[bytes]:
        """All signals as JSON, in order."""
        for (body,) in self._db.execute("SELECT body FROM signals ORDER BY seq"):
            yield body

    def decisions(self, brand: str | None = None, outcome: str | None = None) -> Iterator[bytes]:
        """Decisions as JSON, in order, of one brand or outcome if named."""
        for (body,) in self._db.execute(
            "SELECT body FROM decisions WHERE (?1 IS NULL OR brand = ?1)"
            " AND (?2 IS NULL OR outcome = ?2) ORDER BY seq",
            (brand, outcome),
        ):
            yield body

    def decided_brands(self) -> list[str]:
        """Ids of the brands that decisions are about."""
        rows = self._db.execute("SELECT DISTINCT brand FROM decisions ORDER BY brand")
        return [brand for (brand,) in rows]

    def rejected(self, *, reason: str | None = None) -> Iterator[tuple[int, Rejection, bool]]:
        """Rejections with their number, and whether they were retried."""
        rows = self._db.execute(
            "SELECT id, reason, detail, source, position, raw, retried FROM rejected"
            " WHERE ?1 IS NULL OR reason = ?1 ORDER BY id",
            (reason,),
        )
        yield from map(_numbered, rows)

    def decisions_before(
        self, before: int | None, limit: int, *, brand: str | None, outcome: str | None
    ) -> list[tuple[int, bytes]]:
        """Decisions with their numbers, the newest first, numbered below ``before``."""
        rows = self._db.execute(
            "SELECT seq, body FROM decisions WHERE (?1 IS NULL OR seq < ?1)"
            " AND (?2 IS NULL OR brand = ?2) AND (?3 IS NULL OR outcome = ?3)"
            " ORDER BY seq DESC LIMIT ?4",
            (before, brand, outcome, limit),
        )
        return [(seq, body) for seq, body in rows]

    def rejected_before(
        self, before: int | None, limit: int, *, reason: str | None
    ) -> list[tuple[int, Rejection, bool]]:
        """Rejections as `rejected` gives them, the newest first, numbered below ``before``."""
        rows = self._db.execute(
            "SELECT id, reason, detail, source, position, raw, retried FROM rejected"
            " WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR reason = ?2)"
            " ORDER BY id DESC LIMIT ?3",
            (before, reason, limit),
        )
        return [_numbered(row) for row in rows]

    def count_rejected(self) -> int:
        """Number of rejections."""
        return int(self._db.execute("SELECT COUNT(*) FROM rejected").fetchone()[0])

    def waiting(self) -> list[str]:
        """Receivers for whom something is still to be published."""
        rows = self._db.execute("SELECT DISTINCT receiver FROM outbox ORDER BY receiver")
        return [receiver for (receiver,) in rows]

    def outbox(self, receiver: str, limit: int = 100) -> list[tuple[int, bytes]]:
        """What is still to be published to a receiver, in order: number, alert as JSON."""
        rows = self._db.execute(
            "SELECT seq, body FROM outbox WHERE receiver = ? ORDER BY seq LIMIT ?",
            (receiver, limit),
        )
        return [(seq, body) for seq, body in rows]


def _numbered(row: tuple[int, str, str, str, str, bytes, int]) -> tuple[int, Rejection, bool]:
    number, why, detail, source, position, raw, retried = row
    rejection = Rejection(reason=why, detail=detail, source=source, position=position, raw=raw)
    return number, rejection, bool(retried)


def _storable(name: str) -> str:
    """A file name as text, though its bytes may be no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
