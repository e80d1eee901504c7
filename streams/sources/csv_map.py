"""How the columns of somebody else's CSV file become a mention."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from models.records import Mention

Convert = Callable[[str], Any]

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "نعم", "صحيح"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "لا", "خطأ"})
_SAMPLE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def _whole(cell: str) -> int:
    if _THOUSANDS.fullmatch(cell):
        cell = cell.replace(",", "")
    number = float(cell)
    if not number.is_integer() or abs(number) >= 2**63:
        raise ValueError(cell)
    return int(cell) if cell.lstrip("+-").isdecimal() else int(number)


def _parse(cell: str, time_format: str) -> datetime:
    return datetime.strptime(cell, time_format)  # noqa: DTZ007, the caller adds the time zone


def _truth(cell: str) -> bool:
    word = cell.casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError(cell)
    return word in _TRUE


def _links(cell: str) -> list[str]:
    return [link for link in re.split(r"[\s|]+", cell) if link]


def _converters() -> dict[str, Convert | None]:
    """Converter by dotted mention key; None where the cell is the value."""
    found: dict[str, Convert | None] = {}

    def visit(struct: msgspec.inspect.StructType, prefix: str) -> None:
        by_type: dict[type, Convert] = {
            msgspec.inspect.IntType: _whole,
            msgspec.inspect.FloatType: float,
            msgspec.inspect.BoolType: _truth,
            msgspec.inspect.VarTupleType: _links,
            msgspec.inspect.DateTimeType: str,
        }
        for item in struct.fields:
            kinds = item.type.types if isinstance(item.type, msgspec.inspect.UnionType) else ()
            kind = next(
                (k for k in kinds if not isinstance(k, msgspec.inspect.NoneType)), item.type
            )
            if isinstance(kind, msgspec.inspect.StructType):
                visit(kind, f"{prefix}{item.name}.")
            else:
                found[prefix + item.name] = by_type.get(type(kind))

    info = msgspec.inspect.type_info(Mention)
    assert isinstance(info, msgspec.inspect.StructType)
    visit(info, "")
    return found


_CONVERTERS = _converters()
MENTION_KEYS = tuple(_CONVERTERS)
"""Every key of a mention, dotted: ``id``, …, ``author.handle``, …"""


@dataclass(frozen=True, slots=True)
class CsvMap:
    """Which column of a CSV file is which key of a mention (docs/mention.md).

    Parameters
    ----------
    columns : mapping of mention key to column header, optional
        For example ``{"text": "Tweet Text", "author.handle": "User"}``.  Empty: every column
        whose header is a mention key.
    constants : mapping of mention key to value, optional
        Used where the file has no column for the key, or an empty cell.
    time_format : str, optional
        For ``datetime.strptime``; times are RFC 3339 otherwise, and always may be.
    timezone : str, optional
        IANA name; the time zone of times without a UTC offset, which are rejected otherwise.
    delimiter : str, optional
        One character; found in the header otherwise, among comma, semicolon, tab and bar.
    encoding : str
        Any that holds ASCII as it is, such as ``windows-1256``.

    Raises
    ------
    ValueError
        If a parameter is not usable; the message names it.

    Examples
    --------
    >>> CsvMap(columns={"txt": "Tweet"})
    Traceback (most recent call last):
    ValueError: columns: 'txt' is not a key of a mention; keys are id, platform, ...
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    time_format: str | None = None
    timezone: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        for name in ("columns", "constants"):
            for key in getattr(self, name):
                if key not in _CONVERTERS:
                    raise ValueError(
                        f"{name}: {key!r} is not a key of a mention; keys are "
                        + ", ".join(MENTION_KEYS)
                    )
        try:
            orjson.dumps(dict(self.constants))
        except TypeError as error:
            raise ValueError(f"constants: not JSON: {error}") from error
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise ValueError(f"delimiter: {self.delimiter!r} is not one character such as ';'")
        self._check_encoding()
        self._check_times()

    def _check_encoding(self) -> None:
        sample = '"a",\\ud800+2AA-\n'  # escapes of codecs that could make lone surrogates
        try:
            same = sample.encode("ascii").decode(self.encoding) == sample
        except (LookupError, UnicodeError):
            same = False
        if not same:
            raise ValueError(
                f"encoding: {self.encoding!r} is unknown or does not hold ASCII as it is"
            )

    def _check_times(self) -> None:
        zone = self.zone()
        if self.time_format is None:
            return
        try:
            parsed = _parse(_SAMPLE.strftime(self.time_format), self.time_format)
        except ValueError as error:
            raise ValueError(f"time_format: {self.time_format!r}: {error}") from error
        if parsed.tzinfo is None and zone is None:
            raise ValueError(f"timezone: needed, since time_format {self.time_format!r} has no %z")

    def zone(self) -> ZoneInfo | None:
        """The time zone of times without an offset."""
        if self.timezone is None:
            return None
        try:
            return ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"timezone: {self.timezone!r} is not an IANA time zone") from error


class RowMapper:
    """Rows of one file to lines of JSON.

    Parameters
    ----------
    csv_map : CsvMap
    header : list of str

    Raises
    ------
    ValueError
        If a column is not in the header, or a required key has neither column nor constant.
    """

    def __init__(self, csv_map: CsvMap, header: list[str]) -> None:
        self._time = (csv_map.time_format, csv_map.zone())
        self._constants = csv_map.constants
        columns = csv_map.columns or {key: key for key in MENTION_KEYS if key in header}
        for key, column in columns.items():
            if column not in header:
                raise ValueError(f"no column {column!a} (for {key}); {_describe(header)}")
        for key in ("platform", "published_at", "text"):
            if key not in columns and key not in csv_map.constants:
                raise ValueError(f"no column for {key}; map one to it; {_describe(header)}")
        self._columns = [
            (header.index(column), key, self._time_text if conv is str else conv)
            for key, column in columns.items()
            for conv in (_CONVERTERS[key],)
        ]

    def line(self, cells: list[str], raw: Callable[[], str]) -> bytes:
        """One mention as JSON.

        A cell that cannot be converted stays a string, for the decoder to reject; such a line,
        and one that lacks a required key, carries the whole row in the key ``csv_row``.
        """
        flat: dict[str, Any] = dict(self._constants)
        clean = True
        for index, key, convert in self._columns:
            cell = cells[index].strip()
            if not cell:
                continue
            try:
                flat[key] = convert(cell) if convert is not None else cell
            except (ValueError, OverflowError):
                flat[key] = cell
                clean = False
        if "id" not in flat:
            flat["id"] = _derived_id(flat)
        mention: dict[str, Any] = {}
        for key, value in flat.items():
            parent, _, child = key.rpartition(".")
            (mention.setdefault(parent, {}) if parent else mention)[child] = value
        if not (clean and "platform" in flat and "published_at" in flat and "text" in flat):
            mention["csv_row"] = raw()
        return orjson.dumps(mention)

    def _time_text(self, cell: str) -> str:
        time_format, zone = self._time
        try:
            when = _parse(cell, time_format) if time_format else datetime.fromisoformat(cell)
        except ValueError:
            when = datetime.fromisoformat(cell)
        if when.tzinfo is None:
            if zone is None:
                raise ValueError(cell)
            when = when.replace(tzinfo=zone)
        return when.isoformat()


def _derived_id(flat: Mapping[str, Any]) -> str:
    """The same row gets the same id in every read."""
    keys = ("platform", "author.handle", "published_at", "text")
    return blake2b(orjson.dumps([flat.get(key) for key in keys]), digest_size=16).hexdigest()


def _describe(header: list[str]) -> str:
    names = ", ".join(ascii(name[:40]) for name in header[:20])
    return f"the header has {names}" + (", …" if len(header) > 20 else "")
