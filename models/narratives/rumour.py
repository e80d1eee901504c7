"""How much a narrative is a rumour: a claim that spreads fast and that no official source backs.

Follows what studies of rumours agree on (Z. Zhao et al., WWW 2015, enquiries and corrections;
A. Zubiaga et al., *Detection and Resolution of Rumours in Social Media: A Survey*, ACM Computing
Surveys 51, 2018).  Parts are log-odds set by hand and checked on simulated streams
(docs/models/narratives.md); they add up to a score from 0 to 1.
"""

from __future__ import annotations

from math import exp, log2
from typing import NamedTuple

from models.narratives.claims import Stance
from models.narratives.narrative import BIN_MS, HOUR_BINS, Narrative, Pace

LINE = 0.5
_START = -6.0
_CLAIM, _CLAIM_SHARE = 4.0, 0.5
_DOUBT, _DOUBT_SHARE = 1.0, 0.2
_RISE, _RISE_LOG2 = 2.0, 4.0  # sixteen times its own past is as fast as needed
_CHANCE = 6.0  # mentions an hour that chance may add
_LOUD, _LOUD_SHARE = 2.0, 0.3  # of what is usually said of the brand in an hour
_KNOWN_H = 6.0
_QUIET = 20.0  # mentions an hour, below which a brand counts as having so many
_COMPLAINT = -4.0
_OFFICIAL, _OFFICIAL_SHARE = -5.0, 0.1
_NEWS, _NEWS_SHARE = -2.0, 0.2
_FEW, _FEW_ACCOUNTS = -0.25, 20
# a claim without hearsay may be plain knowledge, a question is only half of one
_WEIGHTS = {Stance.HEARSAY: 1.0, Stance.CLAIM: 0.75, Stance.QUESTION: 0.7}


class Judgement(NamedTuple):
    """How much a narrative is a rumour, and what that adds up."""

    score: float
    parts: dict[str, float]
    rise: tuple[float, float]


def judge(narrative: Narrative, brand: Pace, now_ms: int, since_ms: int | None = None) -> Judgement:
    """Judge a narrative as it stands, and change nothing.

    Speed counts where it was highest; what is said and who backs it counts as it is now.

    Parameters
    ----------
    narrative : Narrative
    brand : Pace
        All that is said about the brand.
    now_ms : int
    since_ms : int, optional
        When what is known of narratives began, if less is known of them than of the brand.
    """
    rise = max(_rise(narrative, brand, now_ms, since_ms), narrative.rise, key=sum)
    parts = _parts(narrative, rise)
    return Judgement(1 / (1 + exp(-sum(parts.values()))), parts, rise)


def _rise(
    narrative: Narrative, brand: Pace, now_ms: int, since_ms: int | None
) -> tuple[float, float]:
    """How fast it goes now, against its own past and against all that is said."""
    past, _ = narrative.pace.before(now_ms)
    every, known_h = brand.before(now_ms)
    own_h = known_h
    if since_ms is not None:
        own_h = (now_ms // BIN_MS - HOUR_BINS + 1 - since_ms // BIN_MS) / HOUR_BINS
        if own_h < 1:  # nobody knows what it was before
            return 0.0, 0.0
    now, before = narrative.pace.now(now_ms), past / own_h
    usual = max(every / known_h - before, _QUIET)
    sure = min(1.0, known_h / _KNOWN_H)  # of a brand newly watched nobody knows what is usual
    own = log2((now + _CHANCE) / (before + _CHANCE)) / _RISE_LOG2
    more = max(0.0, now - before - _CHANCE / 2)
    return (
        sure * _RISE * min(1.0, max(0.0, own)),
        sure * _LOUD * min(1.0, more / (_LOUD_SHARE * usual)),
    )


def look(narrative: Narrative, brand: Pace, now_ms: int, since_ms: int | None = None) -> bool:
    """Take note of how fast a narrative goes; whether it is a rumour and was none before."""
    score, _, narrative.rise = judge(narrative, brand, now_ms, since_ms)
    if score < LINE or narrative.rumour_ms is not None:
        return False
    narrative.rumour_ms = now_ms
    return True


def worth_a_look(narrative: Narrative) -> bool:
    """Whether enough pass a claim on or ask about it that speed could make it a rumour."""
    needed = -(_START + _DOUBT + _RISE + _LOUD) / _CLAIM * _CLAIM_SHARE
    return narrative.rumour_ms is not None or _claims(narrative) >= needed


def _claims(narrative: Narrative) -> float:
    """Share of mentions that pass a claim on, in which a question counts for less."""
    stances = narrative.stances
    claims = sum([weight * stances[stance] for stance, weight in _WEIGHTS.items()])
    return claims / max(narrative.counted, 1)


def _parts(narrative: Narrative, rise: tuple[float, float]) -> dict[str, float]:
    counted = max(narrative.counted, 1)
    stances = narrative.stances
    doubts = (stances[Stance.QUESTION] + stances[Stance.DENIAL]) / counted
    return {
        "start": _START,
        "claims": _CLAIM * min(1.0, _claims(narrative) / _CLAIM_SHARE),
        "doubts": _DOUBT * min(1.0, doubts / _DOUBT_SHARE),
        "rise": rise[0],
        "loud": rise[1],
        "complaints": _COMPLAINT * stances[Stance.COMPLAINT] / counted,
        "official": _OFFICIAL * min(1.0, narrative.official / narrative.mentions / _OFFICIAL_SHARE),
        "news": _NEWS * min(1.0, narrative.news / narrative.mentions / _NEWS_SHARE),
        "few": _FEW * max(0, _FEW_ACCOUNTS - narrative.accounts.count),
    }
