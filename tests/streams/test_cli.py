"""The command line as a user meets it: exit codes, what goes where, and no tracebacks."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alerts.records import alert_schema
from models.records import Rejection
from streams.cli import main
from streams.cli.main import COMMANDS
from streams.config import check, load
from streams.schema import mention_schema
from streams.simulate import SCENARIOS
from streams.store import Store
from tests.running import (
    CONFIG,
    crisis,
    environment,
    eventually,
    journal,
    mention,
    nadhir,
    write_config,
    write_lines,
)


def call(*arguments: str | Path, stdin: bytes = b"", **env: str) -> Result:
    """A command in this process; what it did not expect is raised here."""
    clean = dict.fromkeys(name for name in os.environ if name.startswith("NADHIR_"))
    runner = CliRunner(env={**clean, **env})
    result = runner.invoke(main, [str(a) for a in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a configuration."""
    write_config(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stream(folder: Path) -> Path:
    return write_lines(folder / "mentions.jsonl", [*crisis()[:300], b"{broken"])


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nosuch"], "No such command 'nosuch'"),
            (["replay", "--bogus"], "No such option: --bogus"),
            (["replay"], "Missing argument 'FILE'"),
            (["replay", "nofile.jsonl"], "does not exist"),
            (["schema", "nothing"], "is not one of"),
            (["run", "--port", "99999"], "not in the range"),
            (["train", "sentiment"], "Missing option '--data'"),
            (["train", "sentiment", "--data", "nofolder"], "does not exist"),
            (["decisions", "--lang", "fr"], "is not one of"),
            (["decisions", "--store", "nofile.db"], "does not exist"),
            (["demo", "--seed", "-1"], "not in the range"),
            (["simulate", "--scenario", "none"], "is none of calm, viral_praise"),
            (["simulate", "--days", "nan"], "days=nan"),
            (["simulate", "--rate", "1e9"], "at most 1e6"),
            (["simulate", "--start", "soon"], "no date or time such as 2026-03-01"),
            (["simulate", "--start", "9999-12-31"], "not between"),
            (["simulate", "--start", "0001-01-01"], "not between"),
            (["simulate", "--crisis-at", "2030-01-01"], "outside the stream"),
        ],
    )
    def test_wrong_usage_is_2_with_the_reason(
        self, folder: Path, arguments: list[str], said: str
    ) -> None:
        result = call(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stdout == ""

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_explains_itself(self, name: str) -> None:
        result = call(name, "--help")
        assert result.exit_code == 0
        assert "Usage: " in result.stdout

    @pytest.mark.parametrize(
        "arguments",
        [["replay", "mentions.jsonl"], ["run"], ["rejected", "list"], ["rejected", "retry"],
         ["decisions"], ["config", "check"]],
    )  # fmt: skip
    def test_without_a_configuration_it_tells_how_to_make_one(
        self, stream: Path, arguments: list[str]
    ) -> None:
        (stream.parent / "nadhir.yaml").unlink()
        result = call(*arguments)
        assert result.exit_code == 2
        assert "nadhir config example > nadhir.yaml" in result.output

    def test_mistakes_in_the_configuration_come_all_at_once(self, stream: Path) -> None:
        bad = Path("bad.yaml")
        bad.write_text("brands:\n  - id: ACME\n    name: Acme\nsensitivty: strict\n")
        result = call("replay", stream, "--config", bad)
        assert result.exit_code == 2
        assert result.stderr.count("bad.yaml:") >= 3
        assert result.stdout == ""


class TestConfig:
    def test_the_example_is_good(self, tmp_path: Path) -> None:
        result = call("config", "example")
        assert result.exit_code == 0
        path = tmp_path / "nadhir.yaml"
        path.write_text(result.stdout, encoding="utf-8")
        assert [p for p in check(path, {}) if p.severity == "error"] == []

    def test_a_good_one_is_told_on_standard_error(self, tmp_path: Path) -> None:
        path = tmp_path / "nadhir.yaml"
        path.write_text(CONFIG, encoding="utf-8")
        result = call("config", "check", "--config", path)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "good" in result.stderr

    def test_each_mistake_has_file_line_and_key(self, folder: Path) -> None:
        path = Path("bad.yaml")
        path.write_text(
            "brands:\n  - id: acme\n    names: [Acme]\n    timezone: Asia/Riyad\n"
            "detect:\n  max_future_s: soon\n",
            encoding="utf-8",
        )
        result = call("config", "check", "--config", path)
        assert result.exit_code == 2
        first, second = result.stdout.splitlines()
        assert first.startswith(f"{path}:4:")
        assert "brands[0].timezone" in first
        assert "Asia/Riyadh" in first
        assert second.startswith(f"{path}:6:")
        assert "detect.max_future_s" in second


class TestPlaybook:
    def test_the_shipped_ones_are_good(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = call("playbook", "check")
        assert result.exit_code == 0, result.output

    def test_a_broken_one_is_told_by_file_and_line(self, tmp_path: Path) -> None:
        path = tmp_path / "outage.yaml"
        path.write_text("type: service_outage\nstepz: []\n", encoding="utf-8")
        result = call("playbook", "check", path)
        assert result.exit_code == 2
        assert f"{path}:" in result.stdout

    def test_replay_with_a_broken_one_is_2(self, stream: Path) -> None:
        own = stream.parent / "own"
        own.mkdir()
        (own / "outage.yaml").write_text("type: service_outage\nstepz: []\n", encoding="utf-8")
        write_config(stream.parent, paths={"playbooks": "own"})
        result = call("replay", stream)
        assert result.exit_code == 2
        assert "outage.yaml" in result.stderr


class TestReplay:
    def test_data_goes_to_standard_output_and_words_to_standard_error(self, folder: Path) -> None:
        stream = write_lines(folder / "mentions.jsonl", [*crisis(), b"{broken"])
        result = call("replay", stream)
        assert result.exit_code == 0
        alerts = [json.loads(line) for line in result.stdout.splitlines()]
        assert [a["brand"] for a in alerts] == ["rimal-bank"]
        count = len(crisis())
        assert f"{count + 1:,} lines, {count:,} mentions, {count:,} about a brand" in result.stderr
        assert "1 rejected, 1 alerts" in result.stderr
        assert "nadhir rejected list --store" in result.stderr

    def test_twice_gives_the_same_bytes_in_two_processes(self, folder: Path) -> None:
        write_lines(folder / "m.jsonl", crisis())
        for run, hash_seed in (("a", "1"), ("b", "2")):
            (folder / run).mkdir()
            outputs = [
                x for n in ("alerts", "signals", "decisions") for x in (f"--{n}", f"{run}/{n}")
            ]
            env = environment(PYTHONHASHSEED=hash_seed)
            done = nadhir("replay", "m.jsonl", *outputs, cwd=folder, env=env)
            assert (done.returncode, done.stdout) == (0, b"")
        for name in ("alerts", "signals", "decisions"):
            first, second = (folder / run / name for run in ("a", "b"))
            assert first.read_bytes() == second.read_bytes() != b""

    def test_gzip_and_standard_input(self, stream: Path) -> None:
        packed = stream.with_suffix(".gz")
        packed.write_bytes(gzip.compress(stream.read_bytes()))
        results = [
            call("replay", stream, "--signals", "-"),
            call("replay", packed, "--signals", "-"),
        ]
        piped = nadhir(
            "replay", "-", "--signals", "-", cwd=stream.parent, stdin=stream.read_bytes()
        )
        assert {r.stdout for r in results} == {piped.stdout.decode()}
        assert b"301 lines, 300 mentions" in piped.stderr

    @pytest.mark.parametrize("option", ["--alerts", "--signals", "--decisions"])
    def test_an_output_that_cannot_be_written_is_told_before_the_work(
        self, stream: Path, option: str
    ) -> None:
        result = call("replay", stream, option, "nowhere/out.jsonl")
        assert result.exit_code == 1
        assert "nowhere/out.jsonl cannot be written; is its directory there?" in result.stderr
        assert not (stream.parent / "nadhir-data").exists()

    def test_it_overwrites_neither_its_input_nor_its_own_output(self, stream: Path) -> None:
        before = stream.read_bytes()
        for wrong in (["--alerts", stream], ["--alerts", "a", "--signals", "./a"]):
            result = call("replay", stream, *wrong)
            assert result.exit_code == 2
            assert "named twice" in result.stderr
        assert stream.read_bytes() == before
        several = call("replay", stream, "--signals", os.devnull, "--decisions", os.devnull)
        assert several.exit_code == 0

    def test_ctrl_c_ends_it_with_a_word(self, folder: Path) -> None:
        process = subprocess.Popen(
            # a background job of a shell is started deaf to it, and so would its children be
            ["env", "--default-signal=INT", sys.executable, "-m", "streams.cli", "replay", "-"],
            cwd=folder, env=environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        eventually(lambda: [*(folder / "nadhir-data" / "replay").glob("*.db")])
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
        assert (process.returncode, out) == (1, b"")
        assert said.decode().strip() == "Interrupted."

    def test_a_cut_file_is_1_with_a_sentence(self, stream: Path) -> None:
        packed = stream.with_suffix(".gz")
        packed.write_bytes(gzip.compress(stream.read_bytes())[:-50])
        result = call("replay", packed)
        assert result.exit_code == 1
        assert "ends inside its gzip stream: it was cut" in result.stderr

    def test_data_that_cannot_be_kept_is_1_with_a_sentence(self, stream: Path) -> None:
        blocked = stream.parent / "nadhir-data"
        blocked.mkdir()
        (blocked / "replay").write_bytes(b"")
        result = call("replay", stream)
        assert result.exit_code == 1
        assert "cannot be written" in result.stderr


class TestRejected:
    """Bad lines, mended or not, come back through the intake."""

    BAD = (mention("1", "Rimal Bank", "2026-03-01T09:00:00"), b"{\x1b[2J", b"\xff")

    @pytest.fixture
    def store(self, folder: Path) -> Path:
        write_lines(folder / "m.jsonl", [mention("0", "Rimal Bank"), *self.BAD])
        assert call("run", "--until-done", "m.jsonl").exit_code == 0
        return folder / "nadhir-data" / "nadhir.db"

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        result = call("rejected", "list", *arguments)
        assert result.exit_code == 0
        assert result.stdout.isascii(), "nothing in it steers a terminal"
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_they_are_listed_with_reason_place_and_raw(self, store: Path) -> None:
        rows = self.listed()
        assert [r["reason"] for r in rows] == ["bad_time", "not_json", "not_utf8"]
        assert [r["position"] for r in rows] == ["2", "3", "4"]
        assert {r["source"] for r in rows} == {str(store.parents[1] / "m.jsonl")}
        assert rows[1]["raw"] == "{\x1b[2J"
        assert rows[2]["raw"] == "\\xff"
        assert [r["reason"] for r in self.listed("--reason", "not_json")] == ["not_json"]
        assert self.listed("--reason", "none") == []

    def test_raw_lines_are_printed_as_they_came(self, store: Path) -> None:
        result = call("rejected", "list", "--raw", "--store", store)
        assert result.stdout_bytes == b"\n".join(self.BAD) + b"\n"

    def test_raw_lines_never_reach_a_terminal(self, store: Path) -> None:
        ours, theirs = pty.openpty()
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", "rejected", "list", "--raw", "--store", store],
            env=environment(), stdout=theirs, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
        os.close(theirs)
        os.close(ours)
        assert done.returncode == 2
        assert b"send it to a file" in done.stderr

    def test_retry_sends_them_in_once(self, store: Path) -> None:
        said = call("rejected", "retry", "--reason", "bad_time").stderr
        assert said.startswith("1 sent in again")
        assert [r["retried"] for r in self.listed()] == [True, False, False]
        assert call("rejected", "retry").stderr.startswith("2 sent in again")
        assert call("rejected", "retry").stderr.startswith("0 sent in again")
        assert call("run", "--until-done").exit_code == 0
        again = self.listed()[3:]
        assert [r["reason"] for r in again] == ["bad_time", "not_json", "not_utf8"]
        assert {r["source"] for r in again} == {"intake"}

    def test_a_retried_line_that_is_right_by_now_is_counted(self, folder: Path) -> None:
        """Its time lay in the future when it came first."""
        early = mention("1", "Rimal Bank")
        store = Store(folder / "nadhir-data" / "nadhir.db")
        with store.step():
            store.reject(
                [Rejection(reason="time_in_future", detail="", source="s", position="1", raw=early)]
            )
        store.close()
        assert call("rejected", "retry").exit_code == 0
        assert call("run", "--until-done").exit_code == 0
        store = Store(folder / "nadhir-data" / "nadhir.db")
        assert store.count_rejected() == 1, "it was not rejected again"
        assert "head" in store.state(), "it was counted"
        store.close()

    def test_a_mended_line_is_counted(self, store: Path) -> None:
        raw = call("rejected", "list", "--raw", "--reason", "bad_time").stdout_bytes
        mended = raw.replace(b'09:00:00"', b'09:00:00+03:00"')
        done = nadhir("run", "--until-done", "-", cwd=store.parents[1], stdin=mended)
        assert done.returncode == 0
        assert len(self.listed()) == 3

    def test_without_a_store_it_says_so_and_makes_none(self, folder: Path) -> None:
        for command in (["rejected", "list"], ["rejected", "retry"], ["decisions"]):
            result = call(*command)
            assert result.exit_code == 1
            assert "there is no store" in result.stderr
        assert not (folder / "nadhir-data").exists()

    def test_what_is_no_store_is_1_with_a_sentence(self, stream: Path) -> None:
        result = call("rejected", "list", "--store", stream)
        assert result.exit_code == 1
        assert "cannot be used as a store" in result.stderr


class TestDecisions:
    @pytest.fixture
    def store(self, folder: Path) -> Path:
        write_lines(folder / "m.jsonl", crisis())
        assert call("run", "--until-done", "m.jsonl").exit_code == 0
        assert journal(folder)
        return folder / "nadhir-data" / "nadhir.db"

    def test_json_sentences_and_filters(self, store: Path) -> None:
        rows = [json.loads(line) for line in call("decisions").stdout.splitlines()]
        assert {"opened"} <= {r["outcome"] for r in rows}
        opened = call("decisions", "--outcome", "opened").stdout.splitlines()
        assert [json.loads(line)["outcome"] for line in opened] == ["opened"]
        (brand,) = {r["brand"] for r in rows}
        mistyped = call("decisions", "--brand", brand + "x")
        assert mistyped.stdout == ""
        assert f"No decisions about '{brand}x'; there are some about {brand}." in mistyped.stderr
        assert "of that kind" in call("decisions", "--outcome", "reopened").stderr
        for lang in ("ar", "en"):
            lines = call("decisions", "--lang", lang).stdout.splitlines()
            assert len(lines) == len(rows)
            for line, row in zip(lines, rows):
                assert line == f"{row['at']} {row['brand']} {row['kind']}: {row['sentence'][lang]}"


def test_schemas_are_printed() -> None:
    assert json.loads(call("schema", "mention").stdout) == mention_schema()
    assert json.loads(call("schema", "alert").stdout) == json.loads(json.dumps(alert_schema()))


class TestSimulate:
    SHORT = ("--days", "0.5", "--rate", "1")

    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_every_scenario(self, folder: Path, scenario: str) -> None:
        result = call(
            "simulate", "--scenario", scenario, *self.SHORT, "--out", "m.jsonl.gz",
            "--truth", "t.json", "--config-out", "c.yaml",
        )  # fmt: skip
        assert (result.exit_code, result.stdout) == (0, "")
        lines = gzip.decompress((folder / "m.jsonl.gz").read_bytes()).splitlines()
        assert all("published_at" in json.loads(line) for line in lines)
        truth = json.loads((folder / "t.json").read_bytes())
        assert [b["scenario"] for b in truth["brands"].values()] == [scenario]
        assert [b.id for b in load(folder / "c.yaml", {}).brands] == list(truth["brands"])

    def test_the_seed_decides_the_bytes(self, folder: Path) -> None:
        def bytes_of(seed: str, out: str) -> bytes:
            result = call("simulate", "--seed", seed, *self.SHORT, "--out", out)
            assert result.exit_code == 0
            return (folder / out).read_bytes()

        assert bytes_of("1", "a.gz") == bytes_of("1", "b.gz") != bytes_of("2", "c.gz")
        piped = call("simulate", "--seed", "1", *self.SHORT)
        assert piped.stdout_bytes == gzip.decompress((folder / "a.gz").read_bytes())

    def test_more_brands_than_are_ready(self, folder: Path) -> None:
        assert (
            call("simulate", "--brands", "40", "--days", "0.1", "--config-out", "c.yaml").exit_code
            == 0
        )
        assert len(load(folder / "c.yaml", {}).brands) == 40

    def test_an_output_that_cannot_be_written(self, folder: Path) -> None:
        result = call("simulate", *self.SHORT, "--out", "nowhere/m.jsonl")
        assert result.exit_code == 1
        assert "nowhere/m.jsonl" in result.stderr


def test_the_demo_shows_the_outage_and_leaves_the_calm_brand_alone(tmp_path: Path) -> None:
    done = nadhir("demo", "--out", "shown", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    names = ("alerts.html", "alerts.jsonl", "signals.jsonl", "decisions.jsonl", "mentions.jsonl",
             "truth.json", "nadhir.yaml")  # fmt: skip
    for name in names:
        assert (tmp_path / "shown" / name).stat().st_size > 0
    truth = json.loads((tmp_path / "shown" / "truth.json").read_text(encoding="utf-8"))
    [hit] = [b for b, t in truth["brands"].items() if t["scenario"] == "outage"]
    alerts = journal(tmp_path / "shown")
    assert {a["brand"] for a in alerts} == {hit}
    assert "service_outage" in {a["type"] for a in alerts}
    text = done.stdout.decode()
    for alert in alerts:
        words = alert["title"]["ar"].split()
        assert all(word in text for word in words), "logical order where it is no terminal"
    assert not {c for c in text if "\ufe70" <= c <= "\ufefc"}, "and the letters as they are"


class TestStreams:
    """Standard output that is closed, full or in another encoding."""

    @pytest.mark.parametrize(
        "command",
        [
            ["simulate", "--days", "3"],
            ["config", "example"],
            ["schema", "mention"],
            ["rejected", "list"],
            ["replay", "mentions.jsonl", "--signals", "-"],
        ],
    )
    def test_a_reader_that_has_seen_enough(self, folder: Path, command: list[str]) -> None:
        write_lines(folder / "mentions.jsonl", [*crisis(), *[b"{broken"] * 3_000])
        if command[0] == "rejected":
            assert call("run", "--until-done", "mentions.jsonl").exit_code == 0
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", *command],
            cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(timeout=60)
        assert b"Traceback" not in said
        assert b"Exception ignored" not in said
        assert process.returncode in (0, 1)

    @pytest.mark.parametrize(
        "command", [["config", "example"], ["schema", "alert"], ["--help"], ["simulate"]]
    )
    def test_a_full_disk(self, folder: Path, command: list[str]) -> None:
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "streams.cli", *command],
                cwd=folder, env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=60,
            )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.decode().strip() == "Error: [Errno 28] No space left on device"

    @pytest.mark.parametrize("command", [["--help"], ["config", "example"], ["decisions"]])
    def test_a_terminal_without_arabic(self, folder: Path, command: list[str]) -> None:
        done = nadhir(*command, cwd=folder, env=environment(PYTHONIOENCODING="ascii"))
        assert b"Traceback" not in done.stderr

    def test_a_closed_standard_output(self, folder: Path) -> None:
        write_lines(folder / "m.jsonl", crisis()[:10])
        command = f'"{sys.executable}" -m streams.cli replay m.jsonl >&-'
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=folder, env=environment(), capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()

    def test_no_terminal_no_colours(self, folder: Path) -> None:
        write_lines(folder / "m.jsonl", crisis()[:10])
        done = nadhir("replay", "m.jsonl", cwd=folder)
        assert b"\x1b" not in done.stdout + done.stderr


def test_no_output_writes_over_the_configuration(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    before = config.read_bytes()
    (tmp_path / "m.jsonl").write_bytes(crisis()[0] + b"\n")
    for options in (("--config", "nadhir.yaml"), ()):
        done = nadhir("replay", "m.jsonl", *options, "--signals", "nadhir.yaml", cwd=tmp_path)
        assert done.returncode == 2
        assert b"nadhir.yaml is named twice" in done.stderr
    assert config.read_bytes() == before


def test_simulate_writes_no_file_twice(tmp_path: Path) -> None:
    done = nadhir("simulate", "--days", "0.1", "--out", "a", "--truth", "a", cwd=tmp_path)
    assert done.returncode == 2
    assert b"a is named twice" in done.stderr
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("command", ["volume", "sentiment"])
@pytest.mark.parametrize("file", ["bad", "-"])
def test_analyze_names_what_is_damaged(command: str, file: str, tmp_path: Path) -> None:
    cut = gzip.compress(random.Random(1).randbytes(5000))[:900]
    (tmp_path / "bad").write_bytes(cut)
    done = nadhir("analyze", command, file, cwd=tmp_path, stdin=cut)
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"{file}".encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Aborted" not in done.stderr


def test_analyze_inflates_standard_input(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"id":"1","text":"thank you"}\n')
    done = nadhir("analyze", "sentiment", "-", cwd=tmp_path, stdin=packed)
    assert done.returncode == 0
    assert json.loads(done.stdout)["label"] == "positive"


@pytest.mark.parametrize("command", ["volume", "sentiment", "coordination"])
def test_analyze_tells_that_standard_input_is_closed(command: str, tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m streams.cli analyze {command} - <&-'
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=tmp_path, env=environment(), capture_output=True
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"Error: cannot read standard input: it is closed\n"


def test_the_command_line_multiplies_on_one_thread(tmp_path: Path) -> None:
    """More threads for small products only wait for each other, at the cost of a core."""
    code = (
        "import streams.cli, numpy, threadpoolctl;"
        "print(*[one['num_threads'] for one in threadpoolctl.threadpool_info()])"
    )
    env = {k: v for k, v in environment().items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, check=True
    )
    assert set(done.stdout.split()) == {b"1"}


def test_a_wrong_zone_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("timestamp,value\n2026-01-01 00:00:00,1\n")
    done = nadhir("analyze", "volume", "s.csv", "--timezone", "Foo/Bar", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--timezone" in done.stderr


def test_an_empty_directory_holds_no_good_playbook(tmp_path: Path) -> None:
    done = nadhir("playbook", "check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert b"no playbook" in done.stderr


def test_a_damaged_store_yields_to_fresh(tmp_path: Path) -> None:
    write_config(tmp_path)
    (tmp_path / "m.jsonl").write_bytes(crisis()[0] + b"\n")
    assert nadhir("replay", "m.jsonl", cwd=tmp_path).returncode == 0
    (store,) = (tmp_path / "nadhir-data" / "replay").glob("*.db")
    store.write_bytes(b"\xff" * 5000)
    damaged = nadhir("replay", "m.jsonl", cwd=tmp_path)
    assert damaged.returncode == 1
    assert b"move it away" in damaged.stderr
    assert nadhir("replay", "m.jsonl", "--fresh", cwd=tmp_path).returncode == 0


class TestImpersonation:
    ACCOUNTS = (
        b'{"id":"1","handle":"nahar_support","name":"Nahar Help"}\n'
        b"{broken\n"
        b"\n"
        b'{"id":"2","handle":"jane","name":"Jane","followers":3,"verified":null}\n'
        b'{"handle":"nobody"}\n'
        b'{"id":"3","handle":"NaharBank","name":"Nahar Bank"}\n'
    )
    LINKS = b"naharbank-login.com\nnot a link\nhttps://www.naharbank.sa/login\nexample.org\n"

    @pytest.fixture
    def config(self, tmp_path: Path) -> Path:
        path = tmp_path / "brands.yaml"
        path.write_text(
            "brands:\n  - id: nahar\n    names: [Nahar Bank, بنك النهار]\n"
            "    handles: [NaharBank]\n    domains: [naharbank.sa]\n",
            encoding="utf-8",
        )
        return path

    def test_accounts_are_answered_line_by_line(self, config: Path) -> None:
        file = config.parent / "accounts.jsonl"
        file.write_bytes(self.ACCOUNTS)
        result = call("analyze", "impersonation", file, "--config", config)
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [list(row) for row in rows] == [["id", "brand", "score", "reasons"]] * 3
        assert [row["id"] for row in rows] == ["1", "2", "3"]
        assert (rows[0]["brand"], rows[0]["score"] >= 0.5) == ("nahar", True)
        assert {reason["code"] for reason in rows[0]["reasons"]} >= {"handle_support"}
        for row in rows[1:]:
            assert (row["brand"], row["score"], row["reasons"]) == (None, 0, [])
        assert result.exit_code == 1
        assert f"{file}, line 2" in result.stderr
        assert f"{file}, line 5" in result.stderr

    def test_an_account_with_another_handle_than_before_is_renamed(self, config: Path) -> None:
        file = config.parent / "renamed.jsonl"
        lines = [
            {"id": "7", "platform": "x", "handle": "Crypto_King"},
            {"id": "7", "platform": "reddit", "handle": "NaharBank_Support"},  # somebody else
            {"id": "7", "platform": "x", "name": "Nahar Bank"},
            {"id": "7", "platform": "x", "handle": "NaharBank_Support"},
            {"id": "7", "platform": "x", "handle": "@naharbank_support"},
        ]
        file.write_text("\n".join(map(json.dumps, lines)))
        result = call("analyze", "impersonation", file, "--config", config)
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        renamed = [[r for r in row["reasons"] if r["code"] == "renamed"] for row in rows]
        assert [bool(each) for each in renamed] == [False, False, False, True, False]
        assert renamed[3][0]["what"] == "Crypto_King"
        assert rows[3]["score"] > rows[1]["score"]

    def test_a_line_nested_too_deep_is_told_and_the_rest_is_answered(self, config: Path) -> None:
        file = config.parent / "nested.jsonl"
        good = b'{"id":"1","handle":"nahar_support"}\n'
        for deep in (b'{"id":"9","more":%s}' % (b"[" * 50_000 + b"]" * 50_000), b"[" * 50_000):
            file.write_bytes(good + deep + b"\n" + good)
            result = call("analyze", "impersonation", file, "--config", config)
            assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["1", "1"]
            assert result.exit_code == 1
            assert f"{file}, line 2: not an account" in result.stderr

    def test_the_age_of_an_account_is_told_from_when_it_was_seen(self, config: Path) -> None:
        file = config.parent / "ages.jsonl"
        account = {"id": "1", "handle": "nahar_support", "created_at": "2026-03-01T00:00:00Z"}
        seen = ({}, {"seen_at": "2026-03-05T00:00:00Z"}, {"seen_at": "2027-03-05T00:00:00Z"})
        file.write_text("\n".join(json.dumps(account | each) for each in seen))
        result = call("analyze", "impersonation", file, "--config", config)
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        told = [[r["what"] for r in row["reasons"] if r["code"] == "new_account"] for row in rows]
        assert told == [[], ["4 days"], []]

    def test_links_of_profiles_are_judged_too(self, config: Path) -> None:
        file = config.parent / "desks.jsonl"
        desk = {"id": "1", "name": "Customer Care", "url": "https://naharbank-help.top/"}
        file.write_text("\n".join(map(json.dumps, (desk, desk | {"url": "https://naharbank.sa/"}))))
        result = call("analyze", "impersonation", file, "--config", config)
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [row["brand"] for row in rows] == ["nahar", None]

    def test_links_are_answered_line_by_line(self, config: Path, tmp_path: Path) -> None:
        file = tmp_path / "links.gz"
        file.write_bytes(gzip.compress(self.LINKS))
        result = call("analyze", "links", file, "--config", config)
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        good = [line for line in self.LINKS.decode().splitlines() if "not" not in line]
        assert [row["url"] for row in rows] == good
        assert (rows[0]["brand"], rows[0]["score"] >= 0.5) == ("nahar", True)
        assert [row["score"] for row in rows[1:]] == [0, 0]
        assert result.exit_code == 1
        assert f"{file}, line 2: 'not a link' is no URL or host" in result.stderr

    def test_a_mention_is_no_account(self, config: Path) -> None:
        file = config.parent / "mentions.jsonl"
        author = b'{"id":"7","handle":"NaharBank_Support","name":"Nahar Bank"}'
        file.write_bytes(b'{"id":"m1","text":"hello","author":%s}\n%s\n' % (author, author))
        result = call("analyze", "impersonation", file, "--config", config)
        assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["7"]
        assert result.exit_code == 1
        assert f'{file}, line 1: is a mention; write its "author" alone' in result.stderr

    @pytest.mark.parametrize("command", ["impersonation", "links"])
    def test_what_can_be_read_whole_ends_well(self, config: Path, command: str) -> None:
        good, empty = config.parent / "good", config.parent / "empty"
        good.write_bytes(b'{"id":"1"}\n' if command == "impersonation" else b"example.org\n")
        empty.touch()
        for file in (good, empty):
            result = call("analyze", command, file, "--config", config)
            assert (result.exit_code, result.stderr) == (0, "")
        assert call("analyze", command, "nofile", "--config", config).exit_code == 2
        assert call("analyze", command, good, "--config", "nofile.yaml").exit_code == 2

    def test_standard_input_is_read_too(self, config: Path) -> None:
        arguments = ("analyze", "links", "-", "--config", config)
        done = nadhir(*arguments, cwd=config.parent, stdin=self.LINKS)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 3
        assert b"-, line 2" in done.stderr

    def test_a_cut_gzip_stream_is_told(self, config: Path, tmp_path: Path) -> None:
        file = tmp_path / "cut.gz"
        file.write_bytes(gzip.compress(self.LINKS * 500)[:-9])
        result = call("analyze", "links", file, "--config", config)
        assert result.exit_code == 1
        assert "is cut or damaged" in result.stderr
