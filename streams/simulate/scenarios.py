"""From a scenario's parameters to a plan for one brand: what happens, when, and the truth of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from streams.simulate import rows as r
from streams.simulate.campaigns import Campaign, attack, impostors, phishing, threads
from streams.simulate.data import load
from streams.simulate.rhythm import DAY_S, HOUR_S, Curve, Season
from streams.simulate.rows import IntArray, Rows
from streams.simulate.spec import (
    DEFAULT_RATE_PER_HOUR,
    SimBrand,
    SimulationSpec,
    generator,
    rfc3339,
)
from streams.simulate.voice import Voice

MINUTE_S = 60.0
_VISIBLE = 0.5  # onset and end of a crisis: its mentions reach, or fall below, half the usual rate
_ONSET = {
    "surge": "onset: the added mentions reach half of the brand's usual rate; "
    "start: the first of them; end: they fall below half again",
    "campaign": "onset and start: the first mention of the accounts; end: their last",
}


@dataclass(frozen=True, slots=True)
class Surge:
    """Mentions added on top of the organic ones."""

    topic: str
    label: str
    curve: Curve  # in multiples of the usual rate
    negative: float
    positive: float
    positive_after: float  # after recovery
    repost_share: float
    roots: int

    def moods(self, rng: np.random.Generator, times_s: IntArray) -> IntArray:
        """Draw a sentiment for each mention."""
        late = times_s >= self.curve.recovery_s
        positive = np.where(late, max(self.positive, self.positive_after), self.positive)
        draw = rng.random(len(times_s))
        return np.where(draw < self.negative, 0, np.where(draw < self.negative + positive, 2, 1))


@dataclass(frozen=True, slots=True)
class Swell:
    """A busy day: the organic traffic itself grows, its mood unchanged."""

    curve: Curve
    topic: str
    topic_share: float


@dataclass(frozen=True, slots=True)
class Blindness:
    """A feed that is silent, and delivers its backlog afterwards."""

    platform: str | None  # None: every platform
    start_s: int
    end_s: int
    flush_s: int

    def delay(self, rows: Rows) -> None:
        """Let what was published in the dark arrive after it."""
        dark = (rows["t"] >= self.start_s) & (rows["t"] < self.end_s)
        if self.platform is not None:
            dark &= rows["platform"] == r.PLATFORMS.index(self.platform)
        share = (rows["t"][dark] - self.start_s) / (self.end_s - self.start_s)
        rows["arrive"][dark] = self.end_s + (share * self.flush_s).astype(np.int64)


@dataclass(slots=True)
class Plan:
    """All that is decided about one brand before its stream begins."""

    spec: SimulationSpec
    brand: SimBrand
    rate_per_hour: float
    crisis_s: int
    negative: float
    positive: float
    fixed: dict[str, int]
    surge: Surge | None = None
    swell: Swell | None = None
    blindness: Blindness | None = None
    campaign: Campaign = field(default_factory=Campaign)

    def truth(self) -> dict[str, Any]:
        """Return what the truth file says of the brand."""
        expected = load("scenarios")["scenarios"][self.spec.scenario]["expect"]
        told: dict[str, Any] = {
            "scenario": self.spec.scenario,
            "seed": self.spec.seed,
            "intensity": self.spec.intensity,
            "rate_per_hour": round(self.rate_per_hour, 4),
            "expected": list(expected),
            "quiet": not expected,
            "event": self._event(),
            "crisis": None,
            "id_prefixes": {label: f"{self.brand.id}-{r.LABELS[label]}" for label in r.LABELS},
            "blind": self.blindness is not None,
            "feed_outages": [],
            "coordinated": {"accounts": [], "hashtag": None, "link": None},
            "impostors": [],
            "phishing": {"accounts": [], "links": []},
            "rumour": None,
        }
        if expected:
            told["crisis"] = told["event"]
        if self.blindness is not None:
            told["feed_outages"].append(self._outage(self.blindness))
        if self.spec.scenario == "rumour":
            told["rumour"] = self._claims()
        self.campaign.tell(told)
        return told

    def _event(self) -> dict[str, Any] | None:
        """Return the times of what happens, be it a crisis or not."""
        happens = self.surge or self.swell
        if self.campaign.start_s is not None:
            start = self.campaign.start_s
            times = {"start": start, "onset": start, "peak": start, "end": self.campaign.end_s}
            definition = _ONSET["campaign"]
        elif happens is not None:
            curve = happens.curve
            visible = min(_VISIBLE, curve.height / 2)
            times = {
                "start": int(curve.start_s),
                "onset": int(curve.rises_above(visible)),
                "peak": int(curve.peak_s),
                "end": int(curve.falls_below(visible)),
            }
            definition = _ONSET["surge"]
        else:
            return None
        last = self.spec.end_s - 1
        told: dict[str, Any] = {name: rfc3339(min(at, last)) for name, at in times.items()}
        told["definition"] = definition
        if happens is not None:
            told["times_usual"] = round(1 + happens.curve.height, 2)
        if self.surge is not None:
            told["negative_share"] = round(self.surge.negative, 3)
        return told

    def _outage(self, blind: Blindness) -> dict[str, Any]:
        return {
            "platform": blind.platform,
            "start": rfc3339(blind.start_s),
            "end": rfc3339(blind.end_s),
            "backlog_delivered_by": rfc3339(blind.end_s + blind.flush_s),
        }

    def _claims(self) -> dict[str, str]:
        claims = {}
        for lang in r.LANGS:
            block = load(f"texts_{lang}")["slots"][self.brand.industry]["claim"].splitlines()
            claims[lang] = block[self.fixed["claim"] % len(block)]
        return claims


def make_plan(spec: SimulationSpec, brand: SimBrand, voice: Voice) -> Plan:
    """Draw the plan of one brand.

    Parameters
    ----------
    spec : SimulationSpec
    brand : SimBrand
    voice : Voice
        Composes what a campaign says beforehand.
    """
    rng = generator(spec.seed, brand.id, spec.scenario, "plan")
    given = load("scenarios")
    wanted = given["scenarios"][spec.scenario]
    rate = spec.rate_per_hour
    if rate is None:
        low, high = wanted.get("rate_per_hour", (DEFAULT_RATE_PER_HOUR,) * 2)
        rate = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    plan = Plan(
        spec=spec,
        brand=brand,
        rate_per_hour=rate,
        crisis_s=_crisis_s(spec, brand, rng),
        negative=rng.uniform(*given["traffic"]["negative"]),
        positive=rng.uniform(*given["traffic"]["positive"]),
        fixed={"topic": int(rng.integers(0, 100)), "claim": int(rng.integers(0, 100))},
    )
    if "surge" in wanted:
        plan.surge = _surge(wanted["surge"], plan, rng)
    if "swell" in wanted:
        swell = wanted["swell"]
        plan.swell = Swell(_curve(swell, plan, rng), swell["topic"], swell["topic_share"])
    if "blind" in wanted:
        plan.blindness = _blindness(wanted["blind"], plan, rng)
    makers = {"attack": attack, "impostors": impostors, "phishing": phishing, "threads": threads}
    for key, make in makers.items():
        if key in wanted:
            plan.campaign = make(wanted[key], spec, plan.crisis_s, voice, rng)
    return plan


def _crisis_s(spec: SimulationSpec, brand: SimBrand, rng: np.random.Generator) -> int:
    """Return the given time, or one by day, 70 % into the stream."""
    hour = rng.uniform(10, 20)
    if spec.crisis_at is not None:
        return int(spec.crisis_at.timestamp())
    middle = spec.start_s + 0.7 * (spec.end_s - spec.start_s)
    offset = Season(brand).offset_s(middle)
    local_midnight = (middle + offset) // DAY_S * DAY_S
    at = local_midnight + hour * HOUR_S - offset
    return int(at) if spec.start_s <= at < spec.end_s else int(middle)


def _curve(given: dict[str, Any], plan: Plan, rng: np.random.Generator) -> Curve:
    times_usual = rng.uniform(*given["times_usual"])
    rise, hold, half_life = (
        MINUTE_S * rng.uniform(*given[key])
        for key in ("rise_minutes", "hold_minutes", "half_life_minutes")
    )
    return Curve(
        start_s=plan.crisis_s + MINUTE_S * given.get("delay_minutes", 0),
        rise_s=rise,
        hold_s=hold,
        half_life_s=half_life,
        height=(times_usual - 1) * plan.spec.intensity,
        power=given.get("power", 1),
    )


def _surge(given: dict[str, Any], plan: Plan, rng: np.random.Generator) -> Surge:
    return Surge(
        topic=given["topic"],
        label=given["label"],
        curve=_curve(given, plan, rng),
        negative=rng.uniform(*given["mix"]["negative"]),
        positive=rng.uniform(*given["mix"]["positive"]),
        positive_after=given.get("positive_after", 0.0),
        repost_share=given["repost_share"],
        roots=given["roots"],
    )


def _blindness(given: dict[str, Any], plan: Plan, rng: np.random.Generator) -> Blindness:
    hours = rng.uniform(*given["hours"]) * plan.spec.intensity
    every = rng.random() < given["all_platforms"]
    return Blindness(
        platform=None if every else given["platform"],
        start_s=plan.crisis_s,
        end_s=plan.crisis_s + int(hours * HOUR_S),
        flush_s=int(MINUTE_S * rng.uniform(*given["flush_minutes"])),
    )
