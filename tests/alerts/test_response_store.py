"""One suite over SQLite and PostgreSQL: schema, audit chain, outbox, keys, due times, tokens."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alerts.notify.records import Notification, Why
from alerts.store import access, audit, due, migrate, queue, rows
from alerts.store.audit import BrokenChain
from alerts.store.database import Database
from alerts.store.due import Due
from alerts.store.errors import StoreFault
from alerts.store.queue import StoredQueue
from alerts.store.tables import metadata
from alerts.tokens import Tokens
from tests.alerts.responding import desk, first

# schema ---------------------------------------------------------------------------------------


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(migrate.FOLDER)).get_heads() == [migrate.HEAD]


def test_a_newer_schema_is_refused(place: Path | str, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreFault, match="its schema is 9999"):
        Database(place)


def test_many_start_at_once(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres")
    files = [tmp_path / f"{i}.db" for i in range(30)]
    for place in (*files, server.url(server.create())):
        faults: list[BaseException] = []

        def start(place: Path | str = place, faults: list[BaseException] = faults) -> None:
            try:
                Database(place).close()
            except StoreFault as error:
                faults.append(error)

        threads = [threading.Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []


def test_what_is_no_database_is_told_without_the_password() -> None:
    with pytest.raises(StoreFault, match="is not postgresql"):
        Database("mysql://localhost/x")
    with pytest.raises(StoreFault) as told:
        Database("postgresql://me:" + "hunter2" + "@127.0.0.1:1/x")
    assert "hunter2" not in str(told.value)


def test_errors_hold_nothing_of_what_was_written(database: Database) -> None:
    put(database, "k1")
    with pytest.raises(StoreFault) as caught:
        put(database, "k1")
    assert first().evidence[0].text not in str(caught.value)
    assert "parameters hidden" in str(caught.value)


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database(tmp_path / "new" / "response.db").close()
    assert (tmp_path / "new" / "response.db").stat().st_mode & 0o077 == 0


def test_a_write_is_whole_or_nothing(database: Database) -> None:
    def half() -> None:
        with database.write() as connection:
            audit.append(connection, at_ms=0, actor="amal", action="tried")
            connection.execute(text("SELECT * FROM nowhere"))

    with pytest.raises((StoreFault, DBAPIError)):
        half()
    with database.read() as connection:
        assert audit.entries(connection) == []
        assert audit.verify(connection) == 0


# audit trail ----------------------------------------------------------------------------------


def three_rows(database: Database) -> None:
    for number in range(3):
        with database.write() as connection:
            details = {"text": "أهلًا", "number": number}
            audit.append(connection, at_ms=number, actor="amal", action="a", details=details)


def test_the_chain_holds(database: Database) -> None:
    three_rows(database)
    with database.read() as connection:
        assert audit.verify(connection) == 3
        assert [e.seq for e in audit.entries(connection, after=1)] == [2, 3]
        assert audit.entries(connection)[0].details == {"text": "أهلًا", "number": 0}


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET actor = 'omar' WHERE seq = 2", "DELETE FROM audit"]
)
def test_the_audit_trail_is_append_only(database: Database, statement: str) -> None:
    three_rows(database)
    with (
        pytest.raises((StoreFault, DBAPIError), match="append-only"),
        database.write() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET actor = 'omar' WHERE seq = 2", "row 2 is not what was written"),
        ("UPDATE audit SET at_ms = 7 WHERE seq = 1", "row 1 is not"),
        ("UPDATE audit SET details = '{}' WHERE seq = 3", "row 3 is not"),
        ("DELETE FROM audit WHERE seq = 2", "row 2 is missing"),
        ("DELETE FROM audit WHERE seq = 3", "rows after 2 are missing"),
        ("DELETE FROM audit", "rows after 0 are missing"),
    ],
)
def test_who_gets_past_the_triggers_is_found_out(
    database: Database, statement: str, told: str
) -> None:
    three_rows(database)
    off = (
        ["DROP TRIGGER audit_stays_UPDATE", "DROP TRIGGER audit_stays_DELETE"]
        if database.dialect == "sqlite"
        else ["ALTER TABLE audit DISABLE TRIGGER ALL"]
    )
    with database.write() as connection:
        for line in (*off, statement):
            connection.execute(text(line))
    with database.read() as connection, pytest.raises(BrokenChain, match=told):
        audit.verify(connection)


# outbox ---------------------------------------------------------------------------------------


def put(database: Database, key: str, why: Why = "opened", receiver: str = "mail") -> None:
    one = Notification(
        key=key, receiver=receiver, why=why, alert=first(), state="open", version=1, at="now"
    )
    with database.write() as connection:
        queue.enqueue(connection, [one], 1_000)


def test_a_claim_is_a_lease(database: Database) -> None:
    held = StoredQueue(database)
    put(database, "k1")
    put(database, "k2")
    assert held.claim(999, 10, 50) == [], "not due yet"
    (one,) = held.claim(1_000, 1, 50)
    (two,) = held.claim(1_000, 10, 50)
    assert [one.notification.key, two.notification.key] == ["k1", "k2"]
    assert (one.attempts, one.first_at_ms, one.notification.alert) == (0, 1_000, first())
    assert held.claim(1_049, 10, 50) == []
    assert [q.attempts for q in held.claim(1_050, 10, 50)] == [1, 1], "whoever held them died"


def test_every_outcome_is_recorded(database: Database) -> None:
    held = StoredQueue(database)
    for number in range(4):
        put(database, f"k{number}")
    a, b, c, d = held.claim(1_000, 10, 50)
    held.sent(a.id, 1_001, "200")
    held.retry(b.id, 2_000, "refused")
    held.dead(c.id, 1_003, "gave up")
    held.dropped(d.id, 1_004, "quiet", "night")
    with database.read() as connection:
        found = {t.key: (t.status, t.detail, t.stage) for t in queue.told(connection, first().id)}
    assert found == {
        "k0": ("sent", "200", None),
        "k1": ("queued", "refused", None),
        "k2": ("dead", "gave up", None),
        "k3": ("dropped", "night", "quiet"),
    }
    assert [held.wanted(q.id) for q in (a, b, c, d)] == [False, True, False, False]
    assert held.claim(1_999, 10, 50) == []
    assert [q.notification.key for q in held.claim(2_000, 10, 50)] == ["k1"]
    assert held.replay(3_000, "pager") == 0
    assert held.replay(3_000) == 1
    assert [q.notification.key for q in held.claim(3_000, 10, 50)] == ["k1", "k2"]


def test_a_delay_gives_the_attempt_back(database: Database) -> None:
    held = StoredQueue(database)
    put(database, "k1")
    for turn in range(3):
        (one,) = held.claim(1_000 + turn * 100, 10, 50)
        assert one.attempts == 0
        held.delay(one.id, 1_100 + turn * 100, "quiet hours: the night")
    with database.read() as connection:
        (told,) = queue.told(connection, first().id)
        assert (told.status, told.attempts, told.due_ms) == ("queued", 0, 1_300)
    assert (held.waiting(), held.waiting(1_299), held.waiting(1_300)) == (1, 0, 1)


def test_two_claims_at_once_share_nothing(database: Database) -> None:
    for number in range(40):
        put(database, f"k{number}")
    taken: list[int] = []

    def work() -> None:
        held = StoredQueue(database)
        while found := held.claim(1_000, 3, 10_000):
            taken.extend(q.id for q in found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40


def test_what_asks_nobody_to_come_is_not_cancelled(database: Database) -> None:
    put(database, "k1", "opened")
    put(database, "k2", "acknowledged")
    with database.write() as connection:
        assert queue.cancel_paging(connection, first().id, 5, "acknowledged by amal") == 1
    held = StoredQueue(database)
    assert [q.notification.key for q in held.claim(1_000, 10, 50)] == ["k2"]


# due times, keys, secrets ---------------------------------------------------------------------


def test_due_steps_are_taken_once(database: Database) -> None:
    steps = [Due(key=f"a:{n}", alert="a", chain="c", due_ms=n * 100, body=b"{}") for n in (1, 2, 3)]
    with database.write() as connection:
        due.plan(connection, steps[:2])
        due.plan(connection, steps)
    with database.write() as connection:
        assert [s.key for s in due.due(connection, 200, 10)] == ["a:1", "a:2"]
        assert due.take(connection, "a:1")
        assert not due.take(connection, "a:1")
        assert due.cancel(connection, "a") == 2
        due.plan(connection, steps)
        assert due.due(connection, 1_000, 10) == [], "what was cancelled stays so"


def test_a_secret_is_made_once(database: Database) -> None:
    with database.write() as connection:
        one = access.secret(connection, "links")
    with database.write() as connection:
        assert access.secret(connection, "links") == one
        assert access.secret(connection, "other") != one
    assert len(one) == 32


# tokens ---------------------------------------------------------------------------------------


def test_a_token_opens_until_it_is_revoked(database: Database) -> None:
    tokens = Tokens(database)
    tokens.create("root", "admin", by="cli", now_ms=1)
    secret = tokens.create("amal", "responder", by="cli", now_ms=2)
    assert len(secret) >= 50
    bearer = tokens.bearer(secret)
    assert bearer is not None
    assert (bearer.name, bearer.role) == ("amal", "responder")
    assert tokens.bearer(secret[:-1]) is None
    assert tokens.revoke("amal", by="cli", now_ms=3)
    assert tokens.bearer(secret) is None
    assert not tokens.revoke("amal", by="cli", now_ms=4)


def test_no_secret_is_stored(database: Database) -> None:
    secret = Tokens(database).create("amal", "viewer", by="cli", now_ms=2)
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                assert secret not in repr(tuple(row)), table.name


@pytest.mark.parametrize("name", ["", "Amal", "a b", "nadhir", "link:mail", "x" * 64, "ا", "a\n"])
def test_a_name_that_could_be_mistaken_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a token"):
        Tokens(database).create(name, "viewer", by="cli", now_ms=1)


def test_a_name_is_never_used_again_and_an_admin_remains(database: Database) -> None:
    tokens = Tokens(database)
    tokens.create("amal", "admin", by="cli", now_ms=1)
    with pytest.raises(ValueError, match="last administrator"):
        tokens.revoke("amal", by="amal", now_ms=2)
    tokens.create("omar", "admin", by="cli", now_ms=3)
    assert tokens.revoke("amal", by="omar", now_ms=4)
    with pytest.raises(ValueError, match="was a token amal before"):
        tokens.create("amal", "viewer", by="omar", now_ms=5)


def test_the_first_token_is_made_once(database: Database) -> None:
    made = [Tokens(database).create_first(now_ms=1) for _ in range(2)]
    assert made[0] is not None
    assert made[1] is None
    bearer = Tokens(database).bearer(made[0])
    assert bearer is not None
    assert bearer.role == "admin"


# alerts ---------------------------------------------------------------------------------------


def test_it_is_all_there_after_a_restart(place: Path | str) -> None:
    for _ in range(2):
        database = Database(place)
        running = desk(database)
        running.take(first())
        database.close()
    database = Database(place)
    with database.read() as connection:
        row = rows.find(connection, first().id)
        assert row is not None
        assert (row.version, rows.body(connection, row.id)) == (1, first())
        assert audit.verify(connection) == 1
    database.close()
