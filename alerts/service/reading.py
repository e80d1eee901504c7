"""What can be looked at; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from alerts.links import BadLink, Link, Links
from alerts.records import Alert, rfc3339
from alerts.service import silencing
from alerts.service.errors import LinkRefused, Missing
from alerts.service.kept_records import (
    NotificationPage,
    ToldOf,
    listed_notification,
    step,
)
from alerts.service.records import (
    AlertPage,
    AuditPage,
    Detail,
    SilenceList,
    SilencePreview,
    SilenceView,
    Summary,
    TokenList,
    TokenView,
    comment,
    entry,
    notification,
    time_or_none,
    verdict,
)
from alerts.service.silencing import SilenceDraft
from alerts.service.tx import Policy, summaries
from alerts.store import access, audit, due, mutes, queue, rows
from alerts.store.database import Database
from alerts.store.queue import Status
from alerts.store.rows import Filter
from alerts.texts import Phrases
from alerts.tokens import Tokens

_SILENCES = 1_000
IMPOSTOR_TYPES = ("impersonation", "phishing")


class Reading:
    """The reading half of `alerts.service.Desk`, which says what the parameters are."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int],
        phrases: Phrases,
        policy: Policy,
        links: Links,
    ) -> None:
        self.database = database
        self.clock = clock
        self.links = links
        self.tokens = Tokens(database)
        self._phrases = phrases
        self._policy = policy

    def alerts(self, wanted: Filter, *, before: tuple[int, str] | None, limit: int) -> AlertPage:
        """A page of alerts, the newest first."""
        with self.database.read() as connection:
            found = rows.page(connection, wanted, before=before, limit=limit + 1)
            shown = summaries(connection, found[:limit], self._policy, self.clock())
        more = len(found) > limit
        return AlertPage(alerts=shown, next=_cursor(found[limit - 1]) if more else None)

    def alert(self, id_: str) -> Detail:
        """One alert whole.

        Raises
        ------
        Missing
        """
        with self.database.read() as connection:
            row = rows.find(connection, id_)
            if row is None:
                raise Missing(f"there is no alert {id_}")
            return Detail(
                summary=summaries(connection, [row], self._policy, self.clock())[0],
                alert=rows.body(connection, id_),
                comments=tuple(map(comment, rows.said(connection, id_))),
                verdicts=tuple(map(verdict, rows.judged(connection, id_))),
                notifications=tuple(map(notification, queue.told(connection, id_))),
            )

    def verdicts(self, ids: Sequence[str]) -> dict[str, str]:
        """What some alerts were judged to be at last, those that were judged."""
        with self.database.read() as connection:
            return rows.verdict_of(connection, ids)

    def told_of(self, id_: str) -> ToldOf:
        """Who was told of an alert, who was not, and why.

        Raises
        ------
        Missing
        """
        with self.database.read() as connection:
            if rows.find(connection, id_) is None:
                raise Missing(f"there is no alert {id_}")
            found = queue.told(connection, id_)
            steps = due.of_alert(connection, id_)
        addressed = {one.receiver for one in found}
        return ToldOf(
            notifications=tuple(map(notification, found)),
            untold=tuple(name for name in self._policy.receivers if name not in addressed),
            steps=tuple(map(step, steps)),
        )

    def notifications(
        self, *, status: Status | None, receiver: str | None, before: int | None, limit: int
    ) -> NotificationPage:
        """Notifications of all alerts, the newest first."""
        with self.database.read() as connection:
            found = queue.page(
                connection, status=status, receiver=receiver, before=before, limit=limit + 1
            )
        shown = tuple(map(listed_notification, found[:limit]))
        more = len(found) > limit
        return NotificationPage(notifications=shown, next=str(shown[-1].id) if more else None)

    def impostors(
        self, *, brand: str | None, after: str, limit: int
    ) -> tuple[list[Alert], str | None]:
        """What fusion said last of alerts about impostors, drills aside; the cursor of the rest."""
        with self.database.read() as connection:
            found = rows.of_types(
                connection, IMPOSTOR_TYPES, brand=brand, after=after, limit=limit + 1
            )
        shown = [alert for alert in found[:limit] if alert.impostor is not None]
        return shown, found[limit - 1].id if len(found) > limit else None

    def audit(self, *, after: int, limit: int, alert: str | None = None) -> AuditPage:
        """Rows of the audit trail after a number, of one alert or of all.

        Raises
        ------
        Missing
            If there is no such alert.
        """
        with self.database.read() as connection:
            if alert is not None and rows.find(connection, alert) is None:
                raise Missing(f"there is no alert {alert}")
            found = audit.entries(connection, after=after, alert=alert, limit=limit)
        return AuditPage(entries=tuple(map(entry, found)))

    def last_seq(self) -> int:
        """Number of the last row of the audit trail."""
        with self.database.read() as connection:
            return audit.head(connection)[0]

    def unresolved(self) -> dict[str, int]:
        """Number of alerts that are not resolved, by brand."""
        with self.database.read() as connection:
            return rows.unresolved(connection)

    def standing(self) -> dict[str, dict[str, int]]:
        """Number of alerts that are not resolved, by brand and severity."""
        with self.database.read() as connection:
            return rows.standing(connection)

    def counts(self) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
        """Alerts by state and severity, notifications by receiver and status."""
        with self.database.read() as connection:
            return rows.counts(connection), queue.counts(connection)

    def read_link(self, token: str) -> tuple[Link, Summary]:
        """What a link is about; changes nothing.

        Raises
        ------
        LinkRefused, Missing
        """
        try:
            link = self.links.read(token, now_ms=self.clock())
        except BadLink as error:
            raise LinkRefused(error.why) from None
        with self.database.read() as connection:
            row = rows.find(connection, link.alert)
            if row is None:
                raise Missing(f"there is no alert {link.alert}")
            return link, summaries(connection, [row], self._policy, self.clock())[0]

    def look_at_link(self, token: str) -> Summary:
        """What a link is about, if it would still act; changes nothing.

        Raises
        ------
        LinkRefused
            Also if it was used, or a newer call has gone out, and the alert is open.
        Missing
        """
        link, shown = self.read_link(token)
        if shown.state == "open":
            with self.database.read() as connection:
                used = access.link_used(connection, link.nonce)
                row = rows.find(connection, link.alert)
            if used:
                raise LinkRefused("used")
            if row is not None and link.version < row.paged_version:
                raise LinkRefused("outdated")
        return shown

    def silences(self) -> SilenceList:
        """All silences, the one that lasts longest first."""
        now_ms = self.clock()
        with self.database.read() as connection:
            found = mutes.every(connection, _SILENCES)
        return SilenceList(silences=tuple(silencing.view(s, v, now_ms) for s, v in found))

    def silence(self, id_: str) -> SilenceView:
        """One silence.

        Raises
        ------
        Missing
        """
        with self.database.read() as connection:
            found = mutes.find(connection, id_)
        if found is None:
            raise Missing(f"there is no silence {id_}")
        return silencing.view(*found, self.clock())

    def preview_silence(self, draft: SilenceDraft) -> SilencePreview:
        """What a silence would have muted in the last 30 days."""
        with self.database.read() as connection:
            return silencing.try_on(connection, draft, self._phrases, now_ms=self.clock())

    def list_tokens(self) -> TokenList:
        """All tokens, without their secrets."""
        return TokenList(
            tokens=tuple(
                TokenView(
                    name=row.name,
                    role=row.role,
                    created_at=rfc3339(row.created_ms),
                    created_by=row.created_by,
                    revoked_at=time_or_none(row.revoked_ms),
                )
                for row in self.tokens.rows()
            )
        )


def _cursor(row: rows.Row) -> str:
    return f"{row.opened_ms}.{row.id}"
