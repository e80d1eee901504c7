"""The measuring of quality itself: markers, arithmetic, groups, diagrams (benchmarks/quality)."""

from __future__ import annotations

import doctest
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from benchmarks.quality import __main__ as command
from benchmarks.quality import calibration, campaigns, document, share, transforms, volume
from benchmarks.quality.document import DOCUMENT, QualityError, replaced
from benchmarks.quality.nab import File, Series, analysed, leave_one_out, read, score_at
from benchmarks.quality.options import Options
from models.records import Author, Mention

START = datetime.fromisoformat("2026-01-01")  # the series of the benchmark have no zone
TIMES = [START + timedelta(minutes=5 * row) for row in range(20)]
TEXT = (
    "# Title\r\nby hand <!-- quality:a -->\nold\n| x |\n<!-- /quality:a -->tail\n<!-- quality:b -->"
)


def test_lines_between_markers_are_replaced_and_nothing_else() -> None:
    text = replaced(TEXT, "a", ["new", "| \\1 |"])
    assert text == TEXT.replace("\nold\n| x |\n", "\n\nnew\n| \\1 |\n\n")
    assert replaced(text, "a", ["new", "| \\1 |"]) == text


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "<!-- quality:a -->",
        "<!-- /quality:a --> <!-- quality:a -->",
        2 * "<!-- quality:a --> <!-- /quality:a -->",
    ],
)
def test_a_document_without_the_markers_stays_as_it_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "quality.md"
    path.write_text(text)
    with pytest.raises(QualityError, match="quality:a"):
        document.write("a", ["new"], path)
    assert path.read_text() == text


def test_our_document_has_a_place_for_every_section() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for section in command.SECTIONS:
        replaced(text, section, [])


def test_examples_run() -> None:
    assert doctest.testmod(document).failed == 0


def test_without_data_it_says_so_and_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NADHIR_TEST_DATA", str(tmp_path / "absent"))
    assert command.main(["volume", "scenarios"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "shared data" in err


def test_without_the_scorer_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(QualityError, match=r"tools/nab_score\.py"):
        Options(tmp_path / "data").nab_score()


def test_a_series_is_scored_at_the_line_that_the_others_choose() -> None:
    def choose(files: list[float]) -> float:
        return sum(files)

    def score(files: list[float], line: float | None) -> float:
        assert line is not None
        return 100 * line + sum(files)

    assert leave_one_out([1.0, 2.0, 4.0], choose, score) == [601.0, 502.0, 304.0]


def nab(points: dict[int, tuple[float, int | None]]) -> ModuleType:
    """A scorer that gives rows of scores these weights and windows."""

    def weighed(times: Any, scores: list[float], *_: Any) -> tuple[list[Any], int]:
        return [(score, *points[row]) for row, score in enumerate(scores)], 0

    return cast(ModuleType, SimpleNamespace(PROFILES={"p": (1.0, 1.0, 0.1)}, points=weighed))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (None, 0.0),
        (0.9, 50.0),  # one of two windows, at once
        (0.7, 47.5),  # and a false alarm
        (0.1, 85.0),  # the other window, late, and another false alarm
    ],
)
def test_score_at_a_line(line: float | None, expected: float) -> None:
    scorer = nab({0: (-0.1, None), 1: (1.0, 0), 2: (0.5, 0), 3: (-0.1, None), 4: (0.6, 1)})
    file: File = (TIMES[:5], [0.3, 0.9, 0.9, 0.8, 0.1], [])
    assert score_at([file], line, "p", scorer) == pytest.approx(expected)


def test_goals_of_volume_are_held(shared_data: Path) -> None:
    scorer = Options(shared_data).nab_score()
    series = read(shared_data / "volume", scorer)
    files = [analysed(each) for each in series]
    rows = [*volume._profiles(files, scorer), *volume._moments(series, files)]
    goals = [row for row in rows if "≥" in row]
    assert len(goals) == 3
    assert all("| yes |" in row for row in goals), goals


@pytest.mark.parametrize("asked", share.SHARES)
def test_a_group_has_the_share_that_was_asked_for(asked: float) -> None:
    label = np.repeat([0, 1, 2], [300, 400, 200])
    rng = np.random.default_rng(1)
    rows = share.group(label, asked, share.SIZE, rng)
    assert len(set(rows.tolist())) == share.SIZE
    assert (label[rows] == 0).mean() == pytest.approx(asked)
    assert set(share.group(label, asked, share.SIZE, rng)) != set(rows)


def test_the_likeliest_share_is_that_of_sharp_probabilities() -> None:
    p = np.repeat(np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01]], np.float32), (30, 170), axis=0)
    assert share.likeliest(p) == pytest.approx(0.15, abs=0.01)


def test_windows_follow_their_series() -> None:
    series = Series("a", TIMES, np.arange(20.0), [(TIMES[2], TIMES[4]), (TIMES[13], TIMES[19])], [])
    longer = transforms.resampled(series, 3)
    assert longer.values.tolist() == [3.0, 12.0, 21.0, 30.0, 39.0, 48.0]
    assert longer.times == TIMES[:18:3]
    assert longer.windows == [(TIMES[0], TIMES[3]), (TIMES[12], TIMES[15])]
    shorter = transforms.dropped(series, 5)
    assert shorter.times[0] == TIMES[5]
    assert shorter.windows == [(TIMES[13], TIMES[19])]


def test_same_probabilities_give_the_same_bytes(tmp_path: Path) -> None:
    p = np.linspace(0, 1, 1000, dtype=np.float32)
    panels = {"Arabic": [calibration.Curve("of x", p, p > 0.4)]}
    for name in ("a.png", "b.png"):
        calibration.draw(tmp_path / name, panels)
    first = (tmp_path / "a.png").read_bytes()
    assert first == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in first


def test_bins_hold_the_share_and_its_interval() -> None:
    p = np.repeat(np.array([0.1, 0.55, 0.9], np.float32), (100, 9, 50))
    happened = np.arange(159) % 10 == 0
    happened[109:] = True
    found = calibration.bins(p, happened)
    assert found.predicted == pytest.approx([0.1, 0.9], abs=1e-6)  # nine rows say nothing
    assert found.observed == pytest.approx([0.1, 1.0])
    assert found.lower == pytest.approx([0.0490, 0.9289], abs=1e-4)
    assert found.upper == pytest.approx([0.1762, 1.0], abs=1e-4)


# campaigns ------------------------------------------------------------------------------------

SAID = "one two three four five six seven eight nine ten #tag https://t.example/x"
WORDS = campaigns.Words(["other"], ["غيرها"])


def mention(number: int, text: str, minute: float = 0.0) -> Mention:
    at = TIMES[0].replace(tzinfo=UTC) + timedelta(minutes=minute)
    author = Author(id=f"a{number % 12}")
    return Mention(id=str(number), platform="x", published_at=at, text=text, author=author)


@pytest.mark.parametrize("name", [name for name, change in campaigns.EVASIONS.items() if change])
def test_a_change_hides_what_it_says(name: str) -> None:
    own = [mention(i, SAID, i / 10) for i in range(200)]
    campaign = campaigns.campaign_of(own, [])
    change = campaigns.EVASIONS[name]
    changed = campaigns.evading(campaign, change, np.random.default_rng(1), WORDS).own
    assert [m.author for m in changed] == [m.author for m in own]
    assert changed != own
    if name == "20 % of words changed":
        words = [w for m in changed for w in m.text.split()[:10]]
        assert words.count("other") / len(words) == pytest.approx(0.2, abs=0.02)
        assert all(m.text.endswith("#tag https://t.example/x") for m in changed)
    if "picture" in name:
        assert {m.text for m in changed} == {""}
        assert len({m.media for m in changed}) == (200 if "another" in name else 1)


def test_other_talk_surrounds_a_campaign() -> None:
    own = [mention(i, SAID, i) for i in range(20)]
    real = [mention(i, f"real {i}", i * i) for i in range(30)]
    made = campaigns.diluted(
        own,
        40,
        real,
        [f"made {i}" for i in range(20)],
        real,
        timedelta(0),
        np.random.default_rng(2),
    )
    assert len(made.other) == 40
    assert len({m.text for m in made.other}) == 40
    assert min(m.published_at for m in made.other) < own[0].published_at
    assert max(m.published_at for m in made.other) > own[-1].published_at


def test_outcome_counts_accounts() -> None:
    text = "shame on this bank which loses every transfer and never answers anybody at all"
    own = [mention(i, text, i) for i in range(12)]
    told = campaigns.outcome(campaigns.Campaign(own, [], {"a0", "a1", "not there", "nor there"}))
    assert told.recall == 0.5
    assert told.precision == pytest.approx(2 / 12)
    nothing = campaigns.outcome(campaigns.Campaign(own[:2], [], {"a0"}))
    assert (nothing.recall, nothing.precision, nothing.groups) == (0.0, 1.0, [])


def test_texts_that_repeat_four_words_are_left_out(tmp_path: Path) -> None:
    said = ["a b c d e", "x a b c d", "p q r s t", "ab"]
    for name in ("train", "dev"):
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt") as out:
            out.writelines(json.dumps({"text": text, "lang": "en"}) + "\n" for text in said)
    assert campaigns.texts(tmp_path, arabic=False) == ["a b c d e", "p q r s t"]
