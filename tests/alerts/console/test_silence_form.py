"""What somebody fills in becomes the silence that they mean, or every fault is named."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerts.console.form import Form
from alerts.console.silence_form import FormError, draft_again, fresh_form, read_form
from alerts.recurrence import instant_ms, wall_clock
from alerts.service.silencing import view
from alerts.silences import Silence, check
from tests.alerts.responding import NOW, RESPONSE

RIYADH = ZoneInfo("Asia/Riyadh")
GOOD = fresh_form(NOW, "Asia/Riyadh", brands=("rimal-bank",))
GOOD = msgspec.structs.replace(GOOD, reason=" صيانة ")


def test_a_fresh_form_lasts_two_hours_by_the_clock_of_the_zone() -> None:
    draft = GOOD.draft()
    assert draft.ends_ms - draft.starts_ms == 2 * 3_600_000
    assert GOOD.starts == wall_clock(NOW, RIYADH).strftime("%Y-%m-%dT%H:%M")
    assert draft.starts_ms == instant_ms(wall_clock(NOW, RIYADH).replace(second=0), RIYADH)
    assert draft.reason == "صيانة"
    assert draft.recurring is None


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"repeat": "daily"}, "FREQ=DAILY"),
        ({"repeat": "weekly", "days": ("SA", "FR")}, "FREQ=WEEKLY;BYDAY=FR,SA"),
        ({"repeat": "monthly"}, "FREQ=MONTHLY"),
        ({"repeat": "rule", "rule": "FREQ=YEARLY"}, "FREQ=YEARLY"),
    ],
)
def test_what_comes_again(changes: dict[str, object], rule: str) -> None:
    form = msgspec.structs.replace(GOOD, minutes="90", ends="2027-06-01T00:00", **changes)
    draft = form.draft()
    assert draft.recurring is not None
    assert (draft.recurring.rule, draft.recurring.duration_min) == (rule, 90)
    assert draft.recurring.timezone == "Asia/Riyadh"
    said = msgspec.structs.asdict(draft)
    assert check(Silence(id="s", owner="amal", created_ms=NOW, **said), RESPONSE) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"brands": ("<script>",)}, ("brands", "unknown")),
        ({"types": ("storm",)}, ("types", "unknown")),
        ({"severities": ("critical", "huge")}, ("severities", "unknown")),
        ({"zone": "Mars/Base"}, ("zone", "zone")),
        ({"starts": "tomorrow"}, ("starts", "time")),
        ({"ends": "1999-01-01T00:00"}, ("ends", "time")),
        ({"ends": "2026-01-01T00:00Z"}, ("ends", "time")),
        ({"reason": "  "}, ("reason", "blank")),
        ({"reason": "x" * 501}, ("reason", "long")),
        ({"reason": "a\nb"}, ("reason", "long")),
        ({"repeat": "hourly"}, ("repeat", "unknown")),
        ({"repeat": "daily", "minutes": "0"}, ("minutes", "minutes")),
        ({"repeat": "daily", "minutes": "٥"}, ("minutes", "minutes")),
        ({"repeat": "weekly"}, ("days", "days")),
        ({"repeat": "weekly", "days": ("XX",)}, ("days", "days")),
        ({"repeat": "rule", "rule": "x" * 300}, ("rule", "rule")),
    ],
)
def test_faults_are_named(changes: dict[str, object], fault: tuple[str, str]) -> None:
    with pytest.raises(FormError) as caught:
        msgspec.structs.replace(GOOD, **changes).draft()
    assert fault in caught.value.faults


def test_all_faults_come_at_once() -> None:
    with pytest.raises(FormError) as caught:
        read_form(Form([("reason", ""), ("repeat", "weekly")])).draft()
    assert {field for field, _ in caught.value.faults} == {
        "zone", "starts", "ends", "reason", "minutes", "days",
    }  # fmt: skip


def test_one_that_was_ended_is_made_again_as_it_was() -> None:
    draft = GOOD.draft()
    silence = Silence(
        id="s", owner="amal", created_ms=NOW, ended_ms=NOW + 1, **msgspec.structs.asdict(draft)
    )
    assert draft_again(view(silence, 2, NOW)) == draft
