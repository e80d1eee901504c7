"""Who is paged for an alert, and when: chains, business hours and schedules put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from alerts.drills import watched_brand
from alerts.escalation import Chain, DueStep, choose, plan
from alerts.hours import BusinessHours
from alerts.oncall import Schedule, on_call
from alerts.records import Alert


class Duty:
    """Chains of the configuration with everything they need.

    Parameters
    ----------
    chains : sequence of Chain
    hours : mapping of str to BusinessHours
        By brand; a brand that is not in it has no closing time.
    schedules : mapping of str to Schedule
        By name, with every name that a chain uses.
    clock : callable
        Milliseconds since the epoch.

    Attributes
    ----------
    receivers : frozenset of str
        Those that some chain names.

    Raises
    ------
    ValueError
        If a chain names a schedule that is not there.
    """

    def __init__(
        self,
        chains: Sequence[Chain],
        hours: Mapping[str, BusinessHours],
        schedules: Mapping[str, Schedule],
        clock: Callable[[], int],
    ) -> None:
        self._chains = tuple(chains)
        self._hours = hours
        self._schedules = schedules
        self._clock = clock
        targets = [target for chain in chains for step in chain.steps for target in step.targets]
        self.receivers = frozenset(target.receiver for target in targets)
        used = {target.schedule for target in targets if target.schedule}
        if used - schedules.keys():
            raise ValueError(f"there is no schedule {', '.join(sorted(used - schedules.keys()))}")

    def plan(self, alert: Alert, run: int, now_ms: int) -> tuple[DueStep, ...]:
        """Steps of the chain that an alert calls for now; none if there is no chain.

        Parameters
        ----------
        alert : Alert
            As it is now; one of a drill is escalated as the real one would be.
        run : int
            The alert's version in the database, which tells this start from earlier ones.
        now_ms : int
        """
        brand = watched_brand(alert.brand)
        chain = choose(self._chains, brand, alert.severity)
        if chain is None:
            return ()
        return plan(chain, alert.id, run, now_ms, self._hours.get(brand))

    def targets(self, step: DueStep) -> list[tuple[str, tuple[str, ...]]]:
        """Receivers of a step with the people to be named to them.

        People are those on call now, not when the step was laid out, or was due before a pause.
        In a gap nobody is named, and the receivers are told all the same.
        """
        now_ms = self._clock()
        found: dict[str, tuple[str, ...]] = {}
        for target in step.targets:
            here = on_call(self._schedules[target.schedule], now_ms) if target.schedule else ()
            found[target.receiver] = tuple(dict.fromkeys((*found.get(target.receiver, ()), *here)))
        return list(found.items())
