"""The benchmark of the detectors measures what it says, with very little of everything."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import coordination, detectors, kafka, pipeline
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


def runs(*pipeline_us: float, peak_mb: float = 300) -> list[pipeline.Run]:
    """One of each case, with a floor of a microsecond."""
    return [pipeline.Run(1_000, 500, 1.0, us, 0.5, peak_mb, 1) for us in pipeline_us]


def test_promises_of_the_pipeline_are_judged() -> None:
    kept = pipeline._table(runs(52, 55, 54, 60, 57, 59, 58))[-3:]
    assert ["held" in line for line in kept] == [True] * 3
    missed = pipeline._table(runs(52, 55, 54, 60, 57, 59, 80.1, peak_mb=701))[-3:]
    assert "Limit 60 times the floor: **missed**, at most 80.1." in missed[0]
    assert "Limit 700 MB: **missed**, at most 701." in missed[1]
    assert "held" in missed[2]
    uneven = pipeline._table(runs(50, 50, 50, 50, 50, 58, 50))[-1]
    assert "**missed**, at most 1.16" in uneven


def test_cases_take_turns_and_short_ones_are_repeated(tmp_path: Path) -> None:
    sizes = {"short": 2_000, "long": 9_000}
    for name, mentions in sizes.items():
        (tmp_path / name).mkdir()
        pipeline._simulate(tmp_path / name, pipeline.Case(2, 2, 1, mentions))
    short, long = pipeline._turn([tmp_path / name for name in sizes], 500)
    assert len(short) == 2  # of two slices each, where the long one has four
    assert len({run.alerts for run in short}) == len(long) == 1
    assert 500 < short[0].mentions < 1_000 < 2_000 < long[0].mentions
    mean = pipeline._mean(short)
    costs = [run.pipeline_us for run in short]
    assert min(costs) < mean.pipeline_us < max(costs)
    assert mean.peak_mb == max(run.peak_mb for run in short)


def test_a_run_that_fails_is_told(tmp_path: Path) -> None:
    (tmp_path / "mentions.jsonl").touch()
    with pytest.raises(RuntimeError, match="failed"):
        pipeline._Child(tmp_path, 100)


def test_goals_on_kafka_that_are_missed_are_named() -> None:
    assert kafka._goals({"p50 ≤ 0.5 s": True, "p99 ≤ 2 s": False}).endswith("** p99 ≤ 2 s.")
    assert kafka._goals({"p50 ≤ 0.5 s": True}) == "Goals: all reached."


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
