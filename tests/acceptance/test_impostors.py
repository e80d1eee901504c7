"""Simulated impostors and phishing through the whole pipeline: an alert of each, and no others."""

from __future__ import annotations

import pytest

from alerts.records import Alert
from models.impersonation.urls import parse_url
from tests.acceptance.scenarios import Outcome, run


def told(outcome: Outcome) -> list[Alert]:
    return [alert for alert in outcome.alerts if alert.impostor is not None]


@pytest.mark.parametrize("seed", range(2))
def test_every_fake_support_account_has_an_alert(seed: int) -> None:
    outcome = run("impersonation", seed)
    alerts = told(outcome)
    true = {account["id"] for account in outcome.truth["impostors"]}
    assert {a.impostor.account for a in alerts if a.impostor} == true
    assert len(alerts) == len(true)  # one each, however often it is seen
    for alert in alerts:
        assert alert.impostor is not None
        assert alert.type == "impersonation"
        assert alert.severity in ("warning", "critical")
        assert alert.impostor.victims > 0.5 * alert.impostor.sightings
        assert alert.impostor.complained > 0.5 * alert.impostor.victims
        assert alert.impostor.intents
        assert alert.opened_at >= outcome.truth["event"]["start"]


@pytest.mark.parametrize("seed", range(2))
def test_every_lookalike_domain_has_an_alert(seed: int) -> None:
    outcome = run("phishing", seed)
    urls = [parse_url(link) for link in outcome.truth["phishing"]["links"]]
    true = {url.domain for url in urls if url}
    alerts = told(outcome)
    assert {a.impostor.domain for a in alerts if a.impostor} == true
    assert len(alerts) == len(true)
    for alert in alerts:
        assert alert.type == "phishing"
        assert alert.severity in ("warning", "critical")


def test_anger_and_news_give_no_impostor() -> None:
    assert told(run("outage", 0)) == []
