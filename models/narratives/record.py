"""A narrative as a record: speed, terms that stand out, what is said most, who said it first."""

from __future__ import annotations

from collections.abc import Sequence

from models.narratives.claims import Stance
from models.narratives.detector import Narratives
from models.narratives.narrative import HOUR_MS, Narrative, Post
from models.narratives.rumour import LINE, judge
from models.records import Carrier, NarrativeRecord, NarrativeText
from models.terms import Terms

MOST_TEXTS = 5
MOST_CARRIERS = 10
_OF_IT = 0.3  # cosine to what a narrative has become, from which a mention began it
_OF_A_CLAIM = (Stance.CLAIM, Stance.HEARSAY, Stance.QUESTION, Stance.DENIAL)


def records(narratives: Narratives) -> list[NarrativeRecord]:
    """All narratives that several accounts tell: rumours first, then by how many tell them."""
    terms, usual = Terms(), narratives.samples
    found = [record(n, narratives, terms, usual) for n in narratives.narratives]
    return sorted(found, key=_importance)


def record(
    narrative: Narrative, among: Narratives, terms: Terms, usual: Sequence[str]
) -> NarrativeRecord:
    """A narrative as it is published, judged as it stands now.

    Parameters
    ----------
    narrative : Narrative
    among : Narratives
        That hold it.
    terms : Terms
    usual : sequence of str
        What else is said about the brand.
    """
    judged = judge(narrative, among.pace or narrative.pace, among.now_ms, among.since_ms)
    rumour = judged.score >= LINE
    said = sorted(narrative.texts.values(), key=lambda s: (-s.times, s.post.at_ms, s.post.id))
    own = [s.post.text for s in said]
    if rumour:  # what was swept along comes last
        said.sort(key=lambda s: s.post.stance not in _OF_A_CLAIM)
    before, known_h = narrative.pace.before(among.now_ms)
    sampled_h = None
    if among.since_ms is not None:
        sampled_h = round((among.now_ms + 1 - among.since_ms) / HOUR_MS, 2)
        known_h = max(sampled_h - 1, 1.0)
    stances = narrative.stances
    return NarrativeRecord(
        id=narrative.id,
        kind="rumour" if rumour else "narrative",
        score=round(judged.score, 4),
        first_ms=narrative.first_ms,
        last_ms=narrative.last_ms,
        found_ms=(narrative.rumour_ms or among.now_ms) if rumour else None,
        mentions=narrative.mentions,
        accounts=min(narrative.accounts.count, narrative.counted),
        speed_now=float(narrative.pace.now(among.now_ms)),
        speed_before=round(before / known_h, 2),
        speed_peak=float(narrative.pace.fastest()),
        languages=_most_first(narrative.languages),
        platforms=_most_first(narrative.platforms),
        negative_share=(
            round(narrative.negative / narrative.labelled, 4) if narrative.labelled else None
        ),
        claims=stances[Stance.HEARSAY] + stances[Stance.CLAIM],
        questions=stances[Stance.QUESTION],
        denials=stances[Stance.DENIAL],
        complaints=stances[Stance.COMPLAINT],
        sources=narrative.official + narrative.news,
        terms=tuple(terms.top(own, _others(usual, own), among.ignored)),
        texts=tuple(
            NarrativeText(id=s.post.id, text=s.post.text, times=s.times) for s in said[:MOST_TEXTS]
        ),
        carriers=tuple(_carrier(p) for p in _first(narrative, among, rumour)),
        parts={name: round(points, 3) for name, points in judged.parts.items() if points},
        sampled_h=sampled_h,
    )


def _first(narrative: Narrative, among: Narratives, rumour: bool) -> list[Post]:
    """The first who said it; of a rumour, the first who passed it on rather than asked."""
    speak = [p for p in narrative.firsts if p.stance in _OF_A_CLAIM]
    posts = (rumour and (narrative.claimants or speak)) or narrative.firsts
    known = [p for p in posts if p.account]
    near = [p for p in known if among.near(narrative, p) >= _OF_IT]
    return (near or known)[:MOST_CARRIERS]


def _carrier(post: Post) -> Carrier:
    return Carrier(
        account=post.account,
        platform=post.platform,
        handle=post.handle,
        followers=post.followers,
        mention=post.id,
        published_ms=post.at_ms,
        text=post.text,
    )


def _others(usual: Sequence[str], own: Sequence[str]) -> list[str]:
    mine = set(own)
    return [text for text in usual if text not in mine]


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _importance(found: NarrativeRecord) -> tuple[float, int, int, str]:
    score = found.score if found.kind == "rumour" else 0.0
    return -score, -found.mentions, found.first_ms, found.id
