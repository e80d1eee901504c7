"""Impostors as STIX, over HTTP: what the command gives of the same alerts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.drills import MARK
from alerts.explain import brand_names
from alerts.indicators import indicator_bundle
from alerts.playbook.records import Bilingual
from alerts.records import Alert
from alerts.store.database import Database
from tests.alerts.build import RIMAL, SAQR, only_alert, stage
from tests.alerts.calling import Api, problem
from tests.alerts.impostor_signals import domain, sighted
from tests.alerts.responding import first

NAMES: dict[str, Bilingual] = {brand.id: brand_names(brand) for brand in (RIMAL, SAQR)}


def impostors() -> list[Alert]:
    found = [only_alert(stage().handle([sighted(who)])) for who in (None, domain())]
    return sorted(found, key=lambda alert: alert.id)


@pytest.fixture
def api(database: Database) -> Api:
    made = Api(database)
    for alert in (first(), *impostors()):
        made.desk.take(alert)
    return made


def test_the_bundle_is_that_of_the_command(api: Api) -> None:
    with api.client("viewer") as viewer:
        found = viewer.get("/v1/indicators")
        assert found.headers["content-type"] == "application/stix+json;version=2.1"
        assert found.text == indicator_bundle(impostors(), NAMES)
        assert found.json()["type"] == "bundle"
        kinds = [each["type"] for each in found.json()["objects"]]
        assert kinds.count("indicator") == 2


def test_pages_are_bounded_and_the_link_leads_on(api: Api) -> None:
    with api.client("viewer") as viewer:
        one = viewer.get("/v1/indicators?limit=1&brand=rimal-bank&tlp=green")
        assert one.text.count('"type": "indicator"') == 1
        address, _, relation = one.headers["link"].partition("; ")
        assert relation == 'rel="next"'
        two = viewer.get(address.strip("<>"))
        assert two.text.count('"type": "indicator"') == 1
        assert "link" not in two.headers
        assert '"name": "TLP:GREEN"' in two.text
        indicators = [
            each["id"] for page in (one, two) for each in page.json()["objects"]
            if each["type"] == "indicator"
        ]  # fmt: skip
        assert len(set(indicators)) == 2
        assert "link" not in viewer.get("/v1/indicators").headers
        assert viewer.get("/v1/indicators?limit=501").status_code == 422


def test_filters_are_those_of_the_command(api: Api) -> None:
    seen = impostors()[0].impostor
    assert seen is not None
    after = datetime.fromtimestamp(seen.last_ms / 1000 + 86_400, UTC)
    with api.client("viewer") as viewer:
        for asked, since, count in (
            ({"brand": "rimal-bank", "tlp": "red"}, None, 2),
            ({"brand": "saqr-air"}, None, 0),
            ({"since": after.isoformat()}, after, 0),
        ):
            found = viewer.get("/v1/indicators", params=asked)
            given = {"brand": asked.get("brand"), "tlp": asked.get("tlp", "amber")}
            assert found.text == indicator_bundle(impostors(), NAMES, since=since, **given)
            assert found.text.count('"type": "indicator"') == count
        assert problem(viewer.get("/v1/indicators", params={"tlp": "blue"}))["status"] == 422


def test_a_drill_is_no_intelligence(database: Database) -> None:
    import msgspec

    api = Api(database)
    alert = impostors()[0]
    api.desk.take(msgspec.structs.replace(alert, brand=alert.brand + MARK))
    with api.client("viewer") as viewer:
        assert '"type": "indicator"' not in viewer.get("/v1/indicators").text
