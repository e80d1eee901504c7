"""One author's data erased in the response database, in one transaction.

Comments, and what the audit trail says, are of our own people and stay.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from alerts.facts import FactSheet, changes, fact_sheet
from alerts.messages import OutgoingMessage
from alerts.notify.records import Notification
from alerts.privacy import (
    ERASED,
    Author,
    digest,
    erase,
    known,
    named_as,
    plain,
    without_handles,
)
from alerts.records import Alert
from alerts.service.kept_records import Erasure
from alerts.service.tx import Tx
from alerts.store import drafts, queue, rows
from alerts.store.drafts import Held
from alerts.texts import Phrases

_SOME = 100  # alerts, or notifications, in memory at once


def erase_author(tx: Tx, author: Author, phrases: Phrases) -> tuple[Author, Erasure]:
    """Erase what an author wrote and who that was; the author with what is known here, too.

    Alerts that held something are at a new version, since what they show is another.
    """
    for _, alert in rows.each(tx.connection, _SOME):
        author = known(author, [alert])
    counts = {"messages": 0, "notifications": 0}
    rewritten = []  # noted at the end: who holds the audit trail must not wait for an alert
    for row, alert in rows.each(tx.connection, _SOME):
        erased = erase(alert, author)
        counts["messages"] += _messages(tx, author, alert, erased, phrases)
        if erased is not alert:
            rewritten.append(rows.update(tx.connection, row, {}, erased))
    for id_, told in queue.each(tx.connection, _SOME):
        erased = erase(told.alert, author)
        if erased is not told.alert:
            _rewrite(tx, id_, told, erased)
            counts["notifications"] += 1
    for row in rewritten:
        tx.publish(row)
        tx.note(row, "evidence_erased")
    who = digest([author.platform.casefold(), author.id])
    made = Erasure(author=who, alerts=len(rewritten), **counts)
    tx.record("author_erased", None, msgspec.to_builtins(made))
    return author, made


def _rewrite(tx: Tx, id_: int, told: Notification, alert: Alert) -> None:
    queue.rewrite(tx.connection, id_, msgspec.structs.replace(told, alert=alert))


def _messages(tx: Tx, author: Author, before: Alert, after: Alert, phrases: Phrases) -> int:
    count = 0
    for held in drafts.of_alert(tx.connection, before.id).values():
        message = erased_message(held.message, author, before, after, phrases)
        if message != held.message:
            changed = Held(name=held.name, version=held.version + 1, message=message)
            drafts.update(tx.connection, changed)
            count += 1
    return count


def erased_message(
    message: OutgoingMessage, author: Author, before: Alert, after: Alert, phrases: Phrases
) -> OutgoingMessage:
    """A message without an author; one whose text is another now needs its approvals anew.

    Parameters
    ----------
    message : OutgoingMessage
    author : Author
        With the handles and posts that are known.
    before, after : Alert
        The message's alert, with the author's data and without.
    phrases : Phrases
    """
    pairs = zip(before.evidence, after.evidence, strict=True)
    names = {f"{old.platform}/{old.id}": f"{new.platform}/{new.id}" for old, new in pairs}
    facts = _facts(message.facts, author, names)
    terms = [t for t in _words(message.facts, "terms") if plain(t) in author.handles]
    naming = named_as(author, before)
    posts = tuple(naming.text(_text(post, author, terms)) for post in message.posts)
    changed = changes(facts, fact_sheet(after), phrases)
    erased = msgspec.structs.replace(message, facts=facts, posts=posts, changed=changed)
    if posts == message.posts or message.state == "sent":
        return erased
    return msgspec.structs.replace(erased, state="draft", approvals=())


def _facts(facts: FactSheet, author: Author, names: Mapping[str, str]) -> FactSheet:
    def evidence(name: str) -> str:
        platform, _, id_ = name.partition("/")
        gone = platform.casefold() == author.platform.casefold() and id_ in author.posts
        return names.get(name, f"{platform}/{ERASED}" if gone else name)

    values = {
        **facts.values,
        "terms": tuple(t for t in _words(facts, "terms") if plain(t) not in author.handles),
        "evidence": tuple(sorted(map(evidence, _words(facts, "evidence")))),
    }
    return msgspec.structs.replace(facts, values=values)


def _words(facts: FactSheet, field: str) -> tuple[str, ...]:
    held = facts.values.get(field)
    return held if isinstance(held, tuple) else ()


def _text(words: str, author: Author, terms: list[str]) -> str:
    words = without_handles(words, author)
    for term in terms:
        words = words.replace(term, ERASED)
    return words
