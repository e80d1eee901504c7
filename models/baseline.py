r"""Expected counts with hour-of-week seasonality: a discounted gamma-Poisson model.

For series :math:`b` in hour :math:`h` the expected count is

.. math:: \mu_{b,h} = L_b \, F_{b,\mathrm{how}(h)}

with level :math:`L_b` (mentions an hour, season removed) and seasonal factor :math:`F`.  Both are
ratios of discounted sums, counts over exposure, which is the posterior mean of a Poisson rate under
a gamma prior (West & Harrison, *Bayesian Forecasting and Dynamic Models*, 1997, ch. 10).  Factors
of the 168 hours of a week lean on the 48 factors of hour by weekday/weekend, and these on 1, with a
weight in counts: a quiet brand keeps a flat season until it has told enough.

Counts scatter more than Poisson; the negative-binomial dispersion :math:`\alpha`
(:math:`\mathrm{var} = \mu + \alpha\mu^2`) is learned by discounted moments for each horizon.  The
tail probability is :math:`P(X \ge k) = I_{\mu/(\mu + r)}(k, r)`, :math:`r = 1/\alpha`
(regularised incomplete beta function, NIST DLMF 8.17).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import betainc

from models.calendar import Calendar
from models.feast import Feast
from models.pieces import under, within
from models.quarantine import Quarantine
from models.records import Bool, Float64, Int64

HORIZONS_MIN = (5, 60, 180, 1440)
WEEK_H = 168
_HELD = "held/"
_HALF_LIFE_LEVEL_H = 168.0
_HALF_LIFE_SEASON_48 = 10.0  # visits
_HALF_LIFE_SEASON_168 = 6.0  # visits
_HALF_LIFE_SPREAD_H = 336.0
_PRIOR_ALPHA = np.array([0.5, 0.15, 0.1, 0.05])  # of each horizon, until learned
_PRIOR_ALPHA_WEIGHT = 20.0
# hours of history before a horizon is judged at all: what has not been seen cannot be abnormal
HISTORY_H = np.array([12.0, 12.0, 24.0, 48.0])
# mentions come in clumps (a post with its reposts and answers), whose variance grows with the mean:
# beside it even windows in which less than one mention is expected see a handful now and then
CLUMP = 1.0
# a young series' error is uncertainty of the level, which alpha() adds by itself
_SPREAD_AFTER_H = (24, 24, 24, 72)
_COLD_ALPHA = 1.5  # added at the first hour, gone after some days
_COLD_H = 24.0
_SPREAD_CLIP_SD = 2.5  # the same for the dispersion, which a slow climb would inflate
_CLIP_SD = 3.0  # what is learned of one hour is cut here: an event must not become usual
_LEAST_HOURLY = 0.05  # no brand is expected to be quieter than about one mention a day


class Baseline:
    """Expected counts of many series; see the module's formula.

    All arrays run over series.  ``learn`` is told one closed hour at a time, in order.
    """

    def __init__(self, calendar: Calendar, series: int) -> None:
        self.calendar = calendar
        self.series = series
        self.hours = np.zeros(series)  # learned so far
        self._level = np.zeros((2, series))  # counts, exposure in hours
        self._season48 = np.zeros((2, 48, series))
        self._season168 = np.zeros((2, WEEK_H, series))
        self._moments = np.zeros((2, len(_PRIOR_ALPHA), series))
        self._feast = Feast(calendar, series)
        self._held = Quarantine(2 * len(_PRIOR_ALPHA), series)
        self._day = np.zeros((24, series))  # expected counts of the last 24 hours, by hour
        self._factors: dict[int, Float64] = {}  # these three hold until the next hour is learned
        self._rates: dict[int, Float64] = {}
        self._alpha: Float64 | None = None
        self._dirty: set[str] = set()

    def level(self) -> Float64:
        """Mentions an hour with the season removed."""
        counts, exposure = self._level
        level: Float64 = np.maximum((counts + 0.5) / (exposure + 1.0), _LEAST_HOURLY)
        return level

    def rate(self, hour: int) -> Float64:
        """Expected mentions in an hour (hours since the epoch)."""
        if hour not in self._rates:
            usual = self.level() * self._factor(hour)
            self._rates[hour] = usual * self._feast.factor(hour)
        return self._rates[hour]

    def _factor(self, hour: int) -> Float64:
        if hour not in self._factors:
            self._factors[hour] = self._season(hour)
        return self._factors[hour]

    def _season(self, hour: int) -> Float64:
        how, day = self.calendar.of(hour)
        at = np.arange(self.series)
        level = self.level()
        # prior weights in expected counts: a fixed part, and the worth of some hours
        y, e = self._season48[:, day, at]
        broad = (y + (4.0 + level)) / (e + (4.0 + level))
        y, e = self._season168[:, how, at]
        prior = 8.0 + 2.0 * level
        factor: Float64 = (y + prior * broad) / (e + prior)
        return factor

    def expected(self, minutes: Int64, series: Int64) -> Float64:
        """Expected counts in the windows that end with each minute.

        Returns
        -------
        float64[horizons, n]
        """
        if not len(minutes):
            return np.empty((len(HORIZONS_MIN), 0))
        rates, at, into = self._rates_at(minutes, series)
        five, hour = self._short(rates, at, into)
        three = self._long(rates, at, into, 3)
        day = self._day.sum(axis=0)[series]
        return np.stack([five, hour, three, np.maximum(day, hour)])

    def expected_hours(self, minutes: Int64, series: Int64, hours: int) -> Float64:
        """Expected counts in the ``hours`` (1 to 6) that end with each minute; float64[n]."""
        rates, at, into = self._rates_at(minutes, series)
        return self._long(rates, at, into, hours)

    def _long(self, rates: Float64, at: Int64, into: Float64, hours: int) -> Float64:
        whole = [rates.take(at - step * self.series) for step in range(hours + 1)]
        total: Float64 = into * whole[0] + sum(whole[1:-1]) + (1 - into) * whole[-1]
        return total

    def expected_short(self, minutes: Int64, series: Int64) -> Float64:
        """Expected counts in the windows of five minutes and an hour; float64[2, n]."""
        return np.stack(self._short(*self._rates_at(minutes, series)))

    def _rates_at(self, minutes: Int64, series: Int64) -> tuple[Float64, Int64, Float64]:
        """Rates of the hours concerned, where in them each minute's is, and how far it is gone."""
        hours = minutes // 60
        first = int(hours.min()) - 6
        rates = np.stack([self.rate(hour) for hour in range(first, int(hours.max()) + 2)])
        return rates, (hours - first) * self.series + series, (minutes % 60 + 1) / 60.0

    def _short(self, rates: Float64, at: Int64, into: Float64) -> tuple[Float64, Float64]:
        before, here, after = (rates.take(at + step * self.series) for step in (-1, 0, 1))
        middle = into - 0.5 - 2.5 / 60  # centre of the 5-minute window against the hour's centre
        slope = np.where(middle < 0, here - before, after - here)
        five = np.maximum(here + middle * slope, 0.2 * here) * (5 / 60)
        return five, into * here + (1 - into) * before

    def known(self, series: Int64) -> Bool:
        """Whether there is history enough to judge; bool[horizons, n]."""
        known: Bool = self.hours[series] >= HISTORY_H[:, None]
        return known

    def alpha(self, series: Int64, expected: Float64) -> Float64:
        """Dispersion of windows with these expectations, by horizon; float64[horizons, n]."""
        return self._scatter().take(series, axis=1) + CLUMP / np.maximum(expected, 1e-9)

    def _scatter(self) -> Float64:
        """Dispersion beside clumps, with what is still uncertain about a young series."""
        if self._alpha is None:
            num, den = self._moments
            prior = _PRIOR_ALPHA[:, None]
            learned = (num + _PRIOR_ALPHA_WEIGHT * prior) / (den + _PRIOR_ALPHA_WEIGHT)
            young = _COLD_ALPHA * (_COLD_H / (_COLD_H + self.hours)) ** 2
            self._alpha = np.clip(learned, 0.01, 10.0) + young + self._feast.alpha()
        return self._alpha

    def learn(self, hour: int, fives: Float64, three: Float64, day: Float64, mask: Bool) -> None:
        """Learn a closed hour.

        Parameters
        ----------
        hour : int
            Hours since the epoch.
        fives : float64[parts, series]
            Mentions in equal parts of the hour, of 5 minutes in the stream.
        three, day : float64[series]
            Mentions in the 3 and 24 hours that end with it.
        mask : bool[series]
            Which series may learn (a series in a crisis may not).
        """
        rate, counts = self.rate(hour), fives.sum(axis=0)
        self._day[hour % 24] = rate
        said = (fives, counts[None], three[None], day[None])
        of_three = rate + self.rate(hour - 1) + self.rate(hour - 2)
        expected = (rate / len(fives), rate, of_three, self._day.sum(axis=0))
        usual = self.level() * self._factor(hour)
        feast = self.calendar.holiday(hour)
        self._learn_spread(hour, said, expected, mask & ~feast)
        self._alpha = None
        variance = (1 + CLUMP) * rate + self._scatter()[1] * rate**2
        cut = rate + _CLIP_SD * np.sqrt(variance) + 3.0
        y = np.minimum(counts, cut)
        how, day_class = self.calendar.of(hour)
        self._feast.learn(hour, y, usual, mask)
        at = np.flatnonzero(mask & ~feast)
        factor, level = self._factor(hour), self.level()
        _discount(self._level, np.s_[:, at], _HALF_LIFE_LEVEL_H, y[at], factor[at])
        for name, bins, half in (
            ("season48", day_class, _HALF_LIFE_SEASON_48),
            ("season168", how, _HALF_LIFE_SEASON_168),
        ):
            season = getattr(self, f"_{name}")
            _discount(season, np.s_[:, bins[at], at], half, y[at], level[at])
            self._dirty.update(f"{name}/{row}" for row in np.unique(bins).tolist())
        self.hours += mask
        self._dirty.update(("hours", "level", "moments", f"day/{hour % 24}"))
        if self._feast.learned:
            self._dirty.add("feast")
        self._forget()

    def _learn_spread(
        self, hour: int, counts: Sequence[Float64], expected: Sequence[Float64], mask: Bool
    ) -> None:
        """Learn how far counts of each horizon, float64[windows, series], lie from expectation."""
        alpha = self._scatter()
        said = np.zeros((2, len(counts), self.series))
        for i, (y, mu) in enumerate(zip(counts, expected)):
            clumped = (1 + CLUMP) * mu
            cut = mu + _SPREAD_CLIP_SD * np.sqrt(clumped + alpha[i] * mu**2) + 1.0
            excess = ((np.minimum(y, cut) - mu) ** 2 - clumped).mean(axis=0)
            said[:, i] = np.where(self.hours >= _SPREAD_AFTER_H[i], (excess, mu**2), 0.0)
        released = self._held.exchange(hour, said.reshape(-1, self.series), mask)
        released = released.reshape(said.shape)
        decay = np.where(released[1] > 0, 0.5 ** (1.0 / _HALF_LIFE_SPREAD_H), 1.0)
        self._moments = self._moments * decay + released

    def _piece(self, name: str) -> Float64:
        """The array, or the row of one, that a name stands for."""
        array, _, row = name.partition("/")
        if array == "feast":
            return self._feast.sums
        held: Float64 = self.hours if array == "hours" else getattr(self, f"_{array}")
        return held[..., int(row), :] if row else held

    def snapshot(self) -> dict[str, bytes]:
        """All state, as bytes by name."""
        rows = (("day", 24), ("season48", 48), ("season168", WEEK_H))
        names = [f"{array}/{row}" for array, count in rows for row in range(count)]
        whole = {
            n: self._piece(n).tobytes() for n in ("hours", "level", "moments", "feast", *names)
        }
        return whole | under(_HELD, self._held.snapshot())

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot changed since the last call."""
        names, self._dirty = sorted(self._dirty), set()
        changed = {name: self._piece(name).tobytes() for name in names}
        return changed | under(_HELD, self._held.changes())

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        self._held.restore(within(_HELD, pieces))
        for name, blob in pieces.items():
            # "spread" is what was learned of three horizons, before there were four
            if name != "spread" and not name.startswith(_HELD):
                piece = self._piece(name)
                piece[...] = np.frombuffer(blob).reshape(piece.shape)
        self._forget()

    def _forget(self) -> None:
        self._factors.clear()
        self._rates.clear()
        self._alpha = None


def _discount(sums: Float64, at: Any, half_life: float, counts: Float64, exposure: Float64) -> None:
    decay = 0.5 ** (1.0 / half_life)
    sums[at] = sums[at] * decay + np.stack([counts, exposure])


def surprise(observed: Float64, expected: Float64, alpha: Float64) -> Float64:
    r"""Surprise of a count: :math:`-\log_{10} P(X \ge k)` under the negative binomial.

    Parameters
    ----------
    observed, expected, alpha : float64[...]
        Counts, their expectation and the dispersion; shapes broadcast.

    Examples
    --------
    >>> surprise(np.array([50.0]), np.array([5.0]), np.array([0.1])).round(1).tolist()
    [15.3]
    """
    r = 1.0 / alpha
    mu = np.maximum(expected, 1e-9)
    tail = betainc(np.maximum(observed, 1e-9), r, mu / (mu + r))
    result: Float64 = -np.log10(np.maximum(tail, 1e-300))
    return np.where(observed > 0, result, 0.0)


def threshold(expected: float, alpha: float, line: float) -> int:
    """Least count whose surprise reaches ``line``."""
    low, high = 0, 1
    while _one(high, expected, alpha) < line:
        low, high = high, high * 2
        if high > 1 << 40:
            return high
    while high - low > 1:
        middle = (low + high) // 2
        if _one(middle, expected, alpha) >= line:
            high = middle
        else:
            low = middle
    return high


def _one(observed: int, expected: float, alpha: float) -> float:
    args = (np.array([float(observed)]), np.array([expected]), np.array([alpha]))
    return float(surprise(*args)[0])


def interval(expected: float, alpha: float, tail: float = 0.025) -> tuple[int, int]:
    """Central interval that holds a usual count with probability ``1 - 2 * tail``."""
    upper = threshold(expected, alpha, -float(np.log10(tail))) - 1
    lower = threshold(expected, alpha, -float(np.log10(1 - tail))) - 1
    return max(0, lower), max(upper, 0)
