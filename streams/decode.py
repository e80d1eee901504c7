"""Lines of JSON to mentions; what cannot be read becomes a rejection with a reason.

The good path is one call of a typed decoder a line.  Only a line that fails gets a second look,
which forgives what is harmless (a byte order mark, ``null`` for an optional key) and otherwise
finds the reason and the words.  Details name places, types and limits, never values: the text of
a mention is written by strangers.  The format and the reasons are documented in docs/mention.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import orjson

from models.records import Mention, Rejection

MAX_LINE_BYTES = 1 << 20
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)  # bounds replays, whose clock is the data

REASONS = MappingProxyType(
    {
        "not_json": "The line is not valid JSON.",
        "not_utf8": "The line is not valid UTF-8.",
        "too_deep": "The JSON is nested more than 1,000 levels deep.",
        "not_object": "The line is JSON, but not an object.",
        "missing_key": "A required key is missing or null.",
        "wrong_type": "A value has the wrong type.",
        "bad_value": "A value is outside its range or not one of the allowed words.",
        "empty_id": "An id is empty.",
        "text_too_long": "The text is longer than 20,000 characters.",
        "field_too_long": "Another string, or the list of links or media, is too long.",
        "bad_time": "A time is not RFC 3339 or has no UTC offset.",
        "time_in_future": "The mention was published in the future.",
        "time_too_old": "The mention was published before 2000-01-01.",
        "line_too_large": "The line is longer than 1 MiB.",
        "bad_row": "A row of a CSV file cannot be split into its columns.",
    }
)
"""Every reason code with its meaning; codes are stable, new ones may come."""

CSV_ERRORS = MappingProxyType(
    {
        "columns": "The row has more or fewer cells than the header; check for unquoted "
        "delimiters and for quotes that never close.",
        "syntax": "The row cannot be parsed as CSV; check for a quote that never closes and for "
        "bare carriage returns.",
        "encoding": "The row is not in the encoding of the file; save the file as UTF-8, or set "
        "the encoding in the CSV map.",
        "size": "The row is longer than 1 MiB; check for a quote that never closes.",
    }
)
"""Why the CSV source could not split a row, by the value of the key ``csv_error``."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOM = b"\xef\xbb\xbf"
_DECODE = msgspec.json.Decoder(Mention).decode
_TIME_HINT = "write RFC 3339 with an offset, as in 2026-01-31T09:30:00+03:00"
_ALLOWED = {"$.kind": "post, reply, repost, quote, review or message"}
_TYPES = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "datetime": "a time",
    "null": "null",
}


class Decoded(NamedTuple):
    """What a batch of lines held, both parts in the order of the lines.

    ``positions[i]`` is the position of the line ``mentions[i]`` came from.
    """

    mentions: list[Mention]
    rejections: list[Rejection]
    positions: Sequence[int]


class _Fault(NamedTuple):
    reason: str
    detail: str


def decode_batch(
    lines: Sequence[bytes],
    *,
    source: str,
    positions: Sequence[int],
    now_ms: int | None,
    max_future_ms: int,
) -> Decoded:
    r"""Decode lines of JSON, one mention a line.

    Every line becomes one mention or one rejection; blank lines are skipped.  Of a key that
    occurs twice in an object, the last one counts.

    Parameters
    ----------
    lines : sequence of bytes
        Without their newline; a line of more than 1 MiB may come cut, it is rejected anyway.
    source : str
        Name of the source, kept in rejections.
    positions : sequence of int, as long as ``lines``
        Where each line stands in its source, for example ``range(first, first + len(lines))``.
    now_ms : int or None
        The clock, milliseconds since the epoch; ``None`` in a replay, where only times from the
        year 2100 on count as future.
    max_future_ms : int
        How far ahead of the clock ``published_at`` may be.

    Examples
    --------
    >>> line = b'{"id":"1","platform":"x","published_at":"2026-01-31T09:30:00Z","text":"hi"}'
    >>> out = decode_batch([line, b"{}"], source="demo", positions=[1, 2], now_ms=None,
    ...                    max_future_ms=0)
    >>> out.mentions[0].text, out.rejections[0].reason, out.rejections[0].position
    ('hi', 'missing_key', '2')
    """
    mentions, faults, skipped = _decode(lines)
    kept: Sequence[int] = range(len(lines))
    if skipped or faults:
        kept = [i for i in kept if i not in skipped and i not in faults]
    late = _time_faults(mentions, _latest(now_ms, max_future_ms))
    if late:
        faults |= {kept[i]: fault for i, fault in late.items()}
        mentions = [mention for i, mention in enumerate(mentions) if i not in late]
        kept = [row for i, row in enumerate(kept) if i not in late]
    rejections = [
        Rejection(
            reason=faults[i].reason,
            detail=faults[i].detail,
            source=source,
            position=str(positions[i]),
            raw=lines[i][:MAX_LINE_BYTES],
        )
        for i in sorted(faults)
    ]
    where = positions if len(kept) == len(lines) else [positions[i] for i in kept]
    return Decoded(mentions, rejections, where)


def _decode(lines: Sequence[bytes]) -> tuple[list[Mention], dict[int, _Fault], set[int]]:
    """Mentions, faults by index of the line, and the indices of blank lines."""
    mentions: list[Mention] = []
    faults: dict[int, _Fault] = {}
    skipped: set[int] = set()
    decode = _DECODE if max(map(len, lines), default=0) <= MAX_LINE_BYTES else _decode_sized
    add = mentions.append
    rest = iter(lines)
    line = b""
    while True:
        try:
            for line in rest:
                add(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = _second_look(line)
        else:
            return mentions, faults, skipped
        if isinstance(found, Mention):
            add(found)
            continue
        index = len(mentions) + len(faults) + len(skipped)
        if found is None:
            skipped.add(index)
        else:
            faults[index] = found


def _decode_sized(line: bytes) -> Mention:
    if len(line) > MAX_LINE_BYTES:
        raise msgspec.DecodeError("line too large")
    return _DECODE(line)


def _second_look(line: bytes) -> Mention | _Fault | None:
    """Forgive, or find the reason.  ``None`` for a blank line."""
    if len(line) > MAX_LINE_BYTES:
        return _Fault("line_too_large", "The line is longer than 1 MiB; its first 1 MiB is kept.")
    text = line.removeprefix(_BOM).strip(b" \t\r\n")
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _not_json(text, error)
    if not isinstance(value, dict):
        return _Fault("not_object", "The line is JSON, but not an object; write { … } a line.")
    csv_error = value.get("csv_error")
    if isinstance(csv_error, str) and csv_error in CSV_ERRORS:
        return _Fault("bad_row", CSV_ERRORS[csv_error])
    try:
        return msgspec.convert(_without_nulls(value), Mention)
    except msgspec.ValidationError as error:
        return _explain(str(error))


def _not_json(text: bytes, error: orjson.JSONDecodeError) -> _Fault:
    try:
        text.decode()
    except UnicodeDecodeError as bad:
        return _Fault("not_utf8", f"Byte {bad.start + 1} is not UTF-8; send UTF-8.")
    if "depth limit" in error.msg:
        return _Fault("too_deep", "The JSON is nested more than 1,000 levels deep; flatten it.")
    return _Fault(
        "not_json", f"Not valid JSON at character {error.pos + 1}; write one JSON object a line."
    )


def _without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    """A null key is an absent key, here and one level down."""
    return {
        key: {k: v for k, v in item.items() if v is not None} if isinstance(item, dict) else item
        for key, item in value.items()
        if item is not None
    }


def _explain(message: str) -> _Fault:
    """Reason and sentence for a message of msgspec, which ends in the path of the value."""
    message, _, path = message.partition(" - at `")
    path = path.rstrip("`") or "$"
    if found := re.match(r"Object missing required field `(\w+)`", message):
        return _Fault("missing_key", f"Key {path}.{found[1]} is missing or null; it is required.")
    if found := re.match(r"Expected `([a-z]+)(?: \| null)?`, got `([a-z]+)`", message):
        return _wrong_type(path, found[1], found[2])
    if found := re.match(r"Expected `(\w+)` of length ([<>])= (\d+)", message):
        return _wrong_length(path, found[1], found[2], int(found[3]))
    if found := re.match(r"Expected `\w+` ([<>])= ([0-9.]+)", message):
        most = "most" if found[1] == "<" else "least"
        return _Fault("bad_value", f"{path} must be at {most} {float(found[2]):,.0f}.")
    if message.startswith("Invalid RFC3339"):
        return _Fault("bad_time", f"{path} is not a time that exists; {_TIME_HINT}.")
    if "timezone" in message:
        return _Fault("bad_time", f"{path} has no UTC offset; {_TIME_HINT}.")
    return _Fault("bad_value", f"{path} must be {_ALLOWED.get(path, 'a value in range')}.")


def _wrong_type(path: str, expected: str, got: str) -> _Fault:
    hint = ""
    if expected == "str" and got in ("int", "float", "bool"):
        hint = "; write it as a string, in quotes"
    elif expected in ("int", "float", "bool") and got == "str":
        hint = "; write it without quotes"
    elif expected == "datetime":
        hint = f"; {_TIME_HINT}"
    want, have = _TYPES.get(expected, expected), _TYPES.get(got, got)
    return _Fault("wrong_type", f"{path} must be {want}, but is {have}{hint}.")


def _wrong_length(path: str, kind: str, sign: str, limit: int) -> _Fault:
    if sign == ">":
        reason = "bad_value" if path == "$.platform" else "empty_id"
        return _Fault(reason, f"{path} is empty; give it a value, or leave an optional key out.")
    if kind == "array":
        return _Fault("field_too_long", f"{path} has more than {limit:,} items; send fewer.")
    reason = "text_too_long" if path == "$.text" else "field_too_long"
    return _Fault(reason, f"{path} is longer than {limit:,} characters; shorten it.")


def _latest(now_ms: int | None, max_future_ms: int) -> datetime:
    if now_ms is None:
        return LATEST
    return min(LATEST, _EPOCH + timedelta(milliseconds=now_ms + max_future_ms))


def _time_faults(mentions: list[Mention], latest: datetime) -> dict[int, _Fault]:
    """Faults of ``published_at`` and of the author's ``created_at``, by index of the mention."""
    times = [mention.published_at for mention in mentions]
    in_range = not times or (min(times) >= EARLIEST and max(times) <= latest)
    created = [a.created_at for mention in mentions if (a := mention.author) is not None]
    if in_range and not any(c is not None and c.tzinfo is None for c in created):
        return {}
    faults = ((i, _time_fault(mention, latest)) for i, mention in enumerate(mentions))
    return {i: fault for i, fault in faults if fault is not None}


def _time_fault(mention: Mention, latest: datetime) -> _Fault | None:
    when = mention.published_at
    if when < EARLIEST:
        return _Fault("time_too_old", "$.published_at is before 2000-01-01; check its year.")
    if when > latest:
        return _Fault(
            "time_in_future",
            f"$.published_at is after {latest:%Y-%m-%dT%H:%M:%SZ}, the latest time accepted; "
            "check the clock and the UTC offset of the sender.",
        )
    created = mention.author.created_at if mention.author is not None else None
    if created is not None and created.tzinfo is None:
        return _Fault("bad_time", f"$.author.created_at has no UTC offset; {_TIME_HINT}.")
    return None
