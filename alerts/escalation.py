"""Escalation: who is told, and who next, until somebody acknowledges.

Pure: a chain is laid out once, as steps with the moments at which they are due; these are stored
and each gets its outcome.  A restart finds what is due and what was done, a later change of the
configuration moves nothing that is running.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from alerts.hours import BusinessHours, after
from alerts.playbook.records import Severity

MINUTE_MS = 60_000
MOST_STEPS, MOST_REPEATS = 20, 20
Hours = Literal["always", "business"]
Outcome = Literal["sent", "superseded", "stopped"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver; with a schedule, whoever is on call is named to it."""

    receiver: str
    schedule: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happens so long after the start; ``business`` counts and acts in business hours only."""

    after_min: int
    targets: tuple[Target, ...]
    hours: Hours = "always"


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Steps for some brands and severities (empty is all), run through ``1 + repeats`` times."""

    name: str
    steps: tuple[Step, ...]
    brands: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    repeats: int = 0
    repeat_after_min: int = 30


class DueStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an alert at its moment, and what became of it.

    ``key`` is derived from alert, chain, run, round and step: laid out twice, it is the same.
    ``superseded`` is a round that was missed, as while nothing ran, when a later one is due too.
    """

    key: str
    chain: str
    run: int
    round: int
    step: int
    due_ms: int
    targets: tuple[Target, ...]
    outcome: Outcome | None = None
    done_ms: int | None = None


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """All steps of an alert, those of earlier runs included."""

    alert: str
    chain: str
    severity: Severity
    steps: tuple[DueStep, ...]

    @property
    def running(self) -> bool:
        """Whether anything is still to come."""
        return next_due(self) is not None


def choose(chains: Iterable[Chain], brand: str, severity: Severity) -> Chain | None:
    """The chain for a brand and severity: one that names the brand first, then the severity.

    Examples
    --------
    >>> page = Chain(name="page", steps=(), severities=("critical",))
    >>> acme = Chain(name="acme", steps=(), brands=("acme",))
    >>> choose([page, acme], "acme", "critical").name, choose([page, acme], "b", "watch")
    ('acme', None)
    """
    fitting = [
        chain
        for chain in chains
        if (not chain.brands or brand in chain.brands)
        and (not chain.severities or severity in chain.severities)
    ]
    # min keeps the first of equals: the order of the configuration decides
    return min(fitting, key=lambda c: (not c.brands, not c.severities), default=None)


def plan(
    chain: Chain, alert: str, run: int, start_ms: int, hours: BusinessHours | None = None
) -> tuple[DueStep, ...]:
    """Every step of a chain with its moment, in order.

    Parameters
    ----------
    chain : Chain
    alert : str
        Id of the alert.
    run : int
        Tells this start from earlier ones of the same alert, so that what is reopened pages again:
        a number that rises with them, such as the alert's version in the database.
    start_ms : int
        When the chain begins.
    hours : BusinessHours, optional
        Those of the alert's brand; without them every step counts always.
    """
    length = max((s.after_min for s in chain.steps), default=0) + chain.repeat_after_min
    laid = []
    for round_ in range(chain.repeats + 1):
        for number, step in enumerate(chain.steps):
            delay_ms = (round_ * length + step.after_min) * MINUTE_MS
            counted = hours if step.hours == "business" else None
            due_ms = after(counted, start_ms, delay_ms) if counted else start_ms + delay_ms
            laid.append(
                DueStep(
                    key=f"{alert}:{chain.name}:{run}:{round_}:{number}",
                    chain=chain.name,
                    run=run,
                    round=round_,
                    step=number,
                    due_ms=due_ms,
                    targets=step.targets,
                )
            )
    return tuple(sorted(laid, key=lambda s: (s.due_ms, s.round, s.step)))


def begin(
    chain: Chain,
    alert: str,
    severity: Severity,
    run: int,
    now_ms: int,
    hours: BusinessHours | None = None,
) -> Escalation:
    """An alert was opened, or reopened without an escalation of its own so far."""
    steps = plan(chain, alert, run, now_ms, hours)
    return Escalation(alert=alert, chain=chain.name, severity=severity, steps=steps)


def next_due(state: Escalation) -> int | None:
    """When to look again; None when nothing is to come."""
    return min((s.due_ms for s in state.steps if s.outcome is None), default=None)


def due(state: Escalation, now_ms: int) -> tuple[Escalation, tuple[DueStep, ...]]:
    """Take what is due: the state to store, and the steps to act on, in order.

    Store both in one transaction, the notifications under the steps' keys: done twice, nothing
    happens twice.
    """
    waiting = [s for s in state.steps if s.outcome is None and s.due_ms <= now_ms]
    past = superseded(waiting)
    marks: dict[str, Outcome] = {s.key: "superseded" if s.key in past else "sent" for s in waiting}
    return _marked(state, marks, now_ms), tuple(s for s in waiting if s.key not in past)


def superseded(steps: Iterable[DueStep]) -> frozenset[str]:
    """Keys of those due steps that come again in a later round that is due as well."""
    held = list(steps)
    latest: dict[tuple[str, int, int], int] = {}
    for s in held:
        place = s.chain, s.run, s.step
        latest[place] = max(latest.get(place, 0), s.round)
    return frozenset(s.key for s in held if s.round < latest[s.chain, s.run, s.step])


def stop(state: Escalation, now_ms: int) -> Escalation:
    """Acknowledged, resolved or silenced for good: nothing more happens."""
    open_steps: dict[str, Outcome] = {s.key: "stopped" for s in state.steps if s.outcome is None}
    return _marked(state, open_steps, now_ms)


def restart(
    state: Escalation,
    chain: Chain,
    severity: Severity,
    run: int,
    now_ms: int,
    hours: BusinessHours | None = None,
) -> Escalation:
    """Begin anew: reopened, or no longer acknowledged."""
    stopped = stop(state, now_ms)
    steps = stopped.steps + plan(chain, state.alert, run, now_ms, hours)
    return msgspec.structs.replace(stopped, chain=chain.name, severity=severity, steps=steps)


def raised(
    state: Escalation,
    chain: Chain | None,
    severity: Severity,
    run: int,
    now_ms: int,
    hours: BusinessHours | None = None,
) -> Escalation:
    """The severity rose: the chain of the higher one begins, also after an acknowledgement.

    What was acknowledged was a smaller crisis.  While the same chain is running it goes on as it
    is, and without a chain for the higher severity so does the present one.
    """
    if chain is None or (chain.name == state.chain and state.running):
        return msgspec.structs.replace(state, severity=severity)
    return restart(state, chain, severity, run, now_ms, hours)


def escalate_now(state: Escalation, now_ms: int) -> Escalation:
    """Make the next step due at once; those after it keep their moments."""
    coming = [s for s in state.steps if s.outcome is None]
    if not coming:
        return state
    first = min(coming, key=lambda s: (s.due_ms, s.round, s.step))
    moved = msgspec.structs.replace(first, due_ms=min(first.due_ms, now_ms))
    steps = tuple(moved if s.key == first.key else s for s in state.steps)
    return msgspec.structs.replace(state, steps=steps)


def _marked(state: Escalation, outcomes: dict[str, Outcome], now_ms: int) -> Escalation:
    steps = tuple(
        msgspec.structs.replace(s, outcome=outcomes[s.key], done_ms=now_ms)
        if s.key in outcomes
        else s
        for s in state.steps
    )
    return msgspec.structs.replace(state, steps=steps)
