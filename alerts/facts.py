"""What is known of an alert and what is said of it: one source for all channels and languages."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

import msgspec

from alerts.playbook.records import Bilingual
from alerts.records import Alert
from alerts.texts import Phrases

Value: TypeAlias = str | int | float | tuple[str, ...] | None
FIELDS = (
    "type",
    "severity",
    "score",
    "since",
    "window_min",
    "observed",
    "expected",
    "total",
    "negative",
    "negative_share",
    "terms",
    "evidence",
)


class FactSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of an alert at one moment, as its messages were written from them."""

    alert: str
    values: dict[str, Value]

    @property
    def digest(self) -> str:
        """The same for the same facts; what an approval is given to."""
        packed = msgspec.json.encode([self.alert, [self.values.get(f) for f in FIELDS]])
        return blake2b(packed, digest_size=16).hexdigest()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A field that is no longer what it was, and the sentence that says so."""

    field: str
    before: Value
    after: Value
    sentence: Bilingual


def fact_sheet(alert: Alert) -> FactSheet:
    """The facts of an alert as it is now; of its evidence, which mentions it holds."""
    values: dict[str, Value] = {name: getattr(alert, name) for name in FIELDS if name != "evidence"}
    values["evidence"] = tuple(sorted(f"{e.platform}/{e.id}" for e in alert.evidence))
    return FactSheet(alert=alert.id, values=values)


def changes(before: FactSheet, after: FactSheet, phrases: Phrases) -> tuple[Change, ...]:
    """What changed, field by field.

    Parameters
    ----------
    before, after : FactSheet
    phrases : Phrases
        The sentences of response.yaml.
    """
    found = []
    for field in FIELDS:
        old, new = before.values.get(field), after.values.get(field)
        # what was stored as JSON comes back as a list
        if old == new or (isinstance(old, (list, tuple)) and tuple(old) == new):
            continue
        name = phrases.say(f"facts.fields.{field}")
        if isinstance(new, tuple):
            sentence = _sets(name, set(_items(old)), set(new), phrases)
        else:
            was, now = _words(field, old, phrases), _words(field, new, phrases)
            sentence = phrases.say("facts.changed", field=name, before=was, after=now)
        found.append(Change(field=field, before=old, after=new, sentence=sentence))
    return tuple(found)


def _items(value: Value) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def _sets(name: Bilingual, old: set[str], new: set[str], phrases: Phrases) -> Bilingual:
    counts = {"came": len(new - old), "went": len(old - new), "now": len(new)}
    return phrases.say("facts.set_changed", counts, field=name)


def _words(field: str, value: Value, phrases: Phrases) -> Bilingual:
    if field in ("type", "severity") and value is not None:
        return phrases.say(f"facts.{field}.{value}")
    if isinstance(value, (int, float)):
        shown = f"{100 * value:.0f}%" if field == "negative_share" else phrases.number(value)
    else:
        shown = "–" if value is None else str(value)
    return Bilingual(ar=shown, en=shown)
