"""What a text wants from its reader: the asks by which scammers are known.

Phrases of both languages (models/artifacts/intent.json) are found by one automaton over folded
text.  A phrase counts between word ends alone, so that *code* is not found in *decode*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec
from ahocorasick_rs import AhoCorasick, MatchKind

from models.impersonation.confusables import fold
from models.impersonation.findings import Finding, Tally, score_of

_FILE = Path(__file__).parents[1] / "artifacts" / "intent.json"
_MAX_CHARS = 2_000
_PREFIXES = ("و", "ب", "ل", "ف", "وال", "بال", "ال", "لل")
WEIGHTS: Mapping[str, float] = MappingProxyType({
    "asks_direct_message": 0.5, "asks_money": 0.7, "asks_code": 0.8, "asks_password": 0.8,
    "asks_card": 0.8, "asks_link": 0.4, "offers_refund": 0.5, "replies_to_complainer": 0.4,
})  # fmt: skip


def intents(texts: Sequence[str], *, to_complainers: Sequence[bool] = ()) -> list[Finding]:
    """What each text asks for; the score is of a scam, if the author poses as a brand.

    Parameters
    ----------
    texts : sequence of str
        Posts; beyond 2,000 characters they are cut.
    to_complainers : sequence of bool, optional
        Whether each answers somebody who complained to the brand: that is where scammers fish.

    Examples
    --------
    >>> asked, fine = intents(["DM us your card number for a refund", "Great service, thanks"])
    >>> [reason.code for reason in asked.reasons], fine.score
    (['asks_card', 'asks_direct_message', 'offers_refund'], 0.0)
    """
    automaton, phrases = _automaton()
    found = []
    folded = fold([text[:_MAX_CHARS] for text in texts])
    for i, text in enumerate(folded):
        tally = Tally(WEIGHTS)
        for which, start, end in automaton.find_matches_as_indexes(text, overlapping=True):
            if _is_whole(text, start, end):
                phrase, code = phrases[which]
                tally.add(code, phrase)
        if tally.reasons and i < len(to_complainers) and to_complainers[i]:
            tally.add("replies_to_complainer")
        found.append(Finding(None, score_of(tally.points()), tally.shown()))
    return found


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether words begin and end here, with the attached prefixes of Arabic."""
    if end < len(text) and text[end].isalnum():
        return False
    if not start or not text[start - 1].isalnum():
        return True
    before = text[max(0, start - 4) : start].split()
    return bool(before) and before[-1] in _PREFIXES


@cache
def _automaton() -> tuple[AhoCorasick, list[tuple[str, str]]]:
    raw = msgspec.json.decode(_FILE.read_bytes(), type=dict[str, list[str]])
    phrases = [
        (phrase, kind if kind == "refund" else f"asks_{kind}")
        for kind, written in raw.items()
        for phrase in fold(written)
    ]
    phrases = [(phrase, code if code != "refund" else "offers_refund") for phrase, code in phrases]
    return AhoCorasick([p for p, _ in phrases], matchkind=MatchKind.Standard), phrases
