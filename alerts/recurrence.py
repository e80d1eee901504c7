"""Recurring times as people mean them: by the clock on the wall of a time zone (RFC 5545).

A start that the clock skips in spring is taken with the offset before the change, so 02:30 becomes
03:30; one that comes twice in autumn is the first (RFC 5545, 3.3.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dateutil.rrule import rrule

DAY_MS = 86_400_000
MOST_COUNT = 2_000
MOST_YEARS = 5  # of a recurrence, which bounds how long it is looked through
_RULE = re.compile(r"[A-Z]+=[A-Z0-9,+:-]+(?:;[A-Z]+=[A-Z0-9,+:-]+)*")
_COUNT = re.compile(r"(?:\A|;)COUNT=([0-9]+)")
_MOST_INTERVAL = {"DAILY": 366, "WEEKLY": 52, "MONTHLY": 12, "YEARLY": 4}
_PARTS = frozenset(
    ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "COUNT", "WKST")
)
_MOST_CHARS = 200


class Window(msgspec.Struct, frozen=True, order=True):
    """A span of time, its end not included."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.start_ms <= at_ms < self.end_ms


class RuleError(ValueError):
    """A recurrence rule that cannot be used; ``code`` names the fault."""

    def __init__(self, code: str, part: str) -> None:
        super().__init__(f"{code}: {part}")
        self.code = code
        self.part = part


def instant_ms(local: datetime, zone: tzinfo) -> int:
    """The moment at which the clock of a zone shows a naive local time.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> skipped = datetime(2026, 3, 29, 2, 30)
    >>> wall_clock(instant_ms(skipped, ZoneInfo("Europe/Berlin")), ZoneInfo("Europe/Berlin")).hour
    3
    """
    return round(local.replace(tzinfo=zone, fold=0).timestamp() * 1000)


def wall_clock(at_ms: int, zone: tzinfo) -> datetime:
    """What the clock of a zone shows, naive, in whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def check_rule(rule: str) -> dict[str, str]:
    """Parts of a rule that people may write: days and longer, without hours or an end of its own.

    Raises
    ------
    RuleError
        ``unreadable``, or ``part`` for one that is not taken: the time of day is that of the start,
        the end is that of the silence.

    Examples
    --------
    >>> check_rule("FREQ=WEEKLY;BYDAY=FR,SA")
    {'FREQ': 'WEEKLY', 'BYDAY': 'FR,SA'}
    """
    if len(rule) > _MOST_CHARS or not _RULE.fullmatch(rule):
        raise RuleError("unreadable", rule[:_MOST_CHARS])
    pairs = [part.partition("=")[::2] for part in rule.split(";")]
    parts = dict(pairs)
    if len(parts) < len(pairs) or "FREQ" not in parts:
        raise RuleError("unreadable", rule)
    wrong = next((name for name in parts if name not in _PARTS), None)
    if wrong or parts["FREQ"] not in _MOST_INTERVAL:
        raise RuleError("part", wrong or f"FREQ={parts['FREQ']}")
    _check_count(parts, "INTERVAL", _MOST_INTERVAL[parts["FREQ"]])
    _check_count(parts, "COUNT", MOST_COUNT)
    from dateutil.rrule import rrulestr  # few commands need it

    try:
        rrulestr(rule, dtstart=datetime(2024, 1, 1))  # noqa: DTZ001 - local times have no zone
    except (ValueError, TypeError) as error:
        raise RuleError("unreadable", rule) from error
    return parts


def _check_count(parts: dict[str, str], name: str, most: int) -> None:
    text = parts.get(name, "1")
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise RuleError("part", f"{name}={text}")


@lru_cache(maxsize=256)
def _expansion(rule: str, first: datetime, until: datetime) -> rrule:
    from dateutil.rrule import rrule, rrulestr

    expansion = rrulestr(rule, dtstart=first, cache=True)
    assert isinstance(expansion, rrule)  # a rule alone, never a set
    return expansion.replace(until=until)


def local_times(rule: str, first: datetime, from_: datetime, until: datetime) -> Iterator[datetime]:
    """Naive local times of a rule from ``from_`` to ``until``, both included.

    Parameters
    ----------
    rule : str
        As `check_rule` takes it, or with hours; without UNTIL.
    first : datetime
        From which the rule counts; a time of the rule only if it matches it.
    from_, until : datetime
    """
    # whole years, so that the expansion is found again; what is beyond is cut below
    bound = datetime(min(until.year + 1, 9999), 1, 1)  # noqa: DTZ001 - local times have no zone
    count = _COUNT.search(rule)
    # dateutil takes an end or a count, not both: a rule that hardly comes about has no end
    expansion = _expansion(_COUNT.sub("", rule).removeprefix(";"), first, bound)
    times = islice(expansion, int(count[1])) if count else expansion.xafter(from_, inc=True)
    yield from takewhile(lambda at: at <= until, dropwhile(lambda at: at < from_, times))


def starts(rule: str, first_ms: int, zone: tzinfo, from_ms: int, to_ms: int) -> Iterator[int]:
    """Moments in ``from_ms <= t < to_ms`` at which a rule begins anew, for `MOST_YEARS`."""
    slack = timedelta(days=2)  # more than any clock was ever moved
    first = wall_clock(first_ms, zone)
    last_ms = min(to_ms, first_ms + MOST_YEARS * 366 * DAY_MS)
    begin, end = wall_clock(max(from_ms, first_ms), zone) - slack, wall_clock(last_ms, zone) + slack
    for local in local_times(rule, first, max(begin, first), end):
        at_ms = max(instant_ms(local, zone), first_ms)
        if from_ms <= at_ms < last_ms:
            yield at_ms


def merged(windows: Iterable[Window]) -> list[Window]:
    """Windows in order, those that touch or overlap as one.

    Examples
    --------
    >>> merged([Window(5, 9), Window(0, 5), Window(20, 30)])
    [Window(start_ms=0, end_ms=9), Window(start_ms=20, end_ms=30)]
    """
    out: list[Window] = []
    for window in sorted(windows):
        if window.end_ms <= window.start_ms:
            continue
        if out and window.start_ms <= out[-1].end_ms:
            out[-1] = Window(out[-1].start_ms, max(out[-1].end_ms, window.end_ms))
        else:
            out.append(window)
    return out
