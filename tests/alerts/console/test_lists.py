"""The pages of lists: what is asked for is shown, whatever else stands in the address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from alerts.api import Rejected
from alerts.console.pages import rejected
from alerts.records import rfc3339
from alerts.store.database import Database
from models.records import Holiday, Listed, OfficialAccount
from streams.decode import REASONS
from tests.alerts.build import RIMAL, SAQR
from tests.alerts.calling import Engine
from tests.alerts.console.looking import Looker
from tests.alerts.responding import NOW, copies, desk

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def looker(tmp_path_factory: pytest.TempPathFactory) -> Looker:
    """Sixty alerts, one a day; what a test adds disturbs no other."""
    made = desk(Database(tmp_path_factory.mktemp("lists") / "response.db"))
    for number, alert in enumerate(copies(60)):
        opened = rfc3339(NOW - number * DAY_MS)
        made.take(msgspec.structs.replace(alert, opened_at=opened))
    return Looker(made)


def ids(page: str) -> list[str]:
    return re.findall(r'<li class="alert [a-z]+" data-alert="([^"]+)"', page)


# history ----------------------------------------------------------------------------------


def test_pages_of_history_follow_each_other(looker: Looker) -> None:
    first = looker.get("/history")
    (older,) = re.findall(r'href="(/history\?cursor=[^"]+)" rel="next"', first)
    second = looker.get(older.replace("&amp;", "&"))
    assert (len(ids(first)), len(ids(second))) == (50, 10)
    assert not {*ids(first)} & {*ids(second)}
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=open", 50),
        ("state=resolved", 0),
        ("first=2026-11-19&last=2026-11-20", 2),
        ("last=2026-09-30", 8),
        ("brand=rimal-bank&severity=critical&severity=warning&severity=watch", 50),
        ("brand=saqr-air", 0),
        ("drill=yes", 0),
        ("assignee=amal", 0),
        # what makes no sense asks for nothing
        ("state=%3Cscript%3E&brand=none&drill=perhaps", 50),
        ("first=yesterday&last=9999-12-31", 50),
        ("cursor=%3Cscript%3E", 50),
    ],
)
def test_history_is_filtered(looker: Looker, query: str, count: int) -> None:
    page = looker.get(f"/history?{query}")
    assert len(ids(page)) == count
    assert "<script>" not in page


def test_history_says_what_alerts_were_judged_to_be(tmp_path: Path) -> None:
    made = desk(Database(tmp_path / "response.db"))
    for alert in copies(3):
        made.take(alert)
    first, second, third = (alert.id for alert in copies(3))
    for id_, word in ((first, "false"), (first, "true"), (second, "false")):
        made.judge("amal", id_, word, version=None, reason="", duplicate_of=None, once=None)  # type: ignore[arg-type]
    looker = Looker(made)
    rows = looker.get("/history").split("data-alert=")[1:]
    words = {row[1 : 1 + len(first)]: re.findall(r'class="verdict (\w+)"', row) for row in rows}
    shown = {id_: found[0] for id_, found in words.items() if found}
    assert shown == {first: "true", second: "false"}
    assert third not in shown
    assert "إنذار كاذب" in looker.get("/history", "ar")


# decisions --------------------------------------------------------------------------------


def test_decisions_say_why_not(looker: Looker) -> None:
    page = looker.get("/decisions")
    assert len(re.findall(r'class="outcome not_alerted"', page)) == 5
    assert "قليل" in looker.get("/decisions", "ar")
    assert "few" in page
    assert "outcome not_alerted" not in looker.get("/decisions?brand=saqr-air")
    assert "outcome not_alerted" in looker.get("/decisions?brand=%22%3E&outcome=x&cursor=-1")


# rejected ---------------------------------------------------------------------------------


class Full(Engine):
    """An engine that rejected something for every reason."""

    def rejected(self, *, reason: str | None, before: int | None, limit: int) -> Sequence[Rejected]:
        every = [
            Rejected(
                number=number, reason=code, detail="is <b>wrong</b>", source="http", position="7",
                retried=number == 3, raw=b"\xff<script>\xe2\x80\xae" + b"w" * 1_000_000,
            )
            for number, code in enumerate((*REASONS, "of_a_later_version"), 1)
        ]  # fmt: skip
        found = [o for o in every if reason in (None, o.reason) and o.number < (before or 999)]
        return found[::-1][:limit]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_everything_rejected_says_what_to_do(tmp_path: Path, language: str) -> None:
    looker = Looker(desk(Database(tmp_path / "response.db")), "viewer", Full())
    page = looker.get("/rejected", language)
    assert page.count('<li class="card tile">') == len(REASONS) + 1
    assert "<script>" not in page
    assert "\\u202e" in page
    assert "\u202e" not in page
    assert len(page) < 200_000
    assert looker.get("/rejected?reason=bad_row").count('<li class="card tile">') == 1


def test_every_reason_has_its_remedy() -> None:
    assert rejected.REASONS.keys() == REASONS.keys()


# playbooks and brands ---------------------------------------------------------------------


def test_playbooks_are_filled_with_the_brand_that_is_asked_for(looker: Looker) -> None:
    listed = looker.get("/playbooks")
    for type_ in re.findall(r'href="/playbooks/(\w+)"', listed):
        page = looker.get(f"/playbooks/{type_}?brand=saqr-air")
        assert "Saqr Air" in page
        assert "{{" not in page
    assert "Rimal Bank" in looker.get("/playbooks/rumour?brand=none")
    assert "طيران صقر" in looker.get("/playbooks/rumour?brand=saqr-air", "ar")


class Settled(Engine):
    """An engine that watches a brand with every setting."""

    brands = (
        msgspec.structs.replace(
            RIMAL,
            accounts=(OfficialAccount(platform="x", id="42", handle="rimalbank"),),
            holidays=(Holiday(name="Ramadan", first="2027-02-08", last="2027-03-09"),),
            sensitivity="strict",
            allow=(Listed(owner="Sara", reason="fan club", handle="rimal_fans", until_ms=NOW),),
            block=(Listed(owner="Omar", reason="their shop", domain="rimal-gifts.example"),),
        ),
        SAQR,
    )


def test_brands_say_how_they_stand_and_what_is_set(tmp_path: Path) -> None:
    made = desk(Database(tmp_path / "response.db"))
    for alert in copies(1, severity="critical"):
        made.take(alert)
    page = Looker(made, "viewer", Settled()).get("/brands")
    rimal, saqr = page.split('<section class="card brand ')[1:]
    assert rimal.startswith("crisis")
    assert saqr.startswith("blind")
    for word in ("x:42", "Ramadan", "strict", "fan club", "rimal-gifts.example", "Sara", "Omar"):
        assert word in rimal
    assert "Silence it" not in page  # a viewer cannot


# silences ---------------------------------------------------------------------------------

GOOD = {
    "brands": ["rimal-bank"], "zone": "UTC", "starts": "2026-11-21T00:00", "minutes": "60",
    "ends": "2026-11-23T00:00", "reason": "maintenance", "repeat": "",
}  # fmt: skip


def test_trying_makes_none_and_making_makes_one(looker: Looker) -> None:
    tried = looker.post("/silences", do="try", **GOOD)
    assert tried.status_code == 200
    assert tried.text.count('class="sign held"') > 20
    assert "In force now" in looker.get("/silences")
    assert "End now" not in looker.get("/silences")
    made = looker.post("/silences", do="make", **GOOD)
    assert made.status_code == 303
    page = looker.get(made.headers["location"])
    assert "The silence is made." in page
    assert "maintenance" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": ""}, "Say why."),
        ({"ends": "2026-11-20T00:00"}, "must be after the start."),
        ({"brands": []}, "names nothing"),
        ({"repeat": "rule", "rule": "FREQ=HOURLY"}, "a recurrence cannot have"),
        ({"repeat": "weekly"}, "Choose at least one day."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    looker: Looker, changes: dict[str, object], said: str
) -> None:
    answer = looker.post("/silences", do="make", **(GOOD | changes))
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="fault-' in answer.text
    assert 'value="2026-11-21T00:00"' in answer.text  # what was filled in is still there


def test_a_viewer_may_not(tmp_path: Path) -> None:
    looker = Looker(desk(Database(tmp_path / "response.db")), "viewer")
    assert looker.post("/silences", do="make", **GOOD).status_code == 403
    assert looker.post("/silences/sil-x/end", version="1").status_code == 403
    assert looker.post("/silences/sil-x/again", version="1").status_code == 403
