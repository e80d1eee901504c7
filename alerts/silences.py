"""Silences: timed mutes with an owner and a reason, once or recurring.

A silence drops notifications and says which silence did it; alerts are found, kept and shown all
the same, and a rise to a severity that it does not name is told.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from alerts.playbook.records import Bilingual, Severity
from alerts.records import Alert, Event, rfc3339
from alerts.recurrence import (
    DAY_MS,
    MOST_YEARS,
    RuleError,
    Window,
    check_rule,
    instant_ms,
    merged,
    starts,
    wall_clock,
)
from alerts.texts import Phrases

MINUTE_MS = 60_000
MOST_DURATION_MIN = 31 * 24 * 60  # of one window of a recurring silence
_MOST_CHARS = 500  # of owner and reason


class Matchers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a silence is about: every field that names something must name what the alert has."""

    brands: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    kinds: tuple[str, ...] = ()

    def match(self, brand: str, type_: str, severity: Severity, kind: str) -> bool:
        """Whether an alert of this brand, type, severity and kind is meant.

        Examples
        --------
        >>> Matchers(brands=("acme",)).match("acme", "rumour", "watch", "volume")
        True
        """
        pairs = (
            (brand, self.brands),
            (type_, self.types),
            (severity, self.severities),
            (kind, self.kinds),
        )
        return all(not named or value in named for value, named in pairs)


class Recurring(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a silence comes again: a rule (RFC 5545 RRULE), by the clock of a time zone.

    Each window begins at the time of day of the silence's start and lasts exactly so long, also
    where the clock is changed in between (RFC 5545, 3.3.6).
    """

    rule: str
    duration_min: int
    timezone: str


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A mute from ``starts_ms`` to ``ends_ms``, in these whole or in recurring windows.

    ``ended_ms`` is when somebody ended it early.
    """

    id: str
    matchers: Matchers
    starts_ms: int
    ends_ms: int
    owner: str
    reason: str
    created_ms: int
    recurring: Recurring | None = None
    ended_ms: int | None = None

    @property
    def last_ms(self) -> int:
        """When it is over for good."""
        return self.ends_ms if self.ended_ms is None else min(self.ends_ms, self.ended_ms)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a field that somebody wrote: a stable code, and a sentence."""

    field: str
    code: str
    sentence: Bilingual


class Muted(msgspec.Struct, frozen=True, kw_only=True):
    """Why a notification is held back: by which silence, in which window."""

    silence: str
    window: Window
    sentence: Bilingual


class Told(Protocol):
    """What a preview asks of an alert of the past."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def brand(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> Bilingual: ...  # noqa: D102
    @property
    def timeline(self) -> tuple[Event, ...]: ...  # noqa: D102


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence would have muted of a past alert, and what would have been told of it."""

    alert: str
    brand: str
    title: Bilingual
    muted: tuple[Event, ...]
    told: tuple[Event, ...]


# time -----------------------------------------------------------------------------------------


def windows(silence: Silence, from_ms: int, to_ms: int) -> Iterator[Window]:
    """Windows that overlap ``from_ms <= t < to_ms``, in order, cut to the silence's own span."""
    recurring, last_ms = silence.recurring, silence.last_ms
    if recurring is None:
        spans = [Window(silence.starts_ms, last_ms)]
    else:
        length = recurring.duration_min * MINUTE_MS
        begins = starts(
            recurring.rule,
            silence.starts_ms,
            ZoneInfo(recurring.timezone),
            from_ms - length,
            min(to_ms, last_ms),
        )
        spans = merged(Window(at, min(at + length, last_ms)) for at in begins)
    yield from (w for w in spans if w.start_ms < min(to_ms, w.end_ms) and w.end_ms > from_ms)


def active_at(silence: Silence, now_ms: int) -> Window | None:
    """The window it is in now, if any."""
    return next(windows(silence, now_ms, now_ms + 1), None)


def next_windows(silence: Silence, now_ms: int, count: int = 5) -> list[Window]:
    """The running window and those to come."""
    found: list[Window] = []
    for window in windows(silence, now_ms, silence.last_ms):
        found.append(window)
        if len(found) == count:
            break
    return found


def expired(silence: Silence, now_ms: int) -> bool:
    """Whether it will never mute again."""
    return not next_windows(silence, now_ms, 1)


# judging --------------------------------------------------------------------------------------


def muted(silences: Iterable[Silence], alert: Alert, now_ms: int, phrases: Phrases) -> Muted | None:
    """The silence that mutes an alert now, the one that lasts longest; None if it is to be told.

    Parameters
    ----------
    silences : iterable of Silence
    alert : Alert
        As it is now: its severity may have risen beyond what a silence names.
    now_ms : int
    phrases : Phrases
        The sentences of response.yaml.
    """
    best: tuple[Window, Silence] | None = None
    for silence in silences:
        if silence.matchers.match(alert.brand, alert.type, alert.severity, alert.kind):
            window = active_at(silence, now_ms)
            if window is not None and (best is None or window.end_ms > best[0].end_ms):
                best = window, silence
    if best is None:
        return None
    window, silence = best
    facts = {"until": rfc3339(window.end_ms), "owner": silence.owner, "reason": silence.reason}
    return Muted(silence=silence.id, window=window, sentence=phrases.say("silences.muted", facts))


def preview(silence: Silence, alerts: Iterable[Told], from_ms: int, to_ms: int) -> list[Preview]:
    """What a silence would have muted, had it been there from ``from_ms`` to ``to_ms``.

    A recurring one is taken back in time with its rhythm; one for once is taken to have lasted all
    the while, since what lies before it tells what it is about, not when.  Alerts it does not
    touch are left out.
    """
    if silence.recurring is None:
        spans = [Window(from_ms, to_ms)]
    else:
        spans = list(windows(_taken_back(silence, from_ms, to_ms), from_ms, to_ms))
    found = []
    for alert in alerts:
        hits: list[Event] = []
        told: list[Event] = []
        for event in alert.timeline:
            at_ms = round(datetime.fromisoformat(event.at).timestamp() * 1000)
            meant = silence.matchers.match(alert.brand, event.type, event.severity, alert.kind)
            inside = meant and any(w.holds(at_ms) for w in spans)
            (hits if inside else told).append(event)
        if hits:
            found.append(
                Preview(
                    alert=alert.id,
                    brand=alert.brand,
                    title=alert.title,
                    muted=tuple(hits),
                    told=tuple(told),
                )
            )
    return found


def _taken_back(silence: Silence, from_ms: int, to_ms: int) -> Silence:
    """The same rhythm begun earlier: a whole number of its periods, each on days that exist."""
    assert silence.recurring is not None
    parts = check_rule(silence.recurring.rule)
    interval = int(parts.get("INTERVAL", "1"))
    zone = ZoneInfo(silence.recurring.timezone)
    first = wall_clock(silence.starts_ms, zone)
    target = wall_clock(from_ms, zone) - timedelta(minutes=silence.recurring.duration_min, days=2)
    if parts["FREQ"] in ("DAILY", "WEEKLY"):
        period = timedelta(days=interval * (1 if parts["FREQ"] == "DAILY" else 7))
        first -= max(0, -((target - first) // period)) * period
    else:
        months = interval * (12 if parts["FREQ"] == "YEARLY" else 1)
        by_rule = "BYDAY" in parts or "BYMONTHDAY" in parts
        first = _months_back(first.replace(day=1) if by_rule else first, months, target)
    rule = ";".join(f"{k}={v}" for k, v in parts.items() if k != "COUNT")
    recurring = msgspec.structs.replace(silence.recurring, rule=rule)
    return msgspec.structs.replace(
        silence,
        starts_ms=instant_ms(first, zone),
        ends_ms=to_ms,
        ended_ms=None,
        recurring=recurring,
    )


def _months_back(first: datetime, months: int, target: datetime) -> datetime:
    """The last time a whole number of periods before ``first``, not after ``target``, that exists.

    The 31st is not in every month, and 29 February not in every year.
    """
    at, month = first, first.year * 12 + first.month - 1
    while at > target:
        month -= months
        year, number = divmod(month, 12)
        if first.day <= monthrange(year, number + 1)[1]:
            at = first.replace(year=year, month=number + 1)
    return at


# what somebody wrote --------------------------------------------------------------------------


def check(silence: Silence, phrases: Phrases, *, max_days: int = 366) -> list[Fault]:
    """Everything wrong with a silence, before it is stored.

    Parameters
    ----------
    silence : Silence
    phrases : Phrases
        The sentences of response.yaml.
    max_days : int
        Longest span of a silence that does not recur; one that recurs may span five years.
    """
    found = [
        *_text_faults(silence), *_time_faults(silence, max_days), *_recurrence_faults(silence)
    ]  # fmt: skip
    return [
        Fault(field=field, code=code, sentence=phrases.say(f"silences.faults.{code}", facts))
        for field, code, facts in found
    ]


_Code = tuple[str, str, dict[str, object]]


def _text_faults(silence: Silence) -> Iterator[_Code]:
    for field in ("owner", "reason"):
        text = getattr(silence, field)
        if not text.strip():
            yield field, "blank", {}
        elif len(text) > _MOST_CHARS:
            yield field, "too_many_characters", {"limit": _MOST_CHARS}
    if silence.matchers == Matchers():
        yield "matchers", "names_nothing", {}


def _time_faults(silence: Silence, max_days: int) -> Iterator[_Code]:
    days = max_days if silence.recurring is None else 366 * MOST_YEARS
    if silence.ends_ms <= silence.starts_ms:
        yield "ends", "ends_before_start", {}
    elif silence.ends_ms - silence.starts_ms > days * DAY_MS:
        yield "ends", "too_long", {"days": days}


def _recurrence_faults(silence: Silence) -> Iterator[_Code]:
    recurring = silence.recurring
    if recurring is None:
        return
    if not 1 <= recurring.duration_min <= MOST_DURATION_MIN:
        yield "recurring.duration_min", "duration", {"most": MOST_DURATION_MIN}
        return
    try:
        ZoneInfo(recurring.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield "recurring.timezone", "unknown_timezone", {"timezone": recurring.timezone[:60]}
        return
    try:
        check_rule(recurring.rule)
    except RuleError as error:
        yield "recurring.rule", f"rule_{error.code}", {"part": error.part}
        return
    if silence.starts_ms < silence.ends_ms and expired(silence, silence.starts_ms):
        yield "recurring.rule", "never", {}
