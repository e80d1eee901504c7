"""Settings of what receivers are told, and when; and of how notifications are tried."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from alerts.notify.backoff import Retries
from alerts.notify.chain import Route
from alerts.notify.stages.quiet import QuietHours
from streams.config.base import Settings
from streams.config.fields import (
    ClockTime,
    Distinct,
    FilePath,
    Filled,
    Identifier,
    Switch,
    TimeZone,
    WholeNumber,
)


class QuietSettings(Settings):
    """Hours in which only what is severe is told."""

    start: ClockTime = Field(description="When they begin, such as `22:00`.")
    end: ClockTime = Field(description="When they end; before `start`, on the next day.")
    timezone: TimeZone = Field("UTC", description="IANA time zone of both.")
    below: Literal["warning", "critical"] = Field(
        "critical", description="What is less severe than this waits for the end."
    )

    def record(self) -> QuietHours:
        """The hours as the dispatcher knows them."""
        return QuietHours(
            start=time.fromisoformat(self.start),
            end=time.fromisoformat(self.end),
            timezone=self.timezone,
            below=self.below,
        )


class RouteSettings(Settings):
    """What some receivers are told, and when."""

    receivers: Annotated[Distinct[Identifier], Filled] = Field(
        description="Names of receivers; each may stand in one route."
    )
    brands: Distinct[Identifier] = Field((), description="Brands they are told of; empty for all.")
    min_severity: Literal["watch", "warning", "critical"] = Field(
        "watch", description="Least severity they are told of."
    )
    resolved: Switch = Field(True, description="Whether they are told of the end.")
    drills: Switch = Field(True, description="Whether they are told of drills, marked so.")
    quiet: QuietSettings | None = Field(
        None, description="Hours in which only what is severe is told."
    )
    group_wait_s: WholeNumber = Field(
        0, ge=0, le=3_600, description="Seconds the first news of a brand waits for more of it."
    )
    max_per_hour: WholeNumber | None = Field(
        None, ge=1, le=3_600, description="Most messages an hour; the rest becomes one summary."
    )

    def record(self) -> Route:
        """The route as the dispatcher knows it."""
        return Route(
            brands=self.brands,
            min_severity=self.min_severity,
            resolved=self.resolved,
            drills=self.drills,
            quiet=self.quiet.record() if self.quiet else None,
            group_wait_ms=1_000 * self.group_wait_s,
            per_hour=self.max_per_hour,
        )


class NotificationSettings(Settings):
    """How notifications are tried."""

    timeout_s: WholeNumber = Field(
        10, ge=1, le=25, description="Seconds to connect to a receiver, and to wait for an answer."
    )
    attempts: WholeNumber = Field(
        10, ge=1, le=1_000, description="Least attempts before a notification is given up."
    )
    give_up_after_h: WholeNumber = Field(
        24, ge=0, le=720, description="Least hours before a notification is given up."
    )
    ca_file: FilePath | None = Field(
        None,
        description="Certificates (PEM) that are trusted beside the public ones, for HTTPS; "
        "`null` is none.",
    )

    def record(self) -> Retries:
        """The retries as the dispatcher knows them."""
        return Retries(attempts=self.attempts, give_up_after_ms=self.give_up_after_h * 3_600_000)

    def anchored(self, base: Path) -> NotificationSettings:
        """The same settings with the path resolved against ``base``."""
        return self.model_copy(update={"ca_file": self.ca_file and base / self.ca_file})
