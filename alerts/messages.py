"""Prepared messages on their way out: draft, approved, sent; locked when the facts move on.

Pure: each function gives the message as it is afterwards, or raises `MessageError` with a code and
a sentence in both languages.  All messages of an alert are written from one `FactSheet`, so that
every channel and language says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from typing import Literal

import msgspec

from alerts.facts import Change, FactSheet, changes, fact_sheet
from alerts.playbook.channels import LIMITS, MAX_POSTS, length
from alerts.playbook.records import (
    Bilingual,
    Channel,
    Language,
    MessageKind,
    RenderedMessage,
    Severity,
)
from alerts.records import Alert
from alerts.texts import Phrases

State = Literal["draft", "approved", "sent"]
APPROVALS_NEEDED: dict[Severity, int] = {"watch": 1, "warning": 1, "critical": 2}
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩٫٬", "0123456789.,")


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Who approved, when, and which text and facts."""

    by: str
    at_ms: int
    digest: str


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was published, by whom and when; ``where`` is a link or a place in words."""

    where: str
    by: str
    at_ms: int


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an alert for one channel in one language.

    Attributes
    ----------
    id : str
        Derived: alert, kind, channel and language.
    posts : tuple of str
        Its text, several for a thread.
    facts : FactSheet
        What it was written from.
    edited_by : str or None
        Who changed the prepared text last.
    changed : tuple of Change
        What is no longer as it was when it was approved, edited or sent.
    """

    id: str
    alert: str
    kind: MessageKind
    channel: Channel
    language: Language
    severity: Severity
    posts: tuple[str, ...]
    facts: FactSheet
    state: State = "draft"
    edited_by: str | None = None
    approvals: tuple[Approval, ...] = ()
    sent: tuple[Sending, ...] = ()
    changed: tuple[Change, ...] = ()

    @property
    def digest(self) -> str:
        """Of text and facts together: what is approved."""
        packed = msgspec.json.encode([self.facts.digest, self.posts])
        return blake2b(packed, digest_size=16).hexdigest()

    @property
    def locked(self) -> bool:
        """Whether the facts moved on after somebody approved it; it cannot be sent as it is."""
        return bool(self.changed) and bool(self.approvals)

    @property
    def needs(self) -> int:
        """How many people must approve it."""
        return APPROVALS_NEEDED[self.severity]


class MessageError(Exception):
    """A step that a message cannot take; ``code`` is stable."""

    def __init__(self, code: str, sentence: Bilingual) -> None:
        super().__init__(f"{code}: {sentence.en}")
        self.code = code
        self.sentence = sentence


def prepare(alert: Alert) -> tuple[OutgoingMessage, ...]:
    """The messages of an alert's playbook as drafts, all from the same facts."""
    facts = fact_sheet(alert)

    def key(m: RenderedMessage) -> tuple[MessageKind, Channel, Language]:
        return m.kind, m.channel, m.language

    ordered = sorted(alert.playbook.messages, key=lambda m: (*key(m), m.post))
    return tuple(
        OutgoingMessage(
            id=f"{alert.id}:{kind}:{channel}:{language}",
            alert=alert.id,
            kind=kind,
            channel=channel,
            language=language,
            severity=alert.severity,
            posts=tuple(m.text for m in posts),
            facts=facts,
        )
        for (kind, channel, language), posts in groupby(ordered, key=key)
    )


def edit(
    message: OutgoingMessage, posts: tuple[str, ...], by: str, alert: Alert, phrases: Phrases
) -> OutgoingMessage:
    """Write it anew, from the facts as they are now: a draft again, whatever it was.

    Where it was sent before stays on it.

    Raises
    ------
    MessageError
        ``actor``, ``blank`` or ``too_long``.
    """
    _named(by, phrases)
    if not posts or not all(post.strip() for post in posts):
        raise _error("blank", phrases)
    limit = LIMITS[message.channel]
    longest = max(length(message.channel, post) for post in posts)
    most = MAX_POSTS if message.channel == "x" and message.kind == "holding" else 1
    if longest > limit or len(posts) > most:
        raise _error("too_long", phrases, length=longest * len(posts), limit=limit * most)
    return msgspec.structs.replace(
        message,
        posts=posts,
        facts=fact_sheet(alert),
        severity=alert.severity,
        state="draft",
        edited_by=by,
        approvals=(),
        changed=(),
    )


def approve(
    message: OutgoingMessage, by: str, at_ms: int, digest: str, phrases: Phrases
) -> OutgoingMessage:
    """Approve what was shown; critical ones are approved once two different people have.

    Parameters
    ----------
    digest : str
        `OutgoingMessage.digest` of what the person has read.

    Raises
    ------
    MessageError
        ``actor``, ``stale``, ``locked``, ``outdated``, ``not_a_draft`` or ``approved_twice``.
    """
    _named(by, phrases)
    if message.locked:
        raise _error("locked", phrases)
    if message.state != "draft":
        raise _not_a_draft(message, phrases)
    if message.changed:
        raise _error("outdated", phrases)
    if digest != message.digest:
        raise _error("stale", phrases)
    if _same_person(by) in {_same_person(a.by) for a in message.approvals}:
        raise _error("approved_twice", phrases, actor=by)
    approvals = (*message.approvals, Approval(by=by, at_ms=at_ms, digest=digest))
    state: State = "approved" if len(approvals) >= message.needs else "draft"
    return msgspec.structs.replace(message, approvals=approvals, state=state)


def withdraw(message: OutgoingMessage, by: str, phrases: Phrases) -> OutgoingMessage:
    """Take the approvals back: a draft again, with its text; what was sent cannot be unsaid.

    Raises
    ------
    MessageError
        ``actor``, ``was_sent`` or ``nothing_approved``.
    """
    _named(by, phrases)
    if message.state == "sent":
        raise _error("was_sent", phrases)
    if not message.approvals:
        raise _error("nothing_approved", phrases)
    return msgspec.structs.replace(message, state="draft", approvals=())


def send(
    message: OutgoingMessage, where: str, by: str, at_ms: int, phrases: Phrases
) -> OutgoingMessage:
    """Note that a person published it; an approved one can be published in several places.

    Raises
    ------
    MessageError
        ``actor``, ``blank``, ``locked`` or ``not_approved``.
    """
    _named(by, phrases)
    if not where.strip():
        raise _error("blank", phrases)
    if message.locked:
        raise _error("locked", phrases)
    have = len(message.approvals)
    if message.state == "draft" or have < message.needs:
        raise _error("not_approved", phrases, have=have, need=message.needs)
    sending = Sending(where=where, by=by, at_ms=at_ms)
    return msgspec.structs.replace(message, state="sent", sent=(*message.sent, sending))


def refresh(message: OutgoingMessage, alert: Alert, phrases: Phrases) -> OutgoingMessage:
    """Hold a message against the alert as it is now.

    A draft that nobody touched is written anew.  One that somebody approved is locked and says
    what changed; one that was edited or sent says what changed.  Should the facts come back to
    what they were, nothing has changed any more.
    """
    facts = fact_sheet(alert)
    if message.state == "draft" and not message.approvals and message.edited_by is None:
        fresh = {m.id: m for m in prepare(alert)}
        if message.id in fresh:  # else the alert's playbook is another by now
            return fresh[message.id]
    changed = changes(message.facts, facts, phrases)
    return msgspec.structs.replace(message, changed=changed)


def doubts(
    message: OutgoingMessage, prepared: Iterable[OutgoingMessage], phrases: Phrases
) -> tuple[Bilingual, ...]:
    """Numbers in a message that neither the facts nor the prepared messages hold.

    Parameters
    ----------
    message : OutgoingMessage
        Perhaps edited.
    prepared : iterable of OutgoingMessage
        From `prepare`: their numbers are times, counts and links of the facts and the brand.
    phrases : Phrases
    """
    known = {n for other in prepared for post in other.posts for n in _numbers(post)}
    for value in message.facts.values.values():
        known |= _numbers(str(value))
        if isinstance(value, (int, float)):
            known |= _numbers(phrases.number(value)) | _numbers(f"{100 * value:.0f}")
    mine = sorted({n for post in message.posts for n in _numbers(post)} - known)
    return tuple(phrases.say("messages.doubts.number", {"number": n}) for n in mine)


@lru_cache(maxsize=512)  # each message of an alert is compared with all the others
def _numbers(text: str) -> frozenset[str]:
    found = _NUMBER.findall(text.translate(_DIGITS))
    return frozenset(number.replace(",", "").rstrip(".") for number in found)


def _same_person(name: str) -> str:
    return name.strip().casefold()


def _named(actor: str, phrases: Phrases) -> None:
    if not actor.strip():
        raise _error("actor", phrases)


def _not_a_draft(message: OutgoingMessage, phrases: Phrases) -> MessageError:
    state = phrases.say(f"messages.states.{message.state}")
    return MessageError("not_a_draft", phrases.say("messages.faults.not_a_draft", state=state))


def _error(code: str, phrases: Phrases, **facts: object) -> MessageError:
    return MessageError(code, phrases.say(f"messages.faults.{code}", facts))
