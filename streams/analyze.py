"""One detector or model alone, on a file: what ``nadhir analyze`` does."""

from __future__ import annotations

import csv
import math
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from models.baseline import HORIZONS_MIN, Baseline, Calendar, interval, surprise
from models.records import LABELS, SURPRISE_LINES, Float64
from models.sentiment import SentimentModel, load
from models.text import normalise

_LINE = SURPRISE_LINES["balanced"]
_DAY_S = 86_400
_CLOCK_CHANGE_S = 3600
_LEARN_AGAIN_H = 24  # what lasts longer is the new normal
_BATCH = 2000
_MAX_TEXT_CHARS = 20_000


class AnalyzeError(Exception):
    """The file cannot be analysed; the message names file and line, and what to do."""


class VolumeRow(NamedTuple):
    """A row of the answer: the value, what was expected, and how abnormal it is (0 to 1)."""

    timestamp: str
    value: float
    expected: float
    lower: int
    upper: int
    score: float


def read_series(lines: Iterable[str], name: str) -> Iterator[tuple[str, float]]:
    """Rows of a CSV file with the columns ``timestamp`` and ``value``.

    Raises
    ------
    AnalyzeError
        If a column is missing or a value is not a number of mentions.
    """
    reader = csv.DictReader(lines)
    missing = {"timestamp", "value"} - set(reader.fieldnames or ())
    if missing:
        raise AnalyzeError(
            f"{name}, line 1: the column {min(missing)!r} is missing from the header"
        )
    for row in _rows(reader, name):
        if row["value"] is None:
            raise AnalyzeError(f"{name}, line {reader.line_num}: the value is missing")
        try:
            value = float(row["value"])
        except (TypeError, ValueError):
            value = math.nan
        if not 0 <= value < 1e15:
            raise AnalyzeError(
                f"{name}, line {reader.line_num}: value {str(row['value'])[:40]!a} is not a number "
                "of mentions; expected nought or more"
            )
        yield row["timestamp"] or "", value


def _rows(reader: csv.DictReader[str], name: str) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise AnalyzeError(f"{name}, line {reader.line_num}: {error}") from error


def analyze_volume(
    rows: Iterable[tuple[str, float]],
    *,
    timezone: str = "UTC",
    weekend: tuple[int, ...] = (5, 6),
    name: str = "series",
) -> Iterator[VolumeRow]:
    """Score a series of counts in one pass, each row before it is learned.

    The model is the pipeline's (models/baseline.py) on the series' own interval, 1, 6 and 24 hours.
    What was told is not told again: for a day after a finding only what exceeds it scores, and
    less and less is needed to exceed it.

    Parameters
    ----------
    rows : iterable of (timestamp, value)
        In order; the timestamp in ISO 8601, without zone it is local to ``timezone``.
    timezone, weekend
        Of the daily and weekly rhythm; Monday is 0.

    Raises
    ------
    AnalyzeError
        If a timestamp cannot be read or the series is not in order.

    Examples
    --------
    >>> rows = [(f"2026-01-01T{h:02d}:00:00", 3.0) for h in range(24)]
    >>> [r.score for r in analyze_volume(rows)][-1]
    0.0
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise AnalyzeError(f"{timezone!a} is no IANA time zone such as Asia/Riyadh") from error
    series: _Series | None = None
    held: tuple[str, float, float] | None = None
    for number, (stamp, value) in enumerate(rows, start=2):
        last_s = series.last_s if series else held[2] if held else -math.inf
        at_s = _seconds(stamp, zone, last_s, f"{name}, line {number}")
        if held is not None and series is None:
            if at_s <= held[2]:
                raise AnalyzeError(f"{name}, line {number}: the timestamps are not in order")
            series = _Series(Calendar([timezone], [weekend]), at_s - held[2])
            yield series.step(*held)
        if series is None:
            held = (stamp, value, at_s)
            continue
        if at_s < series.last_s:
            raise AnalyzeError(f"{name}, line {number}: the timestamps are not in order")
        yield series.step(stamp, value, at_s)
    if series is None and held is not None:
        yield VolumeRow(held[0], held[1], 0.0, 0, 0, 0.0)


class _Series:
    """The running state of one series."""

    def __init__(self, calendar: Calendar, width_s: float) -> None:
        self.last_s = -math.inf
        self._baseline = Baseline(calendar, 1)
        self._width_min = max(1, round(width_s / 60))
        self._parts = max(1, 60 // self._width_min)
        self._day: deque[tuple[float, float]] = deque()
        self._hour: int | None = None
        self._in_hour: list[float] = []
        self._whole = False  # the first hour is seen in part
        self._hot_s, self._hot_since_s = -math.inf, -math.inf
        self._told, self._told_s = 0.0, -math.inf

    def step(self, stamp: str, value: float, at_s: float) -> VolumeRow:
        """Score a value, then take it in."""
        self._close_hours(int(at_s // 3600))
        self.last_s = at_s
        self._day.append((at_s, value))
        while self._day[0][0] <= at_s - _DAY_S:
            self._day.popleft()
        observed = np.array(
            [[value], *([self._recent(at_s, 60 * width)] for width in HORIZONS_MIN[1:])]
        )
        expected, alpha = self._expected(at_s)
        scores = surprise(observed, expected, alpha)
        known = self._baseline.known(np.array([0]))
        worth = known & (observed >= 4) & (observed >= 1.3 * expected)
        top = float(np.where(worth, scores, 0.0).max())
        self._in_hour.append(value)
        if top >= _LINE:
            if at_s - self._hot_s > 3600:
                self._hot_since_s = at_s
            self._hot_s = at_s
        mean = float(expected[0, 0])
        lower, upper = interval(mean, float(alpha[0, 0]))
        score = self._news(top, at_s)
        return VolumeRow(stamp, value, round(mean, 3), lower, upper, round(score, 5))

    def _news(self, top: float, at_s: float) -> float:
        """Score of what has not been told yet."""
        faded = self._told * max(0.0, 1 - (at_s - self._told_s) / _DAY_S)
        fresh = max(0.0, top - faded)
        if top >= _LINE and top > faded:
            self._told, self._told_s = top, at_s
        return fresh / (fresh + _LINE)

    def _expected(self, at_s: float) -> tuple[Float64, Float64]:
        minute = np.array([int((at_s + self._width_min * 60) // 60) - 1])
        series = np.array([0])
        expected = self._baseline.expected(minute, series)
        expected[0] *= self._width_min / 5
        return expected, self._baseline.alpha(series, expected)

    def _recent(self, at_s: float, span_s: float) -> float:
        return sum(value for then, value in self._day if then > at_s - span_s)

    def _close_hours(self, hour: int) -> None:
        if self._hour is None:
            self._hour = hour
        if hour == self._hour:
            return
        if self._whole and self._in_hour and len(self._in_hour) >= self._parts:
            counts = np.array([sum(self._in_hour)])
            parts = np.array(self._in_hour[: self._parts])[:, None]
            end_s = (self._hour + 1) * 3600.0
            day = np.array([sum(v for then, v in self._day if then > end_s - _DAY_S)])
            hot = self._hot_s >= self._hour * 3600 and (
                self._hot_s - self._hot_since_s < _LEARN_AGAIN_H * 3600
            )
            self._baseline.learn(self._hour, counts, parts, day, np.array([not hot]))
        self._whole = True
        self._hour, self._in_hour = hour, []


def _seconds(stamp: str, zone: ZoneInfo, last_s: float, place: str) -> float:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise AnalyzeError(
            f"{place}: timestamp {stamp[:40]!a} is not ISO 8601, such as 2026-03-01 14:05:00"
        ) from error
    if moment.tzinfo is not None:
        return moment.timestamp()
    first, second = (moment.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first >= last_s:
        return first
    # clocks were changed: this is the hour's second time, or an hour that was left out
    return second if second >= last_s or last_s - first > _CLOCK_CHANGE_S else last_s


class _Text(msgspec.Struct, frozen=True):
    id: str
    text: str


def analyze_sentiment(lines: Iterable[bytes], name: str = "input") -> Iterator[bytes]:
    """Label JSON Lines ``{"id", "text"}``; one JSON object a line, in order.

    Raises
    ------
    AnalyzeError
        If a line is not such an object; the lines before it have been answered.
    """
    model = load()
    decoder = msgspec.json.Decoder(_Text)
    batch: list[_Text] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield from _labelled(model, batch)
            raise AnalyzeError(
                f'{name}, line {number}: not {{"id": "...", "text": "..."}} ({error})'
            ) from error
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _labelled(model, batch)
            batch = []
    yield from _labelled(model, batch)


def _labelled(model: SentimentModel, batch: list[_Text]) -> Iterator[bytes]:
    if not batch:
        return
    probabilities = model.predict(normalise([r.text[:_MAX_TEXT_CHARS] for r in batch]))
    best = np.argmax(probabilities, axis=1).tolist()
    for row, p, label in zip(batch, probabilities.tolist(), best):
        shown = dict(zip(LABELS, (round(x, 4) for x in p)))
        yield msgspec.json.encode({"id": row.id, "label": LABELS[label], **shown})
