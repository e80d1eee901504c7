"""`nadhir run` as a process: intake, sources, signals, and what keeps it from starting."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.store import Store
from tests.running import (
    Running,
    crisis,
    environment,
    eventually,
    journal,
    mention,
    nadhir,
    write_config,
    write_lines,
)

TOKEN = "k3Xb9-wQ7zL1p0Rt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path)
    return tmp_path


def intake_rows(folder: Path) -> int:
    db = sqlite3.connect(folder / "nadhir-data" / "intake.db")
    try:
        return int(db.execute("SELECT COALESCE(SUM(lines), 0) FROM intake").fetchone()[0])
    finally:
        db.close()


def stored(folder: Path) -> dict[str, object]:
    store = Store(folder / "nadhir-data" / "nadhir.db")
    try:
        return {
            "alerts": [case.alert for case in store.cases()],
            "rejected": [r.raw for _, r, _ in store.rejected()],
            "signals": list(store.signals()),
        }
    finally:
        store.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("run")
    write_config(folder)
    with Running(folder) as process:
        yield process
        assert process.stop() == 0, "".join(process.log)


class TestIntake:
    @pytest.mark.parametrize(
        ("body", "kind", "accepted"),
        [
            (mention("one", "Rimal Bank"), "application/json", 1),
            (b"[%s,%s]" % (mention("a1", "Rimal Bank"), mention("a2", "x")), "application/json", 2),
            (mention("n1", "x") + b"\n" + mention("n2", "y") + b"\n", "application/x-ndjson", 2),
        ],
    )
    def test_every_shape_is_counted(
        self, running: Running, body: bytes, kind: str, accepted: int
    ) -> None:
        before = running.read()
        answer = running.http.post("/v1/mentions", content=body, headers={"content-type": kind})
        assert answer.status_code == 202
        assert answer.json() == {"accepted": accepted, "rejected": 0, "errors": []}
        eventually(lambda: running.read() == before + accepted)

    def test_health_and_metrics(self, running: Running) -> None:
        assert running.http.get("/health/live").status_code == 200
        assert running.http.get("/health/ready").json() == {"status": "ok", "blind": []}
        answer = running.http.get("/metrics")
        names = {f.name for f in text_string_to_metric_families(answer.text)}
        assert {
            "nadhir_mentions_received",
            "nadhir_mentions_rejected",
            "nadhir_alerts_opened",
        } <= names

    def test_what_is_wrong_is_a_problem_and_no_traceback(self, running: Running) -> None:
        answers = [
            running.http.post("/v1/mentions", content=b"{", headers={"content-type": "text/xml"}),
            running.http.post("/v1/mentions", content=b"not json"),
            running.http.post("/v1/mentions", content=b'{"id": 1}'),
            running.http.get("/v1/mentions"),
            running.http.get("/nowhere"),
        ]
        assert [a.status_code for a in answers] == [415, 400, 422, 405, 404]
        assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}
        assert "Traceback" not in "".join(running.log)


def test_alerts_come_while_it_runs_and_it_goes_on_after_a_restart(folder: Path) -> None:
    lines = crisis()
    half = sum(json.loads(line)["published_at"] < "2026-03-02T09:03" for line in lines)
    with Running(folder) as process:
        for i in range(0, half, 200):
            assert process.post(lines[i : min(i + 200, half)]).status_code == 202
        eventually(lambda: process.read() == half)
        assert journal(folder) == []
        # accepted a moment before the end: durable, whether it was read by then or not
        assert process.post(lines[half : half + 100]).status_code == 202
        assert process.stop() == 0
        assert "everything is stored" in process.log[-1]
    with Running(folder) as process:
        for i in range(half + 100, len(lines), 200):
            assert process.post(lines[i : i + 200]).status_code == 202
        told = eventually(lambda: journal(folder))
        assert process.process.poll() is None, "the alert came while it runs"
        assert (told[0]["brand"], told[0]["state"]) == ("rimal-bank", "open")
        eventually(lambda: intake_rows(folder) == 0)  # what was read and stored is dropped
        assert process.stop() == 0
    write_lines(folder / "m.jsonl", lines)
    done = nadhir("replay", "m.jsonl", "--alerts", "a.jsonl", "--signals", "s.jsonl", cwd=folder)
    assert done.returncode == 0
    kept = stored(folder)
    assert kept["signals"] == (folder / "s.jsonl").read_bytes().splitlines()
    assert [a["id"] for a in map(json.loads, (folder / "a.jsonl").read_bytes().splitlines())] == [
        told[0]["id"]
    ]


def test_a_crisis_of_now_is_told_and_a_gap_does_not_stop_it(folder: Path) -> None:
    """The stream ends about now, so that event time follows the clock when it pauses."""
    last = datetime.fromisoformat(json.loads(crisis()[-1])["published_at"])
    shift = datetime.now(UTC) - timedelta(seconds=90) - last
    moved = []
    for line in crisis():
        record = json.loads(line)
        at = datetime.fromisoformat(record["published_at"]) + shift
        moved.append(json.dumps(record | {"published_at": at.isoformat()}).encode())
    with Running(folder) as process:
        for i in range(0, len(moved), 500):
            assert process.post(moved[i : i + 500]).json()["rejected"] == 0
        assert eventually(lambda: journal(folder))[0]["state"] == "open"
        before = process.metric("nadhir_watermark_timestamp_seconds")
        eventually(lambda: process.metric("nadhir_watermark_timestamp_seconds") > before, 90)
        assert process.stop() == 0


class TestSources:
    def test_a_followed_file(self, tmp_path: Path) -> None:
        write_config(tmp_path, sources=[{"type": "file", "path": "live.jsonl", "follow": True}])
        live = tmp_path / "live.jsonl"
        with Running(tmp_path) as process:
            live.write_bytes(mention("1", "Rimal Bank") + b"\n" + b'{"half')
            eventually(lambda: process.read() == 1)
            with live.open("ab") as out:
                out.write(b'": 1}\n' + mention("2", "Rimal Bank") + b"\n")
            eventually(lambda: process.read() == 2)
            assert process.stop() == 0
        with live.open("ab") as out:
            out.write(mention("3", "Rimal Bank") + b"\n")
        # from another directory the same file goes on where it was
        other = tmp_path / "elsewhere"
        other.mkdir()
        with Running(other, "--config", "../nadhir.yaml") as process:
            eventually(lambda: process.metric("nadhir_mentions_received_total") == 1)
            assert process.stop() == 0
        assert stored(tmp_path)["rejected"] == [b'{"half": 1}']

    def test_files_to_their_end(self, folder: Path) -> None:
        write_lines(folder / "a.jsonl", crisis()[:1_000])
        (folder / "b.jsonl.gz").write_bytes(
            gzip.compress(b"\n".join(crisis()[1_000:]) + b"\n{broken")
        )
        done = nadhir("run", "--until-done", "a.jsonl", "b.jsonl.gz", "a.jsonl", cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        assert stored(folder)["rejected"] == [b"{broken"]
        again = nadhir("run", "--until-done", "a.jsonl", "./b.jsonl.gz", cwd=folder)
        assert again.returncode == 0
        assert stored(folder)["rejected"] == [b"{broken"], "what was read is not read again"

    def test_standard_input_to_its_end(self, folder: Path) -> None:
        lines = b"\n".join([*crisis(), b"{broken"])
        done = nadhir("run", "--until-done", "-", cwd=folder, stdin=lines)
        assert done.returncode == 0, done.stderr.decode()
        kept = stored(folder)
        assert kept["rejected"] == [b"{broken"]
        assert len(journal(folder)) >= 1
        # the console receiver prints the alert, in logical order for a pipe
        assert "بنك رمال" in done.stdout.decode()

    def test_nothing_is_left_in_the_intake_of_standard_input(self, folder: Path) -> None:
        for _ in range(2):
            lines = b"\n".join(crisis()[:100])
            done = nadhir("run", "--until-done", "-", cwd=folder, stdin=lines)
            assert done.returncode == 0, done.stderr.decode()
            assert intake_rows(folder) == 0

    def test_standard_input_beside_the_intake(self, folder: Path) -> None:
        with Running(folder, "-", stdin=subprocess.PIPE) as process:
            assert process.process.stdin is not None
            process.process.stdin.write(mention("1", "Rimal Bank") + b"\n")
            process.process.stdin.flush()
            process.post([mention("2", "Rimal Bank")])
            eventually(lambda: process.read() == 2)
            assert process.stop(signal.SIGINT) == 0, "an open pipe does not hold it up"

    def test_a_file_that_breaks_is_told_by_the_exit_code(self, folder: Path) -> None:
        packed = gzip.compress(b"\n".join(crisis()))
        (folder / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
        write_lines(folder / "good.jsonl", [mention("1", "Rimal Bank"), b"{broken"])
        done = nadhir("run", "--until-done", "cut.jsonl.gz", "good.jsonl", cwd=folder)
        assert done.returncode == 1
        assert "Error: not read to its end: " in done.stderr.decode()
        assert stored(folder)["rejected"] == [b"{broken"], "the other is read all the same"

    @pytest.mark.parametrize("content", [b"", b"\n\n \n", b"{\n\xff\n[]\n"])
    def test_files_without_mentions(self, folder: Path, content: bytes) -> None:
        (folder / "odd.jsonl").write_bytes(content)
        done = nadhir("run", "--until-done", "odd.jsonl", cwd=folder)
        assert (done.returncode, done.stdout) == (0, b"")


class TestRefusals:
    def refused(self, *arguments: str, cwd: Path, code: int, **env: str) -> str:
        done = nadhir("run", *arguments, cwd=cwd, env=environment(**env))
        said = done.stderr.decode()
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said

    def test_a_port_in_use(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            said = self.refused("--port", port, cwd=folder, code=1)
        assert f"cannot listen on 127.0.0.1:{port}" in said
        assert "choose another" in said

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300])
    def test_a_host_that_is_none(self, folder: Path, host: str) -> None:
        said = self.refused("--host", host, cwd=folder, code=1, NADHIR_INTAKE__TOKEN=TOKEN)
        assert "cannot listen on" in said

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
    def test_an_open_intake(self, folder: Path, host: str) -> None:
        said = self.refused("--host", host, cwd=folder, code=2)
        assert "NADHIR_INTAKE__TOKEN" in said

    def test_a_log_level_that_is_none(self, folder: Path) -> None:
        said = self.refused(cwd=folder, code=2, NADHIR_LOG_LEVEL="loud")
        assert "NADHIR_LOG_LEVEL must be one of DEBUG, INFO" in said

    def test_a_file_that_is_missing(self, folder: Path) -> None:
        said = self.refused("--until-done", "nofile.jsonl", cwd=folder, code=1)
        assert "nofile.jsonl: No such file" in said

    def test_no_configuration(self, tmp_path: Path) -> None:
        said = self.refused(cwd=tmp_path, code=2)
        assert "nadhir config example > nadhir.yaml" in said

    def test_a_second_process_on_the_same_data(self, folder: Path) -> None:
        with Running(folder) as first:
            said = self.refused("--port", "0", cwd=folder, code=1)
            assert "nadhir.db is in use by another nadhir" in said
            assert first.post([mention("1", "Rimal Bank")]).status_code == 202
            assert first.stop() == 0
        with Running(folder) as second:
            assert second.stop() == 0


def test_with_a_token_nobody_else_gets_in(folder: Path) -> None:
    env = environment(NADHIR_INTAKE__TOKEN=TOKEN)
    with Running(folder, "--host", "0.0.0.0", env=env) as process:
        process.http.base_url = httpx.URL(
            str(process.http.base_url).replace("0.0.0.0", "127.0.0.1")
        )
        line = [mention("1", "Rimal Bank")]
        assert process.post(line).status_code == 401
        assert process.post(line, authorization="Bearer wrong").status_code == 401
        assert process.post(line, authorization=f"Bearer {TOKEN}").status_code == 202
        assert TOKEN not in "".join(process.log)
        assert process.stop() == 0


def test_a_reader_of_the_console_that_goes_away_does_not_end_it(folder: Path) -> None:
    write_lines(folder / "m.jsonl", crisis())
    engine = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "run", "--until-done", "m.jsonl"],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert engine.stdout is not None
    engine.stdout.close()
    _, said = engine.communicate(timeout=60)
    assert engine.returncode == 0, said.decode()
    assert "receiver console: [Errno 32] Broken pipe; will be tried again" in said.decode()
    assert len(journal(folder)) >= 1, "the other receiver was told"
