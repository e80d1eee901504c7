"""The form of a silence: what somebody filled in, and the silence that it asks for."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import cast
from zoneinfo import ZoneInfo

import msgspec

from alerts.console.form import Form
from alerts.playbook.records import TYPES, Severity
from alerts.records import SEVERITIES
from alerts.recurrence import instant_ms, wall_clock
from alerts.service.records import SilenceView
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers, Recurring

WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
REPEATS = ("", "daily", "weekly", "monthly", "rule")
_FIRST, _LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - local times
_NAME = re.compile(r"[A-Za-z0-9._~@:-]{1,80}")
_RULE = re.compile(r"[A-Za-z0-9=;,:+-]{1,200}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_REASON = 500
_MOST_MINUTES = 44_640
_HOUR_MS = 3_600_000


class FormError(Exception):
    """What was filled in makes no silence: field and code of each fault."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {code}" for field, code in faults))
        self.faults = tuple(faults)


class SilenceForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields hold, as they were sent; times are by the clock of ``zone``."""

    brands: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    zone: str = "UTC"
    starts: str = ""
    ends: str = ""
    reason: str = ""
    repeat: str = ""
    days: tuple[str, ...] = ()
    rule: str = ""
    minutes: str = "60"

    def draft(self) -> SilenceDraft:
        """The silence that is asked for.

        Raises
        ------
        FormError
            With every field that cannot be read; whether what can be read makes sense is the
            business of `alerts.silences.check`.
        """
        faults = [fault for fault in self._faults() if fault[1]]
        if faults:
            raise FormError(faults)
        zone = ZoneInfo(self.zone)
        starts, ends = _moment(self.starts), _moment(self.ends)
        assert starts is not None
        assert ends is not None
        return SilenceDraft(
            matchers=Matchers(
                brands=self.brands,
                types=self.types,
                severities=cast(tuple[Severity, ...], self.severities),
            ),
            starts_ms=instant_ms(starts, zone),
            ends_ms=instant_ms(ends, zone),
            reason=self.reason.strip(),
            recurring=self._recurring(),
        )

    def _faults(self) -> list[tuple[str, str]]:
        found = [
            ("brands", "" if all(map(_NAME.fullmatch, self.brands)) else "unknown"),
            ("types", "" if set(self.types) <= {*TYPES} else "unknown"),
            ("severities", "" if set(self.severities) <= {*SEVERITIES} else "unknown"),
            ("zone", "" if self.zone in zones() else "zone"),
            ("starts", "" if _moment(self.starts) else "time"),
            ("ends", "" if _moment(self.ends) else "time"),
            ("reason", _reason_fault(self.reason)),
            ("repeat", "" if self.repeat in REPEATS else "unknown"),
        ]
        if self.repeat:
            short = self.minutes.isascii() and self.minutes.isdecimal() and len(self.minutes) < 6
            inside = short and 1 <= int(self.minutes) <= _MOST_MINUTES
            found.append(("minutes", "" if inside else "minutes"))
        if self.repeat == "weekly" and not (self.days and set(self.days) <= {*WEEKDAYS}):
            found.append(("days", "days"))
        if self.repeat == "rule" and not _RULE.fullmatch(self.rule):
            found.append(("rule", "rule"))
        return found

    def _recurring(self) -> Recurring | None:
        if not self.repeat:
            return None
        days = ",".join(day for day in WEEKDAYS if day in self.days)
        rule = {
            "daily": "FREQ=DAILY",
            "weekly": f"FREQ=WEEKLY;BYDAY={days}",
            "monthly": "FREQ=MONTHLY",
            "rule": self.rule,
        }[self.repeat]
        return Recurring(rule=rule, duration_min=int(self.minutes), timezone=self.zone)


def read_form(form: Form) -> SilenceForm:
    """The form as it was sent."""

    def some(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(form.all(name)))

    return SilenceForm(
        brands=some("brands"), types=some("types"), severities=some("severities"),
        zone=form.get("zone"), starts=form.get("starts"), ends=form.get("ends"),
        reason=form.get("reason"), repeat=form.get("repeat"), days=some("days"),
        rule=form.get("rule"), minutes=form.get("minutes"),
    )  # fmt: skip


def fresh_form(
    now_ms: int,
    zone: str,
    *,
    brands: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    severities: tuple[str, ...] = (),
) -> SilenceForm:
    """An empty form, but for what is named: two hours from now on."""
    local = ZoneInfo(zone)
    starts, ends = (_written(wall_clock(at, local)) for at in (now_ms, now_ms + 2 * _HOUR_MS))
    return SilenceForm(
        zone=zone, starts=starts, ends=ends, brands=brands, types=types, severities=severities
    )


def draft_again(silence: SilenceView) -> SilenceDraft:
    """What a silence says, to make it so again after it was ended."""
    starts, ends = (
        round(datetime.fromisoformat(at).timestamp() * 1000)
        for at in (silence.starts_at, silence.ends_at)
    )
    return SilenceDraft(
        matchers=silence.matchers, starts_ms=starts, ends_ms=ends, reason=silence.reason,
        recurring=silence.recurring,
    )  # fmt: skip


def _reason_fault(reason: str) -> str:
    if not reason.strip():
        return "blank"
    return "long" if len(reason) > _MOST_REASON or _CONTROL.search(reason) else ""


def _moment(written: str) -> datetime | None:
    """A local time such as 2026-03-01T10:00, without an offset."""
    try:
        moment = datetime.fromisoformat(written[:19])
    except ValueError:
        return None
    inside = moment.tzinfo is None and _FIRST <= moment < _LAST
    return moment if inside else None


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M")


@cache
def zones() -> frozenset[str]:
    """Names of all time zones."""
    return frozenset(zoneinfo.available_timezones())
