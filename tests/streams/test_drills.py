"""Drills through the embedded engine: marked, kept apart, gone on with, scored."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerts.drills import is_drill, score
from alerts.records import Alert
from streams.cli import main
from streams.config import Config, ConfigError, load
from streams.desk import opened_desk
from streams.drills.answers import all_events
from streams.drills.folder import DrillError, DrillFolder, drills, drills_path, find_drill
from streams.drills.prepare import DrillSpec, prepare_drill
from streams.drills.run import DrillRunner
from streams.drills.source import DrillSource
from streams.store import Store
from tests.running import Running, eventually, journal, mention

NOW = 1_795_246_860_000  # 2026-11-21 07:41 UTC
MINUTE = 60_000
CONFIG = """\
brands:
  - {id: rimal-bank, names: [Rimal Bank, بنك رمال], handles: [rimalbank], timezone: Asia/Riyadh}
  - {id: saqr-air, names: [Saqr Air]}
receivers: [{name: file, type: journal, path: alerts.jsonl}]
"""
SPEC = DrillSpec(
    scenario="outage", brand="rimal-bank", hours=0.5, lead_min=2.0, rate_per_hour=30.0,
    industry="bank",
)  # fmt: skip


class Told:
    """A receiver that remembers."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def deliver(self, alert: Alert) -> None:
        self.alerts.append(alert)


class Clock:
    """A clock that goes on when it is looked at; stops the runner at a moment, if told to."""

    def __init__(self, now_ms: int, step_ms: int = 10_000) -> None:
        self._ticks = count(now_ms, step_ms)
        self.now_ms = now_ms

    def __call__(self) -> int:
        self.now_ms = next(self._ticks)
        return self.now_ms


def write(folder: Path) -> Config:
    path = folder / "nadhir.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return load(path, {})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, DrillFolder]:
    config = write(tmp_path_factory.mktemp("drill"))
    return config, prepare_drill(config, SPEC, NOW)


@pytest.fixture(scope="module")
def done(prepared: tuple[Config, DrillFolder]) -> tuple[Told, DrillFolder, Config]:
    config, folder = prepared
    told, clock = Told(), Clock(NOW)
    runner = DrillRunner(config, {"told": told}, clock)
    runner.look()
    runner.look()  # takes up nothing twice
    runner.join()
    return told, folder, config


def test_the_crisis_comes_through_the_real_stages_marked(
    done: tuple[Told, DrillFolder, Config],
) -> None:
    told, folder, _ = done
    assert [a.timeline[-1].event for a in told.alerts][:1] == ["opened"]
    assert told.alerts[-1].state == "resolved"  # its end resolves it
    assert {a.id for a in told.alerts} == {told.alerts[0].id}
    assert all(is_drill(a.brand) for a in told.alerts)
    assert told.alerts[0].type in ("service_outage", "negativity_spike", "volume_spike")
    assert "[تدريب]" in told.alerts[0].title.ar
    assert folder.over


def test_it_is_kept_apart_from_what_is_real(done: tuple[Told, DrillFolder, Config]) -> None:
    _, folder, config = done
    assert [p.name for p in config.paths.data.iterdir()] == ["drills"]  # no other store was made
    with closing(Store(folder.store)) as store:
        cases = store.cases()
    assert {case.alert.brand for case in cases} == {"rimal-bank~drill"}


def test_it_is_scored_from_what_was_noted(done: tuple[Told, DrillFolder, Config]) -> None:
    _, folder, config = done
    result = score(folder.drill, folder.events())
    assert result.noticed is not None
    assert 0 <= result.noticed.since_onset_s <= 25 * 60
    assert result.early == 0
    path = str(config.paths.data.parent / "nadhir.yaml")
    note = ["drill", "note", "acknowledged", "--by", "amal", "--config", path]
    assert CliRunner().invoke(main, note).exit_code == 0
    shown = CliRunner().invoke(main, ["drill", "score", "--json", "--config", path])
    found = json.loads(shown.stdout)
    assert found["drill"] == folder.drill.id
    assert found["acknowledged"]["by"] == "amal"
    words = CliRunner().invoke(main, ["drill", "score", folder.drill.id, "--config", path]).stdout
    assert "did not happen" in words
    assert "لم يحدث" in words


def test_who_acknowledged_through_the_desk_is_in_the_score(
    done: tuple[Told, DrillFolder, Config], tmp_path: Path
) -> None:
    told, folder, _ = done
    config = write(tmp_path)
    copied = DrillFolder(shutil.copytree(folder.path, drills_path(config) / "d"))
    path = ["--config", str(tmp_path / "nadhir.yaml")]
    (opened,) = [e for e in folder.events() if e.what == "opened"]
    first = told.alerts[0]
    assert opened.alert == first.id
    assert all_events(config, copied) == copied.events()  # there is no response database yet
    later = opened.at_ms + 90_000
    with opened_desk(config, lambda: later) as desk:
        desk.take(first)
        desk.act("badr", first.id, "acknowledge", version=None, reason="", once=None)
    shown = CliRunner().invoke(main, ["drill", "score", "--json", *path])
    found = json.loads(shown.stdout)
    assert found["acknowledged"]["by"] == "badr"
    assert found["acknowledged"]["since_before_s"] == 90
    assert found["message_sent"] is None


def test_a_drill_that_was_interrupted_goes_on_where_it_was(
    done: tuple[Told, DrillFolder, Config], tmp_path: Path
) -> None:
    whole, _, _ = done
    config = write(tmp_path)
    folder = prepare_drill(config, SPEC, NOW)
    told, now = Told(), NOW
    for _ in range(2):
        clock = Clock(now)
        runner = DrillRunner(config, {"told": told}, clock)
        runner.look()
        until = now + 9 * MINUTE
        eventually(lambda c=clock, u=until: c.now_ms >= u or folder.over)
        runner.stop()
        runner.join()
        now = clock.now_ms
    last = DrillRunner(config, {"told": told}, Clock(now))
    last.look()
    last.join()
    assert folder.over
    assert {a.id for a in told.alerts} == {a.id for a in whole.alerts}
    assert [a.timeline[-1].event for a in told.alerts].count("opened") == 1


def test_one_that_nobody_ran_is_over_and_tells_nothing(tmp_path: Path) -> None:
    config = write(tmp_path)
    folder = prepare_drill(config, replace(SPEC, rate_per_hour=1.0), NOW)
    told = Told()
    runner = DrillRunner(config, {"told": told}, Clock(NOW + 60 * MINUTE))
    runner.look()
    runner.join()
    assert folder.over
    assert told.alerts == []


def test_lines_wait_for_their_time(prepared: tuple[Config, DrillFolder]) -> None:
    _, folder = prepared
    lines = folder.mentions.read_bytes().splitlines()
    published = [datetime.fromisoformat(json.loads(line)["published_at"]) for line in lines]
    assert min(published) >= datetime.fromtimestamp(NOW / 1000, UTC)
    now = NOW
    source = DrillSource(folder, lambda: now)
    assert source.poll(100) is None
    now = NOW + 10 * MINUTE
    batch = source.poll(10_000)
    assert batch is not None
    assert len(batch.lines) == sum(p.timestamp() * 1000 <= now for p in published)
    again = DrillSource(folder, lambda: now)
    again.seek(batch.next)
    assert again.poll(10_000) is None
    now = NOW + 600 * MINUTE
    rest = again.poll(10_000)
    assert rest is not None
    assert [*batch.lines, *rest.lines] == lines
    assert rest.first == len(batch.lines) + 1


# what cannot be -------------------------------------------------------------------------------


def test_no_brand_can_be_called_like_a_shadow(tmp_path: Path) -> None:
    path = tmp_path / "nadhir.yaml"
    path.write_text('brands: [{id: "acme~drill", names: [Acme]}]', encoding="utf-8")
    with pytest.raises(ConfigError, match="must be 1 to 63 of a-z"):
        load(path, {})


def test_a_drill_of_an_unknown_brand_or_a_second_one_is_refused(
    prepared: tuple[Config, DrillFolder], tmp_path: Path
) -> None:
    config = write(tmp_path)
    with pytest.raises(DrillError, match="no brand of the configuration; name one of rimal-bank"):
        prepare_drill(config, DrillSpec(scenario="outage", brand="acme"), NOW)
    with pytest.raises(DrillError, match="there was no drill yet"):
        find_drill(config, None)
    result = CliRunner().invoke(
        main, ["drill", "outage", "--brand", "acme", "--config", str(tmp_path / "nadhir.yaml")]
    )
    assert result.exit_code == 1
    assert drills(config) == []


def test_while_one_runs_there_is_no_second(tmp_path: Path) -> None:
    config = write(tmp_path)
    calm = DrillSpec(scenario="calm", brand="saqr-air", hours=0.2, rate_per_hour=1.0)
    first = prepare_drill(config, calm, NOW)
    with pytest.raises(DrillError, match=f"{first.drill.id} is not over"):
        prepare_drill(config, calm, NOW + MINUTE)
    first.finish()
    second = prepare_drill(config, calm, NOW + MINUTE)
    assert [f.drill.id for f in drills(config)] == [first.drill.id, second.drill.id]


# the process ----------------------------------------------------------------------------------


def test_nadhir_run_takes_a_drill_up_and_no_mention_can_pretend_to_be_one(tmp_path: Path) -> None:
    config = write(tmp_path)
    now = round(datetime.now(UTC).timestamp() * 1000)
    folder = prepare_drill(config, SPEC, now - 20 * MINUTE)  # most of it is due already
    at = datetime.now(UTC).isoformat(timespec="seconds")
    forged = json.loads(mention("f1", "Rimal Bank is down", at))
    forged |= {"drill": True, "brand": "rimal-bank~drill"}
    with Running(tmp_path) as process:
        alerts = eventually(lambda: journal(tmp_path))
        assert {alert["brand"] for alert in alerts} == {"rimal-bank~drill"}
        process.post([json.dumps(forged).encode()])
        find_drill(config, folder.drill.id).stop()
        eventually(lambda: folder.over)
        # the forged one is read as any other mention: of the real brand
        eventually(lambda: process.metric("nadhir_observations_total") == 1)
        assert process.metric("nadhir_alerts_opened_total") == 0
    assert [a["state"] for a in journal(tmp_path)][-1] == "resolved"
    with closing(Store(config.paths.data / "nadhir.db")) as store:
        assert store.cases() == []
