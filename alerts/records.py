"""Records of the alert stage.  Times on them are RFC 3339 strings in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from alerts.playbook.records import Bilingual, RenderedPlaybook, Severity
from models.records import AccountGroup, Bar, Defence, Evidence, Impostor, NarrativeRecord

SCHEMA_VERSION = 1
SCHEMA_ID = "urn:nadhir:schema:alert:1"
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
    """A part of the crisis score: ``points = round(weight * value, 2)`` with value in 0..1."""

    name: str
    value: float
    weight: float
    points: float
    sentence: Bilingual


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert fired, and how its score comes about.

    ``score`` of the alert is the sum of ``points``, rounded half up; its severity follows from
    ``severity_from``, the least score of each severity.
    """

    observed: Bilingual
    expected: Bilingual
    about: Bilingual | None
    gates: tuple[Gate, ...]
    would_have_stopped_it: tuple[Bilingual, ...]
    parts: tuple[Part, ...]
    severity_from: dict[str, int]
    corrected: Bilingual | None = None
    reach: Bilingual | None = None
    intensity: Bilingual | None = None
    split: Bilingual | None = None
    groups: tuple[Bilingual, ...] = ()
    narratives: tuple[Bilingual, ...] = ()
    reasons: tuple[Bilingual, ...] = ()
    defence: Bilingual | None = None


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
    since: str
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
    negative_share_estimate: float | None = None
    negative_reach_share: float | None = None
    negative_intensity: float | None = None
    usual_negative_intensity: float | None = None
    coordinated_share: float | None = None
    groups: tuple[AccountGroup, ...] = ()
    narratives: tuple[NarrativeRecord, ...] = ()
    bars: tuple[Bar, ...] = ()
    subject: str | None = None
    impostor: Impostor | None = None
    defence: Defence | None = None


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


ALERT_FIELDS = MappingProxyType(
    {
        "id": "Derived from the brand and the signal that opened it: the same crisis, the same id.",
        "brand": "Id of the brand in the configuration.",
        "type": "What kind of crisis it is, and which playbook answers it.",
        "severity": "Follows from the score; never falls.",
        "score": "Crisis score, 0 to 100; can be recomputed from explanation.parts; never falls.",
        "state": "Whether it goes on.",
        "since": "Start of the rise: of the window of the signal that opened it.",
        "opened_at": "When it was opened.",
        "updated_at": "When the last signal came.",
        "resolved_at": "When it was resolved; null while it is open.",
        "title": "One line that says what happened.",
        "explanation": "Why it fired, in words and figures.",
        "kind": (
            "What is told of: volume, negative_count or negative_share; where none of these rose, "
            "rumour or coordination; of an impostor impersonation or phishing."
        ),
        "window_min": "Length of the window in minutes: 5, 60, 180 or 1440.",
        "observed": "The figure in the window; of an impostor its sightings.",
        "expected": "The figure expected there on a usual day.",
        "threshold": (
            "The least figure that reaches the alert line; 0 for a rumour or coordination."
        ),
        "ratio": "observed / expected; 0 in the alert of an impostor, of whom none is expected.",
        "total": "Mentions in the window.",
        "negative": "Negative mentions among them.",
        "negative_share": "negative / total.",
        "negative_share_estimate": (
            "The negative share without the classifier's known errors; null if they are not known."
        ),
        "usual_negative_share": "The brand's usual negative share.",
        "negative_reach_share": (
            "The negative share weighted by reach: that of negative mentions over that of all in "
            "the window; null if no reach is known."
        ),
        "negative_intensity": (
            "How strongly negative the negative mentions are: their mean probability of being so."
        ),
        "usual_negative_intensity": (
            "The same of the day before the window; null if that had under 20 negative mentions, "
            "and for windows of a day."
        ),
        "coordinated_share": (
            "What suspected groups posted of the figure that is told of; null if nothing is kept "
            "of the window."
        ),
        "groups": (
            "Accounts suspected of acting together, and what is merely amplified, the most suspect "
            "first; 100 names and posts of each at most. Strangers wrote them."
        ),
        "narratives": (
            "What is said most in the window, rumours first, three at most. Strangers wrote the "
            "texts."
        ),
        "bars": (
            "Each ten minutes of the three hours before: mentions, and how many of them suspected "
            "groups posted, estimated from the posts that are kept."
        ),
        "subject": (
            "Id of the impostor that the alert is about; null where it is about the brand as a "
            "whole. A brand has at most one open alert a subject."
        ),
        "impostor": (
            "The account or domain that poses as the brand, with its sightings and the points of "
            "each reason; null in other alerts. Strangers wrote its texts."
        ),
        "defence": (
            "Advocates (accounts that steadily praise the brand) active in the window, the five "
            "steadiest by name, and how many critical threads one of them answered, among the "
            "posts that are kept; null if no advocate is known."
        ),
        "authors": "Accounts that took part, estimated.",
        "reach": "Followers and engagement of the mentions that are kept.",
        "platforms": "Mentions by platform.",
        "languages": "Kept mentions by language.",
        "terms": "Words that stand out against the brand's usual talk. Strangers wrote them.",
        "topics": "Share of the mentions that speak of a topic.",
        "evidence": "Mentions to look at first. Strangers wrote them.",
        "signals": "Ids of the signals it was made of, the latest 50.",
        "timeline": "What happened to it, in order.",
        "playbook": "Steps and prepared messages, filled with its facts (docs/playbook.md).",
        "last_signal_ms": "Event time of the last signal, milliseconds since the epoch.",
        "schema": "Version of this format.",
    }
)
"""What each field of an alert means."""

_TIMES = frozenset(("since", "opened_at", "updated_at", "resolved_at"))


def alert_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of an alert, as ``nadhir schema alert`` prints it.

    Examples
    --------
    >>> alert_schema()["$id"]
    'urn:nadhir:schema:alert:1'
    """
    _, definitions = msgspec.json.schema_components([Alert], ref_template="#/$defs/{name}")
    alert = definitions.pop("Alert")
    for name, described in alert["properties"].items():
        kind = described if "anyOf" not in described else described["anyOf"][0]
        if name in _TIMES:
            kind["format"] = "date-time"
        alert["properties"][name] = {"description": ALERT_FIELDS[name], **described}
    definitions["Event"]["properties"]["at"]["format"] = "date-time"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **alert,
        "$defs": definitions,
    }
