"""Which rare rows of a series are news: an event is told, then only what worsens or begins anew.

For a day after an alarm two things are told.  What worsens: half a decade rarer than what was told,
and twice as many decades at each further alarm of the day.  And what begins anew: a window that had
been usual again, as had the shorter ones, for as long as it is and an hour at least.  It has
nothing in it of what was told, so it must be half a decade beyond the line of an alarm, no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from models.rarity import RARE

_DAY_S = 86_400.0
_RARER = 0.5  # decades
_GROWTH = 2.0  # of that, with each further alarm of a day
_EBBED_S = 3_600.0


class Telling:
    """What of one series has been told within a day.

    Parameters
    ----------
    widths_s : sequence of float
        Lengths of the windows, from short to long.

    Examples
    --------
    >>> telling = Telling([300.0])
    >>> [telling.news([rarity], 300.0 * row) for row, rarity in enumerate([2.0, 2.1, 2.5, 3.1])]
    [2.0, 0.0, 2.5, 0.0]
    """

    def __init__(self, widths_s: Sequence[float]) -> None:
        self._ebb_s = [max(width, _EBBED_S) for width in widths_s]
        self._unusual_s = [-math.inf] * len(widths_s)  # when a window or a shorter one last was
        self._bars = [0.0] * len(widths_s)  # from here on a window has news
        self._step = _RARER
        self._day_s = -math.inf  # when the first alarm of the day was told

    def news(self, rarities: Sequence[float], at_s: float) -> float:
        """Decades of rarity of what has not been told yet; nought if there is nothing.

        Parameters
        ----------
        rarities : list of float
            Of the windows that end with the row, in decades; nought is usual.
        at_s : float
            Seconds since the epoch; never before those of the last call.
        """
        if at_s - self._day_s > _DAY_S:
            self._bars = [0.0] * len(self._bars)
            self._step, self._day_s = _RARER, -math.inf
        self._follow(rarities, at_s)
        news = max((r for r, bar in zip(rarities, self._bars) if r >= bar), default=0.0)
        if news >= RARE:
            if self._day_s == -math.inf:
                self._day_s = at_s
            else:
                self._step *= _GROWTH
            self._bars = [max(rarities) + self._step] * len(self._bars)
        return news

    def _follow(self, rarities: Sequence[float], at_s: float) -> None:
        """Which windows have ebbed, and which are unusual now."""
        unusual = False
        for window, rarity in enumerate(rarities):
            if at_s - self._unusual_s[window] > self._ebb_s[window]:
                self._bars[window] = min(self._bars[window], RARE + _RARER)
            unusual = unusual or rarity > 0
            if unusual:
                self._unusual_s[window] = at_s
