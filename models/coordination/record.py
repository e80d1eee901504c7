"""A group as a record: its posts, pairs of them side by side, and what else may explain it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from models.coordination.group import Group
from models.coordination.trace import Quote, Trace
from models.coordination.traces import canonical_link, links_in
from models.records import AccountGroup, GroupPost, GroupTrace, Int64

MOST_TRACES = 8
_PETITION = re.compile(
    r"petition|sign (?:this|the|here|now)|change\.org|avaaz|عريضة|عريضه|وقّع|وقعوا|التوقيع",
    re.IGNORECASE,
)
_AUTOMATED = re.compile(r"\$[A-Z]{1,5}\b|\d+(?:[.,:/]\d+)+|\d+ ?%")
_SERIAL = 4  # posts of an account
_MOST_HOSTS = 4
_FANS = re.compile(r"happy birthday|congrat|we love|stream(?:ing)? |vote |مبروك|نحبك|صوتوا", re.I)


def record(group: Group, published: Callable[[int, int], int]) -> AccountGroup:
    """A group as it is published.

    Parameters
    ----------
    group : Group
    published : callable
        How many mentions there were between two moments, in ms, both included.
    """
    posts, facts, last_ms = group.posts(), group.facts, group.last_ms
    if group.kind == "amplification":  # of very many accounts not each post is known
        posts = [post for post in posts if post.at_ms <= last_ms]
        posted = max(len(posts), int(facts["mentions"]))
    else:
        posted = len(posts)
        last_ms = max([last_ms, *(post.at_ms for post in posts)])
        if group.earlier:
            facts = facts | _copied(group)
    return AccountGroup(
        id=group.id,
        kind=group.kind,
        score=round(group.score, 4),
        accounts=tuple(sorted(group.names[a] for a in group.accounts if a in group.names)),
        mentions=tuple(q.id for q in posts),
        first_ms=group.first_ms,
        last_ms=group.last_ms,
        found_ms=group.found_ms,
        share=round(min(1.0, posted / max(published(group.first_ms, last_ms), 1)), 4),
        innocent=_innocent(group, posts),
        parts={name: round(points, 3) for name, points in group.parts.items() if points},
        facts=facts,
        evidence=evidence_of(group, group.names),
    )


def evidence_of(group: Group, names: Mapping[int, str]) -> tuple[GroupTrace, ...]:
    """What a group shares, the most telling first, with pairs of posts and who posted them."""
    return tuple(_trace(trace, group, names) for trace in group.traces[:MOST_TRACES])


def _copied(group: Group) -> dict[str, float]:
    """How many texts a group has copied since it began, and how many of its accounts did."""
    who: dict[str, set[int]] = {}
    for trace in chain(group.earlier, group.traces):
        if trace.kind == "text":
            own = {q.account for q in trace.quotes if not q.repost} & group.accounts
            who[trace.shown] = who.get(trace.shown, set()) | own
    copied = [accounts for accounts in who.values() if len(accounts) > 1]
    return {"texts": len(copied), "copiers": len(set().union(*copied))}


def published_of(at_ms: Int64) -> Callable[[int, int], int]:
    """What `record` asks, of moments in ascending order."""

    def published(first_ms: int, last_ms: int) -> int:
        return int(at_ms.searchsorted(last_ms, "right") - at_ms.searchsorted(first_ms))

    return published


def _trace(trace: Trace, group: Group, names: Mapping[int, str]) -> GroupTrace:
    own = [q for q in trace.quotes if q.account in group.accounts]
    first = own[:1]
    other = [q for q in own if q.account != own[0].account][:1]
    pair = [*first, *other]
    words = [dict.fromkeys(q.text.split()) for q in pair]
    differs: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    if len(words) == 2:
        differs = (
            tuple(w for w in words[0] if w not in words[1]),
            tuple(w for w in words[1] if w not in words[0]),
        )
    return GroupTrace(
        kind=trace.kind,
        shown=trace.shown,
        # those who were let go have posted it, too
        accounts=len({q.account for q in own} | (group.accounts & trace.joined.keys()))
        + trace.missed,
        mentions=trace.mentions,
        first_ms=trace.first_ms,
        last_ms=trace.last_ms,
        posts=tuple(
            GroupPost(
                id=q.id,
                account=names.get(q.account, "?"),
                published_ms=q.at_ms,
                text=q.text,
            )
            for q in pair
        ),
        differs=differs,
    )


def _innocent(group: Group, posts: Iterable[Quote]) -> str:
    """Which innocent explanation fits best; there always is one to be ruled out."""
    posts = list(posts)
    texts = [q.text for q in posts]
    most = max(len(texts), 1)
    hosts = [canonical_link(link).partition("/")[0] for t in texts for link in links_in(t)[:1]]
    if group.kind == "amplification" and group.traces[0].kind in ("repost", "media"):
        return "popular"
    if 2 * sum(bool(_PETITION.search(t)) for t in texts) > most:
        return "petition"
    serial = len(texts) >= _SERIAL * len(group.accounts) and 2 * len(hosts) > most
    if serial or 2 * sum(len(_AUTOMATED.findall(t)) > 1 for t in texts) > most:
        return "automated"
    if len(set(hosts)) > max(_MOST_HOSTS, most / 2):  # many outlets, each with its own page
        return "news"
    if group.facts.get("headline") or group.traces[0].link or group.traces[0].kind == "link":
        return "news"
    if 2 * sum(bool(_FANS.search(t)) for t in texts) > most:
        return "fans"
    if 2 * sum("#" in t for t in texts) > most:
        return "hashtag"
    return "asked"
