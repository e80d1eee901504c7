"""The use cases over one response database; every write is one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from alerts.lifecycle import Act
from alerts.links import Links
from alerts.records import Alert
from alerts.service import acts, silencing
from alerts.service.keeping import Keeping
from alerts.service.records import NewToken, Summary, VerdictWord
from alerts.service.silencing import SilenceDraft
from alerts.service.take import TakeAgain, take
from alerts.service.tx import SYSTEM, Escalator, Policy, Tx
from alerts.service.writing import Answer, Once
from alerts.store import access, due
from alerts.store.access import Role
from alerts.store.database import Database
from alerts.store.errors import DatabaseUnavailable
from alerts.texts import Phrases

log = logging.getLogger("nadhir.response")

_STEPS = 100  # of escalation in one go


class Desk(Keeping):
    """The response side: reading, and everything that changes something.

    Parameters
    ----------
    database : Database
    clock : callable
        Milliseconds since the epoch.
    phrases : Phrases
        The sentences of response.yaml.
    policy : Policy
    public_url : str or None
        Where people reach the API, for links.
    escalator : Escalator or None
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int],
        phrases: Phrases,
        *,
        policy: Policy = Policy(),  # noqa: B008 (frozen)
        public_url: str | None = None,
        escalator: Escalator | None = None,
    ) -> None:
        with database.write() as connection:
            links = Links(access.secret(connection, "links"), public_url)
        super().__init__(database, clock, phrases, policy, links, escalator)

    # fusion and the clock -------------------------------------------------------------------

    def take(self, alert: Alert) -> bool:
        """Take up an alert that fusion published; False if its news were known."""
        while True:
            try:
                with self._tx(SYSTEM) as tx:
                    return take(tx, alert, self._phrases) is not None
            except TakeAgain:
                continue  # it is there now

    def escalate_due(self) -> int:
        """Take the steps of escalation whose time has come; how many."""
        with self.database.read() as connection:
            steps = due.due(connection, self.clock(), _STEPS)
        taken = 0
        for alert in dict.fromkeys(step.alert for step in steps):
            try:
                with self._tx(SYSTEM) as tx:
                    taken += tx.escalate_due(tx.locked(alert))
            except DatabaseUnavailable:
                raise
            except Exception:  # one alert that cannot be escalated must not silence the others
                log.exception("escalation of %s failed; will be tried again", alert)
        return taken

    # acting ---------------------------------------------------------------------------------

    def act(
        self,
        actor: str,
        id_: str,
        what: Act,
        *,
        version: int | None,
        reason: str,
        once: Once | None,
    ) -> Answer:
        """Acknowledge, unacknowledge, resolve or reopen; see `alerts.service.acts`."""
        return self._versioned(
            actor,
            once,
            lambda tx: tx.summary(acts.act(tx, id_, what, version=version, reason=reason)),
        )

    def assign(
        self, actor: str, id_: str, assignee: str | None, *, version: int | None, once: Once | None
    ) -> Answer:
        """Give an alert to somebody, or to nobody."""
        return self._versioned(
            actor, once, lambda tx: tx.summary(acts.assign(tx, id_, assignee, version=version))
        )

    def comment(self, actor: str, id_: str, text: str, *, once: Once | None) -> Answer:
        """Write about an alert."""
        return self._versioned(actor, once, lambda tx: tx.summary(acts.comment(tx, id_, text)))

    def escalate(
        self, actor: str, id_: str, *, version: int | None, reason: str, once: Once | None
    ) -> Answer:
        """Call everybody now."""
        return self._versioned(
            actor,
            once,
            lambda tx: tx.summary(acts.escalate(tx, id_, version=version, reason=reason)),
        )

    def judge(
        self,
        actor: str,
        id_: str,
        word: VerdictWord,
        *,
        version: int | None,
        reason: str,
        duplicate_of: str | None,
        once: Once | None,
    ) -> Answer:
        """Say what an alert turned out to be."""

        def work(tx: Tx) -> tuple[Any, int]:
            judged = acts.judge(
                tx, id_, word, version=version, reason=reason, duplicate_of=duplicate_of
            )
            return judged, judged.summary.version

        return self._once(actor, once, work)

    def bulk(
        self, actor: str, items: dict[str, int | None], what: Act, *, reason: str, once: Once | None
    ) -> Answer:
        """The same act on many alerts."""
        return self._once(actor, once, lambda tx: (acts.bulk(tx, items, what, reason=reason), None))

    # links ----------------------------------------------------------------------------------

    def follow_link(self, token: str) -> Summary:
        """Acknowledge by a link, once.

        Raises
        ------
        LinkRefused, Conflict, Missing
        """
        link, _ = self.read_link(token)
        with self._tx(f"link:{link.receiver}") as tx:
            return tx.summary(acts.follow(tx, link))

    # silences -------------------------------------------------------------------------------

    def create_silence(self, actor: str, draft: SilenceDraft, *, once: Once | None) -> Answer:
        """Add a silence."""
        return self._versioned(
            actor, once, lambda tx: silencing.create(tx, draft, self._phrases), 201
        )

    def change_silence(
        self, actor: str, id_: str, draft: SilenceDraft, *, version: int | None, once: Once | None
    ) -> Answer:
        """Replace what a silence says."""
        return self._versioned(
            actor,
            once,
            lambda tx: silencing.change(tx, id_, draft, self._phrases, version=version),
        )

    def end_silence(
        self, actor: str, id_: str, *, version: int | None, once: Once | None
    ) -> Answer:
        """End a silence now."""
        return self._versioned(actor, once, lambda tx: silencing.end(tx, id_, version=version))

    # tokens ---------------------------------------------------------------------------------

    def create_token(self, actor: str, name: str, role: Role) -> NewToken:
        """Make a token; never kept with an idempotency key, since that would keep its secret.

        Raises
        ------
        alerts.tokens.TokenError
        """
        secret = self.tokens.create(name, role, by=actor, now_ms=self.clock())
        return NewToken(name=name, role=role, secret=secret)
