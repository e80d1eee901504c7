"""An impostor's alert: its gates, its score, and its explanation in both languages.

An impostor is a case of its own: it neither joins the brand's crisis nor hides behind it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import log10
from types import MappingProxyType

from alerts.explain import SEVERITY_FROM, brand_names
from alerts.imitation import explain_reasons
from alerts.playbook.records import Bilingual
from alerts.playbook.text import FSI, LRM, PDI, hostile
from alerts.records import Explanation, Gate, Part
from alerts.texts import Phrases
from models.records import IMPOSTOR_LINES, Brand, Impostor, Sensitivity, Signal

WEIGHTS = MappingProxyType(
    {
        "impersonation": {
            "likeness": 30.0, "intent": 25.0, "victims": 25.0, "spread": 10.0, "reach": 10.0,
        },
        "phishing": {
            "likeness": 40.0, "intent": 20.0, "victims": 10.0, "spread": 20.0, "reach": 10.0,
        },
    }
)  # fmt: skip
"""Weights of the crisis score's parts, by type of alert; each sums to 100."""
_LIKENESS = 0.6  # points that a name, picture or link must give before anything else counts
# and where nothing is asked of anybody and no complaint is answered: a name alone is no attack
_ALONE: dict[Sensitivity, float] = {"sensitive": 1.3, "balanced": 1.6, "strict": 2.0}
_MOST_INTENT = 1.5
_NAME_CHARS = 80
_MOST_OWN = 6


def impostor_of(signal: Signal) -> Impostor:
    """The impostor that a signal with a subject is about."""
    assert signal.impostor is not None
    return signal.impostor


def judge_impostor(signal: Signal, sensitivity: Sensitivity, phrases: Phrases) -> tuple[Gate, ...]:
    """The gates of an impostor: it looks like the brand, and all in all that is sure enough."""
    seen, line = impostor_of(signal), IMPOSTOR_LINES[sensitivity]
    if seen.intents or seen.complained:
        likeness = _gate("likeness", seen.likeness, _LIKENESS, phrases)
    else:
        likeness = _gate("likeness_alone", seen.likeness, _ALONE[sensitivity], phrases)
    return likeness, _gate("certainty", seen.score, line, phrases)


def _gate(name: str, observed: float, needed: float, phrases: Phrases) -> Gate:
    passed = observed >= needed
    facts = {"observed": f"{observed:.2f}", "needed": f"{needed:.2f}"}
    sentence = phrases.say(f"impostors.gates.{name}.{'passed' if passed else 'failed'}", facts)
    return Gate(name=name, passed=passed, observed=observed, needed=needed, sentence=sentence)


def impostor_parts(signal: Signal, phrases: Phrases) -> tuple[Part, ...]:
    """The parts of the crisis score of an impostor."""
    seen = impostor_of(signal)
    values = {
        "likeness": 1 - 2.0**-seen.likeness,
        "intent": seen.intent / _MOST_INTENT,
        "victims": log10(1 + seen.victims + seen.complained) / 2,
        "spread": log10(max(seen.sightings, 1)) / 2,
        "reach": log10(1 + seen.reach) / 6,
    }
    parts = []
    for name, weight in WEIGHTS[signal.kind].items():
        value = round(min(max(values[name], 0.0), 1.0), 4)
        sentence = phrases.say(f"impostors.parts.{name}")
        points = round(weight * value, 2)
        parts.append(Part(name=name, value=value, weight=weight, points=points, sentence=sentence))
    return tuple(parts)


def explain_impostor(
    brand: Brand,
    signal: Signal,
    gates: tuple[Gate, ...],
    parts: tuple[Part, ...],
    phrases: Phrases,
) -> Explanation:
    """What was seen, what is the brand's own, and every reason with its points."""
    seen = impostor_of(signal)
    return Explanation(
        observed=_joined(_sentences(signal, phrases)),
        expected=_own(brand, seen, phrases),
        about=_asked(seen, phrases),
        gates=gates,
        would_have_stopped_it=_stops(brand, seen, phrases),
        parts=parts,
        severity_from=SEVERITY_FROM,
        reasons=(
            *explain_reasons((*seen.reasons, *seen.intents), brand, phrases),
            _arithmetic(seen, phrases),
        ),
    )


def impostor_title(brand: Brand, signal: Signal, phrases: Phrases) -> Bilingual:
    """One line that says who poses as the brand, and how far it has come."""
    seen = impostor_of(signal)
    return phrases.say(
        f"impostors.title.{seen.kind}",
        {"suspect": hostile(suspect_of(seen), _NAME_CHARS)},
        brand=brand_names(brand),
        type=phrases.say(f"types.{signal.kind}"),
        mentions=phrases.mentions(seen.sightings),
    )


def suspect_of(seen: Impostor) -> str:
    """What a playbook calls the suspect: a handle, else a name, or a domain.  Hostile."""
    if seen.kind == "domain":
        return seen.domain or ""
    return f"@{seen.handle.removeprefix('@')}" if seen.handle else seen.name or seen.account or ""


def _sentences(signal: Signal, phrases: Phrases) -> list[Bilingual]:
    seen = impostor_of(signal)
    facts = {
        "suspect": hostile(suspect_of(seen), _NAME_CHARS),
        "name": hostile(seen.name or "–", _NAME_CHARS),
        "platform": hostile(seen.platform or "–", _NAME_CHARS),
        "hour": f"{seen.last_hour:,}",
        "first": _moment(seen.first_ms),
        "reach": f"{seen.reach:,}",
    }
    said = [
        phrases.say(
            f"impostors.observed.{seen.kind}",
            facts,
            mentions=phrases.mentions(seen.sightings, genitive=True),
            accounts=phrases.accounts(seen.accounts),
        )
    ]
    if seen.victims:
        numbers = {"complained": f"{seen.complained:,}"}
        victims = phrases.accounts(seen.victims)
        said.append(phrases.say("impostors.victims", numbers, accounts=victims))
    if seen.earlier_handles:
        earlier = phrases.listed(hostile(f"@{h}", _NAME_CHARS) for h in seen.earlier_handles)
        said.append(phrases.say("impostors.earlier", handles=earlier))
    if seen.unlisted:
        said.append(phrases.say("impostors.unlisted", {"count": f"{seen.unlisted:,}"}))
    return said


def _arithmetic(seen: Impostor, phrases: Phrases) -> Bilingual:
    points = seen.likeness + (seen.intent if seen.likeness >= _LIKENESS else 0.0)
    facts = {
        "likeness": f"{seen.likeness:.2f}",
        "intent": f"{points - seen.likeness:.2f}",
        "formula": _left_to_right(f"1 − 2^−{points:.2f} = {seen.score:.2f}"),
    }
    return phrases.say("impostors.arithmetic", facts)


def _own(brand: Brand, seen: Impostor, phrases: Phrases) -> Bilingual:
    """What is the brand's own, so that the reader can compare."""
    if seen.kind == "domain":
        own = [_left_to_right(domain) for domain in brand.domains[:_MOST_OWN]]
    else:
        handles = [*brand.handles, *(a.handle for a in brand.accounts if a.handle)]
        own = [_left_to_right(f"@{handle}") for handle in dict.fromkeys(handles)][:_MOST_OWN]
    if not own:
        return phrases.say(f"impostors.own.no_{seen.kind}")
    return phrases.say(f"impostors.own.{seen.kind}", own=phrases.listed(own))


def _asked(seen: Impostor, phrases: Phrases) -> Bilingual | None:
    asks = [phrases.say(f"impostors.asks.{reason.code}") for reason in seen.intents]
    if not asks:
        return None
    listed = Bilingual(ar="، ".join(a.ar for a in asks), en=", ".join(a.en for a in asks))
    return phrases.say("impostors.asked", asks=listed)


def _stops(brand: Brand, seen: Impostor, phrases: Phrases) -> tuple[Bilingual, ...]:
    """What would have kept it from being told of."""
    stops = [phrases.say(f"impostors.stops.{seen.kind}")]
    if 1 - 2.0**-seen.likeness < IMPOSTOR_LINES[brand.sensitivity]:
        stops.append(phrases.say("impostors.stops.intent"))
    for word, line in IMPOSTOR_LINES.items():
        if line > seen.score:
            name = phrases.say(f"sensitivities.{word}")
            facts = {"line": f"{line:g}"}
            stops.append(phrases.say("impostors.stops.sensitivity", facts, word=name))
    return tuple(stops)


def _joined(sentences: list[Bilingual]) -> Bilingual:
    return Bilingual(ar=" ".join(s.ar for s in sentences), en=" ".join(s.en for s in sentences))


def _moment(ms: int) -> str:
    return _left_to_right(datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M"))


def _left_to_right(text: str) -> str:
    """Figures that an Arabic sentence must not turn around."""
    return f"{FSI}{LRM}{text}{PDI}"
