"""The benchmark of the detectors measures what it says, with very little of everything."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import coordination, detectors
from benchmarks.detectors import Case, Sizes

CASE = Case(3, 1, 256)
TINY = Sizes(dev=20, train=20, turns=1, rate_per_hour=60, days=1.5, first_days=1, cases=(CASE,))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Labelled texts in both languages."""
    said = [
        {"text": f"{text} {i}", "lang": lang, "label": label}
        for i in range(5)
        for text, lang, label in (
            ("great service", "en", "positive"),
            ("the app is down again", "en", "negative"),
            ("خدمة ممتازة", "ar", "positive"),
            ("التطبيق لا يعمل", "ar", "negative"),
        )
    ]
    for name in ("dev", "train"):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(row) + "\n" for row in said)
    return tmp_path


def cells(lines: list[str], first: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if row[0] == first]


def test_it_gives_rows(data: Path) -> None:
    lines = detectors.run(data, TINY)
    for texts, peers in (("Arabic", 1), ("English", 2), ("both", 1)):
        rows = cells(lines, texts)
        assert rows[0][3] == detectors.NADHIR
        assert len(rows) == 3 + peers
        assert all(0 < float(row[4]) <= float(row[5]) for row in rows)
    assert "vaderSentiment" in {row[3] for row in cells(lines, "English")}
    (row,) = cells(lines, "3")
    assert int(row[3].replace(",", "")) > 300
    *parts, least, middle = map(float, row[5:])
    assert sum(parts) == pytest.approx(least, abs=0.02)
    assert least <= middle
    assert sum(line.startswith("Limit ") for line in lines) == 2


def test_without_data_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, "_volume_turns", lambda folder, sizes: [])
    lines = detectors.run(tmp_path / "absent", TINY)
    assert lines[0].startswith("Sentiment: not measured")


def test_a_stream_is_timed_from_its_first_days_on() -> None:
    stream = detectors._simulate(CASE, TINY)
    assert np.all(np.diff(stream[1]) >= 0)
    assert set(stream[0].tolist()) == {0, 1, 2}
    whole = detectors._measure_volume(stream, CASE, 0)
    late = detectors._measure_volume(stream, CASE, 1)
    assert whole.mentions == stream.shape[1] > late.mentions > 0
    assert whole.findings >= late.findings > 0
    assert all(spent > 0 for spent in late.spent.values())


def test_a_limit_that_is_missed_is_named() -> None:
    runs = [detectors.Volume(1, 0, dict.fromkeys(detectors.PARTS, us)) for us in (0.1, 1.0, 1.1)]
    table = list(detectors._volume_table([runs], TINY))
    assert "| 0.30 | 3.00 |" in table[-3]
    assert "missed by 3 brands, 1 in crisis" in table[-1]
    assert "held" in list(detectors._volume_table([runs[:1]], TINY))[-1]


TEXT = "shame on this bank which loses every transfer and never answers anybody at all"


def rows(count: int) -> list[coordination.Row]:
    return [(str(i), f"a{i}", "", TEXT, 1_700_000_000 + 20 * i, "") for i in range(count)]


def test_coordination_is_read_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    assert coordination._write(path, rows(12)) == 12
    assert coordination.ours(path) == 12
    coordination._write(path, rows(4))
    assert coordination.ours(path) == 0


def test_a_peer_that_is_absent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination, "_child", lambda *_: coordination.Run(12, 0.5, 100.0))
    task = coordination.Task("made", lambda _: iter(rows(12)), "co_link", 60)
    monkeypatch.setattr(coordination, "TASKS", (task,))
    monkeypatch.setenv("NADHIR_PEER_CNT", "/somewhere/compute_networks")
    lines = list(coordination._peers(tmp_path, tmp_path))
    assert "coordination-network-toolkit, co_link, 60 s" in cells(lines, "made")[1]
    monkeypatch.delenv("NADHIR_PEER_CNT")
    monkeypatch.setenv("PATH", str(tmp_path))
    lines = list(coordination._peers(tmp_path, tmp_path))
    assert [row[:4] for row in cells(lines, "made")] == [["made", "12", "Nadhir", "12"]]
    assert any("it is not installed" in line for line in lines)


def test_a_flood_is_held_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination, "FLOOD", 10_000)
    run = coordination.flood()
    assert run.accounts == 8192
    assert 0 <= run.peak_mb < 200
    assert run.spent_s > 0


def test_without_data_coordination_is_not_measured(tmp_path: Path) -> None:
    assert coordination.run(tmp_path)[0].startswith("Not measured")
