"""Messages as they are shown."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from alerts.facts import Change
from alerts.messages import Approval, OutgoingMessage, State, doubts
from alerts.playbook.records import Bilingual, Channel, Language, MessageKind, Severity
from alerts.records import rfc3339
from alerts.store.drafts import Held
from alerts.texts import Phrases


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """Who approved, and when."""

    by: str
    at: str


class SendingView(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was published, by whom and when."""

    where: str
    by: str
    at: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message; ``digest`` names the text and the facts that an approval is given to.

    ``needs`` is how many people must approve it, ``changed`` what is no longer as it was when it
    was written, ``doubts`` numbers in it that are none of the facts.  A locked one cannot be sent.
    """

    alert: str
    name: str
    version: int
    kind: MessageKind
    channel: Channel
    language: Language
    severity: Severity
    state: State
    locked: bool
    posts: tuple[str, ...]
    digest: str
    needs: int
    approvals: tuple[ApprovalView, ...]
    sent: tuple[SendingView, ...]
    edited_by: str | None
    changed: tuple[Change, ...]
    doubts: tuple[Bilingual, ...]


class MessageList(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of an alert."""

    messages: tuple[MessageView, ...]


def name_of(message: OutgoingMessage) -> str:
    """What a message is called within its alert."""
    return f"{message.kind}:{message.channel}:{message.language}"


def view(held: Held, prepared: Iterable[OutgoingMessage], phrases: Phrases) -> MessageView:
    """A message as it is shown; ``prepared`` hold the numbers that it may say."""
    message = held.message
    return MessageView(
        alert=message.alert,
        name=held.name,
        version=held.version,
        kind=message.kind,
        channel=message.channel,
        language=message.language,
        severity=message.severity,
        state=message.state,
        locked=message.locked,
        posts=message.posts,
        digest=message.digest,
        needs=message.needs,
        approvals=tuple(map(_approval, message.approvals)),
        sent=tuple(SendingView(where=s.where, by=s.by, at=rfc3339(s.at_ms)) for s in message.sent),
        edited_by=message.edited_by,
        changed=message.changed,
        doubts=doubts(message, prepared, phrases),
    )


def _approval(given: Approval) -> ApprovalView:
    return ApprovalView(by=given.by, at=rfc3339(given.at_ms))
