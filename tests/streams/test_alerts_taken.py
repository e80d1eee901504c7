"""What the API takes from the topic of alerts: one that cannot be taken holds up no other."""

from __future__ import annotations

import threading
from typing import cast

import msgspec
import pytest

from alerts.records import Alert
from alerts.service import Desk
from streams.kafka.alerts import _took
from tests.alerts.responding import copies


class Fussy:
    """A desk with a fault that one alert brings out."""

    def __init__(self, bad: str) -> None:
        self.bad = bad
        self.taken: list[str] = []

    def take(self, alert: Alert) -> bool:
        if alert.id == self.bad:
            raise RuntimeError("a fault of ours")
        self.taken.append(alert.id)
        return True


def test_an_alert_that_cannot_be_taken_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = copies(2)
    desk = Fussy(bad.id)
    for value in (msgspec.json.encode(bad), b"{", None, msgspec.json.encode(good)):
        assert _took(value, cast(Desk, desk), threading.Event())
    assert desk.taken == [good.id]
    assert f"alert {bad.id} cannot be taken up" in caplog.text
