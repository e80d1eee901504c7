"""Personal data in alerts and signals: erased on request, pruned, under pseudonyms in exports.

What an author wrote and who that was is in the evidence, in groups of accounts, and in what others
passed on.  Counts and explanations hold no accounts and stay: what was erased still counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Literal, TypeVar

import msgspec

from alerts.records import Alert
from models.records import AccountGroup, Evidence, GroupPost, GroupTrace, Signal

ERASED = "erased"
DAY_MS = 86_400_000
_HANDLE = re.compile(r"(?<![\w@.])@(\w(?:[\w.-]{0,98}\w)?)")  # ends before the full stop
Holder = TypeVar("Holder", Alert, Signal)


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
    evidence = tuple(_erased_evidence(e, author) for e in holder.evidence)
    groups = tuple(_erased_group(g, author) for g in holder.groups)
    named = [t for t in holder.terms if plain(t) in author.handles]
    terms = tuple(t for t in holder.terms if t not in named)
    if (evidence, groups, terms) == (holder.evidence, holder.groups, holder.terms):
        return holder
    erased = msgspec.structs.replace(holder, evidence=evidence, groups=groups, terms=terms)
    return _without_terms(erased, named) if named else erased


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


def _passed_on(text: str, author: Author) -> bool:
    if not text.startswith(("RT @", "rt @")):
        return False
    named = _HANDLE.match(text, 3)
    return named is not None and plain(named[1]) in author.handles


def without_handles(text: str, author: Author) -> str:
    """A text in which the author is named no more."""

    def other(found: re.Match[str]) -> str:
        return f"@{ERASED}" if plain(found[1]) in author.handles else found[0]

    return _HANDLE.sub(other, text) if author.handles else text


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


# exports --------------------------------------------------------------------------------------


def pseudonym(key: bytes, platform: str, account: str) -> str:
    """A name for an account that only the holder of the key can find again.

    Examples
    --------
    >>> pseudonym(b"k", "x", "42") == pseudonym(b"k", "x", "42") != pseudonym(b"l", "x", "42")
    True
    """
    keyed = blake2b(f"{platform.casefold()}\0{account}".encode(), key=key[:64], digest_size=8)
    return f"p-{keyed.hexdigest()}"


def pseudonymous(holder: Holder, key: bytes) -> Holder:
    """An alert or a signal as it may leave the house: accounts under pseudonyms.

    The same account has the same pseudonym under the same key.  Names, links and the ids of
    mentions, which lead to the account, go; words that people wrote stay, without handles.

    Parameters
    ----------
    holder : Alert or Signal
    key : bytes
        Secret; a new one for each export ties no two exports together.
    """
    if not key:
        raise ValueError("key is empty: a pseudonym without a key can be found by trying")

    def mention(platform: str, mention_id: str) -> str:
        return pseudonym(key, f"{platform}\0mention", mention_id)

    def text(words: str) -> str:
        return _HANDLE.sub(lambda found: "@" + pseudonym(key, "@", plain(found[1])), words)

    def evidence(e: Evidence) -> Evidence:
        who = e.author_id or (plain(e.handle) if e.handle else None)
        return msgspec.structs.replace(
            e,
            id=mention(e.platform, e.id),
            author_id=None if who is None else pseudonym(key, e.platform, who),
            handle=None,
            name=None,
            url=None,
            text=text(e.text),
        )

    def post(p: GroupPost) -> GroupPost:
        return GroupPost(
            id=mention("", p.id),
            account=pseudonym(key, "", p.account),
            published_ms=p.published_ms,
            text=text(p.text),
        )

    def group(g: AccountGroup) -> AccountGroup:
        return msgspec.structs.replace(
            g,
            accounts=tuple(pseudonym(key, "", a) for a in g.accounts),
            mentions=tuple(mention("", m) for m in g.mentions),
            evidence=tuple(
                msgspec.structs.replace(
                    t,
                    shown=text(t.shown) if t.kind in ("text", "tag", "tags", "link") else "",
                    posts=tuple(map(post, t.posts)),
                    differs=(
                        tuple(map(text, t.differs[0])),
                        tuple(map(text, t.differs[1])),
                    ),
                )
                for t in g.evidence
            ),
        )

    return msgspec.structs.replace(
        holder,
        evidence=tuple(map(evidence, holder.evidence)),
        groups=tuple(map(group, holder.groups)),
    )


# retention ------------------------------------------------------------------------------------


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How many days data is kept after the last thing happened to it.

    ``evidence_days`` is for what people wrote, ``alert_days`` for alerts, signals and decisions
    without it.
    """

    evidence_days: int
    alert_days: int

    def due(self, last_ms: int, now_ms: int) -> Literal["keep", "strip", "drop"]:
        """What is to be done with something to which nothing has happened since ``last_ms``.

        Examples
        --------
        >>> plan = Retention(evidence_days=1, alert_days=2)
        >>> [plan.due(0, days * 86_400_000) for days in (1, 2, 3)]
        ['keep', 'strip', 'drop']
        """
        age_ms = now_ms - last_ms
        if age_ms > self.alert_days * DAY_MS:
            return "drop"
        return "strip" if age_ms > self.evidence_days * DAY_MS else "keep"


def stripped(holder: Holder) -> Holder:
    """An alert or a signal without anything that people wrote; figures and sentences stay."""
    return msgspec.structs.replace(holder, evidence=(), groups=(), terms=())
