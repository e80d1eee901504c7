"""The durable intake: what was acknowledged is there, in order, once, whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.intake import IntakeUnavailable
from streams.intake_store import IntakeLog, _pack, _unpack
from streams.sources.base import BATCH_BYTES
from streams.store import StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "intake.db"


@pytest.fixture
def log(path: Path) -> Iterator[IntakeLog]:
    opened = IntakeLog(path)
    yield opened
    opened.close()


def rows(path: Path) -> int:
    other = sqlite3.connect(path)
    try:
        return int(other.execute("SELECT COUNT(*) FROM intake").fetchone()[0])
    finally:
        other.close()


def drained(log: IntakeLog, limit: int = 100) -> list[bytes]:
    lines: list[bytes] = []
    while batch := log.poll(limit):
        lines += batch.lines
    return lines


def test_what_strangers_wrote_is_for_the_owner_alone(log: IntakeLog, path: Path) -> None:
    files = list(path.parent.iterdir())
    assert path in files
    assert [f.name for f in files if f.stat().st_mode & 0o077] == []


class TestAppend:
    def test_lines_are_durable_when_it_returns(self, log: IntakeLog, path: Path) -> None:
        assert asyncio.run(log.append([b"1", b"2"])) == 2
        assert rows(path) == 1, "another connection sees them"

    def test_many_senders_at_once_lose_nothing_and_keep_their_order(self, log: IntakeLog) -> None:
        def send(sender: int) -> None:
            for i in range(40):
                log.submit([b"%d:%d" % (sender, i)]).result()

        threads = [threading.Thread(target=send, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = drained(log)
        for sender in range(6):
            own = [line for line in lines if line.startswith(b"%d:" % sender)]
            assert own == [b"%d:%d" % (sender, i) for i in range(40)]
        assert len(lines) == 240

    @pytest.mark.parametrize(
        "line", [b"\xff\xfe\x00", b'{"text":"\\u0000"}', "نص\u202e".encode(), b"\x1b[2J", b" "]
    )
    def test_bytes_come_back_as_they_were(self, log: IntakeLog, line: bytes) -> None:
        log.submit([line, b"after"]).result()
        assert drained(log) == [line, b"after"]

    def test_a_newline_inside_becomes_white_space(self, log: IntakeLog) -> None:
        log.submit([b'{\n"id":1}', b"after"]).result()
        assert drained(log) == [b'{ "id":1}', b"after"]

    def test_no_lines_store_nothing(self, log: IntakeLog, path: Path) -> None:
        assert asyncio.run(log.append([])) == 0
        assert rows(path) == 0

    def test_a_full_disk_asks_to_try_again_and_stores_nothing(self, log: IntakeLog) -> None:
        pages = log._write.execute("PRAGMA page_count").fetchone()[0]
        log._write.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(IntakeUnavailable, match="full"):
            asyncio.run(log.append([bytes(1 << 20)]))
        log._write.execute(f"PRAGMA max_page_count = {1 << 20}")
        assert asyncio.run(log.append([b"later"])) == 1
        assert drained(log) == [b"later"]

    def test_a_sender_that_went_away_does_not_harm_the_others(self, log: IntakeLog) -> None:
        gate = threading.Event()
        log._pool.submit(gate.wait)  # the disk is busy, so that the next three wait together
        first, gone, last = (log.submit([line]) for line in (b"1", b"2", b"3"))
        assert gone.cancel()
        gate.set()
        assert (first.result(10), last.result(10)) == (1, 1)
        assert drained(log) == [b"1", b"3"]

    def test_a_closed_log_takes_nothing(self, path: Path) -> None:
        log = IntakeLog(path)
        log.close()
        with pytest.raises(IntakeUnavailable, match="closed"):
            asyncio.run(log.append([b"1"]))

    def test_closing_finishes_what_waits(self, path: Path) -> None:
        log = IntakeLog(path)
        futures = [log.submit([b"%d" % i]) for i in range(50)]
        log.close()
        assert sum(f.result(0) for f in futures) == 50
        again = IntakeLog(path)
        assert drained(again) == [b"%d" % i for i in range(50)]
        again.close()


class TestPoll:
    def test_it_continues_at_a_position(self, path: Path) -> None:
        log = IntakeLog(path)
        for part in ([b"1", b"2"], [b"3"], [b"4"]):
            log.submit(part).result()
        batch = log.poll(3)
        assert batch is not None
        assert (batch.lines, batch.first) == ([b"1", b"2", b"3"], 1)
        log.close()
        again = IntakeLog(path)
        again.seek(batch.next)
        rest = again.poll(10)
        assert rest is not None
        assert (rest.lines, rest.first) == ([b"4"], 4)
        assert again.poll(10) is None
        again.close()

    def test_what_is_committed_is_dropped_and_the_rest_is_not(
        self, log: IntakeLog, path: Path
    ) -> None:
        for line in (b"1", b"2", b"3"):
            log.submit([line]).result()
        batch = log.poll(2)
        assert batch is not None
        log.forget(batch.next)
        log.submit([b"4"]).result()  # after the drop: one thread writes
        assert rows(path) == 2
        assert drained(log) == [b"3", b"4"]

    def test_numbers_go_on_when_everything_was_dropped(self, path: Path) -> None:
        log = IntakeLog(path)
        log.submit([b"1"]).result()
        batch = log.poll(1)
        assert batch is not None
        log.forget(batch.next)
        log.close()
        again = IntakeLog(path)
        again.seek(batch.next)
        again.submit([b"2"]).result()
        second = again.poll(1)
        assert second is not None
        assert (second.lines, second.first) == ([b"2"], 2)
        again.close()

    def test_a_log_that_was_made_anew_is_read_from_its_beginning(self, path: Path) -> None:
        log = IntakeLog(path)
        log.seek("500:9000")  # a position from the log that an operator deleted
        log.submit([b"new"]).result()
        batch = log.poll(1)
        assert batch is not None
        assert (batch.lines, batch.first) == ([b"new"], 9000), "no rejection takes another's place"
        log.close()

    def test_a_batch_is_bounded_in_bytes(self, log: IntakeLog) -> None:
        big = bytes(BATCH_BYTES // 3)
        for _ in range(8):
            log.submit([big]).result()
        sizes = []
        while batch := log.poll(4096):
            sizes.append(sum(map(len, batch.lines)))
        assert max(sizes) < BATCH_BYTES + len(big)
        assert sum(sizes) == 8 * len(big)

    def test_it_ends_once_it_is_finished_and_read(self, log: IntakeLog) -> None:
        log.submit([b"1"]).result()
        assert log.poll(1) is not None
        assert log.poll(1) is None
        assert not log.done, "more may come"
        log.submit([b"2"]).result()
        log.finish()
        assert not log.done, "something is left"
        assert log.poll(1) is not None
        assert log.poll(1) is None
        assert log.done


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="cannot be used as intake"):
        IntakeLog(path)


@given(st.lists(st.binary(max_size=50).map(lambda b: b.replace(b"\n", b"")), min_size=1))
def test_lines_are_packed_without_loss(lines: list[bytes]) -> None:
    assert _unpack(_pack(lines)) == lines
