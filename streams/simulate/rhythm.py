"""When mentions happen: daily and weekly rhythm, slow noise, gamma-Poisson counts, event curves.

Organic intensity in mentions a second (docs/simulate.md)::

    lambda(t) = rate * season(t) * exp(x(t) - sigma^2 / 2) * gamma,  gamma ~ Gamma(shape, 1/shape)
    x(t + dt) = phi x(t) + sigma sqrt(1 - phi^2) e,                  phi = exp(-dt / tau)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import numpy as np

from streams.simulate.data import load
from streams.simulate.rows import FloatArray, IntArray
from streams.simulate.spec import Noise, SimBrand

STEP_S = 300
HOUR_S = 3600
DAY_S = 86_400
WEEK_S = 7 * DAY_S
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday


class Season:
    """Hour-of-week factor of a brand's traffic, with mean 1 over the week."""

    def __init__(self, brand: SimBrand) -> None:
        traffic = load("scenarios")["traffic"]
        hours = [
            np.array(traffic["weekend" if day in brand.weekend else "weekday"])
            * traffic["day"][day]
            for day in _DAYS
        ]
        week = np.concatenate(hours)
        self._week = np.append(week, week[0]) / week.mean()
        self._zone = ZoneInfo(brand.timezone)

    def at(self, times_s: FloatArray) -> FloatArray:
        """Return the factor at each time; the zone's offset is taken at the first."""
        if not len(times_s):
            return np.ones(0)
        local = times_s + self.offset_s(float(times_s[0])) + _EPOCH_DAY * DAY_S
        hour = (local % WEEK_S) / HOUR_S - 0.5  # the table's values hold at half past
        return np.asarray(np.interp(hour % 168, np.arange(169), self._week))

    def offset_s(self, at_s: float) -> float:
        """Return how far local time is ahead of UTC."""
        offset = datetime.fromtimestamp(at_s, UTC).astimezone(self._zone).utcoffset()
        return offset.total_seconds() if offset else 0.0


class SlowNoise:
    """Stationary AR(1) log-intensity on a grid of five minutes."""

    def __init__(self, noise: Noise, rng: np.random.Generator) -> None:
        self._rng = rng
        self._sigma = noise.sigma
        self._phi = math.exp(-STEP_S / (noise.tau_hours * HOUR_S))
        self._x = float(rng.normal(0.0, noise.sigma))

    def factors(self, steps: int) -> FloatArray:
        """Return the next multiplicative factors; their mean is 1."""
        scale = self._sigma * math.sqrt(1 - self._phi**2)
        shocks = self._rng.normal(0.0, scale, steps).tolist()
        path = list(accumulate(shocks, lambda x, e: self._phi * x + e, initial=self._x))
        self._x = path[-1]
        return np.exp(np.array(path[1:]) - self._sigma**2 / 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """An event that rises to ``height``, holds, and halves every ``half_life_s``."""

    start_s: float
    rise_s: float
    hold_s: float
    half_life_s: float
    height: float
    power: float = 1.0

    @property
    def peak_s(self) -> float:
        """When the height is reached."""
        return self.start_s + self.rise_s

    @property
    def recovery_s(self) -> float:
        """When the decay begins."""
        return self.peak_s + self.hold_s

    @property
    def end_s(self) -> float:
        """When the last mention is made: at 2 % of the usual rate."""
        return self.falls_below(min(0.02, self.height))

    def rises_above(self, level: float) -> float:
        """Return when the curve first reaches a level, at the latest at its peak."""
        share = min(1.0, level / self.height)
        return self.start_s + float(self.rise_s * share ** (1 / self.power))

    def falls_below(self, level: float) -> float:
        """Return when the curve falls to a level again."""
        halvings = max(0.0, math.log2(self.height / level))
        return self.recovery_s + halvings * self.half_life_s

    def at(self, times_s: FloatArray) -> FloatArray:
        """Return the curve at each time."""
        rise = np.clip((times_s - self.start_s) / self.rise_s, 0.0, 1.0) ** self.power
        decay = 0.5 ** (np.clip(times_s - self.recovery_s, 0.0, None) / self.half_life_s)
        alive = (times_s >= self.start_s) & (times_s < self.end_s)
        return np.asarray(self.height * rise * decay * alive)


def draw_times(
    rng: np.random.Generator, edges_s: IntArray, expected: FloatArray, shape: float
) -> IntArray:
    """Draw sorted times from gamma-Poisson counts.

    Parameters
    ----------
    rng : numpy.random.Generator
    edges_s : int64[n + 1]
        Bounds of the intervals.
    expected : float64[n]
        Mean count of each interval.
    shape : float
        Shape of the gamma mixing.
    """
    mixed = expected * (rng.standard_gamma(shape, len(expected)) / shape)
    counts = rng.poisson(mixed)
    width = np.repeat(np.diff(edges_s), counts)
    times: IntArray = np.repeat(edges_s[:-1], counts) + (rng.random(len(width)) * width).astype(
        np.int64
    )
    return np.sort(times)
