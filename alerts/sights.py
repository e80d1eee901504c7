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
        narratives=_rumours_first(signal.narratives, before.narratives),
        bars=signal.bars or before.bars,
    )


def remembered(
    signal: Signal,
    groups: tuple[AccountGroup, ...],
    narratives: tuple[NarrativeRecord, ...],
) -> Signal:
    """A signal with who was seen and what was said before, where it sees nothing itself."""
    rumours = tuple(n for n in narratives if n.kind == RUMOUR)
    if not signal.narratives:
        rumours = narratives
    elif any(n.kind == RUMOUR for n in signal.narratives):
        rumours = ()
    return msgspec.structs.replace(
        signal,
        groups=signal.groups or groups,
        narratives=_rumours_first(rumours, signal.narratives),
    )


def _rumours_first(
    rumours: tuple[NarrativeRecord, ...], others: tuple[NarrativeRecord, ...]
) -> tuple[NarrativeRecord, ...]:
    known = {found.id for found in rumours}
    return (*rumours, *(found for found in others if found.id not in known))[:SHOWN]
