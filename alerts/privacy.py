"""Personal data in alerts and signals: one author's erased on request, old data pruned.

What an author wrote and who that was is in the evidence, in groups of accounts, and in what others
passed on.  Counts and explanations hold no accounts and stay: what was erased still counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import TypeAlias, TypeVar

import msgspec

from alerts.records import Alert
from models.records import (
    AccountGroup,
    Carrier,
    Evidence,
    GroupPost,
    GroupTrace,
    NarrativeRecord,
    NarrativeText,
    Signal,
)

ERASED = "erased"
HANDLE = re.compile(r"(?<![\w@.])@(\w(?:[\w.-]{0,98}\w)?)")  # ends before the full stop
Holder = TypeVar("Holder", Alert, Signal)
Part: TypeAlias = Evidence | AccountGroup | NarrativeRecord
PARTS = (Evidence, AccountGroup, NarrativeRecord)


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data it is: an account of a platform.

    ``handles`` are names by which others speak of it, ``posts`` ids of its mentions: both lead to
    it, wherever they stand.
    """

    platform: str
    id: str
    handles: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()

    def wrote(self, platform: str, author_id: str | None, handle: str | None) -> bool:
        """Whether an author of a mention is meant."""
        if platform.casefold() != self.platform.casefold():
            return False
        return author_id == self.id or (handle is not None and plain(handle) in self.handles)


def plain(handle: str) -> str:
    """A handle as it is compared.

    Examples
    --------
    >>> plain("@Amal_K")
    'amal_k'
    """
    return handle.removeprefix("@").casefold()


def digest(content: object) -> str:
    """What stands for something erased: whoever has it can prove that it was that, nobody else."""
    return blake2b(msgspec.json.encode(content), digest_size=16).hexdigest()


def known(author: Author, holders: Iterable[Alert | Signal]) -> Author:
    """The author with the handles and posts that the evidence of some records gives."""
    theirs = [
        e
        for holder in holders
        for e in holder.evidence
        if author.wrote(e.platform, e.author_id, e.handle)
    ]
    return msgspec.structs.replace(
        author,
        handles=author.handles | {plain(e.handle) for e in theirs if e.handle},
        posts=author.posts | {e.id for e in theirs if not e.id.startswith(f"{ERASED}:")},
    )


def erase(holder: Holder, author: Author) -> Holder:
    """An alert or a signal without one author's data; itself if it holds none.

    The evidence keeps its time, label and reach, and has a hash for its id; handles in what others
    wrote become ``@erased``, and what they passed on of the author's is dropped.
    """
    author = known(author, [holder])
    parts = {name: tuple(_erased(p, author) for p in held) for name, held in people(holder)}
    named = [t for t in holder.terms if plain(t) in author.handles]
    terms = tuple(t for t in holder.terms if t not in named)
    if not named and all(parts[name] == held for name, held in people(holder)):
        return holder
    erased = msgspec.structs.replace(holder, terms=terms, **parts)
    return _without_terms(erased, named) if named else erased


def people(holder: Alert | Signal) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """Fields of a record that hold what people wrote or who they are, with what is in them."""
    for name in holder.__struct_fields__:
        held = getattr(holder, name)
        if isinstance(held, tuple) and held and isinstance(held[0], PARTS):
            yield name, held


def _erased(part: Part, author: Author) -> Part:
    if isinstance(part, Evidence):
        return _erased_evidence(part, author)
    if isinstance(part, AccountGroup):
        return _erased_group(part, author)
    return erased_narrative(part, author)


def _without_terms(alert: Holder, terms: list[str]) -> Holder:
    """An alert whose briefings, which list the terms, do not name them either."""
    if not isinstance(alert, Alert):
        return alert

    def text(words: str) -> str:
        for term in terms:
            words = words.replace(term, ERASED)
        return words

    messages = tuple(msgspec.structs.replace(m, text=text(m.text)) for m in alert.playbook.messages)
    playbook = msgspec.structs.replace(alert.playbook, messages=messages)
    return msgspec.structs.replace(alert, playbook=playbook)


def _erased_evidence(evidence: Evidence, author: Author) -> Evidence:
    theirs = author.wrote(evidence.platform, evidence.author_id, evidence.handle)
    if not theirs and not _passed_on(evidence.text, author):
        text = without_handles(evidence.text, author)
        return evidence if text == evidence.text else msgspec.structs.replace(evidence, text=text)
    replaced = msgspec.structs.replace(evidence, text="", url=None)
    if not theirs:  # a repost is the poster's own act, with somebody else's words
        return replaced
    return msgspec.structs.replace(
        replaced,
        id=f"{ERASED}:{digest(evidence)}",
        author_id=None,
        handle=None,
        name=None,
        followers=None,
    )


def erased_narrative(narrative: NarrativeRecord, author: Author) -> NarrativeRecord:
    """What is being said, without one of those who said it first."""

    def carrier(one: Carrier) -> Carrier:
        if not author.wrote(one.platform, one.account, one.handle):
            text = "" if _passed_on(one.text, author) else without_handles(one.text, author)
            return msgspec.structs.replace(one, text=text)
        gone = {"account": ERASED, "mention": ERASED, "handle": None, "followers": None}
        return msgspec.structs.replace(one, **gone, text="")

    theirs = {
        c.mention for c in narrative.carriers if author.wrote(c.platform, c.account, c.handle)
    }

    def text(one: NarrativeText) -> NarrativeText:
        if one.id in theirs | author.posts:
            return NarrativeText(id=ERASED, text="", times=one.times)
        words = "" if _passed_on(one.text, author) else without_handles(one.text, author)
        return msgspec.structs.replace(one, text=words)

    return msgspec.structs.replace(
        narrative,
        carriers=tuple(map(carrier, narrative.carriers)),
        texts=tuple(map(text, narrative.texts)),
        terms=tuple(t for t in narrative.terms if plain(t) not in author.handles),
    )


def _passed_on(text: str, author: Author) -> bool:
    if not text.startswith(("RT @", "rt @")):
        return False
    named = HANDLE.match(text, 3)
    return named is not None and plain(named[1]) in author.handles


def without_handles(text: str, author: Author) -> str:
    """A text in which the author is named no more."""

    def other(found: re.Match[str]) -> str:
        return f"@{ERASED}" if plain(found[1]) in author.handles else found[0]

    return HANDLE.sub(other, text) if author.handles else text


def _erased_group(group: AccountGroup, author: Author) -> AccountGroup:
    names = {author.id, *author.handles}

    def theirs(account: str) -> bool:
        return account in names or plain(account) in author.handles

    gone = author.posts | {p.id for t in group.evidence for p in t.posts if theirs(p.account)}
    member = any(map(theirs, group.accounts)) or not gone.isdisjoint(group.mentions)
    traces = tuple(_erased_trace(t, author, theirs, member=member) for t in group.evidence)
    return msgspec.structs.replace(
        group,
        accounts=tuple(ERASED if theirs(a) else a for a in group.accounts),
        mentions=tuple(ERASED if m in gone else m for m in group.mentions),
        evidence=traces,
    )


def _erased_trace(
    trace: GroupTrace, author: Author, theirs: Callable[[str], bool], *, member: bool
) -> GroupTrace:
    posts = tuple(_erased_post(p, author, theirs(p.account)) for p in trace.posts)
    # what a group shares is every member's own text, link or tag; of reposts it is the post
    shown = "" if member or trace.shown in author.posts else trace.shown
    if (shown, posts) == (trace.shown, trace.posts) and not member:
        return trace
    return msgspec.structs.replace(trace, shown=shown, posts=posts, differs=((), ()))


def _erased_post(post: GroupPost, author: Author, theirs: bool) -> GroupPost:
    if theirs:
        erased = f"{ERASED}:{digest(post)}"
        return GroupPost(id=erased, account=ERASED, published_ms=post.published_ms, text="")
    text = "" if _passed_on(post.text, author) else without_handles(post.text, author)
    return msgspec.structs.replace(post, text=text)


def stripped(holder: Holder) -> Holder:
    """An alert or a signal without anything that people wrote; figures and sentences stay."""
    empty: dict[str, tuple[Part, ...]] = {name: () for name, _ in people(holder)}
    return msgspec.structs.replace(holder, terms=(), **empty)
