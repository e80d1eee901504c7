"""Days on which the usual week does not hold: Ramadan, Eid, campaign days, as configured.

On such days the expectation is the usual one times a factor that is learned anew each time: of the
days themselves, and of each hour of the day leaning on it (people talk at night in Ramadan).  The
level and the week's season are left alone, and counts may scatter more.
"""

from __future__ import annotations

import numpy as np

from models.calendar import Calendar
from models.records import Bool, Float64

_DAY = 24  # column of what all hours of the days have in common
_ON = 25  # column that says whether it is a holiday: 1, and less and less for a day after it
_HALF_LIFE_H = 48.0
_HALF_LIFE_VISITS = 4.0
_PRIOR_H = 2.0  # of usual talk: the first hours move the factor at once
_PRIOR_VISITS = 1.0
_FADES_H = 24
_ALPHA, _ALPHA_H = 0.1, 12.0  # dispersion on such days beside the usual; more in the first hours


class Feast:
    """Factors of holidays, for many series.

    Attributes
    ----------
    sums : float64[2, 26, series]
        Discounted counts and expectations: of 24 hours of the day, of all of them; the last column
        holds whether a holiday goes on, and how many of its hours were learned.
    learned : bool
        Whether the last hour changed anything.
    """

    def __init__(self, calendar: Calendar, series: int) -> None:
        self._calendar = calendar
        self.sums = np.zeros((2, 26, series))
        self.learned = False

    def factor(self, hour: int) -> Float64:
        """Multiple of the usual to expect in an hour; 1 on usual days."""
        on = self._calendar.holiday(hour) & (self.sums[0, _ON] > 0)
        if not on.any():
            return np.ones(len(on))
        how, _ = self._calendar.of(hour)
        at = np.arange(len(on))
        counts, expected = self.sums[:, _DAY]
        # in units of an hour of usual talk
        hours = np.maximum(self.sums[1, _ON], 1.0)
        usual = np.maximum(expected / np.minimum(hours, _HALF_LIFE_H), 0.05)
        common = (counts + _PRIOR_H * usual) / (expected + _PRIOR_H * usual)
        counts, expected = self.sums[:, how % 24, at]
        own = (counts + _PRIOR_VISITS * usual * common) / (expected + _PRIOR_VISITS * usual)
        return np.where(on, own, 1.0)

    def alpha(self) -> Float64:
        """Dispersion beside the usual one, by series."""
        on, hours = self.sums[:, _ON]
        alpha: Float64 = on * (_ALPHA + (_ALPHA_H / (_ALPHA_H + hours)) ** 2)
        return alpha

    def learn(self, hour: int, counts: Float64, usual: Float64, mask: Bool) -> None:
        """Learn a closed hour of the series that had a holiday and are in ``mask``."""
        held, next_ = self._calendar.holiday(hour), self._calendar.holiday(hour + 1)
        self.learned = bool(held.any() or next_.any() or (self.sums[0, _ON] > 0).any())
        if not self.learned:
            return
        at = np.flatnonzero(held & mask)
        how, _ = self._calendar.of(hour)
        said = np.stack([counts, usual])[:, at]
        self.sums[:, _DAY, at] = self.sums[:, _DAY, at] * 0.5 ** (1 / _HALF_LIFE_H) + said
        decay = 0.5 ** (1 / _HALF_LIFE_VISITS)
        self.sums[:, how[at] % 24, at] = self.sums[:, how[at] % 24, at] * decay + said
        self.sums[1, _ON, at] += 1
        begins = next_ & (self.sums[0, _ON] < 1)
        self.sums[:, :, begins] = 0.0
        # windows that end after it still hold hours of it
        fading = np.maximum(self.sums[0, _ON] - 1 / _FADES_H, 0.0)
        self.sums[0, _ON] = np.where(next_, 1.0, np.where(fading > 1e-9, fading, 0.0))
