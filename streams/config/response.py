"""The settings of the response: who is on call, who is told next, how long silences may last.

Part of :mod:`streams.config.schema`.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from alerts.escalation import MOST_REPEATS, MOST_STEPS, Chain, Step, Target
from alerts.hours import BusinessHours, minutes
from alerts.oncall import Override, Rotation, Schedule
from alerts.playbook.records import Severity
from alerts.recurrence import instant_ms
from alerts.retention import Retention
from models.records import Brand
from streams.config.base import Settings
from streams.config.fields import (
    Distinct,
    FilePath,
    Filled,
    Identifier,
    IsoDate,
    Items,
    Section,
    Text,
    TimeZone,
    WholeNumber,
)

_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError("must be a time of day such as 08:30")
    return text


def _local_time(text: str) -> str:
    try:
        if datetime.fromisoformat(text).tzinfo is None and len(text) == len("2026-03-05T08:00"):
            return text
    except ValueError:
        pass
    raise ValueError("must be a local time such as 2026-03-05T08:00")


Clock = Annotated[str, AfterValidator(_clock)]
LocalTime = Annotated[str, AfterValidator(_local_time)]


class RotationSettings(Settings):
    """People who take turns."""

    people: Annotated[Items[Text], Filled] = Field(
        description="Who takes turns, in order, as the receivers know them."
    )
    first: IsoDate = Field(description="Day of the first turn.")
    hand_over: Clock = Field(
        "08:00", description="Time of day at which they hand over, by the schedule's clock."
    )
    days: WholeNumber = Field(7, ge=1, le=366, description="Days of a turn.")

    def record(self) -> Rotation:
        """The rotation as alerts know it."""
        return Rotation(
            people=self.people, first=self.first, hand_over=self.hand_over, days=self.days
        )


class OverrideSettings(Settings):
    """Somebody who stands in."""

    person: Text = Field(description="Who stands in for whoever else would be on call.")
    start: LocalTime = Field(description="From when, by the schedule's clock.")
    end: LocalTime = Field(description="Until when.")


class ScheduleSettings(Settings):
    """Who is on call."""

    name: Identifier = Field(description="Unique name of the schedule.")
    timezone: TimeZone = Field("UTC", description="IANA time zone of its clock.")
    rotation: RotationSettings | None = Field(
        None, description="People who take turns; or set `calendar`."
    )
    calendar: FilePath | None = Field(
        None, description="iCalendar file with one event a shift; or set `rotation`."
    )
    overrides: Items[OverrideSettings] = Field((), description="Who stands in, and when.")

    def record(self, calendar: str | None = None) -> Schedule:
        """The schedule as alerts know it; ``calendar`` is the text of its file."""
        zone = ZoneInfo(self.timezone)

        def ms(text: str) -> int:
            return instant_ms(datetime.fromisoformat(text), zone)

        return Schedule(
            name=self.name,
            timezone=self.timezone,
            rotation=None if self.rotation is None else self.rotation.record(),
            calendar=calendar,
            overrides=tuple(
                Override(person=o.person, start_ms=ms(o.start), end_ms=ms(o.end))
                for o in self.overrides
            ),
        )


class StepSettings(Settings):
    """A step of a chain."""

    after_min: WholeNumber = Field(
        0, ge=0, le=10_080, description="Minutes after the alert, or after the round began."
    )
    receivers: Annotated[Distinct[Identifier], Filled] = Field(
        description="Names of the receivers that are told."
    )
    schedule: Identifier | None = Field(
        None, description="Schedule whose people on call are named to them."
    )
    hours: Literal["always", "business"] = Field(
        "always", description="`business` waits, and counts, in business hours only."
    )


class ChainSettings(Settings):
    """Who is told, and who next, until somebody acknowledges."""

    name: Identifier = Field(description="Unique name of the chain.")
    brands: Distinct[Identifier] = Field((), description="Brands it is for; empty is all.")
    severities: Distinct[Severity] = Field(
        (), description="`watch`, `warning`, `critical`; empty is all."
    )
    steps: Annotated[tuple[StepSettings, ...], Filled] = Field(
        max_length=MOST_STEPS, description="What happens, in order."
    )
    repeats: WholeNumber = Field(
        0, ge=0, le=MOST_REPEATS, description="How often it begins again after its last step."
    )
    repeat_after_min: WholeNumber = Field(
        30, ge=1, le=10_080, description="Minutes from the last step to the next round."
    )

    def record(self) -> Chain:
        """The chain as alerts know it."""
        return Chain(
            name=self.name,
            brands=self.brands,
            severities=self.severities,
            repeats=self.repeats,
            repeat_after_min=self.repeat_after_min,
            steps=tuple(
                Step(
                    after_min=step.after_min,
                    targets=tuple(
                        Target(receiver=name, schedule=step.schedule) for name in step.receivers
                    ),
                    hours=step.hours,
                )
                for step in self.steps
            ),
        )


class BusinessHoursSettings(Settings):
    """When people are at work, on days that are no weekend of the brand."""

    opens: Clock = Field("09:00", description="When business hours begin, by the brand's clock.")
    closes: Clock = Field("17:00", description="When they end; `24:00` is midnight.")


class EscalationSettings(Settings):
    """Chains, and when business is done."""

    business_hours: Section[BusinessHoursSettings] = Field(
        BusinessHoursSettings(), description="Business hours, on days that are no weekend."
    )
    chains: Items[ChainSettings] = Field(
        (), description="Who is told, and who next, until somebody acknowledges."
    )

    def records(self) -> tuple[Chain, ...]:
        """The chains as alerts know them."""
        return tuple(chain.record() for chain in self.chains)

    def hours(self, brand: Brand) -> BusinessHours | None:
        """Business hours of a brand; None if it never opens."""
        days = tuple(day for day in range(7) if day not in brand.weekend)
        opens, closes = self.business_hours.opens, self.business_hours.closes
        if minutes(opens) >= minutes(closes) or not days:
            return None
        return BusinessHours(timezone=brand.timezone, opens=opens, closes=closes, days=days)


class SilenceSettings(Settings):
    """Limits of silences."""

    default_min: WholeNumber = Field(
        120, ge=1, le=44_640, description="Minutes of a silence for which no end is given."
    )
    max_days: WholeNumber = Field(
        30, ge=1, le=366, description="Longest silence that does not recur, in days."
    )


class RetentionSettings(Settings):
    """How long things are kept; see docs/privacy.md."""

    evidence_days: WholeNumber = Field(
        365, ge=1, le=36_500, description="Days for which what people wrote is kept in alerts."
    )
    alert_days: WholeNumber = Field(
        1_095, ge=1, le=36_500, description="Days for which alerts, signals and decisions are kept."
    )
    notification_days: WholeNumber = Field(
        90, ge=1, le=36_500, description="Days for which what receivers were told is kept."
    )
    audit_days: WholeNumber = Field(
        2_555, ge=1, le=36_500, description="Days for which the audit trail is kept."
    )

    def record(self) -> Retention:
        """The plan as alerts know it."""
        return Retention(
            evidence_days=self.evidence_days,
            alert_days=self.alert_days,
            notification_days=self.notification_days,
            audit_days=self.audit_days,
        )


def anchored(schedules: tuple[ScheduleSettings, ...], base: Path) -> tuple[ScheduleSettings, ...]:
    """The same schedules with the paths of their calendars resolved against ``base``."""
    return tuple(
        s if s.calendar is None else s.model_copy(update={"calendar": base / s.calendar})
        for s in schedules
    )
