"""The benchmark of the detectors measures what it says, with very little of everything."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import detectors
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
