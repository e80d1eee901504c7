"""What is left of one author in evidence, groups, narratives, advocates and impostors."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from alerts.naming import HANDLE, plain
from alerts.persons import ERASED, Author, Part
from models.records import (
    AccountGroup,
    Advocate,
    Carrier,
    Defence,
    Evidence,
    GroupPost,
    GroupTrace,
    Impostor,
    NarrativeRecord,
    NarrativeText,
    Reason,
)


def digest(content: object) -> str:
    """What stands for something erased: whoever has it can prove that it was that, nobody else."""
    return blake2b(msgspec.json.encode(content), digest_size=16).hexdigest()


def erased_part(part: Part, author: Author) -> Part:
    """A part of a record without the author."""
    if isinstance(part, Evidence):
        return _erased_evidence(part, author)
    if isinstance(part, AccountGroup):
        return _erased_group(part, author)
    if isinstance(part, NarrativeRecord):
        return erased_narrative(part, author)
    if isinstance(part, Defence):
        return _erased_defence(part, author)
    return _erased_impostor(part, author)


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


def _erased_defence(defence: Defence, author: Author) -> Defence:
    def advocate(one: Advocate) -> Advocate:
        if not author.wrote(one.platform, one.account, one.handle):
            return one
        return msgspec.structs.replace(one, account=ERASED, handle=None, followers=None)

    return msgspec.structs.replace(defence, advocates=tuple(map(advocate, defence.advocates)))


def _erased_impostor(impostor: Impostor, author: Author) -> Impostor:
    if author.poses_as(impostor):
        return nameless(impostor)
    urls = tuple(u for u in impostor.urls if not any(h in u.casefold() for h in author.handles))
    return msgspec.structs.replace(impostor, urls=urls)


def nameless(impostor: Impostor) -> Impostor:
    """An impostor without its account: figures, points and the hash that is its id stay.

    Of a domain its address stays, which is no person; links into it, and what its posts asked for
    in their words, go.
    """
    domain = (impostor.domain or "").casefold()

    def bare(reason: Reason) -> Reason:
        told = reason.what if reason.what and reason.what.casefold() in domain else ""
        return Reason(reason.code, reason.weight, told)

    account = None if impostor.account is None and impostor.handle is None else ERASED
    return msgspec.structs.replace(
        impostor,
        account=account,
        handle=None,
        name=None,
        urls=(),
        reasons=tuple(map(bare, impostor.reasons)),
        intents=tuple(Reason(r.code, r.weight) for r in impostor.intents),
        followers=None,
        created_ms=None,
        earlier_handles=(),
    )
