"""Schedules, escalation and silences of the configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from alerts.escalation import choose, plan
from alerts.oncall import on_call
from alerts.oncall_calendar import CalendarError
from alerts.recurrence import instant_ms
from streams.cli import main
from streams.config import Config, Problem, check, format_problem, load
from streams.schedules import faults, open_duty, open_schedules
from tests.alerts.build import only_alert, signal, stage

HEAD = """\
brands: [{id: acme, names: [Acme], timezone: Asia/Riyadh}]
receivers: [{name: desk, type: console}, {name: file, type: journal, path: a.jsonl}]
"""
TEAM = """\
schedules:
  - name: team
    timezone: Europe/Berlin
    rotation: {people: [amal, badr], first: "2026-03-02"}
    overrides: [{person: dina, start: "2026-03-05T08:00", end: "2026-03-06T08:00"}]
"""
CHAINS = """\
escalation:
  business_hours: {opens: "08:00", closes: "16:00"}
  chains:
    - name: page
      severities: [critical]
      steps: [{receivers: [desk], schedule: team}, {after_min: 10, receivers: [desk, file]}]
      repeats: 1
    - {name: office, steps: [{receivers: [desk], hours: business}]}
"""
ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1@test
DTSTAMP:20260101T000000Z
SUMMARY:Amal
DTSTART;TZID=Asia/Riyadh:20260301T080000
DTEND;TZID=Asia/Riyadh:20260302T080000
RRULE:FREQ=DAILY;UNTIL=20260310T000000Z
END:VEVENT
END:VCALENDAR
"""


def ms(text: str, zone: str) -> int:
    return instant_ms(datetime.fromisoformat(text), ZoneInfo(zone))


def write(directory: Path, text: str) -> Path:
    path = directory / "nadhir.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def read(directory: Path, text: str) -> Config:
    return load(write(directory, text), {})


def test_schedules_and_chains_reach_the_alerts_as_they_were_written(tmp_path: Path) -> None:
    config = read(tmp_path, TEAM + CHAINS)
    team = open_schedules(config)["team"]
    assert on_call(team, ms("2026-03-03T08:00", "Europe/Berlin")) == ("amal",)
    assert on_call(team, ms("2026-03-05T08:00", "Europe/Berlin")) == ("dina",)
    chains = config.escalation.records()
    chosen = choose(chains, "acme", "critical")
    assert chosen is not None
    assert [s.targets[0].schedule for s in chosen.steps] == ["team", None]
    office = choose(chains, "acme", "watch")
    assert office is not None
    hours = config.escalation.hours(config.brand_records()[0])
    friday = ms("2026-03-06T10:00", "Asia/Riyadh")
    (step,) = plan(office, "a-1", 1, friday, hours)
    assert step.due_ms == ms("2026-03-08T08:00", "Asia/Riyadh")  # after the weekend


def test_duty_is_opened_with_all_that_it_needs(tmp_path: Path) -> None:
    moment = ms("2026-03-05T12:00", "Europe/Berlin")
    duty = open_duty(read(tmp_path, TEAM + CHAINS), lambda: moment)
    alert = only_alert(stage().handle([signal()]))
    alert = msgspec.structs.replace(alert, brand="acme", severity="critical")
    first = duty.plan(alert, 1, moment)[0]
    assert duty.targets(first) == [("desk", ("dina",))]


def test_a_calendar_is_found_beside_the_file_and_read(tmp_path: Path) -> None:
    (tmp_path / "oncall.ics").write_text(ICS, encoding="utf-8")
    text = "schedules: [{name: team, timezone: Asia/Riyadh, calendar: oncall.ics}]\n"
    schedules = open_schedules(read(tmp_path, text))
    assert on_call(schedules["team"], ms("2026-03-05T12:00", "UTC")) == ("Amal",)
    (tmp_path / "oncall.ics").write_text("hello", encoding="utf-8")
    with pytest.raises(CalendarError, match=r"oncall\.ics: is no iCalendar file"):
        open_schedules(read(tmp_path, text))


# one row: the configuration; then line, key, a piece of the message; W where it is a warning
BROKEN: dict[str, tuple[str, list[tuple[int, str, str]]]] = {
    "good": (TEAM + CHAINS, []),
    "unknown receiver": (
        "escalation: {chains: [{name: a, steps: [{receivers: [dsk]}]}]}",
        [(3, "escalation.chains[0].steps[0].receivers[0]",
          "'dsk' is no receiver; did you mean desk?")],
    ),
    "unknown schedule": (
        "escalation: {chains: [{name: a, steps: [{receivers: [desk], schedule: team}]}]}",
        [(3, "escalation.chains[0].steps[0].schedule", "'team' is no schedule; there is no sch")],
    ),
    "unknown brand": (
        "escalation: {chains: [{name: a, brands: [acne], steps: [{receivers: [desk]}]}]}",
        [(3, "escalation.chains", "Wcritical alerts of acme; nobody is paged"),
         (3, "escalation.chains[0].brands[0]", "'acne' is no brand; did you mean acme?")],
    ),
    "no step": (
        "escalation: {chains: [{name: a, steps: []}]}",
        [(3, "escalation.chains[0].steps", "must hold at least one entry")],
    ),
    "pages a file": (
        "escalation: {chains: [{name: a, steps: [{receivers: [file]}]}]}",
        [(3, "escalation.chains[0].steps", "Wpages nobody")],
    ),
    "behind another": (
        "escalation: {chains: [{name: a, steps: [{receivers: [desk]}]},"
        " {name: b, steps: [{receivers: [desk]}]}]}",
        [(3, "escalation.chains[1]", "Wnever pages: 'a' before it is for the same alerts")],
    ),
    "nothing for critical": (
        "escalation: {chains: [{name: a, severities: [watch], steps: [{receivers: [desk]}]}]}",
        [(3, "escalation.chains", "Whave none that is for critical alerts")],
    ),
    "chain twice": (
        "escalation: {chains: [{name: a, severities: [watch], steps: [{receivers: [desk]}]},"
        " {name: a, steps: [{receivers: [desk]}]}]}",
        [(3, "escalation.chains[1].name", "'a' stands twice (line 3)")],
    ),
    "hours that never open": (
        'escalation: {business_hours: {opens: "17:00"}}',
        [(3, "escalation.business_hours.opens", "'17:00' to '17:00' never open")],
    ),
    "an hour that is none": (
        'escalation: {business_hours: {opens: "8"}}',
        [(3, "escalation.business_hours.opens", "must be a time of day such as 08:30; got '8'")],
    ),
    "neither rotation nor calendar": (
        "schedules: [{name: team}]",
        [(3, "schedules[0]", "has neither rotation nor calendar")],
    ),
    "both": (
        TEAM + "    calendar: a.ics\n",
        [(8, "schedules[0].calendar", "stands beside rotation")],
    ),
    "no such calendar": (
        "schedules: [{name: team, calendar: a.ics}]",
        [(3, "schedules[0].calendar", "'a.ics' is no file")],
    ),
    "schedule twice": (
        TEAM + '  - {name: team, rotation: {people: [a], first: "2026-01-01"}}',
        [(8, "schedules[1].name", "'team' stands twice (line 4)")],
    ),
    "nobody takes turns": (
        'schedules: [{name: t, rotation: {people: [], first: "2026-01-01"}}]',
        [(3, "schedules[0].rotation.people", "at least one entry")],
    ),
    "an override that ends before it starts": (
        TEAM.replace("2026-03-06T08:00", "2026-03-05T08:00"),
        [(7, "schedules[0].overrides[0].end", "'2026-03-05T08:00' is not after the start")],
    ),
    "a time that is none": (
        TEAM.replace("2026-03-06T08:00", "2026-03-06"),
        [(7, "schedules[0].overrides[0].end", "must be a local time such as 2026-03-05T08:00")],
    ),
    "silences without end": (
        "silences: {max_days: 9999}",
        [(3, "silences.max_days", "must be at most 366")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_mistake_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    found = check(write(tmp_path, text), {})
    assert len(found) == len(expected), [format_problem(p) for p in found]
    for problem, (line, key, said) in zip(found, expected):
        assert (problem.line, problem.key) == (line, key)
        assert problem.severity == ("warning" if said.startswith("W") else "error")
        assert said.removeprefix("W") in problem.message


def gaps_told(directory: Path, text: str, now: str) -> list[Problem]:
    look: Callable[..., object] = partial(faults, now_ms=ms(now, "UTC"))
    return check(write(directory, text), {}, {"schedules": look})  # type: ignore[dict-item]


def test_a_gap_in_the_days_to_come_is_a_warning(tmp_path: Path) -> None:
    assert gaps_told(tmp_path, TEAM, "2026-03-02T12:00") == []
    (early,) = gaps_told(tmp_path, TEAM, "2026-02-20T00:00")
    assert (early.key, early.severity) == ("schedules[0]", "warning")
    assert "from 2026-02-20T00:00:00Z to 2026-03-02T07:00:00Z in the next" in early.message
    assert gaps_told(tmp_path, TEAM, "2026-01-01T00:00")[0].message.startswith("nobody is on call")


def test_a_calendar_that_ends_or_is_broken_is_told(tmp_path: Path) -> None:
    text = "schedules: [{name: team, timezone: Asia/Riyadh, calendar: oncall.ics}]\n"
    (tmp_path / "oncall.ics").write_text(ICS, encoding="utf-8")
    (ends,) = gaps_told(tmp_path, text, "2026-03-05T00:00")
    assert "from 2026-03-10T05:00:00Z to 2026-04-04T00:00:00Z" in ends.message
    (tmp_path / "oncall.ics").write_bytes(b"\xff\xfe")
    (broken,) = gaps_told(tmp_path, text, "2026-03-05T00:00")
    assert broken.severity == "error"
    assert "is not UTF-8" in broken.message


def test_the_command_looks_at_schedules_too(tmp_path: Path) -> None:
    far = TEAM.replace('first: "2026-03-02"', 'first: "2090-01-01"')
    result = CliRunner().invoke(main, ["config", "check", "--config", str(write(tmp_path, far))])
    assert result.exit_code == 0
    assert "warning: schedules[0]: nobody is on call from" in result.stdout
