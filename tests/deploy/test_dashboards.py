"""Every expression of every dashboard, asked of a real Prometheus that watches a pipeline."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.prometheus import Watched, watched

from deploy.grafana.__main__ import files

# what Grafana puts in; a brand that is not chosen is any
VARIABLES = {"$__rate_interval": "30s", "$brand": ".+"}
# nothing has to be broken while the test runs
MAY_BE_EMPTY = ("ALERTS{",)


def expressions() -> list[str]:
    """Each once: both languages ask the same."""
    found: dict[str, None] = {}
    for name, content in files():
        if name.endswith(".en.json"):
            dashboard = json.loads(content)
            for panel in dashboard["panels"]:
                found |= {target["expr"]: None for target in panel.get("targets", ())}
            found |= {note["expr"]: None for note in dashboard["annotations"]["list"]}
    return list(found)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("watched")) as made:
        yield made


@pytest.mark.parametrize("expression", expressions())
def test_it_gives_data(seen: Watched, expression: str) -> None:
    asked = expression
    for name, value in VARIABLES.items():
        asked = asked.replace(name, value)
    assert "$" not in asked, "a variable that the test does not know"
    found = seen.prometheus.query(asked)
    if not expression.startswith(MAY_BE_EMPTY):
        assert any(not math.isnan(float(series["value"][1])) for series in found), found


def test_the_brands_of_the_variable_are_those_of_the_pipeline(seen: Watched) -> None:
    answer = seen.prometheus.http.get(
        "/api/v1/label/brand/values", params={"match[]": "nadhir_brand_mentions"}
    )
    configured = json.loads(Path(seen.run.folder / "nadhir.yaml").read_text())["brands"]
    assert set(answer.json()["data"]) == {brand["id"] for brand in configured}
