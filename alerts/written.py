"""An alert as it is written from a signal: opened, gone on with, or become worse."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec

from alerts.explain import brand_names, severity_of, title
from alerts.gates import ratio_of, share_of
from alerts.impostors import impostor_title, suspect_of
from alerts.playbook import Facts, Playbook, render
from alerts.playbook.records import Bilingual, Severity
from alerts.records import (
    Alert,
    Decision,
    Event,
    Explanation,
    Gate,
    Happened,
    Reached,
    rfc3339,
)
from alerts.texts import Phrases
from models.records import Brand, Signal

GROWTH = 1.5  # what is told of an alert is told anew when its count has grown so much
_SIGNALS_KEPT = 50  # ids an alert lists


def grown(alert: Alert, signal: Signal) -> bool:
    """Whether the same window holds much more than what the alert tells of."""
    same = (alert.kind, alert.window_min) == (signal.kind, signal.window_min)
    return same and signal.observed >= GROWTH * alert.observed


def touched(old: Alert, signal: Signal) -> Alert:
    """An alert that goes on without becoming worse."""
    events = (
        (_event(signal, "reopened", old.severity, old.score, old.type),)
        if old.state == "resolved"
        else ()
    )
    last_ms = max(old.last_signal_ms, signal.at_ms)
    return msgspec.structs.replace(
        old,
        state="open",
        resolved_at=None,
        updated_at=rfc3339(last_ms),
        last_signal_ms=last_ms,
        signals=_signals(old, signal),
        timeline=old.timeline + events,
    )


def written(
    brand: Brand,
    old: Alert | None,
    type_: str,
    score: int,
    signal: Signal,
    explanation: Explanation,
    playbook: Playbook,
    phrases: Phrases,
) -> Alert:
    """An alert that is new or became worse, told by the signal that made it so.

    Parameters
    ----------
    brand : Brand
    old : Alert or None
        As it was before.
    type_ : str
    score : int
        Crisis score.
    signal : Signal
    explanation : Explanation
        Of the score, from the signal.
    playbook : Playbook
        Of the type.
    phrases : Phrases
        The sentences of explain.yaml.
    """
    severity = severity_of(score)
    alert_id = old.id if old else _alert_id(brand, signal)
    since = old.since if old else rfc3339(signal.window_start_ms)
    last_ms = max(old.last_signal_ms if old else 0, signal.at_ms)
    facts = _facts(brand, signal, alert_id, since, severity, score)
    return Alert(
        id=alert_id,
        brand=brand.id,
        type=type_,
        severity=severity,
        score=score,
        state="open",
        since=since,
        opened_at=old.opened_at if old else rfc3339(signal.at_ms),
        updated_at=rfc3339(last_ms),
        resolved_at=None,
        title=(
            impostor_title(brand, signal, phrases)
            if signal.subject is not None
            else title(brand, type_, signal, phrases)
        ),
        explanation=explanation,
        kind=signal.kind,
        window_min=signal.window_min,
        observed=signal.observed,
        expected=signal.expected,
        threshold=signal.threshold,
        ratio=ratio_of(signal),
        total=signal.total,
        negative=signal.negative,
        negative_share=round(share_of(signal), 4),
        negative_share_estimate=signal.negative_estimate,
        negative_reach_share=signal.reach_share,
        negative_intensity=signal.intensity,
        usual_negative_intensity=signal.usual_intensity,
        coordinated_share=signal.coordinated_share,
        groups=signal.groups,
        narratives=signal.narratives,
        bars=signal.bars,
        defence=signal.defence,
        usual_negative_share=signal.usual_negative_share,
        authors=signal.authors,
        reach=signal.reach,
        platforms=signal.platforms,
        languages=signal.languages,
        terms=signal.terms,
        topics=signal.topics,
        evidence=signal.evidence,
        signals=_signals(old, signal),
        timeline=_timeline(old, signal, severity, score, type_),
        playbook=render(playbook, facts),
        last_signal_ms=last_ms,
        subject=signal.subject,
        impostor=signal.impostor,
    )


def decision(
    signal: Signal,
    outcome: Reached,
    reason: str,
    sentence: Bilingual,
    gates: tuple[Gate, ...],
    alert: str | None,
) -> Decision:
    """What was decided about a signal, and why."""
    return Decision(
        id=f"d-{signal.id.removeprefix('s-')}",
        at=rfc3339(signal.at_ms),
        brand=signal.brand,
        signal=signal.id,
        kind=signal.kind,
        outcome=outcome,
        reason=reason,
        sentence=sentence,
        alert=alert,
        observed=signal.observed,
        expected=signal.expected,
        surprise=signal.surprise,
        window_min=signal.window_min,
        gates=gates,
    )


def _alert_id(brand: Brand, signal: Signal) -> str:
    return f"a-{blake2b(f'{brand.id}|{signal.id}'.encode(), digest_size=8).hexdigest()}"


def _signals(old: Alert | None, signal: Signal) -> tuple[str, ...]:
    known = old.signals if old else ()
    return known if signal.id in known else (*known, signal.id)[-_SIGNALS_KEPT:]


def _event(signal: Signal, event: Happened, severity: Severity, score: int, type_: str) -> Event:
    at = rfc3339(signal.at_ms)
    return Event(at=at, event=event, severity=severity, score=score, type=type_)


def _timeline(
    old: Alert | None, signal: Signal, severity: Severity, score: int, type_: str
) -> tuple[Event, ...]:
    happened: list[Happened] = []
    if old is None:
        happened.append("opened")
    else:
        happened += ["reopened"] if old.state == "resolved" else []
        happened += ["raised"] if severity != old.severity else []
        happened += ["retyped"] if type_ != old.type else []
    new = tuple(_event(signal, e, severity, score, type_) for e in happened)
    return (old.timeline if old else ()) + new


def _facts(
    brand: Brand, signal: Signal, alert_id: str, since: str, severity: Severity, score: int
) -> Facts:
    names = brand_names(brand)
    local = datetime.fromisoformat(since).astimezone(ZoneInfo(brand.timezone))
    return Facts(
        brand_ar=names.ar,
        brand_en=names.en,
        alert_id=alert_id,
        severity=severity,
        observed=signal.total,
        expected=signal.expected,
        ratio=ratio_of(signal),
        window_min=signal.window_min,
        negative=signal.negative,
        negative_share=round(100 * share_of(signal)),
        since=local.strftime("%H:%M"),
        date=local.strftime("%Y-%m-%d"),
        timezone=brand.timezone,
        crisis_score=score,
        terms=signal.terms,
        suspect=suspect_of(signal.impostor) if signal.impostor else None,
        help_url=brand.help_url,
        support_handle=brand.support_handle,
        domain=brand.domains[0] if brand.domains else None,
    )
