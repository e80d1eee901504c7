"""The chart of an alert: talk before it as bars, when it fired, and observed against expected."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from alerts.records import Alert
from alerts.show.chart import Chart, chart_of

_SCALE = 1000.0
_MINUTE_MS = 60_000


class Figure(NamedTuple):
    """Bars, and where along them the rise began and the alert was opened; None outside of them.

    ``usual`` is the height of the expected line, where the bars are what is expected: an
    expectation of negative mentions is none of all talk.
    """

    chart: Chart
    since: float | None
    opened: float | None
    usual: float | None


class Gauge(NamedTuple):
    """Observed, expected and the alert line, as lengths of one scale."""

    observed: float
    expected: float
    line: float | None


def figure_of(alert: Alert) -> Figure | None:
    """The bars of an alert with their marks; None if nothing was said."""
    chart = chart_of(alert.bars)
    if chart is None:
        return None
    usual = None
    if alert.kind == "volume" and alert.impostor is None and len(alert.bars) > 1:
        step_min = (alert.bars[1].start_ms - alert.bars[0].start_ms) / _MINUTE_MS
        at = chart.height - alert.expected * step_min / alert.window_min * _unit(chart)
        usual = round(at, 2) if at >= 0 else None
    return Figure(chart, _place(chart, alert.since), _place(chart, alert.opened_at), usual)


def gauge_of(alert: Alert) -> Gauge | None:
    """Observed against expected; None where nothing is expected, as of an impostor."""
    most = max(alert.observed, alert.expected, alert.threshold)
    if alert.impostor is not None or not most:
        return None
    unit = _SCALE / most
    line = round(alert.threshold * unit, 1) if alert.threshold else None
    return Gauge(round(alert.observed * unit, 1), round(alert.expected * unit, 1), line)


def _unit(chart: Chart) -> float:
    """Height of one mention."""
    return (chart.height - 10) / chart.most


def _place(chart: Chart, at: str) -> float | None:
    """How far along the bars a moment lies."""
    ms = datetime.fromisoformat(at).timestamp() * 1000
    if not chart.first_ms <= ms <= chart.last_ms or chart.last_ms == chart.first_ms:
        return None
    return round(chart.width * (ms - chart.first_ms) / (chart.last_ms - chart.first_ms), 2)
