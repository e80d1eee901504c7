"""Whom to call when nobody comes: the configured chains, as the desk asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from alerts.escalation import Chain, DueStep, choose, plan
from alerts.hours import BusinessHours
from alerts.oncall import Schedule, on_call
from alerts.records import Alert
from alerts.store.due import Due


class Chains:
    """The `Escalator` over chains and schedules.

    Parameters
    ----------
    chains : sequence of Chain
    schedules : mapping of str to Schedule
        By name.
    hours : mapping of str to BusinessHours or None
        By brand.

    Attributes
    ----------
    receivers : frozenset of str
        Receivers that some chain calls: they hear of an alert in their turn, not at once.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        schedules: Mapping[str, Schedule],
        hours: Mapping[str, BusinessHours | None],
    ) -> None:
        self._chains = tuple(chains)
        self._schedules = schedules
        self._hours = hours
        self.receivers = frozenset(
            target.receiver for c in chains for step in c.steps for target in step.targets
        )

    def plan(self, alert: Alert, version: int, now_ms: int) -> list[Due]:
        """Steps of the chain for an alert that calls now; none if no chain is for it."""
        chain = choose(self._chains, alert.brand, alert.severity)
        if chain is None:
            return []
        steps = plan(chain, alert.id, version, now_ms, self._hours.get(alert.brand))
        return [
            Due(
                key=step.key,
                alert=alert.id,
                chain=step.chain,
                due_ms=step.due_ms,
                body=msgspec.json.encode(step),
            )
            for step in steps
        ]

    def targets(self, step: Due, alert: Alert) -> list[tuple[str, tuple[str, ...]]]:
        """Receivers, and who is on call behind each, at the moment the step was due."""
        laid = msgspec.json.decode(step.body, type=DueStep)
        return [
            (target.receiver, self._people(target.schedule, step.due_ms)) for target in laid.targets
        ]

    def _people(self, schedule: str | None, at_ms: int) -> tuple[str, ...]:
        # a schedule that the configuration no longer has: the receiver itself is told
        known = self._schedules.get(schedule) if schedule is not None else None
        return on_call(known, at_ms) if known is not None else ()
