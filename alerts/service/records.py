"""What the use cases answer with; the API's documents.  Times are RFC 3339 in UTC."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from alerts.lifecycle import Lifecycle, Suppression
from alerts.playbook.records import Bilingual, Playbook, Severity
from alerts.records import Alert, Decision, rfc3339
from alerts.silences import Matchers, Recurring
from alerts.store.access import Role
from alerts.store.audit import Entry
from alerts.store.queue import Told
from alerts.store.rows import Comment, Row, Verdict

VerdictWord = Literal["true", "false", "duplicate"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert is, how it stands and who has it."""

    id: str
    version: int
    state: Lifecycle
    brand: str
    type: str
    severity: Severity
    score: int
    drill: bool
    opened_at: str
    updated_at: str
    acknowledged_by: str | None
    acknowledged_at: str | None
    resolved_by: str | None
    resolved_at: str | None
    assignee: str | None


class Summary(Standing, frozen=True, kw_only=True):
    """An alert in a list: what it is, how it stands, who has it."""

    kind: str
    title: Bilingual
    suppressed: tuple[Suppression, ...]


class CommentView(msgspec.Struct, frozen=True, kw_only=True):
    """A comment."""

    id: int
    at: str
    author: str
    text: str


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict."""

    id: int
    at: str
    actor: str
    verdict: str
    duplicate_of: str | None
    reason: str


class NotificationView(msgspec.Struct, frozen=True, kw_only=True):
    """A notification and what became of it."""

    id: int
    receiver: str
    why: str
    status: str
    attempts: int
    at: str
    outcome_at: str | None
    stage: str | None
    detail: str | None


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One alert whole: ``alert`` is what fusion published last, evidence and playbook with it."""

    summary: Summary
    alert: Alert
    comments: tuple[CommentView, ...]
    verdicts: tuple[VerdictView, ...]
    notifications: tuple[NotificationView, ...]


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, the newest first; ``next`` is the cursor of the page after, null on the last."""

    alerts: tuple[Summary, ...]
    next: str | None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the audit trail; also the data of a server-sent event."""

    seq: int
    at: str
    actor: str
    action: str
    alert: str | None
    details: dict[str, Any]
    hash: str


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in order; go on with ``after`` = the last ``seq``."""

    entries: tuple[AuditEntry, ...]


class BulkItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one alert of a bulk request."""

    id: str
    status: int
    detail: str | None
    current: Summary | None


class BulkResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each, in the order asked for."""

    results: tuple[BulkItem, ...]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with its verdict, and what the verdict would change.

    ``would_change`` are the conditions under which it would not have fired; for a duplicate, the
    alert that stays.  ``of_this_type`` counts the latest verdicts on the brand's alerts of its
    type.
    """

    summary: Summary
    verdict: str
    would_change: tuple[Bilingual, ...]
    of_this_type: dict[str, int]


class SilenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A silence, and when it mutes next."""

    id: str
    version: int
    matchers: Matchers
    starts_at: str
    ends_at: str
    recurring: Recurring | None
    owner: str
    reason: str
    created_at: str
    ended_at: str | None
    active: bool
    next: tuple[WindowView, ...]


class WindowView(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time in which a silence mutes."""

    starts_at: str
    ends_at: str


class SilenceList(msgspec.Struct, frozen=True, kw_only=True):
    """Silences."""

    silences: tuple[SilenceView, ...]


class MutedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an alert of the past."""

    at: str
    event: str
    severity: Severity


class PreviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence would have muted of one alert, and what would have been told of it."""

    alert: str
    brand: str
    title: Bilingual
    muted: tuple[MutedEvent, ...]
    told: tuple[MutedEvent, ...]


class SilencePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a silence would have muted; ``complete`` is false where there were too many alerts."""

    from_at: str
    to_at: str
    examined: int
    complete: bool
    alerts: tuple[PreviewItem, ...]


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    name: str
    role: Role
    created_at: str
    created_by: str
    revoked_at: str | None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was made; the secret is told this once."""

    name: str
    role: Role
    secret: str


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens."""

    tokens: tuple[TokenView, ...]


class DecisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions, the newest first: why signals became alerts, and why not."""

    decisions: tuple[Decision, ...]
    next: str | None


class BrandView(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched, and how it stands; ``blind`` is null where nobody can tell."""

    id: str
    names: tuple[str, ...]
    handles: tuple[str, ...]
    domains: tuple[str, ...]
    languages: tuple[str, ...]
    timezone: str
    unresolved: int
    blind: bool | None


class BrandList(msgspec.Struct, frozen=True, kw_only=True):
    """Brands."""

    brands: tuple[BrandView, ...]


class RejectedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read; ``raw`` is what a stranger sent, cut and made text."""

    number: int
    reason: str
    detail: str
    source: str
    position: str
    retried: bool
    raw: str


class RejectedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rejected mentions, the newest first."""

    rejected: tuple[RejectedItem, ...]
    next: str | None


class PlaybookList(msgspec.Struct, frozen=True, kw_only=True):
    """The playbooks in use, as templates."""

    playbooks: tuple[Playbook, ...]


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """That requests are answered, and of which brands we are blind; null where nobody can tell."""

    status: str
    blind: tuple[str, ...] | None


def summary(row: Row, suppressed: tuple[Suppression, ...]) -> Summary:
    """An alert as a list shows it."""
    return Summary(
        **standing_of(row),
        kind=row.kind,
        title=Bilingual(ar=row.title_ar, en=row.title_en),
        suppressed=suppressed,
    )


def standing_of(row: Row) -> dict[str, Any]:
    """The fields of `Standing`."""
    return {
        "id": row.id,
        "version": row.version,
        "state": row.state,
        "brand": row.brand,
        "type": row.type,
        "severity": row.severity,
        "score": row.score,
        "drill": row.drill,
        "opened_at": rfc3339(row.opened_ms),
        "updated_at": rfc3339(row.updated_ms),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_at": time_or_none(row.acknowledged_ms),
        "resolved_by": row.resolved_by,
        "resolved_at": time_or_none(row.resolved_ms),
        "assignee": row.assignee,
    }


def entry(found: Entry) -> AuditEntry:
    """A row of the audit trail as it is shown."""
    return AuditEntry(
        seq=found.seq,
        at=rfc3339(found.at_ms),
        actor=found.actor,
        action=found.action,
        alert=found.alert,
        details=found.details,
        hash=found.hash,
    )


def comment(found: Comment) -> CommentView:
    """A comment as it is shown."""
    at = rfc3339(found.at_ms)
    return CommentView(id=found.id, at=at, author=found.author, text=found.text)


def verdict(found: Verdict) -> VerdictView:
    """A verdict as it is shown."""
    return VerdictView(
        id=found.id,
        at=rfc3339(found.at_ms),
        actor=found.actor,
        verdict=found.verdict,
        duplicate_of=found.duplicate_of,
        reason=found.reason,
    )


def notification(found: Told) -> NotificationView:
    """A notification as it is shown."""
    return NotificationView(
        id=found.id,
        receiver=found.receiver,
        why=found.why,
        status=found.status,
        attempts=found.attempts,
        at=rfc3339(found.first_ms),
        outcome_at=time_or_none(found.outcome_ms),
        stage=found.stage,
        detail=found.detail,
    )


def time_or_none(ms: int | None) -> str | None:
    """A time, where there is one."""
    return None if ms is None else rfc3339(ms)
