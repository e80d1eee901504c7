"""Groups of accounts in a file of mentions: what ``nadhir analyze coordination`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import msgspec

from alerts.groups import explain_group
from alerts.texts import load_phrases
from models.coordination import Coordination
from models.group_record import record
from models.groups import Group
from models.records import AccountGroup, GroupTrace, Mention
from streams.decode import decode_batch

_BATCH = 500


def _ignore(_: str) -> None:
    """Nobody wants to know."""


class Found(NamedTuple):
    """Groups with what is published of them, the most suspect first, and all that was read."""

    groups: list[tuple[Group, AccountGroup]]
    mentions: list[Mention]


def find_groups(
    lines: Iterable[bytes], name: str = "input", tell: Callable[[str], None] = _ignore
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
    found, mentions = Coordination(), _mentions(lines, name, tell)
    for first in range(0, len(mentions), _BATCH):
        found.observe(mentions[first : first + _BATCH])
    found.look()
    groups = [(group, record(group)) for group in found.groups]
    groups.sort(key=lambda pair: (-pair[1].score, pair[1].first_ms, pair[1].id))
    return Found(groups, mentions)


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
                "first_seen": _moment(group.first_ms),
                "last_seen": _moment(group.last_ms),
                "found_at": _moment(group.found_ms),
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
        "first_seen": _moment(trace.first_ms),
        "last_seen": _moment(trace.last_ms),
        "pair": [
            {
                "id": post.id,
                "account": post.account,
                "published_at": _moment(post.published_ms),
                "text": post.text,
                "only_here": only,
            }
            for post, only in zip(trace.posts, trace.differs)
        ],
    }


def _mentions(lines: Iterable[bytes], name: str, tell: Callable[[str], None]) -> list[Mention]:
    """Mentions in order of time."""
    every: list[Mention] = []
    numbered = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
    while batch := list(islice(numbered, _BATCH)):
        decoded = decode_batch(
            [line for _, line in batch],
            source=name,
            positions=[number for number, _ in batch],
            now_ms=None,
            max_future_ms=0,
        )
        for rejection in decoded.rejections:
            tell(f"{name}, line {rejection.position}: {rejection.detail}")
        every += decoded.mentions
    return sorted(every, key=lambda mention: mention.published_at)


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")
