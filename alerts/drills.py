"""Fire drills: a shadow of a brand for what is not real, and the score of a drill.

The mark is the id of the brand.  Ids in the configuration cannot hold a ``~`` and no field of a
mention becomes an id, so nobody can write a mention that counts as a drill, or take the mark off
one that is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from alerts.explain import brand_names
from alerts.playbook.records import Bilingual
from alerts.texts import Phrases
from models.records import Brand

MARK = "~drill"
What = Literal["opened", "acknowledged", "message_sent"]


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """A drill as it was planned; ``onset_ms`` is when its crisis begins."""

    id: str
    brand: str
    scenario: str
    seed: int
    started_ms: int
    onset_ms: int
    ends_ms: int


class DrillEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a drill, by the clock, not by event time.

    ``alert`` is the id of the alert that it is about, where that is known.
    """

    at_ms: int
    what: What
    by: str | None = None
    alert: str | None = None


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """When a step was first reached: seconds after the onset, and after the step before it."""

    at_ms: int
    since_onset_s: int
    since_before_s: int
    by: str | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How a drill went; None where a step was not reached.

    ``early`` counts alerts that came before the crisis began: about something else, or by chance.
    """

    drill: str
    noticed: Reached | None
    acknowledged: Reached | None
    message_sent: Reached | None
    early: int


def drill_id(brand: str) -> str:
    """The id of a brand's shadow.

    Examples
    --------
    >>> drill_id("acme"), is_drill("acme~drill"), watched_brand("acme~drill")
    ('acme~drill', True, 'acme')
    """
    return brand + MARK


def is_drill(brand: str) -> bool:
    """Whether a brand of an alert is a shadow: nothing about it is real."""
    return brand.endswith(MARK)


def watched_brand(brand: str) -> str:
    """The brand itself, of a shadow or of a brand."""
    return brand.removesuffix(MARK)


def shadow(brand: Brand) -> Brand:
    """The brand under the id of its shadow, found in texts by the same names."""
    return msgspec.structs.replace(brand, id=drill_id(brand.id))


def marked(brand: Brand, phrases: Phrases) -> Brand:
    """The shadow as it is told of: every text that names it says DRILL, or تدريب.

    Parameters
    ----------
    brand : Brand
        As it is configured.
    phrases : Phrases
        The sentences of response.yaml.
    """
    names = phrases.say("drills.name", name=brand_names(brand))
    return msgspec.structs.replace(shadow(brand), names=(names.en, names.ar))


def score(drill: Drill, events: Iterable[DrillEvent]) -> Score:
    """Hold what happened against the plan: noticed, acknowledged, first message, in this order."""
    ordered = sorted(events, key=lambda e: e.at_ms)
    early = sum(e.what == "opened" and e.at_ms < drill.onset_ms for e in ordered)
    before_ms = drill.onset_ms
    found: list[Reached | None] = []
    whats: tuple[What, ...] = ("opened", "acknowledged", "message_sent")
    for what in whats:
        # an acknowledgement before it was noticed, or a message before that, is of something else
        first = next((e for e in ordered if e.what == what and e.at_ms >= before_ms), None)
        if first is None or (found and found[0] is None):
            found.append(None)
            continue
        found.append(
            Reached(
                at_ms=first.at_ms,
                since_onset_s=(first.at_ms - drill.onset_ms) // 1000,
                since_before_s=(first.at_ms - before_ms) // 1000,
                by=first.by,
            )
        )
        before_ms = first.at_ms if what == "opened" else before_ms
    noticed, acknowledged, sent = found
    return Score(
        drill=drill.id,
        noticed=noticed,
        acknowledged=acknowledged,
        message_sent=sent,
        early=early,
    )


def sentences(result: Score, phrases: Phrases) -> list[Bilingual]:
    """A score in words, a line a step."""
    said = []
    for step in ("noticed", "acknowledged", "message_sent"):
        name = phrases.say(f"drills.steps.{step}")
        reached: Reached | None = getattr(result, step)
        if reached is None:
            said.append(phrases.say("drills.missing", step=name))
            continue
        facts = {"since_onset": clock(reached.since_onset_s), "who": reached.by}
        said.append(
            phrases.say("drills.took_by" if reached.by else "drills.took", facts, step=name)
        )
    if result.early:
        said.append(phrases.say("drills.early", {"count": result.early}))
    return said


def clock(seconds: int) -> str:
    """A span as hours, minutes and seconds.

    Examples
    --------
    >>> clock(3725)
    '1:02:05'
    """
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
