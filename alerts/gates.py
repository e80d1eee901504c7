"""The gates between a signal and an alert, each with what it saw and what it needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from alerts.playbook.records import Bilingual
from alerts.records import Gate
from alerts.texts import Phrases
from alerts.texts.phrases import plain
from models.records import COORDINATION, RUMOUR, SIGHTS, Sensitivity, Signal

# how seldom a brand itself must rise so far, in hours: once in three days, two weeks, two months
_RETURN_H = {"sensitive": 72.0, "balanced": 336.0, "strict": 1440.0}
_RAREST_H = 17_520.0  # two years: no figure is said beyond
_LIFT = {"sensitive": 1.5, "balanced": 2.0, "strict": 3.0}
_AUTHORS = {"sensitive": 3, "balanced": 5, "strict": 8}
_LOUD = 4.0  # from this many times the usual on, half of the harm below is enough
_VERY_LOUD = 10.0  # and from here a quarter
_LASTING_MIN = 60
_LONG_MIN = 180
_DAY_MIN, _DAY_LIFT = 1440, 0.75  # a rise that lasts a day may be this much lower
_HARM = 0.10  # otherwise the negative share must exceed the usual one by so much
# what is seen without a figure that rises: how sure it must be, and how critical what a group posts
_SURE = {
    RUMOUR: {"sensitive": 0.5, "balanced": 0.5, "strict": 0.65},
    COORDINATION: {"sensitive": 0.5, "balanced": 0.6, "strict": 0.8},
}
_CRITICISM = 0.5


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a brand asks of a signal."""

    sensitivity: Sensitivity = "balanced"
    min_mentions: int = 15


def judge(signal: Signal, settings: GateSettings, phrases: Phrases) -> tuple[Gate, ...]:
    """All gates of a signal, in the order in which they are asked.

    That of rarity only where it is known how often the brand itself rises so far.
    """
    if signal.kind in SIGHTS:
        return tuple(g(signal, settings, phrases) for g in _SIGHT_GATES)
    known = signal.return_h is not None
    return tuple(g(signal, settings, phrases) for g in _GATES if known or g is not _rarity)


def ratio_of(signal: Signal) -> float:
    """Observed over expected; a hundredth of a mention is the least expectation."""
    if signal.subject is not None:
        return 0.0  # no impostor is expected at all
    return round(signal.observed / max(signal.expected, 0.01), 2)


def least_mentions(min_mentions: int, *, negative: bool) -> int:
    """Mentions asked for: of negative ones half as many are enough."""
    return max(5, min_mentions // 2) if negative else min_mentions


def seen_mentions(signal: Signal) -> int:
    """How many mentions the rumour or group has that a signal is about."""
    held = signal.narratives[:1] if signal.kind == RUMOUR else ()
    return held[0].mentions if held else sum(len(g.mentions) for g in signal.groups[:1])


def share_of(signal: Signal) -> float:
    """Negative share in the window."""
    return signal.negative / max(signal.total, 1)


def _surprise(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    passed = signal.surprise >= signal.line
    odds, line = phrases.odds_against(signal.surprise, signal.line)
    words = {"odds": odds, "odds_line": line}
    return _gate("surprise", passed, signal.surprise, signal.line, {}, phrases, **words)


def _rarity(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    assert signal.return_h is not None
    needed, often = _RETURN_H[settings.sensitivity], min(signal.return_h, _RAREST_H)
    told = phrases.history(int(often))
    if often == _RAREST_H:
        told = Bilingual(ar=f"{told.ar} أو أكثر", en=f"{told.en} or more")
    words = {"often": told, "line": phrases.history(int(needed))}
    return _gate("rarity", often >= needed, often, needed, {}, phrases, **words)


def _mentions(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    counts_negative = signal.kind != "volume"
    needed = least_mentions(settings.min_mentions, negative=counts_negative)
    seen = signal.negative if counts_negative else signal.total
    facts = {"needed": needed}
    counted = phrases.mentions(seen, negative=counts_negative)
    return _gate("mentions", seen >= needed, seen, needed, facts, phrases, counted=counted)


def _lift(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    needed = _LIFT[settings.sensitivity]
    if signal.window_min >= _DAY_MIN:
        needed *= _DAY_LIFT
    # a share is bounded: at a usual 40 % it cannot triple
    if signal.kind == "negative_share":
        needed = min(needed, 1 + 0.5 * (1 / max(signal.usual_negative_share, 0.01) - 1))
    # what is compared is what is recorded and told
    ratio, needed = ratio_of(signal), round(needed, 2)
    shown = phrases.against(ratio, needed)
    words = {"times": phrases.times(shown[0]), "minimum": phrases.times(shown[1])}
    return _gate("lift", ratio >= needed, ratio, needed, {}, phrases, **words)


def _authors(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    needed = _AUTHORS[settings.sensitivity]
    accounts = phrases.accounts(signal.authors)
    passed = signal.authors >= needed
    facts = {"needed": needed}
    return _gate("authors", passed, signal.authors, needed, facts, phrases, accounts=accounts)


def _tone(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    usual = signal.usual_negative_share
    # five loud minutes may be one cascade of reposts; a loud hour is more
    lasting = signal.kind != "negative_share" and signal.window_min >= _LASTING_MIN
    ratio = ratio_of(signal) if lasting else 0.0
    # over many hours the share of what is wrong now is diluted by what was before
    long = signal.window_min >= _LONG_MIN
    harm = _HARM * (0.25 if ratio >= _VERY_LOUD else 0.5 if ratio >= _LOUD or long else 1.0)
    needed = round(min(usual + harm, 0.95), 4)
    share = signal.negative * 10_000 // max(signal.total, 1) / 10_000
    shown = phrases.against(100 * share, 100 * needed)
    facts = {
        "share": plain(shown[0]),
        "usual": phrases.number(100 * usual),
        "needed": plain(shown[1]),
    }
    return _gate("tone", share >= needed, share, needed, facts, phrases)


def _sure(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    needed = _SURE[signal.kind][settings.sensitivity]
    # shown in three digits, since what is compared is what is told
    score = int(1000 * signal.score) / 1000
    facts = {"score": f"{score:g}", "needed": f"{needed:g}"}
    what = phrases.say(f"kinds.{signal.kind}")
    return _gate("sure", score >= needed, score, needed, facts, phrases, what=what)


def _seen(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    group = signal.kind == COORDINATION  # half as many are enough: accounts are asked for, too
    needed, seen = least_mentions(settings.min_mentions, negative=group), seen_mentions(signal)
    counted = phrases.mentions(seen)
    return _gate(
        "mentions", seen >= needed, seen, needed, {"needed": needed}, phrases, counted=counted
    )


def _harm(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    """A rumour at least as negative as usual talk; of a group at least half."""
    needed = _CRITICISM if signal.kind == COORDINATION else signal.usual_negative_share
    needed = round(needed, 4)
    share = int(10_000 * (signal.told_negative or 0.0)) / 10_000
    shown = phrases.against(100 * share, 100 * needed)
    facts = {"share": plain(shown[0]), "needed": plain(shown[1])}
    return _gate("harm", share >= needed, share, needed, facts, phrases)


_SIGHT_GATES = (_sure, _seen, _authors, _harm)
_GATES: tuple[Callable[[Signal, GateSettings, Phrases], Gate], ...] = (
    _surprise,
    _rarity,
    _mentions,
    _lift,
    _authors,
    _tone,
)


def _gate(
    name: str,
    passed: bool,
    observed: float,
    needed: float,
    facts: Mapping[str, object],
    phrases: Phrases,
    **bilingual: object,
) -> Gate:
    key = f"gates.{name}.{'passed' if passed else 'failed'}"
    sentence = phrases.say(key, facts, **bilingual)
    return Gate(name=name, passed=passed, observed=observed, needed=needed, sentence=sentence)
