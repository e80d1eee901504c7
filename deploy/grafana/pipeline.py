"""*Pipeline*, for operators: does it keep up, does it lose anything, does it reach people?"""

from __future__ import annotations

from deploy.grafana.boards import Board, Note
from deploy.grafana.panels import Panel, Query, Row


def _quantile(q: float, metric: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def _rate(metric: str, by: str = "") -> str:
    return f"sum{f' by ({by}) ' if by else ''}(rate({metric}[$__rate_interval]))"


_RECEIVED = "nadhir_mentions_received_total"
_REJECTED = "nadhir_mentions_rejected_total"
_BEHIND = "sum by (stage) (max by (stage, partition) (nadhir_kafka_lag_records))"
_BATCH = "nadhir_stage_batch_seconds"
_PUBLICATION = "nadhir_alert_latency_from_publication_seconds"
_ARRIVAL = "nadhir_alert_latency_from_arrival_seconds"
_UP = {"0": ("down", "red"), "1": ("up", "green")}
_FAILING = {"0": ("delivers", "green"), "1": ("fails", "red")}

BOARD = Board(
    key="pipeline",
    hours=6,
    refresh="30s",
    brands=False,
    notes=(Note("note_rule", 'ALERTS{alertname=~"Nadhir.*", alertstate="firing"}', "orange",
                "alertname, severity"),),
    rows=(
        Row(
            "alive",
            (
                Panel("targets", "stat", "none",
                      (Query('min by (job, instance) (up{job=~"nadhir.*"})',
                             "{{job}} {{instance}}"),),
                      ((None, "red"), (1.0, "green")), width=8, states=_UP),
                Panel("stages_up", "stat", "none",
                      (Query("min by (stage) (nadhir_worker_stage_up)", "{{stage}}"),),
                      ((None, "red"), (1.0, "green")), width=8, states=_UP),
                Panel("lag", "stat", "s",
                      (Query("max(nadhir_event_time_lag_seconds)", "@behind"),),
                      ((120.0, "yellow"), (600.0, "red")), width=4),
                Panel("broken", "stat", "none",
                      (Query("sum(nadhir_sources_broken)", "@sources"),),
                      ((1.0, "red"),), width=4),
            ),
        ),
        Row(
            "flow",
            (
                Panel("received", "lines", "cps",
                      (Query(_rate(_RECEIVED), "@read"),
                       Query(_rate("nadhir_observations_total"), "@observations")),
                      ((None, "transparent"), (1000.0, "blue"))),
                Panel("rejected", "lines", "cps",
                      (Query(_rate(_REJECTED, "reason"), "{{reason}}"),),
                      ((1.0, "yellow"), (10.0, "red"))),
                Panel("rejected_share", "lines", "percentunit",
                      (Query(f"{_rate(_REJECTED)} / clamp_min({_rate(_RECEIVED)}, 0.001)",
                             "@rejected"),),
                      ((0.02, "yellow"), (0.1, "red"))),
                Panel("odd", "lines", "cps",
                      (Query(_rate("nadhir_mentions_late_total"), "@late"),
                       Query(_rate("nadhir_mentions_duplicate_total"), "@duplicates"),
                       Query(_rate("nadhir_sightings_late_total"), "@late_sightings")),
                      ((1.0, "yellow"), (100.0, "red"))),
            ),
        ),
        Row(
            "speed",
            (
                Panel("lag_course", "lines", "s",
                      (Query("max by (stage) (nadhir_event_time_lag_seconds)", "{{stage}}"),),
                      ((120.0, "yellow"), (600.0, "red"))),
                Panel("kafka_lag", "lines", "short",
                      (Query(_BEHIND,
                             "{{stage}}"),),
                      ((10_000.0, "yellow"), (100_000.0, "red"))),
                Panel("batch", "lines", "s",
                      (Query(_quantile(0.99, _BATCH, "stage"), "{{stage}} p99"),
                       Query(_quantile(0.5, _BATCH, "stage"), "{{stage}} p50")),
                      ((0.5, "yellow"), (2.0, "red"))),
                Panel("latency", "lines", "s",
                      (Query(_quantile(0.95, _PUBLICATION), "@from_publication p95"),
                       Query(_quantile(0.95, _ARRIVAL), "@from_arrival p95")),
                      ((60.0, "yellow"), (300.0, "red"))),
            ),
        ),
        Row(
            "telling",
            (
                Panel("receivers", "stat", "none",
                      (Query("max by (receiver) (nadhir_receiver_failing)", "{{receiver}}"),),
                      ((1.0, "red"),), width=8, states=_FAILING),
                Panel("pending", "stat", "none",
                      (Query("max by (receiver) (nadhir_notifications_pending)", "{{receiver}}"),),
                      ((10.0, "yellow"), (100.0, "red")), width=8),
                Panel("dead", "stat", "none",
                      (Query("max by (receiver) (nadhir_notification_dead_letters)",
                             "{{receiver}}"),),
                      ((1.0, "red"),), width=8),
                Panel("told", "lines", "cps",
                      (Query(_rate("nadhir_notifications_total", "receiver, outcome"),
                             "{{receiver}} {{outcome}}"),),
                      ((None, "transparent"), (1.0, "yellow")), width=24),
            ),
        ),
        Row(
            "room",
            (
                Panel("state", "lines", "bytes",
                      (Query("sum by (part) (nadhir_state_bytes)", "{{part}}"),),
                      ((2e9, "yellow"), (8e9, "red"))),
                Panel("memory", "lines", "bytes",
                      (Query('process_resident_memory_bytes{job=~"nadhir.*"}',
                             "{{job}} {{instance}} {{process}}"),),
                      ((2e9, "yellow"), (4e9, "red"))),
                Panel("processor", "lines", "none",
                      (Query('rate(process_cpu_seconds_total{job=~"nadhir.*"}[$__rate_interval])',
                             "{{job}} {{instance}} {{process}}"),),
                      ((0.8, "yellow"), (0.95, "red"))),
                Panel("impostors", "lines", "short",
                      (Query("sum(nadhir_impostors)", "@kept"),
                       Query("sum(increase(nadhir_impostors_cut_total[1h]))", "@cut")),
                      ((None, "transparent"), (50_000.0, "yellow"))),
                Panel("models", "stat", "none",
                      (Query("count by (model, version) (nadhir_model_info)",
                             "{{model}} {{version}}"),
                       Query("count by (version) (nadhir_build_info)", "nadhir {{version}}")),
                      ((None, "blue"),), width=24),
            ),
        ),
    ),
)  # fmt: skip
