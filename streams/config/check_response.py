"""How schedules, chains and receivers go together.

Names that lead nowhere, chains that page nobody, schedules without people.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streams.config.document import Document, entries
from streams.config.problems import KeyPath, did_you_mean, shown

Entries = list[tuple[int, dict[str, Any]]]
_MUTE = ("journal",)  # types of receivers that nobody looks at
_DEFAULT_RECEIVERS = {"console": "console", "journal": "journal"}


def check_response(document: Document, data: dict[str, Any]) -> None:
    """Add a problem for everything in schedules and escalation that does not go together."""
    schedules = entries(data, "schedules")
    for i, schedule in schedules:
        _check_schedule(document, i, schedule)
    escalation = data.get("escalation")
    if not isinstance(escalation, dict):
        return
    _check_hours(document, escalation)
    chains = entries(escalation, "chains")
    known = _Known(data, schedules)
    for i, chain in chains:
        known.check(document, ("escalation", "chains", i), chain)
    _check_reach(document, chains, known.brands)


def calendar_files(data: dict[str, Any]) -> Iterator[tuple[KeyPath, object]]:
    """The calendars that schedules name."""
    for i, schedule in entries(data, "schedules"):
        if schedule.get("calendar") is not None:
            yield ("schedules", i, "calendar"), schedule["calendar"]


def check_calendar_file(document: Document, key: KeyPath, path: Path | None, said: object) -> None:
    """Add a problem if a calendar is not there."""
    if path is not None and not path.is_file():
        document.add(key, f"{shown(said)} is no file; name an iCalendar file, such as oncall.ics")


def _check_schedule(document: Document, i: int, schedule: dict[str, Any]) -> None:
    given = [key for key in ("rotation", "calendar") if schedule.get(key) is not None]
    if len(given) == 2:
        document.add(("schedules", i, "calendar"), "stands beside rotation; keep one of the two")
    elif not given:
        message = "has neither rotation nor calendar, so that nobody is on call; add one"
        document.add(("schedules", i), message)
    for j, override in entries(schedule, "overrides"):
        start, end = override.get("start"), override.get("end")
        if isinstance(start, str) and isinstance(end, str) and end <= start:
            key: KeyPath = ("schedules", i, "overrides", j, "end")
            document.add(key, f"{shown(end)} is not after the start")


def _check_hours(document: Document, escalation: dict[str, Any]) -> None:
    hours = escalation.get("business_hours")
    hours = hours if isinstance(hours, dict) else {}
    opens, closes = hours.get("opens", "09:00"), hours.get("closes", "17:00")
    if isinstance(opens, str) and isinstance(closes, str) and opens >= closes:
        key = ("escalation", "business_hours", "closes" if "closes" in hours else "opens")
        document.add(key, f"business hours from {shown(opens)} to {shown(closes)} never open")


class _Known:
    """The names that chains may use."""

    def __init__(self, data: dict[str, Any], schedules: Entries) -> None:
        receivers = entries(data, "receivers")
        named = {r["name"]: str(r.get("type")) for _, r in receivers if _is_text(r.get("name"))}
        self.receivers = _DEFAULT_RECEIVERS if data.get("receivers") is None else named
        self.schedules = [s["name"] for _, s in schedules if _is_text(s.get("name"))]
        self.brands = [b["id"] for _, b in entries(data, "brands") if _is_text(b.get("id"))]

    def check(self, document: Document, path: KeyPath, chain: dict[str, Any]) -> None:
        """Names of a chain that lead nowhere, and a chain of which nobody hears."""
        for key, name in _texts(chain, "brands"):
            _check_name(document, (*path, *key), name, "brand", self.brands)
        told: set[object] = set()
        unknown = False
        for j, step in entries(chain, "steps"):
            at = (*path, "steps", j)
            for key, name in _texts(step, "receivers"):
                unknown |= name not in self.receivers
                _check_name(document, (*at, *key), name, "receiver", self.receivers)
                told.add(self.receivers.get(name))
            schedule = step.get("schedule")
            if isinstance(schedule, str):
                _check_name(document, (*at, "schedule"), schedule, "schedule", self.schedules)
        if told and not unknown and told <= set(_MUTE):
            message = "pages nobody: its receivers are files; add one that reaches a person"
            document.add((*path, "steps"), message, severity="warning")


def _check_reach(document: Document, chains: Entries, brands: list[str]) -> None:
    """Chains that never come about, and brands whose critical alerts have none."""
    seen: dict[tuple[object, ...], str] = {}
    for i, chain in chains:
        scope = tuple(frozenset(n for _, n in _texts(chain, k)) for k in ("brands", "severities"))
        name = chain.get("name")
        if scope in seen:
            message = f"never pages: {shown(seen[scope])} before it is for the same alerts"
            document.add(("escalation", "chains", i), message, severity="warning")
        elif isinstance(name, str):
            seen[scope] = name
    lacking = [brand for brand in brands if not any(_is_critical(c, brand) for _, c in chains)]
    if chains and lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        which = ", ".join(lacking[:3]) + more
        message = f"have none that is for critical alerts of {which}; nobody is paged for them"
        document.add(("escalation", "chains"), message, severity="warning")


def _is_critical(chain: dict[str, Any], brand: str) -> bool:
    severities = [name for _, name in _texts(chain, "severities")]
    brands = [name for _, name in _texts(chain, "brands")]
    return (not brands or brand in brands) and (not severities or "critical" in severities)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _texts(entry: dict[str, Any], key: str) -> Iterator[tuple[KeyPath, str]]:
    items = entry.get(key)
    for i, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, str):
            yield (key, i), item


def _check_name(
    document: Document, path: KeyPath, name: str, what: str, known: dict[str, Any] | list[str]
) -> None:
    if name not in known:
        near = did_you_mean(name, known) or (
            f"the {what}s are {', '.join(list(known)[:10])}" if known else f"there is no {what}"
        )
        document.add(path, f"{shown(name)} is no {what}; {near}")
