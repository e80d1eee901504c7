"""Whom to call when nobody comes: `alerts.duty` as the desk asks for it, over stored steps."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from alerts.duty import Duty
from alerts.escalation import DueStep, superseded
from alerts.records import Alert
from alerts.store.due import Due


class Calls:
    """The `Escalator` over the configured chains and schedules."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty

    def plan(self, alert: Alert, version: int, now_ms: int) -> list[Due]:
        """Steps of the chain for an alert that calls now; none if no chain is for it."""
        return [
            Due(
                key=step.key,
                alert=alert.id,
                chain=step.chain,
                due_ms=step.due_ms,
                body=msgspec.json.encode(step),
            )
            for step in self._duty.plan(alert, version, now_ms)
        ]

    def targets(self, step: Due, alert: Alert) -> list[tuple[str, tuple[str, ...]]]:
        """Receivers of a step, with the people on call now behind each."""
        return self._duty.targets(msgspec.json.decode(step.body, type=DueStep))

    def superseded(self, steps: Sequence[Due]) -> frozenset[str]:
        """Keys of steps that come again in a later round that is due as well."""
        return superseded(msgspec.json.decode(step.body, type=DueStep) for step in steps)
