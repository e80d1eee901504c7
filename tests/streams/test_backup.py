"""A backup taken while the engine runs, and what comes of restoring it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import streams.backup
from streams.backup import backup, backups
from streams.intake_store import IntakeLog
from streams.store import Store, StoreError
from tests.running import Running, crisis, eventually, nadhir, write_config

AT_MS = 1_772_000_000_000
DAY_MS = 86_400_000


def alerts(folder: Path) -> list[object]:
    store = Store(folder / "nadhir-data" / "nadhir.db")
    try:
        return [case.alert for case in store.cases()]
    finally:
        store.close()


def read_all(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "nadhir-data" / "intake.db")) as db:
        return bool(db.execute("SELECT COUNT(*) FROM intake").fetchone()[0] == 0)


def send(running: Running, lines: tuple[bytes, ...]) -> None:
    for first in range(0, len(lines), 200):
        body = b"\n".join(lines[first : first + 200])
        answer = running.http.post(
            "/v1/mentions", content=body, headers={"Content-Type": "application/x-ndjson"}
        )
        assert answer.status_code == 202, answer.text


def test_what_was_restored_finds_the_same_alerts(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_config(first)
    write_config(second)
    # until an alert is open, which is what a restore may not forget
    lines = tuple(x for x in crisis() if json.loads(x)["published_at"] < "2026-03-02T10:00")
    half = len(lines) // 2
    running = Running(first)
    send(running, lines[:half])
    sender = threading.Thread(target=send, args=(running, lines[half:]))
    sender.start()
    told = nadhir("backup", tmp_path / "kept", cwd=first)
    sender.join()
    assert told.returncode == 0, told.stderr
    eventually(lambda: read_all(first))
    running.stop()

    made = Path(told.stdout.decode().strip())
    assert {p.name for p in made.iterdir()} == {"nadhir.db", "intake.db", "response.db"}
    assert {oct(p.stat().st_mode & 0o777) for p in made.iterdir()} == {"0o600"}
    shutil.copytree(made, second / "nadhir-data")
    running = Running(second)
    send(running, lines[half:])  # what came after the backup, and some of what came before
    eventually(lambda: read_all(second))
    running.stop()
    assert len(alerts(first)) == 1
    assert alerts(second) == alerts(first)


def test_the_intake_of_a_backup_begins_no_later_than_its_store_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    Store(data / "nadhir.db").close()
    intake = IntakeLog(data / "intake.db")
    intake.submit([b"{}"]).result()
    copy = streams.backup._copy

    def dropped() -> bool:
        with closing(sqlite3.connect(data / "intake.db")) as db:
            return bool(db.execute("SELECT COUNT(*) FROM intake").fetchone()[0] == 0)

    def copy_then_forget(source: Path, target: Path) -> bool:
        result = copy(source, target)
        if source.name == "nadhir.db":  # the engine commits, and drops what it has read
            intake.forget("2:2")
            end = time.monotonic() + 0.3
            while not dropped() and time.monotonic() < end:
                time.sleep(0.01)
        return result

    monkeypatch.setattr(streams.backup, "_copy", copy_then_forget)
    made = backup(data, tmp_path / "kept", AT_MS)
    intake.close()
    assert dropped()  # later, but it was
    with closing(sqlite3.connect(made / "intake.db")) as db:
        assert db.execute("SELECT COUNT(*) FROM intake").fetchone()[0] == 1


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    Store(tmp_path / "data" / "nadhir.db").close()
    kept = tmp_path / "kept"
    (kept / "else").mkdir(parents=True)
    made = [backup(tmp_path / "data", kept, AT_MS + day * DAY_MS, keep=2) for day in range(4)]
    assert backups(kept) == made[2:]
    assert sorted(p.name for p in kept.iterdir()) == sorted([*(p.name for p in made[2:]), "else"])


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_failed_backup_leaves_nothing(tmp_path: Path, content: bytes | None) -> None:
    data, kept = tmp_path / "data", tmp_path / "kept"
    data.mkdir()
    if content is not None:
        (data / "nadhir.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"holds no database|the backup failed"):
        backup(data, kept, AT_MS)
    assert list(kept.iterdir()) == []


def test_a_backup_of_the_same_second_is_refused(tmp_path: Path) -> None:
    Store(tmp_path / "data" / "nadhir.db").close()
    made = backup(tmp_path / "data", tmp_path / "kept", AT_MS)
    (made / "mark").touch()
    with pytest.raises(StoreError, match="the backup failed"):
        backup(tmp_path / "data", tmp_path / "kept", AT_MS)
    assert (made / "mark").exists()
