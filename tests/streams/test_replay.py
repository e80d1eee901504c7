"""Replay: the same bytes every time, also when interrupted; sane on any input."""

from __future__ import annotations

import gzip
import json
import os
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.config import Config, load
from streams.pipeline import Pipeline
from streams.replay import ReplayResult, replay, store_path, write_results
from streams.sources import Batch, Source, SourceError, open_source
from streams.store import Store, StoreError, locked
from tests.running import crisis, mention, two_brands, write_config, write_lines

START = datetime(2026, 3, 1, tzinfo=UTC)
LINES = 700  # where what they say does not matter


class Interrupted(Exception):
    """Stands for the end of the process."""


class InSmallBatches:
    """A source that gives at most so many lines at once."""

    def __init__(self, source: Source, lines: int) -> None:
        self._source = source
        self._lines = lines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def poll(self, limit: int) -> Batch | None:
        return self._source.poll(min(limit, self._lines))


def stop_after(batches: int) -> Callable[[Source, Pipeline], None]:
    left = iter(range(batches - 1))

    def progress(_source: Source, _pipeline: Pipeline) -> None:
        if next(left, None) is None:
            raise Interrupted

    return progress


def results(path: Path) -> dict[str, bytes]:
    names = ("alerts", "signals", "decisions")
    files = {name: path.with_name(f"{name}.jsonl") for name in names}
    write_results(path, alerts=files["alerts"], signals=files["signals"],
                  decisions=files["decisions"])  # fmt: skip
    return {name: file.read_bytes() for name, file in files.items()}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(write_config(tmp_path), {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "mentions.jsonl", crisis()[:LINES])


@pytest.fixture
def whole_file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "crisis.jsonl", crisis())


def run(
    file: Path, config: Config, store: Path, *, lines: int = 4096, **options: Any
) -> ReplayResult:
    source = open_source(str(file))
    try:
        return replay(InSmallBatches(source, lines), config, store, **options)
    finally:
        source.close()


def read(lines: Sequence[bytes], config: Config, folder: Path) -> tuple[ReplayResult, list[Any]]:
    """Replay some lines; the result, and the alerts."""
    done = run(write_lines(folder / "lines.jsonl", lines), config, folder / "lines.db")
    store = Store(done.store)
    try:
        return done, [case.alert for case in store.cases()]
    finally:
        store.close()


class TestSameBytes:
    def test_twice_and_however_it_is_cut(
        self, tmp_path: Path, config: Config, whole_file: Path
    ) -> None:
        run(whole_file, config, tmp_path / "a" / "r.db")
        first = results(tmp_path / "a" / "r.db")
        packed = tmp_path / "m.jsonl.gz"
        packed.write_bytes(gzip.compress(whole_file.read_bytes()))
        run(packed, config, tmp_path / "b" / "r.db", lines=173, commit_s=0.0)
        assert results(tmp_path / "b" / "r.db") == first
        assert len(first["alerts"].splitlines()) == 1
        assert len(first["signals"]) > 0
        assert len(first["decisions"]) > 0


class TestResume:
    def test_an_interrupted_replay_goes_on_to_the_same_bytes(
        self,
        tmp_path: Path,
        config: Config,
        whole_file: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("streams.pace._FIRST", 200)
        run(whole_file, config, tmp_path / "whole" / "r.db")
        path = tmp_path / "cut" / "r.db"
        for batches in (1, 2, 4):
            with pytest.raises(Interrupted):
                run(whole_file, config, path, lines=200, commit_s=0.0,
                    progress=stop_after(batches))  # fmt: skip
        # what this one read after its only commit is read again
        with pytest.raises(Interrupted):
            run(whole_file, config, path, lines=200, commit_s=1e9, progress=stop_after(2))
        done = run(whole_file, config, path, lines=200)
        assert done.resumed
        assert done.counters.lines == len(crisis()) - 7 * 200
        assert results(path) == results(tmp_path / "whole" / "r.db")

    def test_a_finished_one_begins_anew(self, tmp_path: Path, config: Config, file: Path) -> None:
        path = tmp_path / "r.db"
        run(file, config, path)
        again = run(file, config, path)
        assert not again.resumed
        assert again.counters.lines == LINES

    def test_fresh_begins_anew(self, tmp_path: Path, config: Config, file: Path) -> None:
        path = tmp_path / "r.db"
        with pytest.raises(Interrupted):
            run(file, config, path, lines=200, commit_s=0.0, progress=stop_after(3))
        assert not run(file, config, path, fresh=True).resumed

    def test_another_configuration_begins_anew(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        path = tmp_path / "r.db"
        with pytest.raises(Interrupted):
            run(file, config, path, lines=200, commit_s=0.0, progress=stop_after(3))
        changed = config.model_copy(update={"sensitivity": "strict"})
        done = run(file, changed, path)
        assert not done.resumed
        assert done.counters.lines == LINES

    @pytest.mark.parametrize("same_size", [True, False])
    def test_another_file_begins_anew(
        self, tmp_path: Path, config: Config, file: Path, same_size: bool
    ) -> None:
        path = tmp_path / "r.db"
        with pytest.raises(Interrupted):
            run(file, config, path, lines=200, commit_s=0.0, progress=stop_after(3))
        lines = [*crisis()[: LINES - 1], crisis()[0].replace(b'"id":"r', b'"id":"q')]
        write_lines(file, lines if same_size else lines[:-1])
        os.utime(file, (1_700_000_000, 1_700_000_000))
        assert not run(file, config, path).resumed


class TestStore:
    def test_one_replay_of_a_file_at_a_time(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        path = tmp_path / "r.db"
        with locked(path), pytest.raises(StoreError, match="in use by another nadhir"):
            run(file, config, path)

    def test_state_that_cannot_be_read_says_what_to_do(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        path = tmp_path / "r.db"
        with pytest.raises(Interrupted):
            run(file, config, path, lines=200, commit_s=0.0, progress=stop_after(3))
        store = Store(path)
        with store.step():
            store.apply([("head", b"\xc1")])
        store.close()
        with pytest.raises(StoreError, match="move it away"):
            run(file, config, path)
        assert not run(file, config, path, fresh=True).resumed

    def test_damage_is_told_and_what_came_before_it_is_not_lost(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        packed = tmp_path / "cut.jsonl.gz"
        packed.write_bytes(gzip.compress(file.read_bytes())[:-20_000])
        with pytest.raises(SourceError, match="it was cut"):
            run(packed, config, tmp_path / "r.db", lines=100, commit_s=0.0)
        store = Store(tmp_path / "r.db")
        assert store.position(str(packed)) is not None
        assert "head" in store.state()
        store.close()

    def test_a_file_name_may_be_no_text(self, tmp_path: Path, config: Config) -> None:
        file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl"))
        write_lines(file, [*crisis()[:50], b"{"])
        path = store_path(config, str(file))
        done = run(file, config, path)
        assert (done.counters.mentions, done.rejected) == (50, 1)

    def test_names_in_two_folders_have_two_stores(self, config: Config) -> None:
        assert store_path(config, "/a/m.jsonl") != store_path(config, "/b/m.jsonl")


class TestResults:
    def test_a_device_is_written_to_and_not_replaced(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        run(file, config, tmp_path / "r.db")
        write_results(tmp_path / "r.db", alerts=Path(os.devnull), signals=None, decisions=None)
        assert stat.S_ISCHR(os.stat(os.devnull).st_mode)

    def test_an_older_result_stays_when_writing_fails(
        self, tmp_path: Path, config: Config, file: Path
    ) -> None:
        run(file, config, tmp_path / "r.db")
        out = tmp_path / "alerts.jsonl"
        out.write_bytes(b"older\n")
        out.with_name("alerts.jsonl.part").mkdir()
        with pytest.raises(OSError, match="part"):
            write_results(tmp_path / "r.db", alerts=out, signals=None, decisions=None)
        assert out.read_bytes() == b"older\n"


class TestOddInput:
    @pytest.mark.parametrize("content", [b"", b"\n", b"\n\r\n  \t\n\n", b"\xef\xbb\xbf"])
    def test_nothing_in_it(self, tmp_path: Path, config: Config, content: bytes) -> None:
        file = tmp_path / "m.jsonl"
        file.write_bytes(content)
        done = run(file, config, tmp_path / "r.db")
        assert (done.counters.mentions, done.rejected) == (0, 0)
        assert results(tmp_path / "r.db") == {"alerts": b"", "signals": b"", "decisions": b""}

    def test_nothing_that_can_be_read(self, tmp_path: Path, config: Config) -> None:
        broken = [b"{", b"[]", b"\xff", b"null", b'{"id": 1}', b"\0", b"{" * 5_000]
        done, alerts = read(broken, config, tmp_path)
        assert (done.counters.mentions, done.rejected, alerts) == (0, len(broken), [])
        store = Store(done.store)
        kept = [(r.position, r.raw) for _, r, _ in store.rejected()]
        store.close()
        assert kept == [(str(i), line) for i, line in enumerate(broken, 1)]

    def test_a_binary_file(self, tmp_path: Path, config: Config) -> None:
        file = tmp_path / "m.jsonl"
        file.write_bytes(bytes(range(256)) * 200)
        done = run(file, config, tmp_path / "r.db")
        assert done.counters.mentions == 0
        assert done.rejected == 201

    def test_what_waits_for_a_commit_is_bounded(self, tmp_path: Path, config: Config) -> None:
        file = write_lines(tmp_path / "m.jsonl", [b"{" * (1 << 20)] * 40)
        crowded: list[bool] = []
        done = run(
            file, config, tmp_path / "r.db", lines=8, commit_s=1e9,
            progress=lambda _, pipeline: crowded.append(pipeline.crowded),
        )  # fmt: skip
        assert done.rejected == 40
        assert crowded == [False] * 5, "the fifth part was committed at once"

    def test_times_in_any_order(self, tmp_path: Path, config: Config) -> None:
        done, alerts = read(crisis()[::-1], config, tmp_path)
        assert done.counters.mentions == len(crisis())
        assert alerts == [], "all but the last minutes are late"

    def test_a_silence_of_two_years(self, tmp_path: Path, config: Config) -> None:
        late = [_moved(line, days=730) for line in crisis()]
        done, alerts = read([*crisis(), *late], config, tmp_path)
        assert done.counters.mentions == 2 * len(crisis())
        assert [a.state for a in alerts][:1] == ["resolved"]
        assert [a.opened_at[:4] for a in alerts][:1] == ["2026"]
        assert len({a.id for a in alerts}) == len(alerts)

    def test_a_jump_forth_and_back(self, tmp_path: Path, config: Config) -> None:
        ahead = mention("ahead", "Rimal Bank بنك رمال", "2099-12-31T23:59:59Z")
        done, _ = read([*crisis()[:300], ahead, *crisis()[300:600]], config, tmp_path)
        assert done.counters.mentions == 601

    def test_the_same_text_every_second(self, tmp_path: Path, config: Config) -> None:
        at = [f"{START + timedelta(seconds=s):%Y-%m-%dT%H:%M:%SZ}" for s in range(3_000)]
        lines = [mention(str(i), "بنك رمال", t) for i, t in enumerate(at)]
        done, alerts = read(lines, config, tmp_path)
        assert done.counters.observations == 3_000
        assert alerts == [], "a brand that has just begun has no usual yet"

    def test_a_flood_in_one_minute(self, tmp_path: Path, config: Config) -> None:
        last = datetime.fromisoformat(json.loads(crisis()[-1])["published_at"])
        at = f"{last + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}"
        flood = [mention(f"f{i}", "Rimal Bank is down, terrible", at) for i in range(100_000)]
        done, alerts = read([*crisis(), *flood], config, tmp_path)
        assert done.counters.mentions == len(crisis()) + 100_000
        assert 1 <= len(alerts) <= 2
        store = Store(done.store)
        signals = sum(1 for _ in store.signals())
        store.close()
        assert signals < 1_000, "one flood is not told once a mention"
        assert max(len(json.dumps(a.title.en)) for a in alerts) < 300

    def test_the_same_mentions_again_count_once(self, tmp_path: Path, config: Config) -> None:
        once = crisis()[-1_500:]
        run(write_lines(tmp_path / "once.jsonl", once), config, tmp_path / "a" / "r.db")
        twice = [line for line in once for _ in range(2)]
        run(write_lines(tmp_path / "twice.jsonl", twice), config, tmp_path / "b" / "r.db")
        assert results(tmp_path / "a" / "r.db") == results(tmp_path / "b" / "r.db")


def test_a_calm_brand_beside_a_crisis_stays_quiet(tmp_path: Path, config: Config) -> None:
    _, alerts = read(two_brands(), config, tmp_path)
    assert {a.brand for a in alerts} == {config.brands[0].id}


def _moved(line: bytes, *, days: int) -> bytes:
    record = json.loads(line)
    at = datetime.fromisoformat(record["published_at"]) + timedelta(days=days)
    record |= {"published_at": at.isoformat(), "id": f"{record['id']}-{days}"}
    return json.dumps(record).encode()
