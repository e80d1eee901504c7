"""The long-running engine inside one process: clock, receivers and sources are the test's."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.records import Alert
from streams.config import Config, load
from streams.live import IDLE_MS, LIVE_MS, RETRY_MS, Journal, LiveEngine, Receiver
from streams.pipeline import open_pipeline
from streams.replay import replay
from streams.sources import Batch, SourceError, open_source
from streams.store import Store
from tests.running import crisis, environment, mention, write_config, write_lines

NOW_MS = 1_900_000_000_000  # long after the stream: history
STEP_MS = 2_000  # the clock goes on by so much at each look


class Clock:
    """Goes on by itself at each look."""

    def __init__(self, at_ms: int = NOW_MS) -> None:
        self.at_ms = at_ms

    def __call__(self) -> int:
        self.at_ms += STEP_MS
        return self.at_ms


class Script:
    """A source that gives batches in turn; None is a pause, an error is raised, then it ends."""

    total_bytes = consumed_bytes = None

    def __init__(
        self, turns: Iterable[Sequence[bytes] | SourceError | None], name: str = "script"
    ) -> None:
        self.name = name
        self.done = False
        self.at_end: Callable[[], None] = lambda: None
        self._turns = iter(turns)
        self._first = 1

    def seek(self, position: str | None) -> None:
        self._first = int(position or 1)

    def poll(self, limit: int) -> Batch | None:
        turn = next(self._turns, "end")
        if isinstance(turn, SourceError):
            raise turn
        if turn == "end":
            self.done = True
            self.at_end()
            return None
        if turn is None:
            return None
        first, self._first = self._first, self._first + len(turn)
        return Batch(list(turn), first, str(self._first))

    def close(self) -> None:
        pass


class Memory:
    """A receiver that keeps alerts, or fails at first."""

    def __init__(self, failures: int = 0) -> None:
        self.alerts: list[Alert] = []
        self.attempts: list[int] = []
        self.clock: Clock | None = None
        self._failures = failures

    def deliver(self, alert: Alert) -> None:
        self.attempts.append(self.clock.at_ms if self.clock else 0)
        if len(self.attempts) <= self._failures:
            raise OSError("nobody there")
        self.alerts.append(alert)


class Bench:
    """Engines over one store, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.config: Config = load(write_config(folder), {})
        self.store = Store(folder / "nadhir.db")
        self.clock = Clock()

    def run(
        self, *sources: Script, receivers: dict[str, Receiver] | None = None, until: bool = True
    ) -> LiveEngine:
        known = {"memory": Memory()} if receivers is None else receivers
        pipeline = open_pipeline(
            self.config, self.store, receivers=tuple(known), clock=lambda: self.clock.at_ms
        )
        engine = LiveEngine(pipeline, sources, known, self.clock)
        if not until:
            sources[0].at_end = engine.stop
        engine.run(until_done=until)
        return engine


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("time.sleep", lambda _s: None)  # the clock of the bench goes on anyway
    made = Bench(tmp_path)
    yield made
    made.store.close()


def parts(lines: Sequence[bytes], size: int = 300) -> list[Sequence[bytes]]:
    return [lines[i : i + size] for i in range(0, len(lines), size)]


def assert_told(receiver: Memory, store: Store) -> None:
    """The receiver saw every change of the one alert, in order, up to how it is now."""
    told = [len(a.timeline) for a in receiver.alerts]
    assert told[0] == 1
    assert told == sorted(set(told))
    assert receiver.alerts[-1] == alerts_of(store)[-1]


def alerts_of(store: Store) -> list[Alert]:
    return [case.alert for case in store.cases()]


class TestReceivers:
    def test_news_reach_every_receiver_in_order(self, bench: Bench) -> None:
        one, two = Memory(), Memory()
        bench.run(Script(parts(crisis())), receivers={"one": one, "two": two})
        assert_told(one, bench.store)
        assert two.alerts == one.alerts
        assert bench.store.waiting() == []

    def test_a_receiver_that_fails_holds_up_no_other_and_is_tried_again(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        good, bad = Memory(), Memory(failures=3)
        bad.clock = bench.clock
        pauses = [None] * (5 * RETRY_MS // STEP_MS)
        bench.run(
            Script([*parts(crisis()), *pauses]), receivers={"a-bad": bad, "good": good}, until=False
        )
        assert_told(good, bench.store)
        assert bad.alerts == good.alerts, "nothing is lost and the order stays"
        waits = [b - a for a, b in zip(bad.attempts[:3], bad.attempts[1:4])]
        assert min(waits) >= RETRY_MS, "it is left alone for a while"
        failures = [r for r in caplog.records if r.levelno == logging.ERROR]
        assert len(failures) == 3
        assert "nobody there" in failures[0].getMessage()

    def test_what_could_not_be_told_is_told_after_a_restart(self, bench: Bench) -> None:
        bench.run(Script(parts(crisis())), receivers={"m": Memory(failures=99)})
        later = Memory()
        bench.run(Script([]), receivers={"m": later})
        assert_told(later, bench.store)

    def test_a_receiver_that_is_gone_is_forgotten(self, bench: Bench) -> None:
        bench.run(Script(parts(crisis())), receivers={"m": Memory(failures=99)})
        bench.run(Script([]), receivers={})
        assert bench.store.waiting() == []


class TestSources:
    def test_a_broken_source_does_not_silence_the_others(self, bench: Bench) -> None:
        broken = Script([[mention("1", "hi")], SourceError("gone")], name="broken")
        engine = bench.run(broken, Script(parts(crisis())))
        assert engine.broken == ["broken"]
        assert engine.pipeline.counters.lines == len(crisis()) + 1
        assert len(alerts_of(bench.store)) == 1

    def test_a_source_that_cannot_go_on_where_it_was_does_not_either(self, bench: Bench) -> None:
        class Shorter(Script):
            def seek(self, position: str | None) -> None:
                raise SourceError("is shorter than when it was read last")

        engine = bench.run(Shorter([], name="short"), Script([[mention("1", "hi")]]))
        assert engine.broken == ["short"]
        assert engine.pipeline.counters.lines == 1

    def test_it_goes_on_where_it_was(self, bench: Bench, tmp_path: Path) -> None:
        half = len(crisis()) // 2
        bench.run(Script(parts(crisis()[:half])))
        assert bench.store.position("script") == str(half + 1)
        bench.run(Script(parts(crisis()[half:])))
        file = write_lines(tmp_path / "m.jsonl", crisis())
        source = open_source(str(file))
        replay(source, bench.config, tmp_path / "r.db")
        source.close()
        whole = Store(tmp_path / "r.db")
        assert alerts_of(bench.store) == alerts_of(whole)
        assert list(bench.store.signals()) == list(whole.signals())
        assert list(bench.store.decisions()) == list(whole.decisions())
        whole.close()

    def test_poison_is_kept_and_stops_nothing(self, bench: Bench) -> None:
        poison = [b"{", b"\xff", b'{"id":1}', b"[]"]
        engine = bench.run(Script([poison, [mention("1", "Rimal Bank")], poison]))
        assert [r.raw for _, r, _ in bench.store.rejected()] == poison * 2
        assert sum(engine.pipeline.counters.rejected.values()) == 8
        assert engine.pipeline.counters.mentions == 1


class TestClock:
    """Event time goes on where mentions do not move it; a crisis near its end is the example."""

    @pytest.fixture
    def opened(self) -> list[bytes]:
        """The stream up to a little after its alert opened, and no brand's mention after it."""
        times = [json.loads(line)["published_at"] for line in crisis()]
        return [line for line, at in zip(crisis(), times) if at < "2026-03-02T09:40:00Z"]

    @staticmethod
    def last_ms(lines: Sequence[bytes]) -> int:
        at = datetime.fromisoformat(json.loads(lines[-1])["published_at"])
        return int(at.timestamp() * 1000)

    def hours(self, count: float) -> int:
        return int(count * 3_600_000 / STEP_MS)

    def test_an_alert_resolves_though_nothing_comes(
        self, bench: Bench, opened: list[bytes]
    ) -> None:
        bench.clock.at_ms = self.last_ms(opened)
        bench.run(Script([*parts(opened), *[None] * self.hours(9)]), until=False)
        assert [a.state for a in alerts_of(bench.store)] == ["resolved"]

    def test_mentions_of_nobody_do_not_hold_the_time_back(
        self, bench: Bench, opened: list[bytes]
    ) -> None:
        bench.clock.at_ms = self.last_ms(opened)
        turns = self.hours(9)
        noise = ([mention(f"n{i}", "the weather")] if i % 10 == 0 else None for i in range(turns))
        bench.run(Script([*parts(opened), *noise]), until=False)
        assert [a.state for a in alerts_of(bench.store)] == ["resolved"]

    def test_history_stands_when_it_pauses(self, bench: Bench, opened: list[bytes]) -> None:
        bench.clock.at_ms = self.last_ms(opened) + LIVE_MS + IDLE_MS
        engine = bench.run(Script([*parts(opened), *[None] * self.hours(2)]), until=False)
        assert engine.pipeline.detect.watermark_ms == self.last_ms(opened)
        assert [a.state for a in alerts_of(bench.store)] == ["open"]

    def test_it_keeps_its_distance_to_the_clock(self, bench: Bench, opened: list[bytes]) -> None:
        bench.clock.at_ms = self.last_ms(opened)
        engine = bench.run(Script([*parts(opened), *[None] * self.hours(0.1)]), until=False)
        watermark = engine.pipeline.detect.watermark_ms
        assert watermark is not None
        assert IDLE_MS <= bench.clock.at_ms - watermark < IDLE_MS + 30_000

    def test_a_mention_of_the_future_is_refused_by_the_clock(self, bench: Bench) -> None:
        bench.clock.at_ms = self.last_ms(crisis()[:1])
        engine = bench.run(Script([[mention("1", "Rimal Bank", "2027-01-01T00:00:00Z")]]))
        assert engine.pipeline.counters.rejected == {"time_in_future": 1}


class TestJournal:
    @pytest.fixture
    def alerts(self, bench: Bench) -> list[Alert]:
        memory = Memory()
        bench.run(Script(parts(crisis())), receivers={"m": memory})
        return memory.alerts

    def test_it_appends_whole_lines(self, alerts: list[Alert], tmp_path: Path) -> None:
        path = tmp_path / "new" / "alerts.jsonl"
        for alert in alerts:
            Journal(path).deliver(alert)
        told = [msgspec.json.decode(line, type=Alert) for line in path.read_bytes().splitlines()]
        assert told == alerts

    def test_a_line_that_a_crash_cut_does_not_spoil_the_next(
        self, alerts: list[Alert], tmp_path: Path
    ) -> None:
        path = tmp_path / "alerts.jsonl"
        path.write_bytes(b'{"id":"a-1"}\n{"id":"a-2","bra')
        Journal(path).deliver(alerts[0])
        first, cut, whole = path.read_bytes().splitlines()
        assert (first, cut) == (b'{"id":"a-1"}', b'{"id":"a-2","bra')
        assert json.loads(whole)["id"] == alerts[0].id

    def test_a_disk_that_fills_leaves_no_half_line(
        self, alerts: list[Alert], bench: Bench, tmp_path: Path
    ) -> None:
        path = tmp_path / "alerts.jsonl"
        done = subprocess.run(
            [sys.executable, "-c", _FILL, str(bench.store.path), str(path)],
            env=environment(), capture_output=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        assert b"told" in done.stdout
        assert path.read_bytes() == b""


_FILL = """
import resource, sys
from pathlib import Path
from streams.live import Journal
from streams.store import Store
alert = Store(Path(sys.argv[1])).cases()[0].alert
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Journal(Path(sys.argv[2])).deliver(alert)
except OSError as error:
    print("told", error)
"""


def test_readiness_follows_the_engine(bench: Bench) -> None:
    seen: dict[str, Any] = {}
    script = Script([None])
    pipeline = open_pipeline(bench.config, bench.store)
    engine = LiveEngine(pipeline, [script], {}, bench.clock)
    seen["before"] = engine.running
    script.at_end = lambda: seen.update(during=engine.running)
    engine.run(until_done=True)
    engine.stop()
    assert seen == {"before": False, "during": True}
    assert engine.stopping
