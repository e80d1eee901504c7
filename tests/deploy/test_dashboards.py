"""Every expression of every dashboard, asked of a real Prometheus that watches a pipeline."""

from __future__ import annotations

import json
import math

from deploy.grafana.__main__ import files
from streams.simulate import ready_brands
from tests.prometheus import Watched

# what Grafana puts in; a brand that is not chosen is any
VARIABLES = {"$__rate_interval": "5m", "$brand": ".+"}
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


def test_every_expression_gives_data(watched: Watched) -> None:
    empty = []
    for expression in expressions():
        asked = expression
        for name, value in VARIABLES.items():
            asked = asked.replace(name, value)
        assert "$" not in asked, f"a variable that the test does not know: {asked}"
        found = watched.prometheus.query(asked)
        numbers = [float(series["value"][1]) for series in found]
        if all(map(math.isnan, numbers)) and not expression.startswith(MAY_BE_EMPTY):
            empty.append(asked)
    assert not empty


def test_the_variable_offers_the_brands_of_the_pipeline(watched: Watched) -> None:
    answer = watched.prometheus.http.get(
        "/api/v1/label/brand/values", params={"match[]": "nadhir_brand_mentions"}
    )
    assert set(answer.json()["data"]) == {brand.id for brand in ready_brands()[:2]}
