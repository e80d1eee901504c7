"""The dashboards: committed as they are made, whole in both languages, each panel explained."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.explain import SEVERITY_FROM
from deploy.grafana.__main__ import BOARDS, DASHBOARDS, HERE, LANGUAGES, files
from deploy.grafana.brand_health import _SEVERITIES

MADE = {name: json.loads(content) for name, content in files()}
ARABIC = re.compile(r"[\u0600-\u06ff]")


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_what_is_committed_is_what_the_code_makes() -> None:
    kept = {p.name: p.read_text(encoding="utf-8") for p in DASHBOARDS.glob("*.json")}
    assert kept == dict(files()), "run `python -m deploy.grafana`"


@pytest.mark.parametrize("name", MADE)
def test_every_panel_says_what_it_shows(name: str) -> None:
    for panel in panels(MADE[name]):
        field = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel
        assert len(panel["description"]) > 30, panel["title"]
        assert field["unit"], panel["title"]
        steps = field["thresholds"]["steps"]
        assert steps[0]["value"] is None, panel["title"]
        # one colour for all is no threshold; versions alone have none to pass
        assert len(steps) > 1 or "_info" in panel["targets"][0]["expr"], panel["title"]
        levels = [step["value"] for step in steps[1:]]
        assert levels == sorted(levels), panel["title"]


@pytest.mark.parametrize("name", MADE)
def test_panels_have_numbers_and_places_of_their_own(name: str) -> None:
    dashboard = MADE[name]
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = set(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
        )
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_both_languages_ask_the_same() -> None:
    for board in BOARDS:
        asked = [
            [t["expr"] for p in panels(MADE[f"{board.key}.{language}.json"]) for t in p["targets"]]
            for language in LANGUAGES
        ]
        assert asked[0] == asked[1]


def test_arabic_dashboards_are_arabic() -> None:
    for name, dashboard in MADE.items():
        if name.endswith(".ar.json"):
            for panel in dashboard["panels"]:
                assert ARABIC.search(panel["title"]), panel["title"]
                assert ARABIC.search(panel.get("description") or "ا"), panel["title"]


def test_every_text_is_used_and_in_both_languages() -> None:
    texts = yaml.safe_load((HERE / "texts.yaml").read_text(encoding="utf-8"))
    assert set(texts) == {"shared"} | {board.key for board in BOARDS}
    for part, own in texts.items():
        boards = [b for b in BOARDS if part in ("shared", b.key)]
        for key, told in own.items():
            assert set(told) == set(LANGUAGES), key
            for board, language in itertools.product(boards, LANGUAGES):
                written = json.dumps(MADE[f"{board.key}.{language}.json"], ensure_ascii=False)
                assert json.dumps(told[language], ensure_ascii=False)[1:-1] in written, key


def test_crisis_scores_change_colour_where_severities_begin() -> None:
    begins = [from_ for from_, _ in _SEVERITIES]
    assert begins[1:] == [SEVERITY_FROM["warning"], SEVERITY_FROM["critical"]]


def test_values_lead_to_the_console() -> None:
    for name, dashboard in MADE.items():
        found = {
            link["url"] for panel in panels(dashboard) for link in
            panel["fieldConfig"]["defaults"].get("links", ())
        }  # fmt: skip
        assert found or name.startswith("pipeline"), name
        assert all(url.startswith("${console}/") for url in found)
        assert "${console}/" in {link.get("url") for link in dashboard["links"]}


@pytest.mark.parametrize("name", MADE)
def test_crises_and_rules_are_marked_in_time(name: str) -> None:
    noted = MADE[name]["annotations"]["list"]
    assert noted
    assert all(note["expr"] and note["enable"] for note in noted)


def test_provisioning_finds_what_it_names() -> None:
    source = yaml.safe_load((HERE / "provisioning/datasources/prometheus.yaml").read_text())
    assert [s["type"] for s in source["datasources"] if s["isDefault"]] == ["prometheus"]
    given = yaml.safe_load((HERE / "provisioning/dashboards/nadhir.yaml").read_text())
    compose = yaml.safe_load(Path("deploy/compose.yaml").read_text(encoding="utf-8"))
    mounted = [v.split(":")[:2] for v in compose["services"]["grafana"]["volumes"] if ":" in v]
    targets = {target: where for where, target in mounted}
    for provider in given["providers"]:
        assert targets[provider["options"]["path"]] == "./grafana/dashboards"
