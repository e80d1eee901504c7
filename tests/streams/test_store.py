"""The embedded store: one transaction a step, and nothing that is not a store is touched."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from models.records import Rejection
from streams.store import SCHEMA_VERSION, Store, StoreError, locked
from tests.running import environment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "nadhir.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def rejection(position: str = "1", raw: bytes = b"{", reason: str = "not_json") -> Rejection:
    return Rejection(reason=reason, detail="No.", source="file", position=position, raw=raw)


def test_what_strangers_wrote_is_for_the_owner_alone(store: Store, path: Path) -> None:
    with store.step():
        store.set_meta("a", "b")
    files = list(path.parent.iterdir())
    assert {f.name for f in files} >= {"nadhir.db", "nadhir.db-wal"}
    assert [f.name for f in files if f.stat().st_mode & 0o077] == []


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.path)


class TestSteps:
    def test_a_step_is_all_or_nothing(self, store: Store) -> None:
        def half() -> None:
            with store.step():
                store.set_position("a", "1")
                store.apply([("all/1", b"x")])
                store.reject([rejection()])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        assert store.position("a") is None
        assert store.state() == {}
        assert store.count_rejected() == 0
        with store.step():
            store.set_position("a", "2")
        assert store.position("a") == "2"

    def test_what_was_stored_is_there_after_opening_again(self, store: Store) -> None:
        with store.step():
            store.set_position("a", "5:1")
            store.apply([("all/1", b"\0\xff"), ("head", b"h")])
            store.set_meta("replay", "x")
        again = reopened(store)
        assert again.position("a") == "5:1"
        assert again.state() == {"all/1": b"\0\xff", "head": b"h"}
        assert again.meta("replay") == "x"
        again.close()

    def test_a_full_disk_is_an_error_with_a_sentence_and_keeps_what_was(self, store: Store) -> None:
        with store.step():
            store.set_position("a", "1")
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"nadhir\.db: cannot be written .*full"), store.step():
            store.apply([("all/1", bytes(1 << 20))])
        store._db.execute(f"PRAGMA max_page_count = {1 << 20}")
        assert store.state() == {}
        assert store.position("a") == "1"
        with store.step():
            store.apply([("all/1", b"x")])


class TestState:
    def test_a_prefix_drops_its_pieces_and_no_others(self, store: Store) -> None:
        with store.step():
            store.apply([(f"all/{i}", b"x") for i in range(12)])
            store.apply([("all", b"x"), ("alt/1", b"x"), ("allx/1", b"x")])
            store.apply([("all/", None), ("all/3", b"new")])
        assert store.state() == {"all": b"x", "all/3": b"new", "allx/1": b"x", "alt/1": b"x"}


class TestRejected:
    def test_raw_bytes_are_kept_as_they_came(self, store: Store) -> None:
        raw = bytes(range(256)) + "\u202eنص".encode()
        with store.step():
            store.reject([rejection(raw=raw)])
        [(number, kept, retried)] = store.rejected()
        assert (kept.raw, kept.reason, retried) == (raw, "not_json", False)
        with store.step():
            store.mark_retried([number])
        assert [retried for _, _, retried in store.rejected()] == [True]

    def test_a_line_that_is_read_again_is_kept_once(self, store: Store) -> None:
        for _ in range(2):
            with store.step():
                store.reject([rejection("1"), rejection("2", reason="bad_time")])
        assert store.count_rejected() == 2
        assert [r.position for _, r, _ in store.rejected(reason="bad_time")] == ["2"]

    def test_a_file_name_may_be_no_text(self, store: Store) -> None:
        name = os.fsdecode(b"\xff.jsonl")
        with store.step():
            store.set_position(name, "7:1")
            store.reject([msgspec.structs.replace(rejection(), source=name)])
        assert store.position(name) == "7:1"
        assert [r.source for _, r, _ in store.rejected()] == ["\\udcff.jsonl"]


class TestForeign:
    def test_a_database_of_another_program_is_refused_and_left_as_it_is(self, path: Path) -> None:
        path.parent.mkdir()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE invoices (id)")
        other.commit()
        other.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="another program"):
            Store(path)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir()] == [path.name]

    def test_what_is_no_database_is_refused_and_left_as_it_is(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"minutes of the meeting " * 100)
        with pytest.raises(StoreError, match="cannot be used as a store"):
            Store(path)
        assert path.read_bytes() == b"minutes of the meeting " * 100

    def test_another_version_is_refused_with_what_to_do(self, store: Store) -> None:
        with store.step():
            store.set_meta("schema", str(SCHEMA_VERSION + 1))
        store.close()
        with pytest.raises(StoreError, match="move it away, or use the version that wrote it"):
            Store(store.path)

    def test_a_directory_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StoreError, match="cannot be used as a store"):
            Store(tmp_path / "file" / "nadhir.db")


class TestLock:
    def test_there_is_one_holder_at_a_time(self, path: Path) -> None:
        with locked(path):
            with pytest.raises(StoreError, match="in use by another nadhir"), locked(path):
                pass
            with locked(path.with_name("other.db")):
                pass
        with locked(path):
            pass

    def test_an_error_inside_is_not_taken_for_the_locks(self, path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="mine"), locked(path):
            raise FileNotFoundError("mine")

    def test_a_directory_that_cannot_be_written_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with (
            pytest.raises(StoreError, match="cannot be written"),
            locked(tmp_path / "file" / "nadhir.db"),
        ):
            pass

    def test_it_ends_with_a_process_that_was_killed(self, path: Path) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, env=environment()
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match="in use"), locked(path):
            pass
        holder.kill()
        holder.wait(10)
        holder.stdout.close()
        with locked(path):
            pass


_HOLD = """
import sys, time
from pathlib import Path
from streams.store import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_outbox_keeps_the_order_of_each_receiver(store: Store) -> None:
    with store.step():
        store._db.executemany(
            "INSERT INTO outbox (receiver, body) VALUES (?, ?)",
            [("b", b"1"), ("a", b"2"), ("b", b"3")],
        )
    assert store.waiting() == ["a", "b"]
    assert [body for _, body in store.outbox("b")] == [b"1", b"3"]
    assert [body for _, body in store.outbox("b", limit=1)] == [b"1"]
    with store.step():
        store.delivered(store.outbox("a")[0][0])
    assert store.waiting() == ["b"]
