"""Explanations: what was observed, what was expected, why it fired, what would have stopped it."""

from __future__ import annotations

from math import ceil, floor, log2, log10

import msgspec

from alerts.defence import clean_defence, explain_defence
from alerts.gates import GateSettings, ratio_of, share_of
from alerts.groups import clean_group, explain_group
from alerts.imitation import clean_impostor
from alerts.narratives import clean_keys, clean_narrative, clean_terms, explain_narrative
from alerts.playbook.records import Bilingual, Severity
from alerts.playbook.text import hostile, strip_controls
from alerts.records import SEVERITIES, Explanation, Gate, Part
from alerts.sights import observed_as, sight_facts, sight_stops, sight_words
from alerts.texts import Phrases
from alerts.texts.phrases import plain, rounded
from models.records import SIGHTS, SURPRISE_LINES, Brand, Evidence, Signal

SEVERITY_FROM: dict[str, int] = {"watch": 0, "warning": 45, "critical": 70}
WEIGHTS = {"negativity": 35.0, "volume": 30.0, "certainty": 15.0, "breadth": 10.0, "reach": 10.0}
MAX_TERM_CHARS = 40
# from such differences on, what weighs the negative mentions says more than their share
_REACH_DIFFERS, _INTENSITY_DIFFERS = 0.10, 0.08
_ARABIC = ("\u0600", "\u06ff")


def brand_names(brand: Brand) -> Bilingual:
    """The name to show in each language: the first one in its script, else the first one."""
    arabic = [n for n in brand.names if any(_ARABIC[0] <= c <= _ARABIC[1] for c in n)]
    latin = [n for n in brand.names if n not in arabic]
    return Bilingual(ar=(arabic or brand.names)[0], en=(latin or brand.names)[0])


def score_parts(signals: list[Signal], phrases: Phrases) -> tuple[Part, ...]:
    """The parts of the crisis score, from the latest signal of each kind."""
    rise = max((ratio_of(s) for s in signals if s.kind != "negative_share"), default=1.0)
    lift = max(
        (share_of(s) - s.usual_negative_share) / max(1 - s.usual_negative_share, 0.01)
        for s in signals
    )
    values = {
        "negativity": lift,
        "volume": log2(max(rise, 1.0)) / 4,
        "certainty": max(s.score for s in signals),
        "breadth": log10(max(1, *(s.authors for s in signals))) / 3,
        "reach": log10(1 + max(s.reach for s in signals)) / 6,
    }
    parts = []
    for name, weight in WEIGHTS.items():
        value = round(min(max(values[name], 0.0), 1.0), 4)
        points = round(weight * value, 2)
        sentence = phrases.say(f"parts.{name}")
        parts.append(Part(name=name, value=value, weight=weight, points=points, sentence=sentence))
    return tuple(parts)


def crisis_score(parts: tuple[Part, ...]) -> int:
    """0 to 100, the sum of the parts' points, rounded half up."""
    return floor(round(sum(p.points for p in parts), 2) + 0.5)


def severity_of(score: int) -> Severity:
    """Severity of a crisis score."""
    return next(s for s in reversed(SEVERITIES) if score >= SEVERITY_FROM[s])


def explain(
    signal: Signal,
    gates: tuple[Gate, ...],
    parts: tuple[Part, ...],
    settings: GateSettings,
    phrases: Phrases,
) -> Explanation:
    """The explanation of an alert, from the signal that opened or last raised it."""
    facts = {**_facts(signal, phrases), **sight_facts(signal, phrases)}
    words = {**_words(signal, phrases), **sight_words(signal, phrases)}
    terms = [hostile(term, MAX_TERM_CHARS) for term in signal.terms]
    return Explanation(
        observed=phrases.say(f"observed.{observed_as(signal)}", facts, **words),
        expected=phrases.say(f"expected.{signal.kind}", facts, **words),
        corrected=_corrected(signal, phrases),
        reach=_reach(signal, phrases),
        intensity=_intensity(signal, phrases),
        split=_split(signal, phrases),
        groups=tuple(explain_group(group, phrases) for group in signal.groups),
        narratives=tuple(explain_narrative(found, phrases) for found in signal.narratives),
        defence=explain_defence(signal.defence, phrases) if signal.defence else None,
        about=phrases.say("about", terms=phrases.listed(terms)) if terms else None,
        gates=gates,
        would_have_stopped_it=_stops(signal, gates, settings, phrases),
        parts=parts,
        severity_from=SEVERITY_FROM,
    )


def title(brand: Brand, type_: str, signal: Signal, phrases: Phrases) -> Bilingual:
    """One line that says what happened."""
    return phrases.say(
        "title_sight" if signal.kind in SIGHTS else "title",
        None,
        brand=brand_names(brand),
        type=phrases.say(f"types.{type_}"),
        **_words(signal, phrases),
        **sight_words(signal, phrases),
    )


def clean(signal: Signal) -> Signal:
    """The signal without what strangers' text could do to a terminal, a log or a reading order."""
    return msgspec.structs.replace(
        signal,
        terms=clean_terms(signal.terms),
        platforms=clean_keys(signal.platforms),
        languages=clean_keys(signal.languages),
        evidence=tuple(map(_clean_evidence, signal.evidence)),
        groups=tuple(map(clean_group, signal.groups)),
        narratives=tuple(map(clean_narrative, signal.narratives)),
        impostor=signal.impostor and clean_impostor(signal.impostor),
        defence=clean_defence(signal.defence),
    )


def _clean_evidence(item: Evidence) -> Evidence:
    texts = {
        name: strip_controls(value)
        for name, value in msgspec.structs.asdict(item).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(item, **texts)


def _stops(
    signal: Signal, gates: tuple[Gate, ...], settings: GateSettings, phrases: Phrases
) -> tuple[Bilingual, ...]:
    """What would have kept it from firing: each gate, turned around."""
    if signal.kind in SIGHTS:
        return sight_stops(gates, phrases)
    negative = signal.kind != "volume"
    needed = {g.name: g.needed for g in gates}
    least = phrases.mentions(signal.threshold, negative=negative, genitive=True)
    seen = signal.negative if negative else signal.total
    setting = {
        "setting": f"{2 * (seen + 1) if negative else seen + 1:,}",
        "current": f"{settings.min_mentions:,}",
    }
    stops = [
        phrases.say(
            "stops.share" if signal.kind == "negative_share" else "stops.surprise",
            {"total": f"{signal.total:,}"},
            threshold=least,
            window=phrases.say(f"windows.{signal.window_min}"),
        ),
        phrases.say("stops.lift", needed=phrases.times(needed["lift"])),
        phrases.say("stops.mentions", setting),
        phrases.say("stops.authors", accounts=phrases.accounts(ceil(needed["authors"]))),
    ]
    tone = floor(round(1000 * needed["tone"], 1)) / 10  # never above what was asked
    if tone:
        stops.append(phrases.say("stops.tone", {"needed": plain(tone)}))
    for word, line in SURPRISE_LINES.items():
        if line > signal.surprise:
            name = phrases.say(f"sensitivities.{word}")
            stops.append(phrases.say("stops.sensitivity", word=name, odds_line=phrases.odds(line)))
    return tuple(stops)


def _corrected(signal: Signal, phrases: Phrases) -> Bilingual | None:
    if signal.negative_estimate is None:
        return None
    estimate = phrases.number(100 * signal.negative_estimate)
    return phrases.say("corrected", {"estimate": estimate})


def _reach(signal: Signal, phrases: Phrases) -> Bilingual | None:
    """The negative share by reach, where it differs from the plain one."""
    weighted, share = signal.reach_share, share_of(signal)
    if weighted is None or abs(weighted - share) < _REACH_DIFFERS:
        return None
    facts = {"share": phrases.number(100 * share), "reach": phrases.number(100 * weighted)}
    return phrases.say(f"reach.{'wider' if weighted > share else 'narrower'}", facts)


def _intensity(signal: Signal, phrases: Phrases) -> Bilingual | None:
    """How strongly negative the negative mentions are, where that is not as usual."""
    now, usual = signal.intensity, signal.usual_intensity
    if now is None or usual is None or abs(now - usual) < _INTENSITY_DIFFERS:
        return None
    facts = {"intensity": phrases.number(100 * now), "usual": phrases.number(100 * usual)}
    return phrases.say(f"intensity.{'stronger' if now > usual else 'milder'}", facts)


def _split(signal: Signal, phrases: Phrases) -> Bilingual | None:
    """What remains without the accounts that are suspected of acting together."""
    if not signal.coordinated_share or signal.kind in SIGHTS:
        return None
    part = round(signal.observed * signal.coordinated_share)
    rest = signal.observed - part
    facts = {
        "part": f"{part:,}",
        "percent": phrases.number(100 * signal.coordinated_share),
        "rest": f"{rest:,}",
        "threshold": f"{signal.threshold:,}",
    }
    times = phrases.times(rounded(rest / max(signal.expected, 1.0)))
    key = "nothing" if not rest else "below" if rest < signal.threshold else "above"
    return phrases.say(f"split.{key}", facts, times=times)


def _facts(signal: Signal, phrases: Phrases) -> dict[str, object]:
    return {
        "negative": f"{signal.negative:,}",
        "total": f"{signal.total:,}",
        "share": phrases.number(100 * share_of(signal)),
        "usual": phrases.number(100 * signal.usual_negative_share),
        "expected": phrases.number(signal.expected),
        "lower": f"{signal.lower:,}",
        "upper": f"{signal.upper:,}",
    }


def _words(signal: Signal, phrases: Phrases) -> dict[str, Bilingual]:
    return {
        "usual_count": phrases.about(signal.expected),
        "observed_phrase": phrases.mentions(
            signal.observed, negative=signal.kind not in ("volume", *SIGHTS)
        ),
        "total_phrase": phrases.mentions(signal.total, genitive=True),
        "window": phrases.say(f"windows.{signal.window_min}"),
        "accounts": phrases.accounts(signal.authors),
        "history": phrases.history(signal.history_h),
        "times": phrases.times(rounded(ratio_of(signal))),
    }
