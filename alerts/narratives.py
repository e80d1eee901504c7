"""What is being said about a brand, in words: how fast it goes, and why it may be a rumour."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from alerts.playbook.records import Bilingual
from alerts.playbook.text import MAX_TERM_CHARS, strip_controls
from alerts.texts import Phrases
from models.records import Carrier, NarrativeRecord, NarrativeText

MOST_CARRIERS = 3
_Record = TypeVar("_Record", NarrativeText, Carrier)


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


def clean_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Terms fit to be shown: strangers wrote them."""
    return tuple(filter(None, (strip_controls(t)[:MAX_TERM_CHARS] for t in terms)))


def clean_keys(counts: dict[str, int]) -> dict[str, int]:
    """Counts by names that strangers chose, fit to be shown."""
    cleaned: dict[str, int] = {}
    for name, count in counts.items():
        key = strip_controls(name) or "?"
        cleaned[key] = cleaned.get(key, 0) + count
    return cleaned


def clean_narrative(found: NarrativeRecord) -> NarrativeRecord:
    """The narrative without what text could do to a terminal, a log or a reading order."""
    return msgspec.structs.replace(
        found,
        languages=clean_keys(found.languages),
        platforms=clean_keys(found.platforms),
        terms=clean_terms(found.terms),
        texts=tuple(_clean(text) for text in found.texts),
        carriers=tuple(_clean(carrier) for carrier in found.carriers),
    )


def _clean(found: _Record) -> _Record:
    """A record with its texts cleaned."""
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    texts = {name: strip_controls(v) for name, v in values.items() if isinstance(v, str)}
    return msgspec.structs.replace(found, **texts)


def _opening(found: NarrativeRecord, phrases: Phrases) -> Bilingual:
    terms = clean_terms(found.terms)
    return phrases.say(
        "narratives.about" if terms else "narratives.said",
        when=phrases.when(found.first_ms, found.last_ms),
        mentions=phrases.mentions(found.mentions),
        accounts=phrases.accounts(found.accounts),
        terms=phrases.listed(terms),
    )


def _speed(found: NarrativeRecord, phrases: Phrases) -> Bilingual:
    speeds = {"now": found.speed_now, "before": found.speed_before, "peak": found.speed_peak}
    facts = {name: phrases.number(speed) for name, speed in speeds.items()}
    if found.sampled_h is None:
        return phrases.say("narratives.speed", facts)
    hours = phrases.history(max(1, round(found.sampled_h)))
    return phrases.say("narratives.speed_sampled", facts, hours=hours)


def _grounds(found: NarrativeRecord, phrases: Phrases) -> list[Bilingual]:
    said = _stances(found, phrases)
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


def _stances(found: NarrativeRecord, phrases: Phrases) -> list[Bilingual]:
    """How many pass the claim on, ask and deny, in a sentence that leaves out what none does."""
    said: Bilingual | None = None
    for name in ("claims", "questions", "denials"):
        if not (number := getattr(found, name)):
            continue
        count = phrases.how_many(number)
        if said is None:
            count = phrases.say("narratives.stances.of_them", count=count)
            count = Bilingual(ar=count.ar, en=count.en[:1].upper() + count.en[1:])
        key = f"narratives.stances.{name}.{'one' if number == 1 else 'more'}"
        then = phrases.say(key, count=count)
        said = phrases.say("narratives.stances.also", before=said, then=then) if said else then
    return [Bilingual(ar=f"{said.ar}.", en=f"{said.en}.")] if said else []


def _carrier(carrier: Carrier, phrases: Phrases) -> Bilingual:
    shown = clean_terms((f"@{carrier.handle}" if carrier.handle else carrier.account,))
    name = shown[0] if shown else "?"
    if carrier.followers is None:
        return Bilingual(ar=name, en=name)
    facts = {"name": name, "followers": f"{carrier.followers:,}"}
    return phrases.say("narratives.carrier", facts)
