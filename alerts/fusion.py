"""Stage 3: signals of a brand become one alert per crisis, or a decision not to alert.

A pure fold: ``handle(signals)`` and ``advance(now_ms)``.  One alert of a brand is open at a time,
and one of each of its impostors, which are cases of their own;
later signals update it, its severity may rise and never falls silently; it resolves when no signal
has come for a while and reopens, as the same alert, when the cause returns within the cooldown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from alerts.cases import FIGURES, Case, Key, Outcome, crisis_type, key_of
from alerts.explain import (
    clean,
    crisis_score,
    explain,
    score_parts,
)
from alerts.gates import GateSettings, judge
from alerts.impostors import (
    explain_impostor,
    impostor_parts,
    judge_impostor,
)
from alerts.playbook import Playbook
from alerts.records import (
    Alert,
    Event,
    Explanation,
    Gate,
    Part,
    Reached,
    rfc3339,
)
from alerts.sights import joined, remembered
from alerts.texts import Phrases
from alerts.written import decision, grown, touched, written
from models.records import SIGHTS, SOURCE_SILENT, Brand, Signal

MINUTE_MS = 60_000
BLIND_HOLD_MS = 24 * 60 * MINUTE_MS  # so long is an alert kept open for a source that is silent
IMPOSTOR_QUIET_MS = 7 * 24 * 60 * MINUTE_MS  # silence does not say that an impostor is gone


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says about alerting."""

    min_mentions: int = 15
    cooldown_min: int = 120
    resolve_after_quiet_min: int = 60


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

    @property
    def types(self) -> tuple[str, ...]:
        """Types of crisis that it may open."""
        return tuple(self._playbooks)

    def restore(self, cases: Iterable[Case]) -> None:
        """Take up stored cases; of several about the same the latest one counts."""
        for case in sorted(cases, key=lambda c: (c.alert.last_signal_ms, c.alert.opened_at)):
            if case.alert.brand in self._brands:
                self._cases[key_of(case.alert)] = case

    def scores(self) -> dict[str, int]:
        """The crisis score of each brand: that of its worst open alert, or 0."""
        found = dict.fromkeys(self._brands, 0)
        for case in self._cases.values():
            if case.alert.state == "open":
                found[case.alert.brand] = max(found[case.alert.brand], case.alert.score)
        return found

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
                    decision(signal, "not_alerted", failed.name, sentence, gates, None)
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
            outcome.decisions.append(decision(signal, how, how, sentence, gates, case.alert.id))

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
            decided = decision(signal, "not_alerted", "blind", sentence, (), None)
            outcome.decisions.append(decided)

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
        if old is not None and same and not new and not grown(old, signal):
            alert = touched(old, signal)
        else:
            if old is not None:
                if signal.kind in SIGHTS:
                    signal = joined(signal, latest.get(old.kind) if old.kind in FIGURES else None)
                    gates = judge(signal, self._gate_settings(brand), self._phrases)
                # who was seen is not forgotten
                signal = remembered(signal, old.groups, old.narratives)
            explanation = self._explain(brand, signal, gates, parts)
            playbook = self._playbooks[type_]
            alert = written(brand, old, type_, score, signal, explanation, playbook, self._phrases)
        return Case(alert=alert, latest=latest)

    def _explain(
        self, brand: Brand, signal: Signal, gates: tuple[Gate, ...], parts: tuple[Part, ...]
    ) -> Explanation:
        if signal.subject is not None:
            return explain_impostor(brand, signal, gates, parts, self._phrases)
        return explain(signal, gates, parts, self._gate_settings(brand), self._phrases)

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
