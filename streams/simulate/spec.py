"""What to simulate: brands, scenario, time span and noise, as frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

SCENARIOS = (
    "calm",
    "viral_praise",
    "outage",
    "slow_burn",
    "coordinated_attack",
    "impersonation",
    "phishing",
    "rumour",
    "low_volume",
    "holiday_peak",
    "feed_outage",
)
INDUSTRIES = ("bank", "telecom", "airline", "delivery", "generic")
DEFAULT_START = datetime(2026, 1, 4, tzinfo=UTC)  # a Sunday
DEFAULT_RATE_PER_HOUR = 60.0
LOW_VOLUME_MAX_PER_HOUR = 1.0


class SimulationError(ValueError):
    """A specification that cannot be simulated; the message names the parameter and the value."""


@dataclass(frozen=True, slots=True)
class SimBrand:
    """A fictional brand in both scripts.

    Parameters
    ----------
    id : str
        Identifier in the configuration; also the start of its mentions' ids.
    name_en, name_ar : str
        The name in Latin and in Arabic script.
    industry : str
        One of `INDUSTRIES`; chooses what people talk about.
    handles : tuple of str
        Official handles, the main one first.
    domain : str
        Official domain; under a reserved top-level domain (RFC 2606), so that no link leads out.
    keywords_en, keywords_ar : tuple of str
        More ways to name the brand.
    timezone : str
        IANA zone that the daily rhythm follows.
    weekend : tuple of str
        Days of the weekend, as in the configuration.
    """

    id: str
    name_en: str
    name_ar: str
    industry: str
    handles: tuple[str, ...]
    domain: str
    keywords_en: tuple[str, ...] = ()
    keywords_ar: tuple[str, ...] = ()
    timezone: str = "Asia/Riyadh"
    weekend: tuple[str, ...] = ("fri", "sat")

    def __post_init__(self) -> None:
        if self.industry not in INDUSTRIES:
            raise SimulationError(f"industry={self.industry!r}: expected one of {INDUSTRIES}")
        if not self.handles:
            raise SimulationError(f"handles of brand {self.id!r} are empty")

    @property
    def account_id(self) -> str:
        """Platform id of the official account on x."""
        return str(1_000_000_000 + digest(self.id) % 1_000_000_000)

    def config(self) -> dict[str, Any]:
        """Return the brand as an entry of ``brands:`` in ``nadhir.yaml``."""
        return {
            "id": self.id,
            "names": [self.name_en, self.name_ar],
            "keywords": [*self.keywords_en, *self.keywords_ar],
            "handles": list(self.handles),
            "accounts": [
                {
                    "platform": "x",
                    "id": self.account_id,
                    "handle": self.handles[0],
                    "name": f"{self.name_en} | {self.name_ar}",
                }
            ],
            "domains": [self.domain],
            "languages": ["ar", "en"],
            "timezone": self.timezone,
            "weekend": list(self.weekend),
            "help_url": f"https://{self.domain}/help",
            "support_handle": self.handles[-1],
        }


@dataclass(frozen=True, slots=True)
class Noise:
    """How bursty ordinary traffic is.

    Parameters
    ----------
    sigma : float
        Standard deviation of the log-intensity.
    tau_hours : float
        Correlation time of the log-intensity.
    shape : float
        Shape of the gamma mixing within five minutes: the smaller, the more over-dispersed.
    reposts : float
        Mean number of reposts that an organic mention draws.
    """

    sigma: float = 0.30
    tau_hours: float = 4.0
    shape: float = 12.0
    reposts: float = 0.15

    def __post_init__(self) -> None:
        for name, low in (("sigma", 0.0), ("tau_hours", 0.01), ("shape", 0.01), ("reposts", 0.0)):
            if not low <= getattr(self, name) < float("inf"):
                raise SimulationError(f"{name}={getattr(self, name)}: expected at least {low}")


@dataclass(frozen=True, slots=True)
class SimulationSpec:
    """One scenario for one or several brands.

    Parameters
    ----------
    scenario : str
        One of `SCENARIOS`.
    seed : int
        Not negative.  Equal specifications give equal bytes; every brand draws from its own
        stream, so a brand's mentions do not depend on the brands beside it.
    brands : sequence of SimBrand, optional
        Default: the first ready brand.
    start : datetime
        Aware start of the stream; cut to whole seconds.
    days : float
        Length of the stream.
    rate_per_hour : float, optional
        Average organic mentions an hour and brand.  Default 60, and for ``low_volume`` drawn from
        0.04 to 1; that scenario accepts at most 1.
    crisis_at : datetime, optional
        When the scenario's event begins.  Default: by day, at 70 % of the stream.
    intensity : float
        Scales the size of the event; 1 is as described in docs/simulate.md.
    noise : Noise
        Burstiness of the organic traffic.

    Raises
    ------
    SimulationError
        If a parameter is out of range.
    """

    scenario: str
    seed: int
    brands: Sequence[SimBrand] | None = None
    start: datetime = DEFAULT_START
    days: float = 7.0
    rate_per_hour: float | None = None
    crisis_at: datetime | None = None
    intensity: float = 1.0
    noise: Noise = field(default_factory=Noise)

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise SimulationError(f"scenario={self.scenario!r}: expected one of {SCENARIOS}")
        if self.seed < 0:
            raise SimulationError(f"seed={self.seed}: expected at least 0")
        for name in ("start", "crisis_at"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise SimulationError(f"{name}={value.isoformat()}: expected an aware datetime")
        if not 0 < self.days <= 3660:
            raise SimulationError(f"days={self.days}: expected more than 0, at most 3660")
        if not 0 < self.intensity <= 100:
            raise SimulationError(f"intensity={self.intensity}: expected more than 0, at most 100")
        self._check_rate()
        if (
            self.crisis_at is not None
            and not self.start_s <= self.crisis_at.timestamp() < self.end_s
        ):
            raise SimulationError(f"crisis_at={self.crisis_at.isoformat()}: outside the stream")

    def _check_rate(self) -> None:
        rate = self.rate_per_hour
        if rate is None:
            return
        if not 0 < rate <= 1e6:
            raise SimulationError(f"rate_per_hour={rate}: expected more than 0, at most 1e6")
        if self.scenario == "low_volume" and rate > LOW_VOLUME_MAX_PER_HOUR:
            raise SimulationError(f"rate_per_hour={rate}: low_volume means at most 1 an hour")

    @property
    def start_s(self) -> int:
        """Start as seconds since the Unix epoch."""
        return int(self.start.timestamp())

    @property
    def end_s(self) -> int:
        """End as seconds since the Unix epoch; no mention is published at or after it."""
        return int((self.start + timedelta(days=self.days)).timestamp())


def digest(*parts: str) -> int:
    """Return a 64-bit number for texts, the same in every process."""
    data = "\0".join(parts).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Return the random generator for one purpose, independent of all others."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, digest(*purpose)])))


def rfc3339(at_s: float) -> str:
    """Format seconds since the epoch, as in ``2026-01-04T00:00:00Z``."""
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
