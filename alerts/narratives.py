"""What is being said about a brand, in words: how fast it goes, and why it may be a rumour."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.explain import clean_terms
from alerts.playbook.records import Bilingual
from alerts.texts import Phrases
from models.records import Carrier, NarrativeRecord

MOST_CARRIERS = 3


def explain_narrative(found: NarrativeRecord, phrases: Phrases) -> Bilingual:
    """Say what a narrative is about, how fast it goes, and what makes it a rumour or not.

    Parameters
    ----------
    found : NarrativeRecord
    phrases : Phrases
        The sentences of explain.yaml.
    """
    said = [_opening(found, phrases), _speed(found, phrases)]
    if found.negative_share is not None:
        share = {"share": round(100 * found.negative_share)}
        said.append(phrases.say("narratives.negative", share))
    if found.kind == "rumour":
        said.insert(0, phrases.say("narratives.rumour"))
        said += _grounds(found, phrases)
    said.append(phrases.say("narratives.score", {"score": f"{found.score:.2f}"}))
    return Bilingual(ar=" ".join(s.ar for s in said), en=" ".join(s.en for s in said))


def _opening(found: NarrativeRecord, phrases: Phrases) -> Bilingual:
    terms = clean_terms(found.terms)
    return phrases.say(
        "narratives.about" if terms else "narratives.said",
        {"first": _moment(found.first_ms), "last": _moment(found.last_ms)},
        mentions=phrases.mentions(found.mentions),
        accounts=phrases.accounts(found.accounts),
        terms=phrases.listed(terms),
    )


def _speed(found: NarrativeRecord, phrases: Phrases) -> Bilingual:
    speeds = {"now": found.speed_now, "before": found.speed_before, "peak": found.speed_peak}
    facts = {name: phrases.number(speed) for name, speed in speeds.items()}
    return phrases.say("narratives.speed", facts)


def _grounds(found: NarrativeRecord, phrases: Phrases) -> list[Bilingual]:
    counts = {name: getattr(found, name) for name in ("claims", "questions", "denials")}
    said = [phrases.say("narratives.stances", {k: f"{n:,}" for k, n in counts.items()})]
    if found.sources:
        said.append(phrases.say("narratives.sourced", {"sources": f"{found.sources:,}"}))
    else:
        said.append(phrases.say("narratives.unsourced"))
    first = [_carrier(c, phrases) for c in found.carriers[:MOST_CARRIERS]]
    if first:
        ar, en = ([getattr(c, language) for c in first] for language in ("ar", "en"))
        listed = Bilingual(ar=phrases.listed(ar).ar, en=phrases.listed(en).en)
        said.append(phrases.say("narratives.carriers", carriers=listed))
    return said


def _carrier(carrier: Carrier, phrases: Phrases) -> Bilingual:
    shown = clean_terms((f"@{carrier.handle}" if carrier.handle else carrier.account,))
    name = shown[0] if shown else "?"
    if carrier.followers is None:
        return Bilingual(ar=name, en=name)
    facts = {"name": name, "followers": f"{carrier.followers:,}"}
    return phrases.say("narratives.carrier", facts)


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
