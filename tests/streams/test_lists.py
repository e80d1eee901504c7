"""Lists that are kept in the response database reach the stage that scores, while it runs."""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.service.list_records import ListDraft
from alerts.store.database import Database
from models.records import Author, Brand, Mention
from streams import lists
from streams.desk import opened_desk
from streams.lists import following, following_elsewhere
from streams.score import ScoreStage
from streams.sentiment import SentimentSettings, open_sentiment
from tests.running import Running, eventually, write_config
from tests.streams.test_config import read

CONFIG = "brands: [{id: acme, names: [Acmezon], handles: [acmezon]}]\n"
NOW = 1_780_000_000_000
JANE = Mention(
    id="1",
    platform="x",
    published_at=datetime(2026, 3, 1, tzinfo=UTC),
    text="hello",
    author=Author(id="9", handle="jane"),
)
BLOCK = ListDraft(list="block", reason="known to us", handle="jane")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> ScoreStage:
    monkeypatch.setattr(lists, "_PAUSE_S", 0.01)
    return ScoreStage(BRANDS, open_sentiment(SentimentSettings()))


BRANDS = (Brand(id="acme", names=("Acmezon",), handles=("acmezon",)),)


def flagged(stage: ScoreStage) -> bool:
    return bool(stage.score([JANE]).suspects)


def test_an_entry_holds_without_a_restart_until_it_is_taken_away(
    tmp_path: Path, stage: ScoreStage
) -> None:
    with opened_desk(read(tmp_path, CONFIG), lambda: NOW) as desk:
        with following(desk.database, stage.relist):
            assert not flagged(stage)
            made = desk.add_listing("amal", "acme", BRANDS, BLOCK, once=None)
            eventually(lambda: flagged(stage))
            entry = json.loads(made.body)["id"]
            desk.remove_listing("amal", entry, version=None, once=None)
            eventually(lambda: not flagged(stage))
            desk.add_listing("amal", "acme", BRANDS, BLOCK, once=None)
            eventually(lambda: flagged(stage))
        again = ScoreStage(BRANDS, open_sentiment(SentimentSettings()))
        with following(desk.database, again.relist):
            assert flagged(again), "what was listed before holds from the first mention on"


def test_a_worker_waits_for_no_database_and_finds_it_when_it_comes(
    tmp_path: Path, stage: ScoreStage
) -> None:
    config = read(tmp_path, CONFIG)
    with following_elsewhere(config, stage.relist):
        assert not (config.paths.data / "response.db").exists()
        assert not flagged(stage)
        with opened_desk(config, lambda: NOW) as desk:
            desk.add_listing("amal", "acme", BRANDS, BLOCK, once=None)
            eventually(lambda: flagged(stage))


def test_while_the_database_is_away_the_last_lists_hold(
    tmp_path: Path, stage: ScoreStage, caplog: pytest.LogCaptureFixture
) -> None:
    config = read(tmp_path, CONFIG)
    with opened_desk(config, lambda: NOW) as desk:
        desk.add_listing("amal", "acme", BRANDS, BLOCK, once=None)
    with following_elsewhere(config, stage.relist):
        assert flagged(stage)
        with closing(Database(config.paths.data / "response.db")) as database:
            with database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE listings RENAME TO elsewhere")
            eventually(lambda: "those known last hold" in caplog.text)
            assert flagged(stage)
            with database.write() as connection:
                connection.exec_driver_sql("DELETE FROM elsewhere")
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO listings")
        eventually(lambda: not flagged(stage))
    assert caplog.text.count("those known last hold") == 1


def test_run_takes_an_entry_up_from_its_own_api(tmp_path: Path) -> None:
    write_config(tmp_path)
    with Running(tmp_path) as process:
        (secret,) = eventually(
            lambda: re.findall(r"^nadhir_[\w-]{43}$", "".join(process.log), re.M)
        )
        headers = {"authorization": f"Bearer {secret}"}
        brand = process.http.get("/v1/brands", headers=headers).json()["brands"][0]["id"]
        sent = {"list": "block", "brand": brand, "handle": "jane", "reason": "known to us"}
        answer = process.http.post("/v1/lists", json=sent, headers=headers)
        assert answer.status_code == 201, answer.text
        eventually(lambda: "lists: 1 entries beside" in "".join(process.log))
        assert process.stop() == 0
