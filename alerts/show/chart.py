"""Talk over the last hours as bars: what suspected groups posted below, everybody else on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from models.records import Bar

_WIDTH, _HEIGHT, _GAP = 1000.0, 130.0, 0.14


class ChartBar(NamedTuple):
    """One bar, in units of the view box; ``own`` is the groups' part."""

    start_ms: int
    own: int
    other: int
    x: float
    width: float
    top: float
    middle: float
    other_height: float
    own_height: float


class Chart(NamedTuple):
    """All bars, and what the axes say."""

    bars: list[ChartBar]
    width: float
    height: float
    most: int
    first_ms: int
    last_ms: int


def chart_of(bars: Sequence[Bar]) -> Chart | None:
    """Bars as they are drawn; None if nothing was said.

    Examples
    --------
    >>> chart = chart_of([Bar(start_ms=0, mentions=4, coordinated=1)])
    >>> chart.bars[0].own_height, chart.bars[0].other_height
    (30.0, 90.0)
    """
    most = max((bar.mentions for bar in bars), default=0)
    if not most:
        return None
    step, unit = _WIDTH / len(bars), (_HEIGHT - 10) / most
    drawn = []
    for i, bar in enumerate(bars):
        own, other = bar.coordinated, max(bar.mentions - bar.coordinated, 0)
        middle = _HEIGHT - own * unit
        drawn.append(
            ChartBar(
                bar.start_ms, own, other, round(i * step, 2), round((1 - _GAP) * step, 2),
                round(middle - other * unit, 2), round(middle, 2),
                round(other * unit, 2), round(own * unit, 2),
            )
        )  # fmt: skip
    width_ms = bars[1].start_ms - bars[0].start_ms if len(bars) > 1 else 0
    return Chart(drawn, _WIDTH, _HEIGHT, most, bars[0].start_ms, bars[-1].start_ms + width_ms)
