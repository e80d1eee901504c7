"""*Brand health*, for the communication team: is something the matter, and do we hear anything?"""

from __future__ import annotations

from deploy.grafana.boards import Board, Note
from deploy.grafana.panels import Panel, Query, Row

_OURS = '{brand=~"$brand"}'
_OPEN, _TAKEN = (
    f'sum(max by (state, severity) (nadhir_alerts{{state="{state}"}}))'
    for state in ("open", "acknowledged")
)
# each brand is measured by one process; another replica, or one that has just ended, says no more
_SCORE = f"max by (brand) (nadhir_brand_score{_OURS})"
_BLIND = f"max by (brand) (nadhir_brand_source_silent{_OURS})"
_MENTIONS = f"max by (brand) (nadhir_brand_mentions{_OURS})"
_EXPECTED = f"max by (brand) (nadhir_brand_mentions_expected{_OURS})"
_NEGATIVE = f"max by (brand) (nadhir_brand_negative_share{_OURS})"
_USUAL = f"max by (brand) (nadhir_brand_negative_share_expected{_OURS})"
# alerts.explain.SEVERITY_FROM; a test compares
_SEVERITIES = ((1.0, "yellow"), (45.0, "orange"), (70.0, "red"))
_HEARING = {"0": ("hears", "green"), "1": ("blind", "purple")}

BOARD = Board(
    key="brand-health",
    hours=24,
    refresh="1m",
    brands=True,
    notes=(Note("note_crisis", f"{_SCORE} > 0", "red", "brand"),),
    rows=(
        Row(
            "now",
            (
                Panel("score", "stat", "none", (Query(_SCORE, "{{brand}}"),), _SEVERITIES,
                      width=9, page="brand"),
                Panel("hearing", "stat", "none", (Query(_BLIND, "{{brand}}"),),
                      ((1.0, "purple"),), width=9, states=_HEARING),
                Panel("open_alerts", "stat", "none",
                      (Query(_OPEN, "@open"),
                       Query(_TAKEN, "@acknowledged")),
                      ((1.0, "orange"), (5.0, "red")), width=6, page="open"),
            ),
        ),
        Row(
            "talk",
            (
                Panel("volume", "lines", "short",
                      (Query(_MENTIONS, "{{brand}}"), Query(_EXPECTED, "{{brand}} @expected")),
                      ((None, "transparent"), (15.0, "blue")), page="brand"),
                Panel("ratio", "lines", "none",
                      (Query(f"{_MENTIONS} / clamp_min({_EXPECTED}, 1)", "{{brand}}"),),
                      ((2.0, "yellow"), (4.0, "red")), page="brand"),
                Panel("negative", "lines", "percentunit",
                      (Query(_NEGATIVE, "{{brand}}"), Query(_USUAL, "{{brand}} @expected")),
                      ((0.5, "yellow"), (0.75, "red")), page="brand"),
                Panel("score_course", "lines", "none", (Query(_SCORE, "{{brand}}"),),
                      _SEVERITIES, page="brand"),
            ),
        ),
        Row(
            "found",
            (
                Panel("hearing_course", "timeline", "none", (Query(_BLIND, "{{brand}}"),),
                      ((1.0, "purple"),), width=24, states=_HEARING),
                Panel("opened", "bars", "short",
                      (Query("sum by (type) (increase(nadhir_alerts_opened_total[1h]))",
                             "{{type}}"),),
                      ((3.0, "yellow"), (10.0, "red")), page="history"),
                Panel("signals", "bars", "short",
                      (Query("sum by (kind) (increase(nadhir_signals_total[1h]))", "{{kind}}"),),
                      ((30.0, "yellow"), (100.0, "red"))),
            ),
        ),
    ),
)  # fmt: skip
