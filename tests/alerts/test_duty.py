from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.duty import Duty
from alerts.escalation import Chain, DueStep, Step, Target, superseded
from alerts.hours import BusinessHours
from alerts.oncall import Rotation, Schedule
from alerts.records import Alert
from alerts.recurrence import instant_ms
from tests.alerts.build import only_alert, signal, stage

DAY = 86_400_000


def ms(text: str) -> int:
    return instant_ms(datetime.fromisoformat(text), ZoneInfo("Asia/Riyadh"))


TEAM = Schedule(
    name="team",
    timezone="Asia/Riyadh",
    rotation=Rotation(people=("amal", "badr"), first="2026-03-01", days=1),
)
PAGE = Chain(
    name="page",
    severities=("critical",),
    steps=(
        Step(
            after_min=0,
            targets=(
                Target(receiver="pager", schedule="team"),
                Target(receiver="mail"),
                Target(receiver="pager"),
            ),
        ),
    ),
    repeats=2,
)
OFFICE = Chain(
    name="office",
    steps=(Step(after_min=0, targets=(Target(receiver="mail"),), hours="business"),),
)
HOURS = {"rimal-bank": BusinessHours(timezone="Asia/Riyadh", days=(6, 0, 1, 2, 3))}
NOW = ms("2026-03-06T12:00")  # a Friday


def alert(severity: str, brand: str = "rimal-bank") -> Alert:
    crisis = only_alert(stage().handle([signal()]))
    return msgspec.structs.replace(crisis, severity=severity, brand=brand)


def duty(now_ms: int = NOW) -> Duty:
    return Duty((PAGE, OFFICE), HOURS, {"team": TEAM}, lambda: now_ms)


def test_an_alert_gets_the_chain_of_its_severity_in_its_brands_hours() -> None:
    page = duty().plan(alert("critical"), 3, NOW)
    assert [s.chain for s in page] == ["page"] * 3
    assert page[0].key == f"{alert('critical').id}:page:3:0:0"
    (office,) = duty().plan(alert("watch"), 1, NOW)
    assert office.due_ms == ms("2026-03-08T09:00")
    (always,) = duty().plan(alert("watch", "saqr-air"), 1, NOW)  # no hours are known of it
    assert always.due_ms == NOW
    assert Duty((PAGE,), HOURS, {"team": TEAM}, lambda: NOW).plan(alert("watch"), 1, NOW) == ()


def test_a_drill_is_escalated_as_the_real_one_would_be() -> None:
    real = duty().plan(alert("watch"), 1, NOW)
    assert duty().plan(alert("watch", "rimal-bank~drill"), 1, NOW) == real


def test_whoever_is_on_call_when_it_is_told_is_named() -> None:
    step = duty().plan(alert("critical"), 1, NOW)[0]
    stored = msgspec.json.decode(msgspec.json.encode(step), type=DueStep)
    assert duty().targets(stored) == [("pager", ("badr",)), ("mail", ())]
    assert duty(NOW + DAY).targets(stored) == [("pager", ("amal",)), ("mail", ())]
    before = duty(ms("2026-02-01T00:00"))  # nobody is on call: told all the same
    assert before.targets(stored) == [("pager", ()), ("mail", ())]


def test_of_rounds_that_are_due_together_the_last_counts() -> None:
    steps = duty().plan(alert("critical"), 1, NOW)
    assert superseded(steps) == {s.key for s in steps if s.round < 2}
    assert superseded(steps[:1]) == frozenset()


def test_a_schedule_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no schedule team"):
        Duty((PAGE,), HOURS, {}, lambda: NOW)
