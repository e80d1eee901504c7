"""A real Prometheus finds every documented metric, and understands every rule; promtool agrees."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documented import as_documented, documented, told
from tests.prometheus import ROOT, RULES, Watched, program
from tools.markdown import anchors, parse

FOLDER = ROOT / "deploy" / "prometheus"
METRIC = re.compile(r"\b(?:nadhir|process)_\w+")


def alerts() -> list[dict[str, Any]]:
    groups = [g for file in sorted(RULES.glob("*.yml")) for g in _yaml(file)["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def _yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_run_tells_what_is_documented_and_nothing_else(watched: Watched) -> None:
    assert told(watched.run.http.get("/metrics").text) == as_documented("R")


def test_every_documented_metric_has_data(watched: Watched) -> None:
    empty = []
    for row in documented().values():
        name = f"{row.name}_count" if row.type == "histogram" else row.name
        jobs = {"nadhir"} if "R" in row.told_by else set()
        jobs |= {"nadhir-worker"} if "W" in row.told_by else set()
        found = {s["metric"]["job"] for s in watched.prometheus.query(name)}
        if found != jobs:
            empty.append((name, found, jobs))
    assert not empty


@pytest.mark.parametrize(
    "expression",
    [
        "sum by (reason) (nadhir_mentions_rejected_total{job='nadhir'}) == 1",
        "nadhir_mentions_duplicate_total{job='nadhir'} > 0",
        "nadhir_mentions_late_total{job='nadhir'} > 0",
        "sum(increase(nadhir_alerts_opened_total{job='nadhir'}[5m])) > 0",
        "nadhir_brand_score{job='nadhir', brand='rimal-bank'} > 50",
        "nadhir_brand_mentions{job='nadhir', brand='rimal-bank'}"
        " > on (brand) 2 * nadhir_brand_mentions_expected{job='nadhir'}",
        "nadhir_brand_negative_share{job='nadhir', brand='rimal-bank'} > 0.3 < 1.01",
        "nadhir_alert_time_to_acknowledge_seconds_count == 1",
        "nadhir_alert_time_to_first_message_seconds_count == 1",
        "nadhir_alert_verdicts_total{verdict='true'} == 1",
        "nadhir_alerts{state='acknowledged'} == 1",
        "nadhir_notifications_total{receiver='broken', outcome='dead'} > 0",
        "histogram_quantile(0.99, sum by (le)"
        " (rate(nadhir_alert_latency_from_arrival_seconds_bucket{job='nadhir'}[5m]))) < 60",
        "nadhir_alert_latency_from_publication_seconds_sum{job='nadhir'} > 1e6",
        "sum(nadhir_stage_batch_seconds_count{job='nadhir', stage='score'}) > 0",
        "nadhir_event_time_lag_seconds{job='nadhir'} > 1e6",
        "nadhir_worker_stage_up{stage='detect'} == 1",
        "nadhir_records_unreadable_total{process='alert'} == 2",
        "process_resident_memory_bytes{job='nadhir'} > 1e7",
    ],
)
def test_it_tells_what_happened(expression: str, watched: Watched) -> None:
    assert watched.prometheus.query(expression)


def test_every_rule_can_be_evaluated_and_its_metrics_have_data(watched: Watched) -> None:
    held = {rule["name"]: rule for rule in watched.prometheus.rules()}
    assert held.keys() == {rule["alert"] for rule in alerts()}
    for rule in alerts():
        assert (held[rule["alert"]]["health"], held[rule["alert"]].get("lastError")) == ("ok", None)
        watched.prometheus.query(rule["expr"])
        for metric in METRIC.findall(rule["expr"]):
            assert watched.prometheus.query(metric), rule["alert"]


def test_rules_see_what_is_wrong_here_and_nothing_else(watched: Watched) -> None:
    """History is read, a receiver is broken, and nobody sends anything to the stages any more."""
    seen = {rule["alert"] for rule in alerts() if watched.prometheus.query(rule["expr"])}
    broken = {"NadhirDeadLetters", "NadhirNotificationsFailing"}
    assert seen == {"NadhirEventTimeBehind", "NadhirNothingRead", *broken}


def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", *sorted(RULES.glob("*.yml")))


def test_promtool_sees_each_alert_fire_and_stay_silent() -> None:
    files = sorted((FOLDER / "tests").glob("*.yml"))
    promtool("test", "rules", *files)
    fired: set[str] = set()
    silent: set[str] = set()
    for test in (t for file in files for t in _yaml(file)["tests"]):
        for case in test["promql_expr_test"]:
            (name,) = re.findall(r'alertname="(\w+)"', case["expr"])
            (fired if case["exp_samples"] else silent).add(name)
    names = {rule["alert"] for rule in alerts()}
    assert fired == names
    # those that have no silent moment have a series that stays silent
    assert names - silent <= {"NadhirStageDown", "NadhirReceiverFailing"}


def test_every_alert_says_what_to_do() -> None:
    runbook = parse(ROOT / "docs" / "runbook.md")
    sections = {heading.text for heading in runbook.headings[1:]}
    assert sections == {rule["alert"] for rule in alerts()}
    for rule in alerts():
        told_of = rule["annotations"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert told_of.keys() == {"summary", "description", "runbook_url"}
        document, _, anchor = told_of["runbook_url"].partition("#")
        assert (document, anchor in anchors(runbook)) == ("docs/runbook.md", True), rule["alert"]
