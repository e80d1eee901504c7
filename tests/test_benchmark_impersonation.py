"""The benchmark and the quality figures of impersonation measure what they say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from benchmarks import hostile, impersonation
from benchmarks.quality.impersonation import run as quality
from benchmarks.quality.lookalikes import look_alikes
from benchmarks.quality.options import Options


@pytest.fixture
def mentions(tmp_path: Path) -> Path:
    path = tmp_path / "stocknet-2014.jsonl.gz"
    row = {"text": "DM us", "author": {"id": "1", "handle": "jane"}, "links": ["https://t.co/x"]}
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for _ in range(50))
    return path


def test_cost_is_measured_of_every_part(mentions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impersonation, "DATA", mentions.parent)
    monkeypatch.setattr(impersonation, "BRANDS", (3,))
    head, _, row = impersonation.run()
    assert head.count("|") == row.count("|")
    assert row.startswith("| 3 |")
    cost = impersonation.measure(list(impersonation.mentions(mentions)), 3)
    assert all(0 < part < 10_000 for part in cost)


def test_the_worst_inputs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile, "BRANDS", 3)
    head, _, *rows = hostile.run(20)
    assert len(rows) == 15  # of accounts, links and mentions two at random, and the three worst
    for row in rows:
        assert row.count("|") == head.count("|")
        median, late, worst = map(float, row.split("|")[2:5])
        assert 0 <= median <= late <= worst
    monkeypatch.setattr(hostile, "LIMIT_MS", -1.0)
    assert all("**no**" in row for row in hostile.run(20)[2:])


def test_brands_are_as_many_as_asked_for_and_the_same_each_time() -> None:
    made = impersonation.brands(1_000)
    assert len({brand.names for brand in made}) == 1_000
    assert made == impersonation.brands(1_000)


def test_look_alikes_are_the_same_each_time_and_say_their_trick() -> None:
    made = list(look_alikes(rounds=1, seed=3))
    assert made == list(look_alikes(rounds=1, seed=3))
    assert len({each.trick for each in made}) > 30


def test_goals_of_quality_are_held(shared_data: Path) -> None:
    if not (shared_data / "impersonation").is_dir():
        pytest.skip("no data of impersonation")
    table = [line for line in quality(Options(shared_data)) if "≥" in line or "≤" in line]
    assert len(table) == 7  # four of what is found, three of who is blamed falsely
    assert all(line.endswith("| yes |") for line in table), table
