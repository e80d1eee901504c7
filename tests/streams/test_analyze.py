"""``analyze``: a series scored in one pass, and sentiment of lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from streams.analyze import (
    AnalyzeError,
    VolumeRow,
    analyze_sentiment,
    analyze_share,
    analyze_volume,
    read_series,
)

BEGIN = datetime(2026, 1, 5, 0, 2, 53)  # noqa: DTZ001  a time on the wall, at odd seconds


def series(
    minutes: int, days: float, rate: float = 12.0, seed: int = 1, zone: str = ""
) -> list[tuple[str, float]]:
    """A Poisson series with a daily rhythm; ``rate`` is an hour's."""
    rng = np.random.default_rng(seed)
    n = int(days * 1440 / minutes)
    hour = np.arange(n) * minutes / 60
    mean = rate * minutes / 60 * (1 + 0.5 * np.sin(2 * np.pi * hour / 24))
    stamps = [(BEGIN + timedelta(minutes=minutes * i)).isoformat(" ") + zone for i in range(n)]
    return list(zip(stamps, rng.poisson(mean).astype(float).tolist()))


def with_spike(
    rows: list[tuple[str, float]], at: int, length: int, extra: float
) -> list[tuple[str, float]]:
    return [(t, v + extra * (at <= i < at + length)) for i, (t, v) in enumerate(rows)]


def scores(rows: Iterable[tuple[str, float]]) -> list[float]:
    return [row.score for row in analyze_volume(rows)]


@pytest.mark.parametrize("minutes", [1, 5, 15, 60])
def test_a_spike_is_found_at_any_width(minutes: int) -> None:
    quiet = series(minutes, days=6, rate=40.0)
    at = int(5.4 * 1440 / minutes)
    length = max(1, 60 // minutes)
    # ten times the usual, for an hour
    got = scores(with_spike(quiet, at, length, 9 * 40 / 60 * minutes))
    assert max(got[:at]) < 0.5
    assert max(got[at : at + length]) > 0.5
    assert len(got) == len(quiet)


def test_rows_answer_rows() -> None:
    rows = series(5, days=3)
    answers = list(analyze_volume(rows))
    assert [(a.timestamp, a.value) for a in answers] == rows
    for answer in answers:
        assert isinstance(answer, VolumeRow)
        assert 0 <= answer.score < 1
        assert answer.lower <= answer.expected <= answer.upper
    settled = answers[len(answers) // 2 :]
    inside = np.mean([a.lower <= a.value <= a.upper for a in settled])
    assert inside > 0.93
    assert np.mean([a.expected for a in settled]) == pytest.approx(1.0, rel=0.25)


def test_it_does_not_look_ahead() -> None:
    rows = series(5, days=4)
    now = 900
    other = with_spike(rows, now, 50, 500.0)
    assert list(islice(analyze_volume(other), now)) == list(islice(analyze_volume(rows), now))


def test_it_answers_as_it_reads() -> None:
    read: list[int] = []

    def slowly() -> Iterable[tuple[str, float]]:
        for i, row in enumerate(series(5, days=1)):
            read.append(i)
            yield row

    answers = analyze_volume(slowly())
    next(answers)
    assert len(read) <= 2
    next(answers)
    assert len(read) <= 3


def test_one_event_is_told_once() -> None:
    rows = series(5, days=8, rate=60.0)
    at = 7 * 288
    got = scores(with_spike(rows, at, 36, 60.0))  # three hours long
    assert sum(s >= 0.5 for s in got) <= 9  # as it grows, not 36 times
    assert max(got[at : at + 3]) >= 0.5


def test_the_first_half_day_is_quiet() -> None:
    rows = with_spike(series(5, days=1), 60, 20, 400.0)
    assert max(scores(rows)[:144]) == 0


def test_a_zone_written_is_the_zone_read() -> None:
    plain = [row[3:] for row in analyze_volume(series(5, 3), timezone="Asia/Riyadh")]
    zoned = [row[3:] for row in analyze_volume(series(5, 3, zone="+03:00"), timezone="Asia/Riyadh")]
    assert zoned == plain


@pytest.mark.parametrize("first", [datetime(2024, 3, 8), datetime(2024, 11, 1)])  # noqa: DTZ001
@pytest.mark.parametrize("on_the_wall", [True, False])
def test_a_change_of_clocks_is_no_mistake(first: datetime, on_the_wall: bool) -> None:
    zone, moments = ZoneInfo("America/New_York"), []
    begin = first.replace(tzinfo=zone).astimezone(UTC)
    for i in range(4 * 288):
        step = timedelta(minutes=5 * i)
        # what a wall clock shows, or a clock that nobody changes
        shown = (begin + step).astimezone(zone).replace(tzinfo=None)
        moments.append(shown if on_the_wall else first + step)
    rows = [(m.isoformat(), 4.0) for m in moments]
    answers = list(analyze_volume(rows, timezone="America/New_York"))
    assert len(answers) == len(rows)
    assert max(a.score for a in answers) < 0.5


def test_gaps_and_equal_times_are_no_trouble() -> None:
    rows = series(5, days=4)
    holes = rows[:400] + rows[700:] + rows[-1:] * 3
    assert len(list(analyze_volume(holes))) == len(holes)
    assert list(analyze_volume([])) == []
    assert [r.score for r in analyze_volume(rows[:1])] == [0.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,value\n2026-01-01,3\n", ["s.csv, line 1", "'timestamp'"]),
        ("timestamp,count\n2026-01-01,3\n", ["s.csv, line 1", "'value'"]),
        ("", ["s.csv, line 1"]),
        ("x" * 200_000, ["s.csv, line 1", "header"]),
        ("timestamp,value\n2026-01-01 00:00:00,3\n2026-01-01 00:05:00,lots\n", ["line 3", "lots"]),
        ("timestamp,value\n2026-01-01 00:00:00,-1\n", ["line 2", "'-1'"]),
        ("timestamp,value\n2026-01-01 00:00:00,nan\n", ["line 2", "'nan'"]),
        ("timestamp,value\n2026-01-01 00:00:00,inf\n", ["line 2", "'inf'"]),
        ("timestamp,value\n2026-01-01 00:00:00\n", ["line 2", "is missing"]),
        ("timestamp,value\nyesterday,3\n", ["line 2", "'yesterday'", "ISO 8601"]),
        ("timestamp,value\n2026-01-01 01:00:00,3\n2026-01-01 00:00:00,3\n", ["line 3", "order"]),
        (
            "timestamp,value\n2026-01-01 01:00:00,3\n2026-01-01 01:05:00,3\n2026-01-01,3\n",
            ["line 4", "order"],
        ),
        ("timestamp,value\n\x1b[2J\u202e,3\n", ["line 2", "\\x1b"]),
    ],
)  # fmt: skip
def test_mistakes_name_file_and_line(text: str, said: list[str]) -> None:
    with pytest.raises(AnalyzeError) as caught:
        list(analyze_volume(read_series(text.splitlines(keepends=True), "s.csv"), name="s.csv"))
    for part in said:
        assert part in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(AnalyzeError, match=r"Asia/Riyad'.*IANA"):
        list(analyze_volume(series(5, 1), timezone="Asia/Riyad"))


# sentiment ------------------------------------------------------------------------------------


def lines(*rows: dict[str, str]) -> list[bytes]:
    return [msgspec.json.encode(row) + b"\n" for row in rows]


def test_sentiment_of_lines() -> None:
    asked = lines(
        {"id": "1", "text": "الخدمة سيئة جدا والتطبيق معطل"},
        {"id": "2", "text": "thank you, great service, I love it"},
        {"id": "3", "text": ""},
        {"id": "4", "text": "a" * 50_000},
        {"id": "5", "text": "\x00\u202e{{7*7}}"},
    )
    got = [msgspec.json.decode(line) for line in analyze_sentiment([*asked, b"\n"])]
    assert [row["id"] for row in got] == ["1", "2", "3", "4", "5"]
    assert [row["label"] for row in got[:2]] == ["negative", "positive"]
    for row in got:
        assert list(row) == ["id", "label", "negative", "neutral", "positive"]
        parts = {k: row[k] for k in ("negative", "neutral", "positive")}
        assert sum(parts.values()) == pytest.approx(1, abs=1e-3)
        assert parts[row["label"]] == max(parts.values())


def test_a_byte_order_mark_is_no_mistake() -> None:
    asked = lines({"id": "1", "text": "thank you"}, {"id": "2", "text": "it is down again"})
    marked = [b"\xef\xbb\xbf" + asked[0], asked[1]]
    assert list(analyze_sentiment(marked)) == list(analyze_sentiment(asked))
    assert analyze_share(marked) == analyze_share(asked)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lines(*({"id": str(i), "text": f"word {i} bad {'good ' * (i % 3)}"} for i in range(50)))
    whole = list(analyze_sentiment(asked))
    monkeypatch.setattr("streams.analyze._BATCH", 7)
    assert [msgspec.json.decode(a)["label"] for a in analyze_sentiment(asked)] == [
        msgspec.json.decode(b)["label"] for b in whole
    ]


@pytest.mark.parametrize(
    "line", [b"{", b'{"id": "1"}', b'{"id": 1, "text": "x"}', b"[]", b'{"id":"1","text":"\xff"}']
)
def test_a_bad_line_is_named_and_what_was_before_is_answered(line: bytes) -> None:
    answers = analyze_sentiment([*lines({"id": "1", "text": "fine"}), line], "f.jsonl")
    assert msgspec.json.decode(next(answers))["id"] == "1"
    with pytest.raises(AnalyzeError, match=r"f\.jsonl, line 2"):
        next(answers)


def test_a_share_is_told_beside_the_count() -> None:
    asked = lines(
        *({"id": str(i), "text": "الخدمة سيئة جدا"} for i in range(30)),
        *({"id": str(i), "text": "شكرا لكم على الخدمة الممتازة"} for i in range(70)),
    )
    got = msgspec.json.decode(analyze_share([*asked, b"\n"]))
    assert got["mentions"] == 100
    assert got["counted"] == 0.3
    assert 0.2 < got["negative_share"] < 0.4
    assert msgspec.json.decode(analyze_share([])) == {
        "mentions": 0,
        "counted": 0.0,
        "negative_share": 0.0,
    }
    with pytest.raises(AnalyzeError, match="line 2"):
        analyze_share([asked[0], b"{}"])


def test_a_gap_of_days_at_the_start_is_no_trouble() -> None:
    rows = series(5, days=3)
    late = [((BEGIN - timedelta(days=9)).isoformat(" "), 3.0), *rows]
    assert len(list(analyze_volume(late))) == len(late)


@pytest.mark.parametrize("stamp", ["0001-01-01 00:00:00", "9999-12-31 23:59:59+00:00"])
def test_times_of_another_age_are_refused(stamp: str) -> None:
    with pytest.raises(AnalyzeError, match="is not in this age"):
        list(analyze_volume([(stamp, 1.0)]))


def test_a_morning_after_a_silent_night_is_not_blind_for_ever() -> None:
    rows = [(t, v if int(t[11:13]) >= 7 else 0.0) for t, v in series(5, days=20, rate=240.0)]
    at = next(i for i, (t, _) in enumerate(rows) if i > 19 * 288 and t[11:13] == "07")
    got = scores(with_spike(rows, at, 6, 300.0))
    assert max(got[at : at + 6]) > 0.5
