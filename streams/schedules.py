"""The schedules of the configuration, with the calendars they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts.duty import Duty
from alerts.oncall import Schedule, gaps
from alerts.oncall_calendar import CalendarError, check_calendar
from alerts.records import rfc3339
from alerts.recurrence import DAY_MS
from streams.config import Config
from streams.config.load import Fault
from streams.config.response import ScheduleSettings

AHEAD_MS = 30 * DAY_MS  # so far ahead somebody should be on call
_MOST_BYTES = 5_000_000


def open_schedules(config: Config) -> dict[str, Schedule]:
    """The schedules by name, their calendars read.

    Raises
    ------
    CalendarError
        If a calendar cannot be used; the message names the file.
    """
    return {settings.name: open_schedule(settings) for settings in config.schedules}


def open_schedule(settings: ScheduleSettings) -> Schedule:
    """One schedule; see `open_schedules`."""
    if settings.calendar is None:
        return settings.record()
    text = _text(settings.calendar)
    try:
        check_calendar(text, ZoneInfo(settings.timezone))
    except CalendarError as error:
        raise CalendarError(f"{settings.calendar}: {error}") from error
    return settings.record(text)


def faults(config: Config, now_ms: int) -> list[Fault]:
    """Calendars that cannot be used, and when nobody is on call in the days to come."""
    found = []
    for i, settings in enumerate(config.schedules):
        try:
            missing = gaps(open_schedule(settings), now_ms, now_ms + AHEAD_MS)
        except CalendarError as error:
            found.append(Fault(("schedules", i, "calendar"), str(error)))
            continue
        if missing:
            first = missing[0]
            more = f", and {len(missing) - 1} more times" if len(missing) > 1 else ""
            message = (
                f"nobody is on call from {rfc3339(first.start_ms)} to {rfc3339(first.end_ms)}{more}"
                " in the next 30 days; add a shift or an override"
            )
            found.append(Fault(("schedules", i), message, "warning"))
    return found


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CalendarError(f"{path}: cannot be read ({error.strerror})") from error
    if len(content) > _MOST_BYTES:
        raise CalendarError(f"{path}: is larger than {_MOST_BYTES // 1_000_000} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CalendarError(f"{path}: is not UTF-8") from error


def open_duty(config: Config, clock: Callable[[], int]) -> Duty:
    """Chains, business hours and schedules of the configuration.

    Raises
    ------
    CalendarError
        If a calendar cannot be used.
    """
    hours = {brand.id: config.escalation.hours(brand) for brand in config.brand_records()}
    known = {brand: held for brand, held in hours.items() if held is not None}
    return Duty(config.escalation.records(), known, open_schedules(config), clock)
