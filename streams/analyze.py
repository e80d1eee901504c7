"""One detector or model alone, on a file: what ``nadhir analyze`` does."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from models.calendar import Calendar
from models.quantify import negative_share
from models.records import LABELS
from models.sentiment import OffensiveModel, load, load_offensive
from models.sentiment.features import arabic_texts
from models.sentiment.predictor import Sentiment, predict
from models.series import HOUR_S, Scored, SeriesDetector
from models.text import normalise
from streams.analyze_files import AnalyzeError, numbered
from streams.config.sentiment import SentimentSettings
from streams.sentiment import open_sentiment

_BATCH = 2000
_MAX_TEXT_CHARS = 20_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


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
    try:
        missing = {"timestamp", "value"} - set(reader.fieldnames or ())
    except csv.Error as error:
        raise AnalyzeError(
            f"{name}, line 1: the header timestamp,value is missing ({error})"
        ) from error
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

    The model is in models/series.py.  What was told is not told again: for a day after an alarm
    only what worsens or begins anew scores.

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
    series: SeriesDetector | None = None
    held: tuple[str, float, float] | None = None
    for number, (stamp, value) in enumerate(rows, start=2):
        last_s = series.last_s if series else held[2] if held else -math.inf
        at_s = _seconds(stamp, zone, last_s, f"{name}, line {number}")
        if held is not None and series is None:
            if at_s <= held[2]:
                raise AnalyzeError(f"{name}, line {number}: the timestamps are not in order")
            series = SeriesDetector(Calendar([timezone], [weekend]), at_s - held[2])
            yield _row(held[0], held[1], series.step(held[2], held[1]))
        if series is None:
            held = (stamp, value, at_s)
            continue
        if at_s < series.last_s:
            raise AnalyzeError(f"{name}, line {number}: the timestamps are not in order")
        yield _row(stamp, value, series.step(at_s, value))
    if series is None and held is not None:
        yield VolumeRow(held[0], held[1], 0.0, 0, 0, 0.0)


def _row(stamp: str, value: float, scored: Scored) -> VolumeRow:
    return VolumeRow(stamp, value, scored.expected, scored.lower, scored.upper, scored.score)


def _seconds(stamp: str, zone: ZoneInfo, last_s: float, place: str) -> float:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise AnalyzeError(
            f"{place}: timestamp {stamp[:40]!a} is not ISO 8601, such as 2026-03-01 14:05:00"
        ) from error
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise AnalyzeError(f"{place}: timestamp {stamp[:40]!a} is not in this age")
    if moment.tzinfo is not None:
        return moment.timestamp()
    first, second = (moment.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first >= last_s:
        return first
    # clocks were changed: this is the hour's second time, or an hour that was left out
    return second if second >= last_s or last_s - first > HOUR_S else last_s


class _Text(msgspec.Struct, frozen=True):
    id: str
    text: str


def analyze_sentiment(
    lines: Iterable[bytes],
    name: str = "input",
    *,
    offensive: bool = False,
    settings: SentimentSettings | None = None,
) -> Iterator[bytes]:
    """Label JSON Lines ``{"id", "text"}``; one JSON object a line, in order.

    Parameters
    ----------
    lines : iterable of bytes
        Each an object; blank lines are passed over.
    name : str
        What errors call the input.
    offensive : bool
        Add how likely the text is offensive.
    settings : SentimentSettings, optional
        Which model labels; the one that ships with Nadhir by default.

    Raises
    ------
    AnalyzeError
        If a line is not such an object; the lines before it have been answered.
    """
    model = load() if settings is None else open_sentiment(settings)
    offence = load_offensive() if offensive else None
    for batch in _batches(lines, name):
        yield from _labelled(model, offence, batch)


def analyze_share(lines: Iterable[bytes], name: str = "input") -> bytes:
    """Estimate how many of a group are negative, from JSON Lines ``{"id", "text"}``.

    Returns
    -------
    bytes
        A JSON object: ``mentions``, ``counted`` (the share that is labelled negative) and
        ``negative_share``, without the classifier's known errors (models/quantify.py).

    Raises
    ------
    AnalyzeError
        As `analyze_sentiment` does.
    """
    model = load()
    probabilities, arabic = [np.empty((0, 3), np.float32)], [np.empty(0, np.bool_)]
    for batch in _batches(lines, name):
        texts = normalise([r.text[:_MAX_TEXT_CHARS] for r in batch])
        probabilities.append(model.predict(texts))
        arabic.append(arabic_texts(texts, model.spec))
    p, script = np.concatenate(probabilities), np.concatenate(arabic)
    counted = float((p.argmax(axis=1) == 0).mean()) if len(p) else 0.0
    share = negative_share(p, script)
    answer = {"mentions": len(p), "counted": round(counted, 4), "negative_share": round(share, 4)}
    return msgspec.json.encode(answer)


def _batches(lines: Iterable[bytes], name: str) -> Iterator[list[_Text]]:
    """Texts of lines; what was read before a line that is wrong comes before its error."""
    decoder = msgspec.json.Decoder(_Text)
    batch: list[_Text] = []
    for number, line in numbered(lines):
        try:
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield batch
            raise AnalyzeError(
                f'{name}, line {number}: not {{"id": "...", "text": "..."}} ({error})'
            ) from error
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _labelled(
    model: Sentiment, offence: OffensiveModel | None, batch: list[_Text]
) -> Iterator[bytes]:
    if not batch:
        return
    written = [r.text[:_MAX_TEXT_CHARS] for r in batch]
    texts = normalise(written)
    probabilities = predict(model, written, texts)
    best = np.argmax(probabilities, axis=1).tolist()
    rows: list[dict[str, object]] = []
    for row, p, label in zip(batch, probabilities.tolist(), best):
        shown = dict(zip(LABELS, (round(x, 4) for x in p)))
        rows.append({"id": row.id, "label": LABELS[label], **shown})
    if offence is not None:
        for answer, p_offensive in zip(rows, offence.predict(texts).tolist()):
            answer["offensive"] = round(p_offensive, 4)
    yield from map(msgspec.json.encode, rows)
