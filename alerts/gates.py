"""The gates between a signal and an alert, each with what it saw and what it needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from alerts.records import Gate
from alerts.texts import Phrases
from models.records import Sensitivity, Signal

_LIFT = {"sensitive": 1.5, "balanced": 2.0, "strict": 3.0}
_AUTHORS = {"sensitive": 3, "balanced": 5, "strict": 8}
_LOUD = 4.0  # from this many times the usual volume on, an unchanged tone is enough
_HARM = 0.10  # otherwise the negative share must exceed the usual one by so much


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a brand asks of a signal."""

    sensitivity: Sensitivity = "balanced"
    min_mentions: int = 15


def judge(signal: Signal, settings: GateSettings, phrases: Phrases) -> tuple[Gate, ...]:
    """All gates of a signal, in the order in which they are asked."""
    return tuple(gate(signal, settings, phrases) for gate in _GATES)


def ratio_of(signal: Signal) -> float:
    """Observed over expected; a hundredth of a mention is the least expectation."""
    return round(signal.observed / max(signal.expected, 0.01), 2)


def share_of(signal: Signal) -> float:
    """Negative share in the window."""
    return signal.negative / max(signal.total, 1)


def _surprise(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    passed = signal.surprise >= signal.line
    facts = {"odds": phrases.odds(signal.surprise), "odds_line": phrases.odds(signal.line)}
    return _gate("surprise", passed, signal.surprise, signal.line, facts, phrases)


def _mentions(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    counts_negative = signal.kind != "volume"
    needed = settings.min_mentions if not counts_negative else max(5, settings.min_mentions // 2)
    seen = signal.negative if counts_negative else signal.total
    facts = {"needed": needed}
    counted = phrases.mentions(seen, negative=counts_negative)
    return _gate("mentions", seen >= needed, seen, needed, facts, phrases, counted=counted)


def _lift(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    needed = _LIFT[settings.sensitivity]
    # a share is bounded: at a usual 40 % it cannot triple
    if signal.kind == "negative_share":
        needed = min(needed, 1 + 0.5 * (1 / max(signal.usual_negative_share, 0.01) - 1))
    ratio = ratio_of(signal)
    facts = {"ratio": phrases.number(ratio), "needed": phrases.number(needed)}
    return _gate("lift", ratio >= needed, ratio, round(needed, 2), facts, phrases)


def _authors(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    needed = _AUTHORS[settings.sensitivity]
    facts = {"authors": signal.authors, "needed": needed}
    return _gate("authors", signal.authors >= needed, signal.authors, needed, facts, phrases)


def _tone(signal: Signal, settings: GateSettings, phrases: Phrases) -> Gate:
    usual = signal.usual_negative_share
    loud = signal.kind != "negative_share" and ratio_of(signal) >= _LOUD
    needed = usual if loud else min(usual + _HARM, 0.95)
    share = share_of(signal)
    facts = {
        "share": round(100 * share),
        "usual": round(100 * usual),
        "needed": round(100 * needed),
    }
    return _gate("tone", share >= needed, round(share, 4), round(needed, 4), facts, phrases)


_GATES: tuple[Callable[[Signal, GateSettings, Phrases], Gate], ...] = (
    _surprise,
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
