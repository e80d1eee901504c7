"""Groups of accounts in a file of mentions: what ``nadhir analyze coordination`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from alerts.groups import explain_group
from alerts.texts import load_phrases
from models.coordination.detector import Coordination
from models.coordination.group import Group
from models.coordination.record import published_of, record
from models.records import AccountGroup, GroupTrace, Mention
from streams.analyze_files import BATCH, ignore, moment, read_mentions


class Found(NamedTuple):
    """Groups with what is published of them, the most suspect first, and all that was read.

    Of the lines, ``rejected`` are no mentions.
    """

    groups: list[tuple[Group, AccountGroup]]
    mentions: list[Mention]
    rejected: int


def find_groups(
    lines: Iterable[bytes], name: str = "input", tell: Callable[[str], None] = ignore
) -> Found:
    """Read mentions of one topic in order of time, and find groups as a stream would.

    Parameters
    ----------
    lines : iterable of bytes
        Mentions, a JSON object a line (docs/mention.md); blank lines are passed over.
    name : str
        What errors call the input.
    tell : callable
        Is told of each line that is no mention, which is passed over.
    """
    rejected = 0

    def reject(what: str) -> None:
        nonlocal rejected
        rejected += 1
        tell(what)

    found, mentions = Coordination(), read_mentions(lines, name, reject)
    for first in range(0, len(mentions), BATCH):
        found.observe(mentions[first : first + BATCH])
    found.look()
    at_ms = [int(mention.published_at.timestamp() * 1000) for mention in mentions]
    published = published_of(np.array(at_ms, dtype=np.int64))
    groups = [(group, record(group, published)) for group in found.groups]
    groups.sort(key=lambda pair: (-pair[1].score, pair[1].first_ms, pair[1].id))
    return Found(groups, mentions, rejected)


def as_lines(groups: Iterable[AccountGroup]) -> Iterator[bytes]:
    """Groups with their explanation, one JSON object a line."""
    phrases = load_phrases()
    for group in groups:
        explanation = explain_group(group, phrases)
        yield msgspec.json.encode(
            {
                "id": group.id,
                "kind": group.kind,
                "score": group.score,
                "accounts": group.accounts,
                "mentions": group.mentions,
                "first_seen": moment(group.first_ms),
                "last_seen": moment(group.last_ms),
                "found_at": moment(group.found_ms),
                "share_of_mentions": group.share,
                "evidence": [_evidence(trace) for trace in group.evidence],
                "parts": group.parts,
                "innocent_explanation": group.innocent,
                "explanation": {"ar": explanation.ar, "en": explanation.en},
            }
        )


def _evidence(trace: GroupTrace) -> dict[str, object]:
    return {
        "shared": trace.kind,
        "what": trace.shown,
        "accounts": trace.accounts,
        "mentions": trace.mentions,
        "first_seen": moment(trace.first_ms),
        "last_seen": moment(trace.last_ms),
        "pair": [
            {
                "id": post.id,
                "account": post.account,
                "published_at": moment(post.published_ms),
                "text": post.text,
                "only_here": only,
            }
            for post, only in zip(trace.posts, trace.differs)
        ],
    }
