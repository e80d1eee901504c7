"""Allow and block lists by API: made once, refused in words, taken away, audited without names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from alerts.hostnames import ascii_domain
from alerts.listed import MOST_ENTRIES
from alerts.service import listing
from alerts.store import audit, listings
from alerts.store.database import Database
from models.records import Listed, OfficialAccount
from tests.alerts.build import RIMAL
from tests.alerts.calling import Api, Client, Engine, problem
from tests.alerts.responding import NOW
from tests.alerts.test_service import at_once

ENTRY = {
    "list": "block",
    "brand": "rimal-bank",
    "handle": "@Rimal_Help",
    "reason": "asks for codes",
}


@pytest.fixture
def api(database: Database, monkeypatch: pytest.MonkeyPatch) -> Api:
    known = Listed(owner="Sara", reason="our fan club", handle="rimal_fans")
    official = OfficialAccount(platform="x", id="42", handle="rimal_care")
    brand = msgspec.structs.replace(
        RIMAL, allow=(known,), accounts=(official,), domains=("rimal.example",)
    )
    monkeypatch.setattr(Engine, "brands", (brand, *Engine.brands[1:]))
    return Api(database)


@pytest.fixture
def amal(api: Api) -> Iterator[Client]:
    with api.client("responder") as client:
        yield client


def made(client: Client, **changes: Any) -> dict[str, Any]:
    sent = {name: value for name, value in (ENTRY | changes).items() if value is not None}
    answer = client.post("/v1/lists", json=sent)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_way_of_an_entry(api: Api, amal: Client) -> None:
    entry = made(amal)
    assert (entry["owner"], entry["handle"], entry["version"]) == ("responder", "Rimal_Help", 1)
    path = f"/v1/lists/{entry['id']}"
    assert amal.get(path).json() == entry
    found = amal.get("/v1/lists").json()
    assert found["entries"] == [entry]
    (known,) = found["configured"]
    assert (known["list"], known["handle"], known["owner"]) == ("allow", "rimal_fans", "Sara")

    assert amal.delete(path).status_code == 428
    assert amal.delete(path, headers={"if-match": '"7"'}).status_code == 412
    gone = amal.delete(path, headers={"if-match": '"1"'})
    assert gone.status_code == 200
    assert gone.headers["etag"] == '"2"'
    assert gone.json()["removed_at"]
    assert amal.get("/v1/lists").json()["entries"] == []
    assert amal.get("/v1/lists?removed=true").json()["entries"] == [gone.json()]
    made(amal)  # what was taken away may be listed again


def test_the_audit_trail_names_the_entry_and_not_the_account(api: Api, amal: Client) -> None:
    entry = made(amal)
    amal.delete(f"/v1/lists/{entry['id']}", headers={"if-match": "*"})
    with api.desk.database.read() as connection:
        rows = [e for e in audit.entries(connection) if e.action in ("listed", "unlisted")]
        assert audit.verify(connection)
    assert [(e.action, e.actor, e.details["entry"]) for e in rows] == [
        ("listed", "responder", entry["id"]), ("unlisted", "responder", entry["id"]),
    ]  # fmt: skip
    assert "rimal_help" not in str([e.details for e in rows]).lower()


def test_a_key_makes_one_entry(amal: Client) -> None:
    sent = [amal.post("/v1/lists", json=ENTRY, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert [a.status_code for a in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()


@pytest.mark.parametrize(
    ("changes", "status", "field", "code"),
    [
        ({"brand": "nobody"}, 422, "brand", "unknown_brand"),
        ({"reason": " "}, 422, "reason", "blank"),
        ({"domain": "rimal.top"}, 422, "handle", "one_of"),
        ({"handle": None}, 422, "handle", "one_of"),
        ({"handle": "two words"}, 422, "handle", "no_handle"),
        ({"handle": None, "account": "7"}, 422, "platform", "which_platform"),
        ({"handle": None, "domain": "https://rimal.top/x"}, 422, "domain", "no_domain"),
        ({"handle": None, "domain": "localhost"}, 422, "domain", "no_domain"),
        ({"handle": None, "domain": "rimal.top", "platform": "x"}, 422, "platform", "any_platform"),
        ({"platform": "a b"}, 422, "platform", "no_platform"),
        ({"until": "2020-01-01T00:00:00Z"}, 422, "until", "over"),
        ({"handle": None, "domain": "RIMAL.example"}, 422, "domain", "own"),
        ({"handle": None, "account": "42", "platform": "X"}, 422, "account", "own"),
        ({"handle": "Rimal_Care", "platform": "x"}, 422, "handle", "own"),
        ({"handle": "rimalbank", "platform": "x"}, 422, "handle", "own"),
        ({"handle": "rimalbank_care"}, 422, "handle", "own"),
        ({"handle": "Rimal_Fans"}, 409, "handle", "listed"),
    ],
)
def test_what_makes_no_sense_is_refused_in_both_languages(
    amal: Client, changes: dict[str, Any], status: int, field: str, code: str
) -> None:
    sent = {name: value for name, value in (ENTRY | changes).items() if value is not None}
    answer = amal.post("/v1/lists", json=sent)
    assert answer.status_code == status, answer.text
    faults = problem(answer)["errors"]
    (fault,) = [f for f in faults if f["code"] == code]
    assert fault["field"] == field
    assert fault["sentence"]["ar"]
    assert fault["sentence"]["en"]
    assert amal.get("/v1/lists").json()["entries"] == []


def test_the_same_is_listed_once_however_it_is_written(amal: Client) -> None:
    made(amal)
    again = amal.post("/v1/lists", json=ENTRY | {"handle": "RIMAL_HELP", "list": "allow"})
    assert again.status_code == 409
    assert problem(again)["detail"] == "Is on the block list already, by responder."
    made(amal, handle=None, domain="ريمال.السعودية")
    sent = {"list": "block", "brand": "rimal-bank", "reason": "again"}
    again = amal.post("/v1/lists", json=sent | {"domain": ascii_domain("ريمال.السعودية")})
    assert again.status_code == 409
    made(amal, brand="saqr-air")  # another brand's list is another list


def test_of_those_who_list_the_same_at_once_one_does(api: Api) -> None:
    statuses: list[int] = []

    def add() -> None:
        with api.client("responder") as client:
            statuses.append(client.post("/v1/lists", json=ENTRY).status_code)

    at_once([add] * 8)
    assert sorted(statuses) == [201] + [409] * 7


def test_an_entry_whose_time_is_over_may_be_made_again(api: Api, amal: Client) -> None:
    made(amal, until="2026-11-22T00:00:00Z")
    clock = api.desk.clock
    assert hasattr(clock, "now_ms")
    clock.now_ms = NOW + 10**10
    made(amal)


def test_pages_follow_the_cursor(amal: Client) -> None:
    ids = [made(amal, handle=f"rimal_{number}")["id"] for number in range(5)]
    first = amal.get("/v1/lists?limit=2").json()
    assert len(first["configured"]) == 1
    seen = [e["id"] for e in first["entries"]]
    cursor = first["next"]
    while cursor:
        page = amal.get(f"/v1/lists?limit=2&cursor={cursor}").json()
        assert page["configured"] == []
        seen += [e["id"] for e in page["entries"]]
        cursor = page["next"]
    assert sorted(seen) == sorted(ids)
    assert amal.get("/v1/lists?brand=saqr-air").json()["entries"] == []
    assert amal.get("/v1/lists?list=allow").json()["entries"] == []


def test_the_lists_are_bounded(amal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ENTRIES == 10_000
    monkeypatch.setattr(listing, "MOST_ENTRIES", 2)
    for number in range(2):
        made(amal, handle=f"rimal_{number}")
    full = amal.post("/v1/lists", json=ENTRY)
    assert full.status_code == 409
    assert "the most there may be" in problem(full)["detail"]


def test_who_may_only_look(api: Api) -> None:
    with api.client("viewer") as viewer:
        assert viewer.get("/v1/lists").status_code == 200
        assert viewer.post("/v1/lists", json=ENTRY).status_code == 403
        refused = viewer.delete("/v1/lists/lst-1", headers={"if-match": "*"})
        assert refused.status_code == 403


def test_the_mark_moves_with_every_change(api: Api, amal: Client) -> None:
    def mark() -> tuple[int, int]:
        with api.desk.database.read() as connection:
            return listings.mark(connection)

    seen = [mark()]
    entry = made(amal)
    seen.append(mark())
    amal.delete(f"/v1/lists/{entry['id']}", headers={"if-match": "*"})
    seen.append(mark())
    assert len(set(seen)) == 3
