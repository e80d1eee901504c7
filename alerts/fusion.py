"""Stage 3: signals of a brand become one alert per crisis, or a decision not to alert.

A pure fold: ``handle(signals)`` and ``advance(now_ms)``.  One alert of a brand is open at a time,
and one of each of its impostors, which are cases of their own;
later signals update it, its severity may rise and never falls silently; it resolves when no signal
has come for a while and reopens, as the same alert, when the cause returns within the cooldown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec

from alerts.explain import (
    brand_names,
    clean,
    crisis_score,
    explain,
    score_parts,
    severity_of,
    title,
)
from alerts.gates import GateSettings, judge, ratio_of, share_of
from alerts.impostors import (
    explain_impostor,
    impostor_parts,
    impostor_title,
    judge_impostor,
    suspect_of,
)
from alerts.playbook import Facts, Playbook, render
from alerts.playbook.records import Bilingual, Severity
from alerts.records import (
    Alert,
    Decision,
    Event,
    Explanation,
    Gate,
    Happened,
    Part,
    Reached,
    rfc3339,
)
from alerts.sights import joined, remembered
from alerts.texts import Phrases
from models.records import COORDINATION, RUMOUR, SIGHTS, SOURCE_SILENT, Brand, Signal

MINUTE_MS = 60_000
BLIND_HOLD_MS = 24 * 60 * MINUTE_MS  # so long is an alert kept open for a source that is silent
IMPOSTOR_QUIET_MS = 7 * 24 * 60 * MINUTE_MS  # silence does not say that an impostor is gone
_COORDINATED_SHARE = 0.5  # of the negative mentions come from suspected groups
_RUMOUR_SHARE = 0.25  # of what is said is the rumour
_OUTAGE_SHARE = 0.25  # of the negative mentions speak of a failing service
FIGURES = frozenset(("volume", "negative_count", "negative_share"))
GROWTH = 1.5  # what is told of an alert is told anew when its count has grown so much
_SIGNALS_KEPT = 50  # ids an alert lists


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says about alerting."""

    min_mentions: int = 15
    cooldown_min: int = 120
    resolve_after_quiet_min: int = 60


Key = tuple[str, str]
"""What a case is about: the brand, and the impostor or nothing."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with what is needed to go on with it: the latest signal of each kind."""

    alert: Alert
    latest: dict[str, Signal]


def key_of(about: Signal | Alert) -> Key:
    """Which case a signal or alert belongs to."""
    return about.brand, about.subject or ""


@dataclass(slots=True)
class Outcome:
    """What a batch of signals changed: cases by alert id, decisions and news in order.

    ``news`` holds an alert each time something was added to its timeline: what is published.
    ``forgotten`` are impostors' cases to which nothing can be added any more.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    news: list[Alert] = field(default_factory=list)
    forgotten: list[Key] = field(default_factory=list)


class AlertStage:
    """Fusion state of a set of brands.

    Parameters
    ----------
    brands : sequence of Brand
    settings : AlertSettings
    playbooks : mapping of str to Playbook
        By crisis type.
    phrases : Phrases
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        settings: AlertSettings,
        playbooks: Mapping[str, Playbook],
        phrases: Phrases,
    ) -> None:
        self._brands = {b.id: b for b in brands}
        self._settings = settings
        self._playbooks = playbooks
        self._phrases = phrases
        self._cases: dict[Key, Case] = {}

    def restore(self, cases: Iterable[Case]) -> None:
        """Take up stored cases; of several about the same the latest one counts."""
        for case in sorted(cases, key=lambda c: (c.alert.last_signal_ms, c.alert.opened_at)):
            if case.alert.brand in self._brands:
                self._cases[key_of(case.alert)] = case

    def handle(self, signals: Iterable[Signal]) -> Outcome:
        """Fold signals into alerts and decisions."""
        outcome = Outcome()
        for signal in signals:
            self._resolve_quiet(self._cases.get(key_of(signal)), signal.at_ms, outcome)
            self._one(clean(signal), outcome)
        return outcome

    def advance(self, now_ms: int) -> Outcome:
        """Tell the event time: alerts without signals for long enough are resolved."""
        outcome = Outcome()
        for case in list(self._cases.values()):
            self._resolve_quiet(case, now_ms, outcome)
        for key in [k for k, c in self._cases.items() if self._is_over(c.alert, now_ms)]:
            del self._cases[key]
            outcome.forgotten.append(key)
        return outcome

    def _is_over(self, alert: Alert, now_ms: int) -> bool:
        """Whether an impostor's case cannot be reopened: there may be any number of these."""
        over = alert.subject is not None and alert.state == "resolved"
        return over and now_ms - self._resolved_ms(alert) > self._cooldown_ms

    def _one(self, signal: Signal, outcome: Outcome) -> None:
        brand = self._brands[signal.brand]
        if signal.kind == SOURCE_SILENT:
            self._blind(signal, outcome)
            return
        if signal.subject is not None:
            gates = judge_impostor(signal, brand.sensitivity, self._phrases)
        else:
            gates = judge(signal, self._gate_settings(brand), self._phrases)
        failed = next((g for g in gates if not g.passed), None)
        if failed:
            if signal.phase != "update":  # a running episode is judged again, not noted again
                sentence = self._phrases.say("decisions.refused", gate=failed.sentence)
                outcome.decisions.append(
                    _decision(signal, "not_alerted", failed.name, sentence, gates, None)
                )
            return
        before = self._cases.get(key_of(signal))
        if before is not None and not self._belongs(before.alert, signal):
            before = None
        case = self._fuse(brand, before, signal, gates)
        self._cases[key_of(signal)] = case
        outcome.cases[case.alert.id] = case
        if before is None or len(case.alert.timeline) > len(before.alert.timeline):
            outcome.news.append(case.alert)
        how: Reached = "opened" if before is None else "updated"
        if before is not None and before.alert.state == "resolved":
            how = "reopened"
        if how != "updated" or signal.phase != "update":
            sentence = self._phrases.say(f"decisions.{how}")
            outcome.decisions.append(_decision(signal, how, how, sentence, gates, case.alert.id))

    def _blind(self, signal: Signal, outcome: Outcome) -> None:
        """Nothing comes where it should: no crisis, but no calm either, so nothing is resolved."""
        case = self._cases.get(key_of(signal))
        newest = max((s.at_ms for s in case.latest.values()), default=0) if case else 0
        lately = signal.at_ms - newest <= BLIND_HOLD_MS
        if case is not None and case.alert.state == "open" and lately:
            alert = msgspec.structs.replace(case.alert, last_signal_ms=signal.at_ms)
            self._cases[key_of(signal)] = Case(alert=alert, latest=case.latest)
            outcome.cases[alert.id] = self._cases[key_of(signal)]
        if signal.phase == "fired":
            window = self._phrases.say(f"windows.{signal.window_min}")
            expected = self._phrases.about(signal.expected)
            sentence = self._phrases.say("decisions.blind", window=window, expected=expected)
            decision = _decision(signal, "not_alerted", "blind", sentence, (), None)
            outcome.decisions.append(decision)

    def _belongs(self, alert: Alert, signal: Signal) -> bool:
        """Whether a signal speaks of this alert: it is open, or was within the cooldown."""
        if alert.state == "open":
            return True
        resolved_ms = self._resolved_ms(alert)
        return signal.at_ms - resolved_ms <= self._cooldown_ms

    def _fuse(
        self, brand: Brand, before: Case | None, signal: Signal, gates: tuple[Gate, ...]
    ) -> Case:
        latest = {**(before.latest if before else {}), signal.kind: signal}
        old = before.alert if before else None
        if signal.subject is not None:
            parts = impostor_parts(signal, self._phrases)
        else:
            parts = score_parts(list(latest.values()), self._phrases)
        score = crisis_score(parts)
        if old is not None and score < old.score:  # never falls: the parts of the peak stay
            parts, score = old.explanation.parts, old.score
        type_ = signal.kind if signal.subject else crisis_type(latest, old.type if old else None)
        new = signal.kind in SIGHTS and signal.phase == "fired"
        same = old is not None and (score, type_) == (old.score, old.type)
        if old is not None and same and not new and not _grown(old, signal):
            alert = self._touched(old, signal)
        else:
            if old is not None:
                if signal.kind in SIGHTS:
                    signal = joined(signal, latest.get(old.kind) if old.kind in FIGURES else None)
                    gates = judge(signal, self._gate_settings(brand), self._phrases)
                # who was seen is not forgotten
                signal = remembered(signal, old.groups, old.narratives)
            explanation = self._explain(brand, signal, gates, parts)
            alert = self._written(brand, old, type_, score, signal, explanation)
        return Case(alert=alert, latest=latest)

    def _explain(
        self, brand: Brand, signal: Signal, gates: tuple[Gate, ...], parts: tuple[Part, ...]
    ) -> Explanation:
        if signal.subject is not None:
            return explain_impostor(brand, signal, gates, parts, self._phrases)
        return explain(signal, gates, parts, self._gate_settings(brand), self._phrases)

    def _touched(self, old: Alert, signal: Signal) -> Alert:
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

    def _written(
        self,
        brand: Brand,
        old: Alert | None,
        type_: str,
        score: int,
        signal: Signal,
        explanation: Explanation,
    ) -> Alert:
        """An alert that is new or became worse, told by the signal that made it so."""
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
                impostor_title(brand, signal, self._phrases)
                if signal.subject is not None
                else title(brand, type_, signal, self._phrases)
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
            playbook=render(self._playbooks[type_], facts),
            last_signal_ms=last_ms,
            subject=signal.subject,
            impostor=signal.impostor,
        )

    def _resolve_quiet(self, case: Case | None, now_ms: int, outcome: Outcome) -> None:
        if case is None or case.alert.state != "open":
            return
        alert = case.alert
        resolved_ms = self._resolved_ms(alert)
        if now_ms < resolved_ms:
            return
        at = rfc3339(resolved_ms)
        event = Event(
            at=at, event="resolved", severity=alert.severity, score=alert.score, type=alert.type
        )
        resolved = msgspec.structs.replace(
            alert, state="resolved", resolved_at=at, timeline=(*alert.timeline, event)
        )
        case = Case(alert=resolved, latest=case.latest)
        self._cases[key_of(alert)] = case
        outcome.cases[alert.id] = case
        outcome.news.append(resolved)

    @property
    def _cooldown_ms(self) -> int:
        return self._settings.cooldown_min * MINUTE_MS

    def _resolved_ms(self, alert: Alert) -> int:
        """When an alert ends if no further signal comes."""
        quiet_ms = self._settings.resolve_after_quiet_min * MINUTE_MS
        if alert.subject is not None:
            quiet_ms = max(quiet_ms, IMPOSTOR_QUIET_MS)
        return alert.last_signal_ms + quiet_ms

    def _gate_settings(self, brand: Brand) -> GateSettings:
        return GateSettings(sensitivity=brand.sensitivity, min_mentions=self._settings.min_mentions)


def crisis_type(latest: Mapping[str, Signal], before: str | None = None) -> str:
    """Type of a crisis; it only becomes more specific."""
    negative = [s for s in latest.values() if s.kind in ("negative_count", "negative_share")]
    # who criticises is told by the figures where these rose, else by the group that was seen
    alone = COORDINATION in latest and not negative
    if (
        alone
        or before == "coordinated_criticism"
        or any((s.coordinated_share or 0.0) >= _COORDINATED_SHARE for s in negative)
    ):
        return "coordinated_criticism"
    rumour = latest.get(RUMOUR)
    main = rumour is not None and (
        not FIGURES & latest.keys() or (rumour.told_share or 0.0) >= _RUMOUR_SHARE
    )
    if main or before == "rumour":
        return "rumour"
    if before == "service_outage" or any(
        s.topics.get("outage", 0.0) >= _OUTAGE_SHARE for s in negative
    ):
        return "service_outage"
    return "negativity_spike" if negative or before == "negativity_spike" else "volume_spike"


def _grown(alert: Alert, signal: Signal) -> bool:
    """Whether the same window holds much more than what the alert tells of."""
    same = (alert.kind, alert.window_min) == (signal.kind, signal.window_min)
    return same and signal.observed >= GROWTH * alert.observed


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


def _decision(
    signal: Signal,
    outcome: Reached,
    reason: str,
    sentence: Bilingual,
    gates: tuple[Gate, ...],
    alert: str | None,
) -> Decision:
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
