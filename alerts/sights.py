"""Alerts of what is seen though no figure need rise: a rumour, or accounts that act together."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from alerts.gates import seen_mentions
from alerts.playbook.records import Bilingual
from alerts.records import Gate
from alerts.texts import Phrases
from alerts.texts.phrases import plain
from models.records import RUMOUR, SIGHTS, AccountGroup, NarrativeRecord, Signal

SHOWN = 3  # narratives, and groups
MOST_CARRIERS = 10
SAME_TERMS = 3  # so many words that stand out in both: it is the same narrative


def observed_as(signal: Signal) -> str:
    """What a signal tells of: its kind, or of a rumour that more ask after it than pass it on."""
    told = signal.narratives[:1] if signal.kind == RUMOUR else ()
    return "rumour_asked" if told and told[0].questions > told[0].claims else signal.kind


def sight_words(signal: Signal, phrases: Phrases) -> dict[str, Bilingual]:
    """What sentences about a rumour or group say beside those about figures."""
    if signal.kind not in SIGHTS:
        return {}
    return {
        "seen": phrases.mentions(seen_mentions(signal)),
    }


def sight_facts(signal: Signal, phrases: Phrases) -> dict[str, object]:
    """Figures that are the same in both languages."""
    if signal.kind not in SIGHTS:
        return {}
    held: tuple[NarrativeRecord | AccountGroup, ...]
    held = signal.narratives if signal.kind == RUMOUR else signal.groups
    return {
        "first": f"{datetime.fromtimestamp(held[0].first_ms / 1000, UTC):%Y-%m-%d %H:%M}",
        "told_share": phrases.number(100 * (signal.told_share or 0.0)),
        "told_negative": phrases.number(100 * (signal.told_negative or 0.0)),
    }


def sight_stops(gates: tuple[Gate, ...], phrases: Phrases) -> tuple[Bilingual, ...]:
    """What would have kept it from firing: each gate, turned around."""
    needed = {gate.name: gate.needed for gate in gates}
    return (
        phrases.say("stops.sure", {"needed": plain(needed["sure"])}),
        phrases.say("stops.seen", {"needed": f"{needed['mentions']:,.0f}"}),
        phrases.say("stops.authors", accounts=phrases.accounts(int(needed["authors"]))),
        phrases.say("stops.harm", {"needed": phrases.number(100 * needed["harm"])}),
    )


def joined(signal: Signal, before: Signal | None) -> Signal:
    """A sight that joins an alert of figures, as the latest of these with what was seen.

    Parameters
    ----------
    signal : Signal
        Of a sight.
    before : Signal or None
        The latest of the figure that the alert tells of.
    """
    if before is None:
        return signal
    seen = {account for group in signal.groups for account in group.accounts}
    others = [g for g in before.groups if 2 * len(seen & set(g.accounts)) < len(g.accounts)]
    return msgspec.structs.replace(
        before,
        id=signal.id,
        phase=signal.phase,
        at_ms=signal.at_ms,
        groups=(*signal.groups, *others)[:SHOWN],
        narratives=_rumours_first(
            signal.narratives,
            tuple(n for n in before.narratives if not any(_same(r, n) for r in signal.narratives)),
        ),
        bars=signal.bars or before.bars,
    )


def remembered(
    signal: Signal,
    groups: tuple[AccountGroup, ...],
    narratives: tuple[NarrativeRecord, ...],
) -> Signal:
    """A signal with who was seen and what was said before, where it sees nothing itself."""
    if not signal.narratives:
        told = narratives
    else:
        seen = tuple(_continued(found, narratives) for found in signal.narratives)
        known = any(found.kind == RUMOUR for found in seen)
        rumours = tuple(n for n in narratives if n.kind == RUMOUR and not known)
        told = _rumours_first(rumours, seen)
    return msgspec.structs.replace(signal, groups=signal.groups or groups, narratives=told)


def _continued(found: NarrativeRecord, before: tuple[NarrativeRecord, ...]) -> NarrativeRecord:
    """What is said now, as what was said before if it is the same: who was first stays first."""
    for old in before:
        if not _same(found, old):
            continue
        first = sorted({*old.carriers, *found.carriers}, key=lambda c: (c.published_ms, c.mention))
        once = {carrier.account: carrier for carrier in reversed(first)}
        return msgspec.structs.replace(
            found,
            id=old.id,
            first_ms=min(found.first_ms, old.first_ms),
            carriers=tuple(c for c in first if once[c.account] is c)[:MOST_CARRIERS],
        )
    return found


def _same(found: NarrativeRecord, old: NarrativeRecord) -> bool:
    if found.kind != old.kind:
        return False
    posts = {text.id for text in old.texts} | {carrier.mention for carrier in old.carriers}
    if not posts.isdisjoint([*(t.id for t in found.texts), *(c.mention for c in found.carriers)]):
        return True
    return len({*found.terms} & {*old.terms}) >= SAME_TERMS


def _rumours_first(
    rumours: tuple[NarrativeRecord, ...], others: tuple[NarrativeRecord, ...]
) -> tuple[NarrativeRecord, ...]:
    known = {found.id for found in rumours}
    return (*rumours, *(found for found in others if found.id not in known))[:SHOWN]
