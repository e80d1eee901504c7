"""Records of the alert stage.  Times on them are RFC 3339 strings in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from alerts.playbook.records import Bilingual, RenderedPlaybook, Severity
from models.records import Evidence

SCHEMA_VERSION = 1
SEVERITIES: tuple[Severity, ...] = ("watch", "warning", "critical")
State = Literal["open", "resolved"]
Happened = Literal["opened", "raised", "retyped", "resolved", "reopened"]
Reached = Literal["opened", "updated", "reopened", "not_alerted"]


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC.

    Examples
    --------
    >>> rfc3339(1_700_000_000_000)
    '2023-11-14T22:13:20Z'
    """
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of alerting: what it asked, what it saw, and both in words."""

    name: str
    passed: bool
    observed: float
    needed: float
    sentence: Bilingual


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the crisis score: ``points = weight * value`` with value in 0..1."""

    name: str
    value: float
    weight: float
    points: float
    sentence: Bilingual


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert fired, and how its score comes about.

    ``score`` of the alert is ``round(sum(part.points))``; its severity follows from
    ``severity_from``, the least score of each severity.
    """

    observed: Bilingual
    expected: Bilingual
    about: Bilingual | None
    gates: tuple[Gate, ...]
    would_have_stopped_it: tuple[Bilingual, ...]
    parts: tuple[Part, ...]
    severity_from: dict[str, int]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an alert's timeline."""

    at: str
    event: Happened
    severity: Severity
    score: int
    type: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One crisis of one brand (docs/alert.md)."""

    id: str
    brand: str
    type: str
    severity: Severity
    score: int
    state: State
    opened_at: str
    updated_at: str
    resolved_at: str | None
    title: Bilingual
    explanation: Explanation
    kind: str
    window_min: int
    observed: int
    expected: float
    threshold: int
    ratio: float
    total: int
    negative: int
    negative_share: float
    usual_negative_share: float
    authors: int
    reach: int
    platforms: dict[str, int]
    languages: dict[str, int]
    terms: tuple[str, ...]
    topics: dict[str, float]
    evidence: tuple[Evidence, ...]
    signals: tuple[str, ...]
    timeline: tuple[Event, ...]
    playbook: RenderedPlaybook
    last_signal_ms: int
    schema: int = SCHEMA_VERSION


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a signal, and why: also when no alert came of it."""

    id: str
    at: str
    brand: str
    signal: str
    kind: str
    outcome: Reached
    reason: str
    sentence: Bilingual
    alert: str | None
    observed: int
    expected: float
    surprise: float
    window_min: int
    gates: tuple[Gate, ...] = ()
