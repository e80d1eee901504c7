"""*Response*, for whoever leads the team: how fast do we act, and how often for nothing?

What is measured in the response database is the same in every replica of the API: the greatest of
them, never their sum.
"""

from __future__ import annotations

from deploy.grafana.boards import Board, Note
from deploy.grafana.panels import Panel, Query, Row

_ACKNOWLEDGE = "nadhir_alert_time_to_acknowledge_seconds"
_MESSAGE = "nadhir_alert_time_to_first_message_seconds"
_FALSE = 'max(nadhir_alert_verdicts_total{verdict="false"})'
_JUDGED = 'sum(max by (verdict) (nadhir_alert_verdicts_total{verdict=~"true|false"}))'
_WAITING = 'sum by (severity) (max by (state, severity) (nadhir_alerts{state="open"}))'
_SENT = 'sum by (receiver) (increase(nadhir_notifications_total{outcome="sent"}[1h]))'
_GOALS_S = ((900.0, "yellow"), (3600.0, "red"))


def _quantile(q: float, metric: str, by: str = "") -> str:
    """Over all alerts there ever were: a quarter of an hour of one's own has too few of them."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (max by (le, severity) ({metric}_bucket)))"


def _mean(metric: str) -> str:
    total = f"sum(max by (severity) ({metric}_sum))"
    return f"{total} / clamp_min(sum(max by (severity) ({metric}_count)), 1)"


BOARD = Board(
    key="response",
    hours=24 * 7,
    refresh="5m",
    brands=False,
    notes=(Note("note_crisis", "max by (brand) (nadhir_brand_score) > 0", "red", "brand"),),
    rows=(
        Row(
            "waiting",
            (
                Panel("unanswered", "stat", "none",
                      (Query(_WAITING,
                             "{{severity}}"),),
                      ((1.0, "orange"), (3.0, "red")), width=12, page="open"),
                Panel("false_share", "stat", "percentunit",
                      (Query(f"{_FALSE} / clamp_min({_JUDGED}, 1)", "@false_alarms"),),
                      ((0.2, "yellow"), (0.4, "red")), width=6, page="history"),
                Panel("judged", "stat", "none", (Query(_JUDGED, "@judged"),),
                      ((None, "red"), (1.0, "yellow"), (20.0, "green")), width=6, page="history"),
            ),
        ),
        Row(
            "pace",
            (
                Panel("acknowledge", "stat", "s",
                      (Query(_quantile(0.5, _ACKNOWLEDGE), "@half"),
                       Query(_quantile(0.9, _ACKNOWLEDGE), "@nine_of_ten")), _GOALS_S),
                Panel("first_message", "stat", "s",
                      (Query(_quantile(0.5, _MESSAGE), "@half"),
                       Query(_quantile(0.9, _MESSAGE), "@nine_of_ten")), _GOALS_S),
                Panel("acknowledge_severity", "lines", "s",
                      (Query(_quantile(0.5, _ACKNOWLEDGE, "severity"), "{{severity}}"),), _GOALS_S),
                Panel("means", "lines", "s",
                      (Query(_mean(_ACKNOWLEDGE), "@acknowledged"),
                       Query(_mean(_MESSAGE), "@first_message")), _GOALS_S),
            ),
        ),
        Row(
            "course",
            (
                Panel("standing", "lines", "short",
                      (Query("sum by (state) (max by (state, severity) (nadhir_alerts))",
                             "{{state}}"),),
                      ((None, "transparent"), (20.0, "orange")), page="history"),
                Panel("verdicts", "lines", "short",
                      (Query("max by (verdict) (nadhir_alert_verdicts_total)", "{{verdict}}"),),
                      ((None, "transparent"), (20.0, "blue")), page="history"),
                Panel("calls", "bars", "short",
                      (Query(_SENT,
                             "{{receiver}}"),),
                      ((20.0, "yellow"), (60.0, "red"))),
                Panel("undelivered", "bars", "short",
                      (Query("sum by (receiver, outcome) "
                             '(increase(nadhir_notifications_total{outcome=~"retried|dead"}[1h]))',
                             "{{receiver}} {{outcome}}"),),
                      ((1.0, "yellow"), (5.0, "red"))),
            ),
        ),
    ),
)  # fmt: skip
