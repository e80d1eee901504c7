"""One write: what it reads is locked, what it changes is audited and told, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection

from alerts.impostors import WEIGHTS as APART
from alerts.lifecycle import Suppression, suppressed
from alerts.links import Links
from alerts.notify.records import Notification, Why
from alerts.notify.stages.silenced import LOOK_MS
from alerts.records import Alert, rfc3339
from alerts.service.errors import Missing, Stale
from alerts.service.publishing import state_of
from alerts.service.records import Summary, summary
from alerts.silences import Silence, active_at
from alerts.store import audit, due, mutes, outbox, queue, rows
from alerts.store.due import Due
from alerts.store.rows import Row

SYSTEM = "nadhir"  # who acts where no person does; no token can have this name


class Escalator(Protocol):
    """Plans whom to call when nobody comes."""

    def plan(self, alert: Alert, version: int, now_ms: int) -> Sequence[Due]:
        """Steps of the chain for a call that went out now."""

    def targets(self, step: Due, alert: Alert) -> Sequence[tuple[str, tuple[str, ...]]]:
        """Receivers, and people behind each, whom a step calls."""

    def superseded(self, steps: Sequence[Due]) -> frozenset[str]:
        """Keys of those due steps of an alert that come again in a later round that is due too."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says about answering.

    Attributes
    ----------
    receivers : tuple of str
        Who is told of everything; their stages decide what they hear.
    called : frozenset of str
        Those of them that chains call: they hear of an alert in their turn, and of its further
        course once they have been called.
    cooldown_ms : int
        So long after its end the same cause reopens an alert.
    publishes : bool
        Whether somebody publishes the states of alerts: then each change is put in the outbox.
    """

    receivers: tuple[str, ...] = ()
    called: frozenset[str] = frozenset()
    cooldown_ms: int = 0
    publishes: bool = False


class Tx:
    """A write by one actor at one moment."""

    def __init__(
        self,
        connection: Connection,
        *,
        actor: str,
        now_ms: int,
        policy: Policy,
        links: Links,
        escalator: Escalator | None,
    ) -> None:
        self.connection = connection
        self.actor = actor
        self.now_ms = now_ms
        self._policy = policy
        self._links = links
        self._escalator = escalator

    def locked(self, id_: str, version: int | None = None) -> Row:
        """An alert that nobody else changes meanwhile, at the version the caller saw.

        Raises
        ------
        Missing
            If there is none.
        Stale
            If it is at another version.
        """
        row = rows.find(self.connection, id_, lock=True)
        if row is None:
            raise Missing(f"there is no alert {id_}")
        if version is not None and row.version != version:
            raise Stale(self.summary(row), row.version)
        return row

    def change(
        self,
        row: Row,
        action: str,
        changes: Mapping[str, Any],
        *,
        why: Why | None = None,
        alert: Alert | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Row:
        """Change a locked alert, tell receivers ``why``, add an audit row."""
        changes = {**changes, "updated_ms": self.now_ms}
        if why in ("opened", "raised", "reopened"):
            changes["paged_version"] = row.version + 1
        changed = rows.update(self.connection, row, changes, alert)
        told = alert or rows.body(self.connection, row.id)
        self.announce(changed, told, why)
        self.publish(changed)
        self.note(changed, action, details)
        return changed

    def publish(self, row: Row) -> None:
        """Have the state of an alert published, where somebody does."""
        if self._policy.publishes:
            body = msgspec.json.encode(state_of(row))
            outbox.put(self.connection, row.id, body, self.now_ms)

    def publish_end(self, ids: Sequence[str]) -> None:
        """Have it published that alerts are gone."""
        for id_ in ids if self._policy.publishes else ():
            outbox.put(self.connection, id_, None, self.now_ms)

    def announce(self, row: Row, alert: Alert, why: Why | None) -> None:
        """Queue what receivers are told, and start or stop calling people."""
        if row.state != "open":
            reason = f"{row.state} by {self.actor}"
            # told after the end, another type would open an incident anew at a paging service
            also = ("retyped",) if row.state == "resolved" else ()
            queue.cancel_paging(self.connection, row.id, self.now_ms, reason, also)
            due.cancel(self.connection, row.id)
        if why is None:
            return
        calls = why in ("opened", "raised", "reopened", "unacknowledged")
        begun = calls and self._escalate_from(row, alert, why)
        for receiver in self._policy.receivers:
            waits = receiver in self._policy.called and (
                begun or not queue.was_told(self.connection, row.id, receiver)
            )
            if not waits:  # for its turn in a chain
                self.tell(row, alert, why, receiver)

    def _escalate_from(self, row: Row, alert: Alert, why: Why) -> bool:
        """Begin a chain; one that runs goes on where the alert was raised and no other is due."""
        if self._escalator is None:
            return False
        steps = self._escalator.plan(alert, row.version, self.now_ms)
        chain = due.running(self.connection, row.id)
        if why == "raised" and chain is not None and (not steps or steps[0].chain == chain):
            return False
        due.cancel(self.connection, row.id)
        due.plan(self.connection, steps)
        return bool(steps)

    def tell(
        self,
        row: Row,
        alert: Alert,
        why: Why,
        receiver: str,
        to: tuple[str, ...] = (),
        step: str | None = None,
    ) -> None:
        """Queue one notification."""
        key = f"{row.id}:{row.version}:{why}:{receiver}"
        asks = row.state == "open"
        url = self._links.url(row.id, row.version, receiver, now_ms=self.now_ms) if asks else None
        made = Notification(
            key=key if step is None else f"{key}:{step}",
            receiver=receiver,
            why=why,
            alert=alert,
            state=row.state,
            version=row.version,
            at=rfc3339(self.now_ms),
            actor=None if self.actor == SYSTEM else self.actor,
            assignee=row.assignee,
            to=to,
            drill=row.drill,
            url=self._links.alert_url(row.id),
            list_url=self._links.list_url(),
            acknowledge_url=url,
        )
        queue.enqueue(self.connection, [made], self.now_ms)

    def escalate(self, row: Row, step: Due | None = None) -> None:
        """Call people: those of a step, or all receivers at once."""
        alert = rows.body(self.connection, row.id)
        if step is None or self._escalator is None:
            for receiver in self._policy.receivers:
                self.tell(row, alert, "escalated", receiver)
            return
        for receiver, to in self._escalator.targets(step, alert):
            self.tell(row, alert, "escalated", receiver, to, step.key)

    def escalate_due(self, row: Row) -> int:
        """Take the steps of a locked alert whose time has come; how many called people.

        Of several rounds of one step, as after a pause of the process, only the latest acts.  A
        silence is such a pause: the steps wait for its end, which may come before its time.
        """
        until_ms = self._silenced_until(row)
        if until_ms is not None:
            until_ms = min(until_ms, self.now_ms + LOOK_MS)
            due.postpone(self.connection, row.id, self.now_ms, until_ms)
            return 0
        steps = due.due_of(self.connection, row.id, self.now_ms)
        past = self._escalator.superseded(steps) if self._escalator else frozenset()
        taken = 0
        for step in steps if row.state == "open" else ():
            if step.key in past:
                due.take(self.connection, step.key, "superseded")
            elif due.take(self.connection, step.key):
                self.escalate(row, step)
                self.note(row, "escalated", {"step": step.key})
                taken += 1
        return taken

    def _silenced_until(self, row: Row) -> int | None:
        """When the silence ends that covers an alert now, the last one if there are several."""
        ends = [
            window.end_ms
            for silence in mutes.current(self.connection, self.now_ms)
            if silence.matchers.match(row.brand, row.type, row.severity, row.kind)
            and (window := active_at(silence, self.now_ms)) is not None
        ]
        return max(ends, default=None)

    def note(self, row: Row, action: str, details: Mapping[str, Any] | None = None) -> None:
        """Add an audit row about an alert; it carries how the alert stands then."""
        stands = {"state": row.state, "version": row.version, "severity": row.severity}
        self.record(action, row.id, {**stands, "brand": row.brand, **(details or {})})

    def record(self, action: str, alert: str | None, details: Mapping[str, Any]) -> None:
        """Add an audit row."""
        audit.append(
            self.connection,
            at_ms=self.now_ms,
            actor=self.actor,
            action=action,
            alert=alert,
            details=details,
        )

    def summary(self, row: Row) -> Summary:
        """An alert as the answer shows it."""
        return summaries(self.connection, [row], self._policy, self.now_ms)[0]


def summaries(
    connection: Connection, found: Sequence[Row], policy: Policy, now_ms: int
) -> tuple[Summary, ...]:
    """Alerts with what suppresses each."""
    active = [s for s in mutes.current(connection, now_ms) if active_at(s, now_ms)]
    greater = rows.greater(connection, sorted({row.brand for row in found})) if found else {}
    return tuple(
        summary(row, _suppressed(row, active, greater.get(row.brand, ()), policy, now_ms))
        for row in found
    )


def _suppressed(
    row: Row, active: Sequence[Silence], greater: Sequence[str], policy: Policy, now_ms: int
) -> tuple[Suppression, ...]:
    meant = (s.id for s in active if s.matchers.match(row.brand, row.type, row.severity, row.kind))
    return suppressed(
        state=row.state,
        severity=row.severity,
        drill=row.drill,
        silences=meant,
        # an impostor is no part of a crisis
        greater=next((i for i in greater if i != row.id and row.kind not in APART), None),
        resolved_ms=row.resolved_ms,
        cooldown_ms=policy.cooldown_ms,
        now_ms=now_ms,
    )
